package engine_test

import (
	"errors"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/engine"
)

// A service that calls most answers too large, whatever their size, is not asked
// for ever smaller parts without an end.
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
		if err := report.Outcomes[0].Err; err == nil || !strings.Contains(err.Error(), "smaller partitions do not help") || tvmexport.CauseOf(err) != tvmexport.Refused {
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
