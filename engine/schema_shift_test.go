package engine_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/engine"
)

// The columns that answers declare change while a table is read: the run starts
// over by the new schema, or fails, and never commits rows of both in silence.
func TestSchemaThatChangesInMidRun(t *testing.T) {
	base := []tvmexport.Column{{Name: "DeviceId", Type: "string"}, {Name: "N", Type: "long"}, {Name: "T", Type: "string"}}
	added := append(slices.Clone(base), tvmexport.Column{Name: "RunId", Type: "string"})
	dropped, renamed, retyped := slices.Clone(base[:2]), slices.Clone(base), slices.Clone(base)
	renamed[2].Name, retyped[1].Type = "Time", "string"
	reordered := []tvmexport.Column{base[2], base[0], base[1]}
	for _, tt := range []struct {
		name   string
		answer func(n int) []tvmexport.Column // of the n-th fetch
		schema func(n int) []tvmexport.Column // when the n-th fetch was answered
		starts int                            // over
		fails  bool
		notes  string
	}{
		{name: "the same", answer: always(base), schema: always(base)},
		{name: "in another order", answer: always(reordered), schema: always(base)},
		{name: "not declared", answer: always(nil), schema: always(base)},
		{name: "added before the first answer", answer: always(added), schema: since(1, base, added), starts: 1, notes: "the column RunId was added"},
		{name: "added between answers", answer: since(2, base, added), schema: since(2, base, added), starts: 1, notes: "the column RunId was added"},
		{name: "dropped between answers", answer: since(3, base, dropped), schema: since(3, base, dropped), starts: 1, notes: "the column T was dropped"},
		{name: "renamed between answers", answer: since(2, base, renamed), schema: since(2, base, renamed), starts: 1, notes: "the column Time was added, the column T was dropped"},
		{name: "of another type between answers", answer: since(2, base, retyped), schema: since(2, base, retyped), starts: 1, notes: "the column N was long and is string"},
		{name: "in one answer only", answer: only(2, base, dropped), schema: always(base), starts: 1, notes: "the column T was dropped"},
		{name: "in every answer, against the schema", answer: always(dropped), schema: always(base), starts: 1, notes: "the columns of the answers differ"},
		{name: "a type against the schema", answer: always(retyped), schema: always(base), notes: "the columns of the answers differ from the schema: the column N was long and is string"},
		{name: "again and again", answer: func(n int) []tvmexport.Column { return [][]tvmexport.Column{base, dropped}[n%2] }, schema: always(base), starts: 2, fails: true, notes: "the column T was"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(tvmexport.Snapshot, "")
				w.Limits = tvmexport.Limits{Rows: 100, Bytes: 1 << 30}
				rows := fleet(30, 10)
				w.source.Set(software, rows)
				w.source.Schema = base
				n := 0
				w.source.Before = func(tvmexport.Slice) error {
					n++
					w.source.Schema = tt.schema(n)
					return nil
				}
				w.source.Corrupt = func(_ tvmexport.Slice, a *tvmexport.Answer) { a.Columns = tt.answer(n) }
				w.Calls = 1
				restarts := 0
				w.Hooks.Retrying = func(_ tvmexport.Run, op string, _ time.Duration, _ error) {
					if op == "run" {
						restarts++
					}
				}
				report, err := w.Run(t.Context(), engine.Request{})
				if err != nil {
					t.Fatal(err)
				}
				r := report.Outcomes[0]
				said := strings.Join(r.Notes, "; ")
				if restarts != tt.starts || !strings.Contains(said, tt.notes) {
					t.Errorf("started over %d times, %s", restarts, said)
				}
				if r.Calls < n {
					t.Errorf("%d calls are reported of %d", r.Calls, n)
				}
				if tt.fails {
					if tvmexport.CauseOf(r.Err) != tvmexport.Integrity || !strings.Contains(r.Err.Error(), "the schema of the source changed") {
						t.Error(r.Err)
					}
					w.agrees(t, nil)
					return
				}
				if r.Err != nil {
					t.Fatal(r.Err)
				}
				w.agrees(t, rows)
			})
		})
	}
}

func always(c []tvmexport.Column) func(int) []tvmexport.Column {
	return func(int) []tvmexport.Column { return c }
}

func since(n int, before, after []tvmexport.Column) func(int) []tvmexport.Column {
	return func(i int) []tvmexport.Column {
		if i < n {
			return before
		}
		return after
	}
}

func only(n int, usual, once []tvmexport.Column) func(int) []tvmexport.Column {
	return func(i int) []tvmexport.Column {
		if i == n {
			return once
		}
		return usual
	}
}
