package engine_test

import (
	"context"
	"errors"
	"testing"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/contract"
)

// failsThenEmpty fails the first read of each unit, and answers the second one
// without rows, as a service does that is not ready.
type failsThenEmpty struct {
	*contract.ListingSource
	reads int
}

func (s *failsThenEmpty) FetchUnit(ctx context.Context, t tvmexport.Table, u tvmexport.Unit, w tvmexport.RowWriter) (tvmexport.Answer, error) {
	s.reads++
	switch s.reads {
	case 1:
		return tvmexport.Answer{Calls: 1}, &tvmexport.Error{Op: "fetch", Action: tvmexport.Retry, Err: errors.New("connection reset")}
	case 2:
		return tvmexport.Answer{Calls: 1}, nil
	}
	return s.ListingSource.FetchUnit(ctx, t, u, w)
}

// An empty answer is read a second time, also if it follows an attempt that failed.
func TestListedEmptyUnitAfterFailure(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newListed()
		rows := w.generate("v1", 10)
		source := &failsThenEmpty{ListingSource: w.source}
		w.Source = source
		w.export(t)
		w.agrees(t, rows)
		if source.reads != 3 {
			t.Errorf("%d reads, want 3", source.reads)
		}
	})
}
