package defects_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/contract"
	"github.com/tvmexport/tvmexport/emulator/faults"
	"github.com/tvmexport/tvmexport/engine"
)

// Each answer of Kusto to a run in its turn lacks its last row, or all of
// them, or has nulls for values: a run that succeeds all the same has
// published what the source holds, and so has the next one. The race detector sees
// a part of the turns: they differ in which answer lacks rows.
func TestKustoAnswersThatLackRows(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: it takes several seconds; make test runs it")
	}
	for _, load := range []tvmexport.LoadType{tvmexport.Snapshot, tvmexport.Incremental} {
		for _, at := range []faults.Endpoint{faults.KustoQuery, faults.KustoMgmt} {
			for name, wrong := range map[string]faults.Rule{
				"one row less": {DropRows: 1},
				"no rows":      {DropRows: 1_000_000},
				"nulls":        {Values: "null"},
			} {
				t.Run(fmt.Sprintf("%s/%s/%s", load, at, name), func(t *testing.T) {
					lackingRows(t, load, at, wrong)
				})
			}
		}
	}
}

// lackingRows corrupts the first answer of a run, then the second, and so on
// until a run sends fewer requests.
func lackingRows(t *testing.T, load tvmexport.LoadType, at faults.Endpoint, wrong faults.Rule) {
	choose(t, load, func(r *rig) {
		begin := day(r)
		var rows []contract.Row
		for n := range 40 {
			rows = append(rows, row(fmt.Sprintf("%02x", 255-6*n), n, begin.Add(time.Duration(n)*time.Minute)))
		}
		r.source.Set(events, rows)
		r.source.SetNow(begin.Add(12 * time.Hour))
		r.run()
		succeeded := 0
		var turns sample
		for n := 0; ; n++ {
			if !turns.takes() {
				continue
			}
			now := begin.Add(time.Duration(24+n) * time.Hour)
			rows = append(rows, row(fmt.Sprintf("cd%02d", n), n, now.Add(-time.Hour)))
			if load == tvmexport.Snapshot {
				rows = rows[1:] // a device retires
			}
			r.source.Set(events, rows)
			r.source.SetNow(now)
			rule := wrong
			rule.Endpoint, rule.After = at, n
			rule.Count = 1 + n%2*8 // once, or as often as it is asked for again
			ids, err := r.emulator.Faults().Add(rule)
			r.must(err)
			err = r.succeeds()
			hit := 0
			for _, s := range r.emulator.Faults().List() {
				if s.ID == ids[0] {
					hit = s.Hits
				}
			}
			r.emulator.Faults().Clear()
			if err == nil {
				succeeded++
				r.shows(rows)
			}
			for try := 0; ; try++ {
				time.Sleep(20 * time.Minute) // leases end
				if err = r.succeeds(); err == nil {
					break
				}
				if try == 3 {
					t.Fatalf("answer %d was corrupted %d times, and no run succeeds: %v", n, hit, err)
				}
			}
			r.shows(rows)
			if r.Failed() {
				t.Fatalf("answer %d was corrupted %d times", n, hit)
			}
			if hit == 0 {
				break
			}
		}
		if succeeded == 0 {
			t.Error("no run succeeded")
		}
	})
}

// succeeds runs once and says why not everything was done.
func (r *rig) succeeds() error {
	report, err := r.exporter.Run(r.Context(), engine.Request{})
	for _, o := range report.Outcomes {
		err = errors.Join(err, o.Err)
	}
	return err
}

// shows compares what readers see with the source.
func (r *rig) shows(want []contract.Row) {
	r.Helper()
	texts := make([]string, len(want))
	for i, row := range want {
		texts[i] = row.JSON
	}
	slices.Sort(texts)
	if d := cmp.Diff(texts, r.rows("landed", events+" | project DeviceId, N, Timestamp")); d != "" {
		r.Errorf("readers differ from the source (-source +readers):\n%.2000s", d)
	}
}
