package kusto

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/kusto/conn"
	"github.com/tvmexport/tvmexport/kusto/kql"
)

// ordersText asks for the newest row of each source table, whatever else the
// row says: IsActive is looked at afterwards, so that a table is switched off
// by a row. Both shapes of the table have these columns.
const ordersText = kql.ConfigurationTable + `
| extend WrittenAt = coalesce(ingestion_time(), LastRefreshedTime, datetime(1900-01-01))
| extend NoTime = isnull(ingestion_time())
| summarize arg_max(WrittenAt, *), Undated = countif(NoTime) by SourceTable
| project SourceTable, DestinationTable, WatermarkColumn, LastRefreshedTime, LoadType, IsActive, Undated
| order by SourceTable asc`

// Orders implements tvmexport.Destination.
func (c *Client) Orders(ctx context.Context) ([]tvmexport.Order, error) {
	s := conn.Statement{Op: "read configuration", Text: ordersText}
	rows, err := c.conn.Query(ctx, s)
	if err != nil {
		return nil, err
	}
	if err := c.visible.SeesAll(ctx, s.Op, "", kql.ConfigurationTable); err != nil {
		return nil, err
	}
	orders, err := conn.ReadRows(s, rows, func(r *conn.Reader) tvmexport.Order {
		o := order(configured{
			source: r.Text("SourceTable"), destination: r.Text("DestinationTable"),
			watermark: r.Text("WatermarkColumn"), load: r.Text("LoadType"),
			refreshed: r.Time("LastRefreshedTime"), active: r.Flag("IsActive"),
		})
		if n := r.Long("Undated"); n > 0 {
			o.Active, o.Err = true, undated(o.Table, n) // active: or nobody would hear of it
		}
		return o
	})
	tvmexport.RefuseCollisions(orders)
	return orders, err
}

// configured is a configuration row as it stands.
type configured struct {
	source, destination, watermark, load string
	refreshed                            time.Time
	active                               bool
}

// order is what a configuration row asks for, or why it cannot be carried out.
func order(row configured) tvmexport.Order {
	o := tvmexport.Order{
		Table: row.source, Into: strings.TrimSpace(row.destination),
		Column: strings.TrimSpace(row.watermark), From: row.refreshed, Active: row.active,
	}
	if o.Into == "" {
		o.Into = o.Table + "Raw"
	}
	if strings.EqualFold(o.Column, none) {
		o.Column = ""
	}
	bad := func(err error) tvmexport.Order {
		e := conn.UsageError("configuration", o.Table, err)
		e.Hint = "append a corrected row to " + kql.ConfigurationTable
		o.Err = e
		return o
	}
	if err := checkNames(tvmexport.Table{Name: o.Table, Destination: o.Into}); err != nil {
		return bad(conn.Innermost(err))
	}
	load := row.load
	if strings.TrimSpace(load) == "" {
		load = string(tvmexport.Snapshot)
	}
	var err error
	if o.Load, err = tvmexport.ParseLoadType(load); err != nil {
		return bad(err)
	}
	if strings.EqualFold(o.Column, tvmexport.IngestionTime) {
		o.Column = tvmexport.IngestionTime
	} else if o.Column != "" {
		if err := tvmexport.CheckIdentifier("watermark column", o.Column); err != nil {
			return bad(err)
		}
	}
	if o.Load == tvmexport.Snapshot && o.Column == tvmexport.IngestionTime {
		o.Column = ""
	}
	if !o.From.IsZero() && o.From.Year() < 1900 {
		return bad(fmt.Errorf("LastRefreshedTime %s is not a valid time of a row", o.From.Format(time.RFC3339)))
	}
	return o
}
