package contract

import (
	"slices"
	"strings"
	"testing"

	"github.com/tvmexport/tvmexport"
)

var columnsCases = []contractCase{
	{"SyncSchema", "AddsColumnsAndDropsNone", fitAdds},
	{"SyncSchema", "KeepsTypes", fitKeepsTypes},
	{"Backfill", "EachRun", refillRuns},
	{"Backfill", "NoRun", refillNone},
	{"Backfill", "LeavesRunsWhoseRecordsAreGone", refillShort},
}

// fit gives the columns that a call says it has added.
func (h Harness) fit(t *testing.T, columns ...tvmexport.Column) (added []string) {
	t.Helper()
	table := h.Table
	table.Columns = slices.Concat(table.Columns, columns)
	changes, err := ability[tvmexport.SchemaSyncer](t, h).SyncSchema(t.Context(), table)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range changes {
		if rest, ok := strings.CutPrefix(c, "column "); ok {
			name, _, _ := strings.Cut(rest, " ")
			added = append(added, name)
		}
		if strings.Contains(c, "drop") {
			t.Errorf("something was dropped: %s", c)
		}
	}
	return added
}

func fitAdds(t *testing.T, h Harness) {
	extra, more := tvmexport.Column{Name: "Extra", Type: "string"}, tvmexport.Column{Name: "More", Type: "dynamic"}
	for _, c := range []struct {
		show []tvmexport.Column
		want []string
	}{
		{nil, nil}, // as it was made
		{[]tvmexport.Column{extra}, []string{"Extra:string"}},
		{[]tvmexport.Column{extra}, nil},
		{nil, nil},
		{[]tvmexport.Column{more, extra}, []string{"More:dynamic"}},
	} {
		if got := h.fit(t, c.show...); !slices.Equal(got, c.want) {
			t.Errorf("with %v more: added %q, want %q", c.show, got, c.want)
		}
	}
}

func fitKeepsTypes(t *testing.T, h Harness) {
	h.fit(t) // as it was made
	for _, c := range []struct {
		kind string
		want []string
	}{
		{"string", []string{"Extra:string"}},
		{"long", []string{"Extra_long:long"}},
		{"long", nil},
		{"string", nil},
		{"long", nil},
	} {
		if got := h.fit(t, tvmexport.Column{Name: "Extra", Type: c.kind}); !slices.Equal(got, c.want) {
			t.Errorf("as %s: added %q, want %q", c.kind, got, c.want)
		}
	}
}

func (h Harness) refill(t *testing.T, want tvmexport.Backfilled) {
	t.Helper()
	got, err := ability[tvmexport.Backfiller](t, h).Backfill(t.Context(), h.Table)
	if err != nil {
		t.Fatal(err)
	}
	if got.Runs != want.Runs || got.Rows != want.Rows || got.Short != want.Short || got.Err != nil {
		t.Errorf("%d runs with %d rows rebuilt, %d not changed, %v; want %d with %d, %d", got.Runs, got.Rows, got.Short, got.Err, want.Runs, want.Rows, want.Short)
	}
}

func refillRuns(t *testing.T, h Harness) {
	h.parts(t, "R1", "", "3f01", "3f02", "40")
	h.parts(t, "R2", "R1", "3f01", "3f05")
	for range 2 {
		h.refill(t, tvmexport.Backfilled{Runs: 2, Rows: 5})
		rows, _ := h.state(t, tvmexport.CountQuery{Table: h.Table, Depth: 1, Fingerprints: true})
		same(t, "what readers see", rows, map[string]int64{"3": 2})
	}
}

func refillNone(t *testing.T, h Harness) {
	h.refill(t, tvmexport.Backfilled{})
}

func refillShort(t *testing.T, h Harness) {
	h.parts(t, "R1", "", "3f01", "3f02", "40")
	h.parts(t, "R2", "R1", "3f01", "3f05")
	h.Lose(t, "R1")
	h.refill(t, tvmexport.Backfilled{Runs: 1, Rows: 2, Short: 1})
}
