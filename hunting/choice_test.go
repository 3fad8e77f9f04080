package hunting

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/internal/pseudonym"
)

var devices = tvmexport.Table{
	Name: "DeviceInfo", Key: tvmexport.Key{Column: "DeviceId"},
	Columns: []tvmexport.Column{{Name: "DeviceId", Type: "string"}, {Name: "DeviceName", Type: "string"}, {Name: "IsInternetFacing", Type: "bool"}},
}

var pseudonymKey = []byte("a key of sixteen or more")

func mask(value string) string { return string(pseudonym.New(pseudonymKey).Append(nil, []byte(value))) }

// No published row has an excluded column, in any spelling of its name; the key
// is still that of the original.
func TestAChoiceOfColumns(t *testing.T) {
	for _, tt := range []struct {
		name   string
		choice tvmexport.ColumnPolicy
		row    string
		want   string
		key    string
	}{
		{
			"excluded",
			tvmexport.ColumnPolicy{Exclude: []string{"DeviceName", "PublicIP"}},
			`{"DeviceId":"3f","DeviceName":"pc-1","PublicIP":"192.0.2.1","New":1}`, `{"DeviceId":"3f","New":1}`, "3f",
		},
		{
			"excluded, in another case",
			tvmexport.ColumnPolicy{Exclude: []string{"DeviceName", "PublicIP"}},
			`{"deviceName":"pc-1","publicIP":"192.0.2.1","DeviceId":"3f"}`, `{"DeviceId":"3f"}`, "3f",
		},
		{
			"the key excluded",
			tvmexport.ColumnPolicy{Exclude: []string{"DeviceId"}},
			`{"DeviceId":"3f","DeviceName":"pc-1"}`, `{"DeviceName":"pc-1"}`, "3f",
		},
		{
			"included",
			tvmexport.ColumnPolicy{Include: []string{"DeviceName"}},
			`{"DeviceId":"3f","DeviceName":"pc-1","New":{"a":1},"IsInternetFacing@odata.type":"#SByte","IsInternetFacing":1}`, `{"DeviceName":"pc-1"}`, "3f",
		},
		{
			"masked",
			tvmexport.ColumnPolicy{Pseudonymise: []string{"DeviceId", "DeviceName"}},
			`{"DeviceId":"3f","DeviceName":"p\u0063-1","IsInternetFacing":1}`,
			`{"DeviceId":"` + mask("3f") + `","DeviceName":"` + mask("pc-1") + `","IsInternetFacing":true}`, "3f",
		},
		{
			"masked, in another case",
			tvmexport.ColumnPolicy{Pseudonymise: []string{"DeviceName"}},
			`{"DeviceId":"3f","devicename":"pc-1"}`, `{"DeviceId":"3f","DeviceName":"` + mask("pc-1") + `"}`, "3f",
		},
		{
			"nothing to mask",
			tvmexport.ColumnPolicy{Pseudonymise: []string{"DeviceId", "DeviceName"}},
			`{"DeviceId":{},"DeviceName":""}`, `{"DeviceId":null,"DeviceName":""}`, "",
		},
		{
			"a number where a text is due",
			tvmexport.ColumnPolicy{Pseudonymise: []string{"DeviceName"}},
			`{"DeviceId":"3f","DeviceName":17}`, `{"DeviceId":"3f","DeviceName":"` + mask("17") + `"}`, "3f",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			table, err := devices.WithPolicy(tt.choice)
			if err != nil {
				t.Fatal(err)
			}
			n := normaliserOf(Graph, table, nil)
			n.masks = pseudonym.New(pseudonymKey)
			var got rowsOf
			for range 2 { // the second time by what was learned from the first
				if end, err := n.row([]byte(tt.row), &got); err != nil || end != len(tt.row) {
					t.Fatalf("%d, %v", end, err)
				}
			}
			if d := cmp.Diff([]string{tt.want, tt.want}, got.rows); d != "" {
				t.Error(d)
			}
			if got.keys[0] != tt.key {
				t.Errorf("the key is %q, want %q", got.keys[0], tt.key)
			}
		})
	}
}

func TestChosenColumnsInTheQuery(t *testing.T) {
	for _, tt := range []struct {
		choice tvmexport.ColumnPolicy
		want   string
	}{
		{tvmexport.ColumnPolicy{}, ""},
		{tvmexport.ColumnPolicy{Exclude: []string{"DeviceId"}}, ""},
		{tvmexport.ColumnPolicy{Exclude: []string{"DeviceId", "DeviceName", "Odd_name", "where"}}, "\n| project-away DeviceName, Odd_name, ['where']"},
		{tvmexport.ColumnPolicy{Include: []string{"DeviceName"}}, "\n| project DeviceName, DeviceId"},
		{tvmexport.ColumnPolicy{Pseudonymise: []string{"DeviceName"}}, ""},
	} {
		table := devices
		table.Policy = tt.choice
		if got := chosen(table); got != tt.want {
			t.Errorf("%+v: %q, want %q", tt.choice, got, tt.want)
		}
		if q := (phrasing{}).fetch(tvmexport.Slice{Table: table, Partitions: []tvmexport.Partition{tvmexport.AllPartitions}}, "m:", nil); !strings.Contains(q, "DeviceInfo"+tt.want+");") {
			t.Errorf("%+v: %s", tt.choice, q)
		}
	}
}
