package tenant_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/tvmexport/tvmexport/emulator/internal/kql"
	"github.com/tvmexport/tvmexport/emulator/internal/tenant"
)

const inserted = "DeviceProcessEvents"

// owned counts the inserted rows as they are now.
func owned(t *testing.T, tn *tenant.Tenant, where string) int {
	t.Helper()
	return counted(t, tn, tn.Catalog(), where)
}

func counted(t *testing.T, tn *tenant.Tenant, c kql.Catalog, where string) int {
	t.Helper()
	q, err := kql.Compile(inserted+" | where FileName == 'inserted' "+where, kql.Environment{Catalog: c, Now: tn.Now()})
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, err := range q.Statements[0].Rows(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	return n
}

func TestInsert(t *testing.T) {
	tn := tenant.New(options(3, 1))
	late := tn.Now().Add(-48 * time.Hour).Format(time.RFC3339Nano)
	before := tn.Catalog()
	row := json.RawMessage(`{"Timestamp": "` + late + `", "DeviceId": "ab", "FileName": "inserted", "ReportId": 7}`)
	timeless := json.RawMessage(`{"DeviceId": "ab", "FileName": "inserted"}`)
	if err := tn.Insert(inserted, row, row, timeless); err != nil {
		t.Fatal(err)
	}
	for where, want := range map[string]int{
		"": 3, "| where DeviceId startswith_cs 'a'": 3, "| where ReportId == 7": 2, "| where isnull(Timestamp)": 1,
		"| where Timestamp > ago(3d)": 2, "| where ingestion_time() > ago(1m)": 3, "| where AccountName == ''": 3,
	} {
		if got := owned(t, tn, where); got != want {
			t.Errorf("%d rows %s, want %d", got, where, want)
		}
	}
	if got := counted(t, tn, before, ""); got != 0 {
		t.Errorf("a catalog that was taken before shows %d new rows", got)
	}
	tn.Advance(tenant.DefaultRetentionDays)
	if got := owned(t, tn, ""); got != 1 {
		t.Errorf("%d rows are left when they have expired, want the one without a Timestamp", got)
	}
}

func TestInsertRefuses(t *testing.T) {
	tn := tenant.New(options(3, 1))
	for name, c := range map[string]struct{ table, row, says string }{
		"an unknown table":   {"Nothing", `{}`, `no table "Nothing"`},
		"current state":      {"DeviceTvmSoftwareInventory", `{}`, "current state"},
		"an unknown column":  {inserted, `{"Nothing": 1}`, `no column "Nothing"`},
		"a value that is no": {inserted, `{"Timestamp": "soon"}`, "do not fit"},
		"what is no object":  {inserted, `[1]`, "row 1"},
	} {
		err := tn.Insert(c.table, json.RawMessage(c.row))
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want %q", name, err, c.says)
		}
	}
}
