package tenant

import (
	"context"
	"iter"
	"slices"

	"github.com/tvmexport/tvmexport/emulator/internal/kql"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// timed is a table of current state whose rows have a time of ingestion: the moment at
// which the tenant's day began. Without it that time is null.
type timed struct{ *relation }

func (r timed) Hidden() []value.Column {
	return []value.Column{{Name: kql.HiddenIngestionTime, Kind: value.DateTime}}
}

func (r timed) Count(ctx context.Context, q kql.Request) (int64, error) {
	return r.relation.Count(ctx, r.below(q))
}

func (r timed) Scan(ctx context.Context, q kql.Request) iter.Seq2[[]value.Value, error] {
	at := value.DateTimeFromTicks(r.state.now())
	return func(yield func([]value.Value, error) bool) {
		var out []value.Value
		for row, err := range r.relation.Scan(ctx, r.below(q)) {
			if err != nil {
				yield(nil, err)
				return
			}
			out = append(append(out[:0], row...), at)
			if !yield(out, nil) {
				return
			}
		}
	}
}

// below is the request without the hidden column.
func (r timed) below(q kql.Request) kql.Request {
	n := len(r.columns)
	if len(q.Need) > n {
		q.Need = q.Need[:n]
	}
	q.Where = slices.DeleteFunc(slices.Clone(q.Where), func(c kql.Condition) bool { return c.Column >= n })
	return q
}
