package setup

import (
	"context"

	"github.com/tvmexport/tvmexport/kusto/kql"
	"github.com/tvmexport/tvmexport/kusto/ledger"
)

// number writes the number of the stored shape into the ledger where it is missing
// or lower. It returns an error with the code NewerShape if the number is higher than
// this program understands. A database without a complete ledger holds no number.
func (c *Installer) number(ctx context.Context, op string) error {
	inv, err := c.conn.Schema(ctx, op, false)
	if err != nil {
		return err
	}
	found, ok := inv.Tables[kql.RunsTable]
	if !ok || kql.Missing(found.Columns, kql.RunsColumns) != "" {
		return nil
	}
	stored, err := c.ledger.Stored(ctx, op)
	if err != nil {
		return err
	}
	if stored.Number < ledger.Shape {
		return c.ledger.Number(ctx, op)
	}
	return stored.Beyond(op, "", ledger.Shape)
}

// understood returns an error with the code NewerShape if a newer program has written
// to the database.
func (c *Installer) understood(ctx context.Context, op string) error {
	stored, err := c.ledger.Stored(ctx, op)
	if err != nil {
		return err
	}
	return stored.Beyond(op, "", ledger.Shape)
}

// makesLedger says whether a command creates the ledger or completes its columns.
func makesLedger(c Command) bool { return c.Kind == MakeTable && c.Name == kql.RunsTable }
