package ledger

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/kusto/conn"
	"github.com/tvmexport/tvmexport/kusto/kql"
)

// ordersText asks for the newest row of each source table, regardless of its
// other values: IsActive is checked afterwards, so that a row can switch a table
// off. Every shape of the table has these columns. OfState says that a row of the
// table as a Snapshot has the same LastRefreshedTime: a run without a watermark
// wrote it, or it was copied from there. Told is the time as text, where the table
// has it.
var ordersText = fmt.Sprintf(`%s
| extend WrittenAt = coalesce(ingestion_time(), LastRefreshedTime, datetime(1900-01-01)), NoTime = isnull(ingestion_time()), Told = tostring(column_ifexists(%s, "")),
    StateTime = iff(trim(@"\s+", LoadType) in~ ("", %s), tostring(LastRefreshedTime), "")
| summarize arg_max(WrittenAt, DestinationTable, WatermarkColumn, LastRefreshedTime, LoadType, IsActive, Told), Undated = countif(NoTime), StateTimes = make_set(StateTime) by SourceTable
| project SourceTable, DestinationTable, WatermarkColumn, LastRefreshedTime, LoadType, IsActive, Undated,
    OfState = isnotnull(LastRefreshedTime) and set_has_element(StateTimes, tostring(LastRefreshedTime)),
    Untrue = isnotempty(Told) and not(coalesce(abs(todatetime(Told) - LastRefreshedTime) < 1s, false))
| order by SourceTable asc`, kql.ConfigurationTable, kql.Literal(kql.LastRefreshedText), kql.Literal(string(tvmexport.Snapshot)))

// Orders implements tvmexport.Destination.
func (c *Configuration) Orders(ctx context.Context) ([]tvmexport.Order, error) {
	s := conn.Statement{Op: "read configuration", Text: ordersText}
	rows, err := c.conn.Ask(ctx, s)
	if err != nil {
		return nil, err
	}
	if err := c.visible.SeesAll(ctx, s.Op, "", kql.ConfigurationTable); err != nil {
		return nil, err
	}
	orders, err := conn.ReadRows(s, rows, func(r *conn.Reader) tvmexport.Order {
		o := Order(Configured{
			Source: r.Text("SourceTable"), Destination: r.Text("DestinationTable"),
			Watermark: r.Text("WatermarkColumn"), Load: r.Text("LoadType"),
			Refreshed: r.Time("LastRefreshedTime"), Active: r.Flag("IsActive"),
			OfState: r.Flag("OfState"), Untrue: r.Flag("Untrue"),
		})
		if n := r.Long("Undated"); n > 0 {
			o.Active, o.Err = true, undated(o.Table, n) // active: or nobody would hear of it
		}
		return o
	})
	tvmexport.RefuseCollisions(orders)
	return orders, err
}

// Configured is a configuration row, unchanged.
type Configured struct {
	Source, Destination, Watermark, Load string
	Refreshed                            time.Time
	Active                               bool
	OfState                              bool // Refreshed is of the table as a Snapshot
	Untrue                               bool // the text next to Refreshed says another time
}

// Order is what a configuration row asks for, or why it cannot be carried out.
func Order(row Configured) tvmexport.Order {
	o := tvmexport.Order{
		Table: row.Source, Into: strings.TrimSpace(row.Destination),
		Column: strings.TrimSpace(row.Watermark), From: row.Refreshed, Active: row.Active,
	}
	if o.Into == "" {
		o.Into = o.Table + "Raw"
	}
	if strings.EqualFold(o.Column, kql.NoWatermark) {
		o.Column = ""
	}
	bad := func(err error) tvmexport.Order {
		e := conn.UsageError("configuration", o.Table, err)
		e.Hint = "append a corrected row to " + kql.ConfigurationTable
		o.Err = e
		return o
	}
	if err := conn.CheckNames(tvmexport.Table{Name: o.Table, Destination: o.Into}); err != nil {
		return bad(conn.Innermost(err))
	}
	load := row.Load
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
	if row.Untrue {
		o.Note = fmt.Sprintf("%s and LastRefreshedTime in %s say different times: LastRefreshedTime counts", kql.LastRefreshedText, kql.ConfigurationTable)
	}
	if row.OfState && o.Load != tvmexport.Snapshot {
		o.From = time.Time{} // it says when a run began, and nothing of single rows
	}
	return o
}

// undated returns why a table is not exported if some of its configuration rows
// have no time: an older one could be mistaken for the newest.
func undated(table string, rows int64) error {
	e := conn.RefusedError("configuration", table, fmt.Errorf("%d rows of %s have no ingestion_time(), so the newest row cannot be determined: the policy ingestiontime is or was off", rows, kql.ConfigurationTable),
		fmt.Sprintf("run .alter table %s policy ingestiontime true, append the row that should apply, and delete the others: .delete table %s records <| %s | where SourceTable == %s and isnull(ingestion_time())",
			kql.ConfigurationTable, kql.ConfigurationTable, kql.ConfigurationTable, kql.Literal(table)))
	return e
}
