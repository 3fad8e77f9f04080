package engine_test

import (
	"strings"
	"testing"
	"time"

	"github.com/tvmexport/tvmexport"
)

// A table that was a Snapshot follows a watermark from now on. The first run is full
// regardless of the time that the Snapshot left, unless an operator wrote a later one.
func TestWatermarkBehindASnapshot(t *testing.T) {
	const whole, newer = 8, 3
	for name, c := range map[string]struct {
		ordered time.Duration // since the Snapshot's run; 0: no order
		losses  tvmexport.Losses
		rows    int64
		note    string
	}{
		"no order":                       {0, tvmexport.Losses{}, whole, ""},
		"an earlier time":                {-48 * time.Hour, tvmexport.Losses{}, whole, "the whole table is fetched"},
		"a later time":                   {36 * time.Hour, tvmexport.Losses{}, newer, "older rows are not fetched, and readers do not see them any more"},
		"a later time, and a lost run":   {36 * time.Hour, tvmexport.Losses{Holes: 1}, whole, "the whole table is fetched"},
		"a time in the source's future":  {480 * time.Hour, tvmexport.Losses{}, whole, "later than the source's clock"},
		"a later time, no row behind it": {60 * time.Hour, tvmexport.Losses{}, 0, "older rows are not fetched"},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(tvmexport.Snapshot, "")
				start := time.Now().UTC()
				rows := device("aa", 5, start.Add(-time.Hour))
				w.source.Set(software, rows)
				w.source.SetNow(start)
				w.export(t)

				w.destination.List[0].Load, w.destination.List[0].Column = tvmexport.Incremental, "Timestamp"
				w.destination.List[0].Into = software + "Elsewhere"
				w.destination.Losses = map[string]tvmexport.Losses{software: c.losses}
				if c.ordered != 0 {
					w.destination.Ordered = map[string]time.Time{software: start.Add(c.ordered)}
				}
				rows = append(rows, device("ab", 3, start.Add(48*time.Hour))...)
				w.source.Set(software, rows)
				w.source.SetNow(start.Add(72 * time.Hour))
				r := w.export(t)
				if r.Run.Kind != tvmexport.FullRun || r.Rows != c.rows {
					t.Errorf("a %s run of %d rows, want a full one of %d", r.Run.Kind, r.Rows, c.rows)
				}
				if notes := strings.Join(r.Notes, "\n"); c.note != "" && !strings.Contains(notes, c.note) || c.note == "" && notes != "" {
					t.Errorf("notes %q, want %q", notes, c.note)
				}
				w.agrees(t, rows[len(rows)-int(min(c.rows, int64(len(rows)))):])

				w.destination.Losses, w.destination.Ordered = nil, nil
				rows = append(rows, device("ac", 2, start.Add(73*time.Hour))...)
				w.source.Set(software, rows)
				w.source.SetNow(start.Add(96 * time.Hour))
				if r := w.export(t); r.Run.Kind != tvmexport.DeltaRun || r.Rows != 2 {
					t.Errorf("the next run is a %s run of %d rows, want a delta of 2", r.Run.Kind, r.Rows)
				}
			})
		})
	}
}

// The first run of a table says from when on it exports.
func TestFirstRunSaysWhereItBegins(t *testing.T) {
	for name, from := range map[string]time.Duration{"from the beginning": 0, "from a time": -30 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(tvmexport.Incremental, "Timestamp")
				now := time.Now().UTC()
				rows := append(device("aa", 5, now.Add(-40*time.Hour)), device("ab", 3, now.Add(-20*time.Hour))...)
				w.source.Set(software, rows)
				w.source.SetNow(now)
				want, said := int64(8), ""
				if from != 0 {
					w.destination.List[0].From = now.Add(from)
					want, said = 3, "rows after "+now.Add(from).Format(time.RFC3339)+", the LastRefreshedTime in MigrationConfiguration, are exported, and older rows are not fetched"
				}
				r := w.export(t)
				if notes := strings.Join(r.Notes, "\n"); r.Rows != want || !strings.HasSuffix(notes, said) || said == "" && notes != "" {
					t.Errorf("%d rows with the notes %q, want %d and %q", r.Rows, notes, want, said)
				}
			})
		})
	}
}
