package engine_test

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/contract"
	"github.com/tvmexport/tvmexport/engine"
)

// unproven runs once and wants the table to fail because something is unproven.
func (w world) unproven(t *testing.T, want string) {
	t.Helper()
	report, err := w.Run(t.Context(), engine.Request{})
	if err != nil {
		t.Fatal(err)
	}
	r := report.Outcomes[0]
	if tvmexport.CauseOf(r.Err) != tvmexport.Integrity || !strings.Contains(r.Err.Error(), want) {
		t.Fatalf("%d rows, %v", r.Rows, r.Err)
	}
}

// cut leaves out parts of a count: all of them if n is negative, else the last n.
func cut(n int) func(tvmexport.CountQuery, *tvmexport.Counts) {
	return func(_ tvmexport.CountQuery, c *tvmexport.Counts) {
		if n < 0 || n > len(c.Parts) {
			n = len(c.Parts)
		}
		c.Parts = c.Parts[:len(c.Parts)-n]
	}
}

// What the last commit holds and a count does not show is asked for before it
// is taken for gone.
func TestPartsThatACountHidesAreNotLost(t *testing.T) {
	for _, tt := range []struct {
		name    string
		devices int
		limit   int64
	}{
		{"small", 4, 0},
		{"parts of three digits", 300, 0},
		{"parts of four digits", 4200, 500},
	} {
		for _, n := range []int{1, 3, -1} {
			for _, full := range []bool{false, true} {
				if tt.limit > 0 && (n != 3 || !full) {
					continue // the fakes are slow with so many parts
				}
				t.Run(tt.name, func(t *testing.T) {
					if tt.devices > 1000 && testing.Short() {
						t.Skip("-short: it takes several seconds; make test runs it")
					}
					bubble(t, func(t *testing.T) {
						w := newWorld(tvmexport.Snapshot, "")
						if tt.limit > 0 {
							w.Limits = tvmexport.Limits{Rows: tt.limit, Bytes: 1 << 30}
						}
						rows := fleet(tt.devices, 1)
						w.source.Set(software, rows)
						w.export(t)
						w.source.CorruptCount = cut(n)
						report, err := w.Run(t.Context(), engine.Request{Full: full})
						if err != nil {
							t.Fatal(err)
						}
						w.agrees(t, rows) // whether it failed or not
						// Rows that are gone indeed are gone in few calls.
						w.source.CorruptCount = nil
						w.source.Set(software, rows[:1])
						report, err = w.Run(t.Context(), engine.Request{Full: full})
						if err != nil || report.Outcomes[0].Err != nil || report.Outcomes[0].Calls > 5 {
							t.Fatalf("%d calls, %v, %v", report.Outcomes[0].Calls, report.Outcomes[0].Err, err)
						}
						w.agrees(t, rows[:1])
					})
				})
			}
		}
	}
}

// unexpected are keys that leave the hex digits, at the first of them or later.
var unexpected = []string{"xyz-1", "ABCDEF0123456789", "Ünïcödé", "日本", "3", "3g", "a1B2", "~"}

// hideRests leaves out of the first count the keys that leave the hex digits.
func hideRests() func(tvmexport.CountQuery, *tvmexport.Counts) {
	counts := 0
	return func(_ tvmexport.CountQuery, c *tvmexport.Counts) {
		if counts++; counts == 1 {
			c.Parts = slices.DeleteFunc(c.Parts, func(p tvmexport.Count) bool { return p.Partition.Rest() })
		}
	}
}

// Rows of unexpected keys that readers see are not lost if the count of a full run hides
// them. If the count of the first run does, the next run exports them: it counts again, as
// the first one does if the whole table must be of one moment.
func TestUnexpectedKeysThatACountHidesAreNotLost(t *testing.T) {
	for name, tt := range map[string]struct {
		limit      int64
		consistent bool
	}{
		"one slice": {}, "many slices": {limit: 60}, "many slices of one moment": {limit: 60, consistent: true},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(tvmexport.Snapshot, "")
				if w.Consistent = tt.consistent; tt.limit > 0 {
					w.Limits = tvmexport.Limits{Rows: tt.limit, Bytes: 1 << 30}
				}
				rows := append(fleet(300, 1), fleet(900, 1)...)
				for i := range rows[300:] { // some devices have a digit in common, so that slices end within it
					rows[300+i] = device("3"+rows[300+i].Key[1:], 1, time.Time{})[0]
				}
				rows = slices.CompactFunc(rows, func(a, b contract.Row) bool { return a.Key == b.Key })
				for _, key := range unexpected {
					rows = append(rows, device(key, 2, time.Time{})...)
				}
				w.source.Set(software, rows)
				w.source.CorruptCount = hideRests()
				w.export(t)
				if all := len(w.destination.Current(software)) == len(rows); all != (tt.limit == 0 || tt.consistent) {
					t.Errorf("the first run has all rows: %v", all)
				}
				w.export(t)
				w.agrees(t, rows)
				w.source.CorruptCount = hideRests()
				report, err := w.Run(t.Context(), engine.Request{Full: true})
				if err != nil || report.Outcomes[0].Err != nil || report.Outcomes[0].Run.Kind != tvmexport.FullRun {
					t.Fatalf("%+v, %v", report, err)
				}
				w.agrees(t, rows)
			})
		})
	}
}

// A first run does not take a table for empty because its count says so.
func TestEmptyCountOfAFirstRun(t *testing.T) {
	at := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	for _, load := range []tvmexport.LoadType{tvmexport.Snapshot, tvmexport.Incremental, tvmexport.FullThenIncr} {
		t.Run(string(load), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(load, map[bool]string{false: "Timestamp"}[load == tvmexport.Snapshot])
				w.source.SetNow(at.Add(time.Hour))
				rows := device("a1", 20, at)
				w.source.Set(software, rows)
				w.source.CorruptCount = func(q tvmexport.CountQuery, c *tvmexport.Counts) {
					cut(-1)(q, c)
					c.Now = at.Add(time.Hour).Add(time.Duration(len(w.source.Calls)) * time.Second)
				}
				w.Run(t.Context(), engine.Request{})
				w.source.CorruptCount = nil
				w.source.SetNow(at.Add(2 * time.Hour))
				w.export(t)
				w.agrees(t, rows)
			})
		})
	}
}

// An empty count of a table that follows its watermark hides neither new rows
// nor those without one.
func TestEmptyCountOfNewRows(t *testing.T) {
	bubble(t, func(t *testing.T) {
		at := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
		w := newWorld(tvmexport.Incremental, "Timestamp")
		w.source.SetNow(at.Add(time.Hour))
		rows := append(device("a1", 20, at), device("a2", 5, time.Time{})...)
		w.source.Set(software, rows)
		w.export(t)
		w.agrees(t, rows)
		rows = append(rows, device("a3", 7, at.Add(90*time.Minute))...)
		w.source.Set(software, rows)
		w.source.SetNow(at.Add(2 * time.Hour))
		moments := 0
		w.source.CorruptCount = func(q tvmexport.CountQuery, c *tvmexport.Counts) {
			moments++
			c.Now = c.Now.Add(time.Duration(moments) * time.Second)
			if moments == 1 {
				cut(-1)(q, c)
			}
		}
		w.export(t)
		w.agrees(t, rows)
	})
}

// A source that moves between its count and its answers is no fault.
func TestMovedPartsAreExplained(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(tvmexport.Snapshot, "")
		rows := fleet(200, 3)
		w.source.Set(software, rows)
		moved := append(rows[1:400:400], fleet(3, 9)[3:]...)
		w.source.Before = func(tvmexport.Slice) error {
			w.source.Set(software, moved)
			return nil
		}
		if r := w.export(t); r.Calls != 3 {
			t.Errorf("%d calls, not the count, the fetch and one count of what differs", r.Calls)
		}
		w.agrees(t, moved)
	})
}

// Rows that contradict the counts before and after them end the run, and
// readers see what they saw.
func TestRowsThatContradictTheCounts(t *testing.T) {
	at := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	for _, load := range []tvmexport.LoadType{tvmexport.Snapshot, tvmexport.Incremental} {
		for _, by := range []int64{1, -1, 100} {
			t.Run(string(load), func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					w := newWorld(load, map[bool]string{false: "Timestamp"}[load == tvmexport.Snapshot])
					w.source.Set(software, append(device("a1", 20, at), device("b2", 20, at)...))
					w.source.SetNow(at.Add(3 * time.Hour))
					w.source.CorruptCount = func(_ tvmexport.CountQuery, c *tvmexport.Counts) {
						for i := range c.Parts {
							if p := &c.Parts[i]; p.Partition.Contains("b2") {
								p.Rows += by
							}
						}
					}
					w.unproven(t, "partitions of the table the fetched rows differ from the counts")
					w.agrees(t, nil)
					w.source.CorruptCount = nil
					w.export(t)
				})
			})
		}
	}
}

// TestRowsOfWholeHoursThatContradictTheCounts: a window that begins and ends within
// an hour is compared too, by the hours that are entirely within it.
func TestRowsOfWholeHoursThatContradictTheCounts(t *testing.T) {
	at := time.Date(2026, 11, 22, 10, 20, 0, 0, time.UTC)
	spoil := func(w world, hour int) {
		w.source.CorruptCount = func(_ tvmexport.CountQuery, c *tvmexport.Counts) {
			for i := range c.Parts {
				if c.Parts[i].Start.Hour() == hour {
					c.Parts[i].Rows += 2
				}
			}
		}
	}
	bubble(t, func(t *testing.T) {
		w := newWorld(tvmexport.Incremental, "Timestamp")
		w.source.SetNow(at)
		old := device("a1", 20, at.Add(-time.Hour))
		w.source.Set(software, old)
		w.export(t)
		rows := slices.Concat(old, device("b2", 7, at.Add(50*time.Minute)), device("c3", 4, at.Add(2*time.Hour)))
		w.source.Set(software, rows)
		w.source.SetNow(at.Add(3 * time.Hour))
		spoil(w, 11)
		w.unproven(t, "partitions of the table the fetched rows differ from the counts")
		w.agrees(t, old)
		spoil(w, 13) // the window ends within this hour
		w.export(t)
		w.agrees(t, rows)
	})
}

// Two counts of one moment cannot differ.
func TestCountsOfOneMoment(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(tvmexport.Snapshot, "")
		w.source.Set(software, device("a1", 20, time.Time{}))
		w.source.SetNow(time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC))
		first := true
		w.source.CorruptCount = func(_ tvmexport.CountQuery, c *tvmexport.Counts) {
			if first {
				c.Parts[0].Rows--
			}
			first = false
		}
		w.unproven(t, "two counts at the same time")
		w.agrees(t, nil)
	})
}

// Impossible counts of any source decide nothing.
func TestImpossibleCounts(t *testing.T) {
	at := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	parts := map[string]func(c *tvmexport.Counts){
		"a negative number of rows":       func(c *tvmexport.Counts) { c.Parts[0].Rows = -1 },
		"exceeds 64 bits":                 func(c *tvmexport.Counts) { c.Parts[0].Rows, c.Parts[1].Rows = math.MaxInt64, 1 },
		"have rows in common":             func(c *tvmexport.Counts) { c.Parts = append(c.Parts, c.Parts[0]) },
		"deeper than requested":           func(c *tvmexport.Counts) { c.Parts[0].Partition += "00000" },
		"outside the requested partition": func(c *tvmexport.Counts) { c.Parts[0].Partition = "XY" },
		"a time step, which was not":      func(c *tvmexport.Counts) { c.Parts[0].Start = at },
		"have rows in common, a part":     func(c *tvmexport.Counts) { c.Parts[1].Partition = c.Parts[0].Partition[:1] },
	}
	steps := map[string]func(c *tvmexport.Counts){
		"a negative number of rows": func(c *tvmexport.Counts) { c.Parts[0].Rows = -1 },
		"exceeds 64 bits":           func(c *tvmexport.Counts) { c.Parts[0].Rows, c.Parts[1].Rows = math.MaxInt64, 1 },
		"have rows in common":       func(c *tvmexport.Counts) { c.Parts = append(c.Parts, c.Parts[0]) },
		"outside the requested wi":  func(c *tvmexport.Counts) { c.Parts[0].Start = at.Add(-24 * time.Hour) },
	}
	for _, tt := range []struct {
		load  tvmexport.LoadType
		spoil map[string]func(c *tvmexport.Counts)
	}{{tvmexport.Snapshot, parts}, {tvmexport.Incremental, steps}} {
		for want, spoil := range tt.spoil {
			t.Run(string(tt.load)+" "+want, func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					w := newWorld(tt.load, map[bool]string{false: "Timestamp"}[tt.load == tvmexport.Snapshot])
					w.destination.List[0].From = at.Add(-time.Hour)
					rows := append(device("a1b2c3", 20, at), device("b2c3d4", 20, at.Add(time.Hour))...)
					w.source.Set(software, rows)
					w.source.SetNow(at.Add(3 * time.Hour))
					w.source.CorruptCount = func(_ tvmexport.CountQuery, c *tvmexport.Counts) { spoil(c) }
					said, _, _ := strings.Cut(want, ",")
					w.unproven(t, said)
					w.agrees(t, nil)
					plans, err := w.Plan(t.Context(), engine.Request{})
					if err != nil || tvmexport.CauseOf(plans[0].Err) != tvmexport.Integrity {
						t.Errorf("plan: %v, %v", plans, err)
					}
					w.source.CorruptCount = nil
					w.export(t)
					w.agrees(t, rows)
					if tt.load != tvmexport.Snapshot {
						return // what is compared begins elsewhere
					}
					w.source.CorruptCount = func(_ tvmexport.CountQuery, c *tvmexport.Counts) { c.Parts[0].Rows = -1 }
					list, err := w.Verify(t.Context(), nil, "")
					if err != nil || tvmexport.CauseOf(list[0].Err) != tvmexport.Integrity {
						t.Errorf("verify: %v, %v", list, err)
					}
				})
			})
		}
	}
}

// A plan asks for what its count hides, too.
func TestPlanOfHiddenParts(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(tvmexport.Snapshot, "")
		w.source.Set(software, fleet(300, 1))
		w.export(t)
		w.source.CorruptCount = cut(3)
		plans, err := w.Plan(t.Context(), engine.Request{})
		if err != nil || plans[0].Err != nil || plans[0].Changed != 3 || plans[0].Slices != 1 {
			t.Errorf("%+v, %v", plans, err)
		}
		if !slices.ContainsFunc(w.source.Calls, func(s tvmexport.Slice) bool { return len(s.Partitions) > 0 }) {
			t.Error("nothing was asked for")
		}
	})
}
