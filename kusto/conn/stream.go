package conn

import (
	"context"
	"fmt"

	"github.com/Azure/azure-kusto-go/azkustodata"
	"github.com/Azure/azure-kusto-go/azkustodata/query"
)

// Each asks the engine and hands over the answer row by row, however large it
// is: the ledger of a large tenant exceeds the 500,000 rows at which a query
// ends otherwise (https://learn.microsoft.com/kusto/concepts/query-limits).
// begin comes before each attempt: what was read before it does not count.
func (c *Conn) Each(ctx context.Context, s Statement, begin func(), read func(*Reader)) error {
	s.Idempotent = true
	var shape error
	_, err := c.execute(ctx, c.Engine, s, func(ctx context.Context) ([]query.Row, error) {
		begin()
		shape = nil
		data, proof, err := c.ask(ctx, s.Text, azkustodata.NoTruncation())
		if err != nil {
			return nil, err
		}
		defer func() { _ = data.Close() }() // ends what reads ahead
		for t := range data.Tables() {
			if t.Err() != nil {
				return nil, t.Err()
			}
			for row := range t.Table().Rows() {
				switch {
				case row.Err() != nil:
					return nil, row.Err()
				case shape != nil || !t.Table().IsPrimaryResult():
					continue
				}
				r := Reader{row: row.Row()}
				read(&r)
				shape = r.Err
			}
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, proof.err()
	})
	if err == nil && shape != nil {
		err = RefusedError(s.Op, s.Table, fmt.Errorf("the answer of the service: %w", shape), "")
	}
	return err
}
