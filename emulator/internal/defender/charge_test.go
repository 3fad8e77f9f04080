package defender_test

import (
	"testing"

	"github.com/tvmexport/tvmexport/emulator/internal/defender"
	"github.com/tvmexport/tvmexport/emulator/internal/kql"
	"github.com/tvmexport/tvmexport/emulator/internal/tenant"
)

// A query is charged for the rows that the service reads: an index on the start
// of a column spares rows, a computed value does not, however the emulator
// evaluates it.
func TestChargedRows(t *testing.T) {
	const table = "DeviceTvmSecureConfigurationAssessment"
	tn := tenant.New(tenant.Options{Devices: 60, Seed: 1, Start: noon})
	charged := func(query string) int64 {
		s := service(t, func(o *defender.Options) { o.Catalog = func() kql.Catalog { return tn.Catalog() } })
		if w := ask(s, graphPath, query); w.Code != 200 {
			t.Fatalf("%s: %d %s", query, w.Code, w.Body)
		}
		return s.Stats()["graph"].RowsScanned
	}
	whole := charged(table)
	indexed := charged(table + " | where DeviceId startswith_cs '3'")
	if indexed == 0 || indexed >= whole {
		t.Errorf("startswith_cs is charged %d rows of %d", indexed, whole)
	}
	for _, tt := range []struct {
		query string
		want  int64
	}{
		{table + " | where substring(DeviceId, 0, 1) == '3'", whole},
		{table + " | where substring(DeviceId, 0, 1) in ('3', '4') or DeviceId startswith_cs '5'", whole},
		{table + " | where DeviceId startswith_cs '3' | where substring(DeviceId, 0, 2) in ('30', '31')", indexed},
		{table + " | where hash_sha256(DeviceId) startswith_cs '3'", whole},
		{"let a = " + table + " | where substring(DeviceId, 0, 1) == '3'; union a, (a | summarize Rows = count())", 2 * whole},
		{"let a = " + table + " | where DeviceId startswith_cs '3'; union a, (a | summarize Rows = count())", 2 * indexed},
	} {
		if got := charged(tt.query); got != tt.want {
			t.Errorf("%s: charged %d rows, want %d", tt.query, got, tt.want)
		}
	}
	empty := charged(table + " | where DeviceId == ''")
	if empty == 0 || empty >= indexed {
		t.Errorf("a comparison with the empty string is charged %d rows of %d", empty, whole)
	}
	if got := charged(table + " | where DeviceId == '' or DeviceId startswith_cs '3'"); got != empty+indexed {
		t.Errorf("both are charged %d rows, want %d and %d", got, empty, indexed)
	}
	for _, query := range []string{" | where DeviceId startswith_cs ''", " | where substring(DeviceId, 0, 0) == ''", " | where DeviceId == '' or DeviceName == ''"} {
		if got := charged(table + query); got != whole {
			t.Errorf("%s: charged %d rows, want all %d", query, got, whole)
		}
	}
	tn.Advance(20)
	if n := charged(table + " | where substring(DeviceId, 0, 1) == '3'"); n == whole || n != charged(table) {
		t.Errorf("a later state is charged %d rows; the earlier one has %d", n, whole)
	}
}
