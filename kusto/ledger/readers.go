package ledger

import (
	"context"
	"errors"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/kusto/conn"
	"github.com/tvmexport/tvmexport/kusto/kql"
	"github.com/tvmexport/tvmexport/kusto/views"
)

// Readers is the table that readers see rows of t in.
func (c *Ledger) Readers(ctx context.Context, t tvmexport.Table) (views.Source, error) {
	existing := map[string][]kql.Column{}
	for _, name := range []string{t.Destination, t.Typed()} {
		columns, err := c.conn.Columns(ctx, name)
		if err != nil && !errors.Is(err, conn.ErrNoTable) {
			return views.Source{}, err
		}
		if err == nil {
			existing[name] = columns
		}
	}
	from := views.ReadersOf(t, existing)
	if from.Columns == nil {
		return from, conn.MissingTable("read schema", t.Name, from.Table)
	}
	lacks, err := c.Missing(ctx, t)
	return from.With(t, existing, lacks), err
}
