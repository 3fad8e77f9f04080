package engine_test

import (
	"strings"
	"testing"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/engine"
)

// What a run does about what is gone, and that it does it once.
func TestLosses(t *testing.T) {
	place := software + "Raw"
	gone := func(held, recorded int64) tvmexport.Losses {
		return tvmexport.Losses{Rows: recorded - held, Short: []tvmexport.Short{{Table: place, Readers: true, Recorded: recorded, Held: held, Gone: recorded - held}}}
	}
	for name, c := range map[string]struct {
		load   tvmexport.LoadType
		losses tvmexport.Losses
		kind   tvmexport.RunKind
		note   string
	}{
		"a state, strange rows":     {tvmexport.Snapshot, tvmexport.Losses{Strange: 5}, tvmexport.FullRun, "lacks the runs of 5 published rows"},
		"a state, lost partitions":  {tvmexport.Snapshot, tvmexport.Losses{Records: 1}, tvmexport.FullRun, "lacks partitions of 1 committed runs"},
		"a state, some rows":        {tvmexport.Snapshot, gone(3, 5), tvmexport.FullRun, "holds 3 of 5 rows"},
		"a state, nothing":          {tvmexport.Snapshot, tvmexport.Losses{Copied: true}, tvmexport.DeltaRun, ""},
		"events, a hole":            {tvmexport.Incremental, tvmexport.Losses{Holes: 2}, tvmexport.DeltaRun, "lacks the run that 2 committed runs build on"},
		"events, some rows":         {tvmexport.Incremental, gone(3, 5), tvmexport.DeltaRun, "holds 3 of 5 rows"},
		"events, all rows":          {tvmexport.Incremental, gone(0, 5), tvmexport.FullRun, "holds 0 of 5 rows"},
		"events, a copy as such":    {tvmexport.Incremental, tvmexport.Losses{Copied: true}, tvmexport.DeltaRun, ""},
		"everything once, all rows": {tvmexport.FullThenIncr, gone(0, 5), tvmexport.FullRun, "holds 0 of 5 rows"},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(c.load, map[bool]string{true: "", false: "Timestamp"}[c.load == tvmexport.Snapshot])
				w.Describe = func(name string) (tvmexport.Table, bool) {
					return tvmexport.Table{Name: name, Key: tvmexport.Key{Column: "DeviceId"}, Layout: tvmexport.RawOnly}, name == software
				}
				day := time.Now().UTC().Truncate(time.Hour)
				w.source.Set(software, device("aa", 5, day.Add(-3*time.Hour)))
				w.source.SetNow(day)
				w.export(t)
				w.destination.Losses = map[string]tvmexport.Losses{software: c.losses}
				r := w.export(t)
				said := strings.Join(r.Notes, "\n")
				if r.Run.Kind != c.kind || c.note == "" && said != "" || !strings.Contains(said, c.note) {
					t.Errorf("a %s run that says %q", r.Run.Kind, said)
				}
				if r.Run.Kind == tvmexport.FullRun {
					w.destination.Losses = nil // readers of a full run see nothing of what was
				}
				if r = w.export(t); r.Run.Kind != tvmexport.DeltaRun || len(r.Notes) != 0 {
					t.Errorf("the next one: a %s run that says %q", r.Run.Kind, r.Notes)
				}
			})
		})
	}
}

// Without a commit, the exporter's own copy of a watermark is no order. Neither is
// a watermark together with rows of runs that the ledger does not know.
func TestFirstRunAfterALostLedger(t *testing.T) {
	for name, c := range map[string]struct {
		losses tvmexport.Losses
		from   bool // run --from
		rows   int64
	}{
		"an operator's order": {tvmexport.Losses{}, false, 2},
		"a copy":              {tvmexport.Losses{Copied: true}, false, 7},
		"strange rows":        {tvmexport.Losses{Strange: 9}, false, 7},
		"a copy, and --from":  {tvmexport.Losses{Copied: true}, true, 2},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(tvmexport.Incremental, "Timestamp")
				day := time.Now().UTC().Truncate(time.Hour)
				w.source.Set(software, append(device("aa", 5, day.Add(-30*time.Hour)), device("ab", 2, day.Add(-3*time.Hour))...))
				w.source.SetNow(day)
				w.destination.List[0].From = day.Add(-10 * time.Hour)
				w.destination.Losses = map[string]tvmexport.Losses{software: c.losses}
				var req engine.Request
				if c.from {
					req.From = day.Add(-10 * time.Hour)
				}
				report, err := w.Run(t.Context(), req)
				if r := report.Outcomes[0]; err != nil || r.Err != nil || r.Rows != c.rows {
					t.Errorf("%d rows, want %d: %v, %v", r.Rows, c.rows, err, r.Err)
				}
			})
		})
	}
}
