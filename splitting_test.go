package tvmexport_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/tvmexport/tvmexport"
)

// A service that calls most answers too large, whatever their size, is not asked
// for ever smaller parts without an end.
func TestRefusalsThatSmallerPartsDoNotEnd(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(tvmexport.Snapshot, "")
		w.Limits = tvmexport.Limits{Rows: 1000, Bytes: 1 << 30}
		w.source.Set(software, fleet(2000, 3))
		calls := 0
		w.source.Before = func(tvmexport.Slice) error {
			if calls++; calls%5 == 0 {
				return nil
			}
			return &tvmexport.Error{Op: "fetch", Table: software, Action: tvmexport.Split, Err: errors.New("HTTP 400: too large")}
		}
		report, err := w.Run(t.Context(), tvmexport.Request{})
		if err != nil {
			t.Fatal(err)
		}
		if err := report.Outcomes[0].Err; err == nil || !strings.Contains(err.Error(), "smaller parts do not help") || tvmexport.CauseOf(err) != tvmexport.Refused {
			t.Errorf("it ends with %v", err)
		}
		if calls > 2000 {
			t.Errorf("%d calls were made", calls)
		}
		if n := len(w.destination.Current(software)); n != 0 {
			t.Errorf("%d rows were published", n)
		}
	})
}
