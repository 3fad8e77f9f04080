package ledger

import (
	"context"
	"fmt"
	"strings"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/kusto/conn"
	"github.com/tvmexport/tvmexport/kusto/kql"
)

// Configure adds a row to MigrationConfiguration for each of the tables that
// has kql.NoWatermark, and changes nothing else.
func (c *Configuration) Configure(ctx context.Context, tables []tvmexport.Table) error {
	if len(tables) == 0 {
		return nil
	}
	for _, t := range tables {
		if err := conn.CheckNames(t); err != nil {
			return err
		}
	}
	if err := c.visible.SeesAll(ctx, "configure", "", kql.ConfigurationTable); err != nil {
		return err
	}
	columns, err := c.conn.Columns(ctx, kql.ConfigurationTable)
	if err != nil {
		return err
	}
	_, err = c.conn.Command(ctx, conn.Statement{Op: "configure", Text: SeedText(tables, columns), Idempotent: true})
	return err
}

// SeedText appends the rows that are missing, in the order and types of the
// columns that the table has: commands that ingest from a query match columns
// by position (https://learn.microsoft.com/kusto/management/data-ingestion/ingest-from-query).
func SeedText(tables []tvmexport.Table, columns []kql.Column) string {
	return fmt.Sprintf(`.set-or-append %s <|
%s
| project %s`, kql.ConfigurationTable, seedRows(tables), kql.Fill(columns, map[string]kql.Expression{
		"SourceTable":       {Kind: "string", Text: "SourceTable"},
		"DestinationTable":  {Kind: "string", Text: "DestinationTable"},
		"WatermarkColumn":   {Kind: "string", Text: "WatermarkColumn"},
		"LoadType":          {Kind: "string", Text: "LoadType"},
		"LastRefreshedTime": {Kind: "datetime", Text: "datetime(null)"},
		"IsActive":          {Kind: "bool", Text: "true"},
	}))
}

// SeedAnyText is [SeedText] for a table whose columns are not known: the table itself
// gives them and their order.
func SeedAnyText(tables []tvmexport.Table) string {
	return fmt.Sprintf(`.set-or-append %s <|
%s
| take 0
| union (
%s
| extend IsActive = true)`, kql.ConfigurationTable, kql.ConfigurationTable, seedRows(tables))
}

// seedRows is the query for the rows that are missing.
func seedRows(tables []tvmexport.Table) string {
	var rows strings.Builder
	for i, t := range tables {
		sep := ",\n"
		if i == len(tables)-1 {
			sep = "\n"
		}
		load, watermark := t.LoadType, t.Watermark
		if load == "" {
			load = tvmexport.Snapshot
		}
		if watermark == "" || watermark == tvmexport.IngestionTime {
			watermark = kql.NoWatermark
		}
		fmt.Fprintf(&rows, "    %s, %s, %s, %s%s", kql.Literal(t.Name), kql.Literal(t.Destination), kql.Literal(watermark), kql.Literal(string(load)), sep)
	}
	return fmt.Sprintf(`datatable (SourceTable:string, DestinationTable:string, WatermarkColumn:string, LoadType:string) [
%s]
| join kind=leftanti %s on SourceTable`, rows.String(), kql.ConfigurationTable)
}
