package ledger

import (
	"context"
	"fmt"

	"github.com/tvmexport/tvmexport/kusto/conn"
	"github.com/tvmexport/tvmexport/kusto/kql"
)

// Activate switches tables on or off for all exporters: it appends the newest row of
// each in MigrationConfiguration once more, with another IsActive. A table whose newest
// row says so already, and one without a row, gets no row.
func (c *Configuration) Activate(ctx context.Context, tables []string, active bool) error {
	const op = "configure"
	if err := c.visible.SeesAll(ctx, op, "", kql.ConfigurationTable); err != nil {
		return err
	}
	columns, err := c.conn.Columns(ctx, kql.ConfigurationTable)
	if err != nil {
		return err
	}
	_, err = c.conn.Command(ctx, conn.Statement{Op: op, Text: activateText(tables, active, columns), Idempotent: true})
	return err
}

// activateText appends the rows. Every other value is what the row contains when the
// command runs.
func activateText(tables []string, active bool, columns []kql.Column) string {
	values := ownValues(columns)
	values["IsActive"] = kql.Expression{Kind: "bool", Text: fmt.Sprint(active)}
	return fmt.Sprintf(`.set-or-append %s <|
%s
| where SourceTable in (%s)
| extend _WrittenAt = coalesce(ingestion_time(), LastRefreshedTime, datetime(1900-01-01))
| summarize arg_max(_WrittenAt, *) by SourceTable
| where coalesce(tobool(IsActive), false) != %t
| project %s`, kql.ConfigurationTable, kql.ConfigurationTable, kql.Literals(tables), active, kql.Fill(columns, values))
}

// ownValues fill each column with what it contains.
func ownValues(columns []kql.Column) map[string]kql.Expression {
	values := make(map[string]kql.Expression, len(columns))
	for _, c := range columns {
		values[c.Name] = kql.Expression{Kind: c.Kind, Text: kql.Ident(c.Name)}
	}
	return values
}
