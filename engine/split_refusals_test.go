package engine_test

import (
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/engine"
)

// A service may refuse most answers as too large, regardless of their size. The
// engine does not ask it for smaller and smaller parts without end.
func TestRefusalsThatSmallerPartsDoNotEnd(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(tvmexport.Snapshot, "")
		w.Limits = tvmexport.Limits{Rows: 1000, Bytes: 1 << 30}
		w.source.Set(software, fleet(2000, 3))
		var calls atomic.Int64
		w.source.Before = func(tvmexport.Slice) error {
			if calls.Add(1)%5 == 0 {
				return nil
			}
			return &tvmexport.Error{Op: "fetch", Table: software, Action: tvmexport.Split, Err: errors.New("HTTP 400: too large")}
		}
		report, err := w.Run(t.Context(), engine.Request{})
		if err != nil {
			t.Fatal(err)
		}
		if err := report.Outcomes[0].Err; err == nil || !strings.Contains(err.Error(), "smaller partitions do not help") || tvmexport.CauseOf(err) != tvmexport.Rejected {
			t.Errorf("it ends with %v", err)
		}
		if n := calls.Load(); n > 2000 {
			t.Errorf("%d calls were made", n)
		}
		if n := len(w.destination.Current(software)); n != 0 {
			t.Errorf("%d rows were published", n)
		}
	})
}

// TestFirstAnswersThatDoNotCome: a service that does not answer slices of any size
// in time ends the run within hours. One that answers small slices does not.
func TestFirstAnswersThatDoNotCome(t *testing.T) {
	for name, c := range map[string]struct {
		first   int64 // so many answers come before
		answers int64 // rows of the largest slice that is answered; -1: none
		rows    int
		want    string
		within  time.Duration
	}{
		"none":           {0, -1, 0, "smaller partitions do not help", 4 * time.Hour},
		"the first only": {1, -1, 0, "smaller partitions do not help", 8 * time.Hour}, // a round is asked for to its end
		"small slices":   {0, 100, 3 * 2000, "", 24 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(tvmexport.Snapshot, "")
				w.Limits = tvmexport.Limits{Rows: 1000, Bytes: 1 << 30}
				w.source.Set(software, fleet(2000, 3))
				var calls atomic.Int64
				w.source.Before = func(s tvmexport.Slice) error {
					if calls.Add(1) <= c.first || s.Rows <= c.answers {
						return nil
					}
					time.Sleep(5 * time.Minute)
					return &tvmexport.Error{Op: "fetch", Table: software, Action: tvmexport.Split, Err: errors.New("the service stopped responding")}
				}
				began := time.Now()
				report, err := w.Run(t.Context(), engine.Request{})
				if err != nil {
					t.Fatal(err)
				}
				err = report.Outcomes[0].Err
				if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
					t.Errorf("it ends with %v", err)
				}
				if took := time.Since(began); took > c.within {
					t.Errorf("it took %s", took)
				}
				if n := len(w.destination.Current(software)); n != c.rows {
					t.Errorf("%d rows were published, want %d", n, c.rows)
				}
			})
		})
	}
}
