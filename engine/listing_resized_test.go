package engine_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/contract"
)

// resized announces and has fewer rows of its first unit until it is listed again.
type resized struct {
	*contract.ListingSource
	lists int
}

const rowsAtFirst = 10

func (s *resized) List(ctx context.Context, t tvmexport.Table) (tvmexport.Listing, error) {
	l, err := s.ListingSource.List(ctx, t)
	if s.lists++; s.lists == 1 {
		l.Units[0].Rows = rowsAtFirst
	}
	return l, err
}

func (s *resized) FetchUnit(ctx context.Context, t tvmexport.Table, u tvmexport.Unit, w tvmexport.RowWriter) (tvmexport.Answer, error) {
	if s.lists > 1 || u.ID != "part-00000" {
		return s.ListingSource.FetchUnit(ctx, t, u, w)
	}
	for _, r := range device("00v1", rowsAtFirst, time.Time{}) {
		if err := w.WriteRow([]byte(r.Key), []byte(r.JSON)); err != nil {
			return tvmexport.Answer{}, err
		}
	}
	return tvmexport.Answer{Calls: 1, Rows: rowsAtFirst, Counted: rowsAtFirst}, nil
}

// A second listing of one version that announces other numbers of rows is not
// trusted: the run starts over with it.
func TestListedUnitsThatGrow(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newListed()
		w.Calls, w.Consistent = 1, true
		w.source.Announce = true
		rows := w.generate("v1", 12, 10)
		w.Source = &resized{ListingSource: w.source}
		r := w.export(t)
		w.agrees(t, rows)
		if said := strings.Join(r.Notes, "\n"); !strings.Contains(said, "has other units") {
			t.Errorf("notes %q", said)
		}
	})
}
