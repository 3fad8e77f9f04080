package tenant_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tvmexport/tvmexport/emulator/internal/kql"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
	"github.com/tvmexport/tvmexport/emulator/internal/tenant"
)

const firmware = "DeviceTvmHardwareFirmware"

// texts are the values of one column, as JSON.
func texts(t testing.TB, c kql.Catalog, name, column string) []string {
	t.Helper()
	r := relation(t, c, name)
	at := columnAt(t, r, column)
	var list []string
	for row, err := range r.Scan(t.Context(), kql.Request{}) {
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, string(row[at].AppendJSON(nil)))
	}
	return list
}

// drifted changes the schema of a table of x.
func drifted(t testing.TB, x *tenant.Tenant, table string, d tenant.Drift) kql.Relation {
	t.Helper()
	columns, err := x.Drift(table, d)
	if err != nil {
		t.Fatal(err)
	}
	r := relation(t, x.Catalog(), table)
	if d := cmp.Diff(columns, r.Columns()); d != "" {
		t.Errorf("what Drift says differs from the table (-said +is):\n%s", d)
	}
	return r
}

func TestDriftAddsAColumn(t *testing.T) {
	for kind := value.Bool; kind <= value.Dynamic; kind++ {
		x := tenant.New(options(30, 5))
		before := x.Catalog()
		r := drifted(t, x, inventoryTable, tenant.Drift{Add: &tenant.NewColumn{Name: "Extra", Type: kind.String()}})
		last := r.Columns()[len(r.Columns())-1]
		if last != (value.Column{Name: "Extra", Kind: kind}) {
			t.Errorf("the last column is %v", last)
		}
		values := map[string]bool{}
		for row, err := range r.Scan(t.Context(), kql.Request{}) {
			if err != nil {
				t.Fatal(err)
			}
			v := row[len(row)-1]
			if v.Kind() != kind {
				t.Fatalf("a %s in a column of %s", v.Kind(), kind)
			}
			values[string(v.AppendJSON(nil))] = true
		}
		if len(values) < 2 {
			t.Errorf("%s: the same everywhere: %v", kind, values)
		}
		if n := len(relation(t, before, inventoryTable).Columns()); n != len(r.Columns())-1 {
			t.Error("a catalogue from before has the column")
		}
		again := tenant.New(options(30, 5))
		drifted(t, again, inventoryTable, tenant.Drift{Add: &tenant.NewColumn{Name: "Extra", Type: kind.String()}})
		if fingerprint(t, again.Catalog(), inventoryTable) != fingerprint(t, x.Catalog(), inventoryTable) {
			t.Errorf("%s: two tenants of one seed differ", kind)
		}
	}
}

const inventoryTable = "DeviceTvmSoftwareInventory"

func TestDriftDropsAColumnAndItComesBack(t *testing.T) {
	x := tenant.New(options(12, 5))
	was := texts(t, x.Catalog(), inventoryTable, "SoftwareVendor")
	r := drifted(t, x, inventoryTable, tenant.Drift{Drop: "SoftwareVendor"})
	if slices.ContainsFunc(r.Columns(), func(c value.Column) bool { return c.Name == "SoftwareVendor" }) {
		t.Error("it is still there")
	}
	x.Advance(1)
	if len(relation(t, x.Catalog(), inventoryTable).Columns()) != len(r.Columns()) {
		t.Error("it is back after a day")
	}
	y := tenant.New(options(12, 5))
	drifted(t, y, inventoryTable, tenant.Drift{Drop: "SoftwareVendor"})
	drifted(t, y, inventoryTable, tenant.Drift{Add: &tenant.NewColumn{Name: "SoftwareVendor", Type: "string"}})
	if d := cmp.Diff(was, texts(t, y.Catalog(), inventoryTable, "SoftwareVendor")); d != "" {
		t.Errorf("it came back with other values (-was +is):\n%s", d)
	}
}

func TestDriftRetypesAColumn(t *testing.T) {
	x := tenant.New(options(12, 5))
	const table = "DeviceTvmSecureConfigurationAssessmentKB"
	was := texts(t, x.Catalog(), table, "ConfigurationImpact")
	drifted(t, x, table, tenant.Drift{Retype: &tenant.NewColumn{Name: "ConfigurationImpact", Type: "string"}})
	now := texts(t, x.Catalog(), table, "ConfigurationImpact")
	for i := range was {
		if want := `"` + was[i] + `"`; now[i] != want && now[i] != `"`+was[i]+`.0"` {
			t.Fatalf("%s became %s", was[i], now[i])
		}
	}
	drifted(t, x, table, tenant.Drift{Retype: &tenant.NewColumn{Name: "ConfigurationImpact", Type: "real"}})
	if d := cmp.Diff(was, texts(t, x.Catalog(), table, "ConfigurationImpact")); d != "" {
		t.Errorf("there and back (-was +is):\n%s", d)
	}
}

// Text becomes a dynamic as by todynamic: what is JSON is parsed.
func TestDriftParsesText(t *testing.T) {
	x := tenant.New(options(12, 5))
	was := texts(t, x.Catalog(), "DeviceTvmCertificateInfo", "KeySize")
	drifted(t, x, "DeviceTvmCertificateInfo", tenant.Drift{Retype: &tenant.NewColumn{Name: "KeySize", Type: "dynamic"}})
	for i, now := range texts(t, x.Catalog(), "DeviceTvmCertificateInfo", "KeySize") {
		if want := strings.Trim(was[i], `"`); now != want && !(want == "" && now == "null") {
			t.Fatalf("%s became %s", was[i], now)
		}
	}
}

func TestDriftNestsAKey(t *testing.T) {
	for _, at := range []tenant.NewKey{{Column: "AdditionalFields", Key: "Extra"}} {
		x := tenant.New(options(12, 5))
		was := texts(t, x.Catalog(), firmware, at.Column)
		drifted(t, x, firmware, tenant.Drift{Nest: &at})
		now := texts(t, x.Catalog(), firmware, at.Column)
		grown := 0
		for i := range was {
			switch {
			case strings.HasPrefix(was[i], "{"):
				if !strings.Contains(now[i], `"Extra":`) {
					t.Fatalf("%s became %s", was[i], now[i])
				}
				grown++
			case was[i] != now[i]:
				t.Fatalf("%s became %s", was[i], now[i])
			}
		}
		if grown == 0 {
			t.Error("no bag to grow")
		}
	}
}

// Conditions and the columns that are needed keep their meaning.
func TestDriftUnderConditions(t *testing.T) {
	x := tenant.New(options(40, 5))
	drifted(t, x, firmware, tenant.Drift{Drop: "DeviceName"})
	drifted(t, x, firmware, tenant.Drift{Add: &tenant.NewColumn{Name: "Extra", Type: "string"}})
	r := drifted(t, x, firmware, tenant.Drift{Nest: &tenant.NewKey{Column: "AdditionalFields", Key: "Extra"}})
	id, last := columnAt(t, r, "DeviceId"), len(r.Columns())-1
	all := map[string]string{}
	for row, err := range r.Scan(t.Context(), kql.Request{}) {
		if err != nil {
			t.Fatal(err)
		}
		all[row[id].Text()] = row[last].Text()
	}
	for device, want := range all {
		if device == "" {
			continue
		}
		need := make([]bool, len(r.Columns()))
		need[last] = true
		n := 0
		where := []kql.Condition{{Column: id, Prefixes: []string{device}}, {Column: last, Prefixes: []string{want}}}
		for row, err := range r.Scan(t.Context(), kql.Request{Need: need, Where: where}) {
			if err != nil {
				t.Fatal(err)
			}
			if row[last].Text() != want {
				t.Fatalf("%s: %q, want %q", device, row[last].Text(), want)
			}
			n++
		}
		if n == 0 {
			t.Errorf("%s has no rows under its condition", device)
		}
	}
}

func TestDriftRefusals(t *testing.T) {
	x := tenant.New(options(3, 5))
	for _, tt := range []struct {
		table string
		d     tenant.Drift
		want  string
	}{
		{"DeviceInfo", tenant.Drift{Drop: "OSPlatform"}, "DeviceInfo holds events; only tables of current state drift"},
		{"Nothing", tenant.Drift{Drop: "X"}, `the tenant has no table "Nothing"`},
		{firmware, tenant.Drift{}, "a drift is one of add, drop, retype and nest"},
		{firmware, tenant.Drift{Drop: "X", Nest: &tenant.NewKey{}}, "a drift is one of add, drop, retype and nest"},
		{firmware, tenant.Drift{Drop: "X"}, `DeviceTvmHardwareFirmware has no column "X"`},
		{firmware, tenant.Drift{Add: &tenant.NewColumn{Name: "DeviceId", Type: "string"}}, "DeviceTvmHardwareFirmware has a column DeviceId"},
		{firmware, tenant.Drift{Add: &tenant.NewColumn{Name: "a b", Type: "string"}}, `"a b" is no name for a column`},
		{firmware, tenant.Drift{Add: &tenant.NewColumn{Name: "a", Type: "text"}}, `"text" is no type of a column`},
		{firmware, tenant.Drift{Retype: &tenant.NewColumn{Name: "a", Type: "string"}}, `DeviceTvmHardwareFirmware has no column "a"`},
		{firmware, tenant.Drift{Retype: &tenant.NewColumn{Name: "DeviceId", Type: "x"}}, `"x" is no type of a column`},
		{firmware, tenant.Drift{Retype: &tenant.NewColumn{Name: "DeviceId", Type: "string"}}, "DeviceId of DeviceTvmHardwareFirmware is string as it is"},
		{firmware, tenant.Drift{Nest: &tenant.NewKey{Column: "DeviceId", Key: "k"}}, "DeviceId of DeviceTvmHardwareFirmware is string; keys are nested in dynamic columns"},
		{firmware, tenant.Drift{Nest: &tenant.NewKey{Column: "X", Key: "k"}}, `DeviceTvmHardwareFirmware has no column "X"`},
		{firmware, tenant.Drift{Nest: &tenant.NewKey{Column: "AdditionalFields"}}, "a nested key has a name"},
	} {
		if _, err := x.Drift(tt.table, tt.d); err == nil || err.Error() != tt.want {
			t.Errorf("%s: %v, want %s", tt.table, err, tt.want)
		}
	}
	columns := relation(t, x.Catalog(), firmware).Columns()
	for _, c := range columns[:len(columns)-1] {
		drifted(t, x, firmware, tenant.Drift{Drop: c.Name})
	}
	const want = "AdditionalFields is the last column of DeviceTvmHardwareFirmware"
	if _, err := x.Drift(firmware, tenant.Drift{Drop: "AdditionalFields"}); err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}
