package engine_test

import (
	"testing"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/contract"
)

// A commit says how many rows the table has, how many more than before, how many delta
// runs followed the newest full one, and how long the run took. The result and the hooks
// say the same.
func TestEffect(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(tvmexport.Snapshot, "")
		var told []tvmexport.Ending
		w.Hooks.Ended = func(e tvmexport.Ending) { told = append(told, e) }
		w.Hooks.Published = func(tvmexport.Run, int64) { time.Sleep(7 * time.Second) }
		rows := fleet(30, 4)
		for _, c := range []struct {
			name    string
			rows    []contract.Row
			changed int64
			growth  int64
			deltas  int
		}{
			{"first run", rows, 120, 120, 0},
			{"no change", rows, 0, 0, 1},
			{"a device more", append(rows[:120:120], device("00", 3, time.Time{})...), 123, 3, 2},
			{"a device less", rows, 120, -3, 3},
		} {
			w.source.Set(software, c.rows)
			r := w.export(t)
			w.agrees(t, c.rows)
			commits := w.destination.Commits(software)
			got := commits[len(commits)-1].Effect
			want := tvmexport.Effect{TableRows: int64(len(c.rows)), Growth: c.growth, Deltas: c.deltas, Took: got.Took}
			if got != want || got.Took < 7*time.Second || r.Rows != c.changed {
				t.Errorf("%s: %d rows changed, %+v; want %d, %+v", c.name, r.Rows, got, c.changed, want)
			}
			end := told[len(told)-1]
			if r.TableRows != got.TableRows || r.Growth != got.Growth || r.Took != got.Took || end.Err != nil || end.Run != r.Run.ID || end.Rows != r.Rows || end.Effect.Took != got.Took || end.Effect.TableRows != got.TableRows {
				t.Errorf("%s: the commit says %+v, the result %d rows, %+d, %s, the hook %+v", c.name, got, r.TableRows, r.Growth, r.Took, end)
			}
		}
		if len(told) != 4 {
			t.Errorf("the hook was called %d times", len(told))
		}
	})
}
