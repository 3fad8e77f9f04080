package kusto

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tvmexport/tvmexport"
)

// A run that one command cannot replace is replaced in parts, each row once; rows that
// the typed table has lost are there again.
func TestRefillInParts(t *testing.T) {
	onStage(t, func(s stage) {
		table := softwareTable
		table.Layout = tvmexport.Both
		s.setUp(table)
		run := runOfTable(table, "20261123T050000Z-aaaaaaaaaaaa", "", tvmexport.FullRun)
		var batches []tvmexport.Batch
		for i := range 8 {
			of := tvmexport.Partition(fmt.Sprintf("%x", i))
			batches = append(batches, batchOf(run, i+1, of, fmt.Sprintf(`{"DeviceId":"%s0"}`, of), fmt.Sprintf(`{"DeviceId":"%s1"}`, of)))
		}
		s.export(run, batches...)
		s.mustAdmin(fmt.Sprintf(".update table %[1]s delete D append A <| let D = %[1]s | where DeviceId startswith_cs '3'; let A = D | where false", table.Typed()))

		s.client.backfill.Most = 5
		got, err := s.client.Backfill(s.Context(), table)
		s.must(err)
		if got.Runs != 1 || got.Rows != 16 {
			t.Errorf("%+v, want 1 run and 16 rows", got)
		}
		if d := cmp.Diff([]string{"16"}, s.ask(table.Typed()+" | summarize dcount(DeviceId)")); d != "" {
			t.Error(d)
		}
		if n := s.ask(table.Typed() + ` | summarize count() by Tags = tostring(extent_tags()) | summarize max(count_)`); n[0] > "5" || len(n[0]) > 1 {
			t.Errorf("one command replaced %s rows, want 5 at most", n)
		}

		s.client.backfill.Most = 0
		if _, err := s.client.Backfill(s.Context(), table); err == nil || !strings.Contains(err.Error(), "one command cannot replace more") {
			t.Errorf("%v, want a refusal", err)
		}
		if d := cmp.Diff([]string{"16"}, s.ask(table.Typed()+" | count")); d != "" {
			t.Error(d)
		}
	})
}
