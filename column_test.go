package tvmexport_test

import (
	"strings"
	"testing"

	"github.com/tvmexport/tvmexport"
)

func TestChoose(t *testing.T) {
	state := tvmexport.Table{
		Name: "DeviceInfo", LoadType: tvmexport.Snapshot, Key: tvmexport.Key{Column: "DeviceId"},
		Columns: []tvmexport.Column{{Name: "DeviceId", Type: "string"}, {Name: "Tags", Type: "dynamic"}},
	}
	events := state
	events.LoadType, events.Watermark = tvmexport.Incremental, "Timestamp"
	for _, tt := range []struct {
		table      tvmexport.Table
		choice     tvmexport.ColumnPolicy
		visibility string
		err        string
	}{
		{state, tvmexport.ColumnPolicy{}, "", ""},
		{state, tvmexport.ColumnPolicy{Exclude: []string{"Tags"}}, "", ""},
		{state, tvmexport.ColumnPolicy{Exclude: []string{"DeviceId"}}, "hidden", ""},
		{state, tvmexport.ColumnPolicy{Include: []string{"Tags"}}, "hidden", ""},
		{state, tvmexport.ColumnPolicy{Pseudonymise: []string{"DeviceId"}}, "masked", ""},
		{state, tvmexport.ColumnPolicy{Pseudonymise: []string{"Tags"}}, "", "only text can be pseudonymised (exclude it instead)"},
		{state, tvmexport.ColumnPolicy{Include: []string{"Nothing"}}, "", "no column would be published"},
		{events, tvmexport.ColumnPolicy{Exclude: []string{"Timestamp"}}, "", "Timestamp is the watermark"},
		{events, tvmexport.ColumnPolicy{Include: []string{"DeviceId"}}, "", "Timestamp is the watermark"},
		{events, tvmexport.ColumnPolicy{Pseudonymise: []string{"Timestamp"}}, "", "Timestamp is the watermark"},
	} {
		got, err := tt.table.WithPolicy(tt.choice)
		switch {
		case tt.err == "" && err != nil:
			t.Errorf("%+v: %v", tt.choice, err)
		case tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err) || tvmexport.CauseOf(err) != tvmexport.Usage):
			t.Errorf("%+v: %v, want %s", tt.choice, err, tt.err)
		case err == nil && got.KeyVisibility() != tt.visibility:
			t.Errorf("%+v: the key is %q, want %q", tt.choice, got.KeyVisibility(), tt.visibility)
		}
	}
}

// Rows under different column policies, or under different keys of pseudonyms,
// cannot be in the same table: the policy is part of the table's definition.
func TestTheChoiceIsPartOfTheDefinition(t *testing.T) {
	table := tvmexport.Table{Name: "T", LoadType: tvmexport.Snapshot, Columns: []tvmexport.Column{{Name: "A", Type: "string"}, {Name: "B", Type: "string"}}}
	seen := map[string]tvmexport.ColumnPolicy{}
	for _, c := range []tvmexport.ColumnPolicy{
		{},
		{Exclude: []string{"A"}},
		{Exclude: []string{"NotInTheCatalogue"}},
		{Include: []string{"A"}},
		{Pseudonymise: []string{"A"}, Key: "one"},
		{Pseudonymise: []string{"A"}, Key: "two"},
		{Pseudonymise: []string{"B"}, Key: "one"},
	} {
		chosen, err := table.WithPolicy(c)
		if err != nil {
			t.Fatal(err)
		}
		if before, ok := seen[chosen.Definition()]; ok {
			t.Errorf("%+v and %+v make the same table", before, c)
		}
		seen[chosen.Definition()] = c
	}
}
