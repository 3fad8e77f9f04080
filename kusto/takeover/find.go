package takeover

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/kusto/conn"
	"github.com/tvmexport/tvmexport/kusto/kql"
	"github.com/tvmexport/tvmexport/kusto/ledger"
	"github.com/tvmexport/tvmexport/kusto/views"
)

// siblingTable is the configuration of another exporter of the same family.
const siblingTable = "meta_MigrationConfiguration"

// Members that exporters add to a record where they follow ingestion_time().
var ingestionMembers = []string{"IngestionTime", "Watermark_IngestionTime"}

// Takeover is a table that another exporter has filled, and what becomes of it.
type Takeover struct {
	Table tvmexport.Table // as it is exported from now on

	Listed string          // the configuration table that names it
	Old    tvmexport.Order // in the other exporter's table, with its load type and column
	Loads  string          // load type in the other exporter's table

	Rows      int64     // of the other exporter in the published table
	From, To  time.Time // when they were ingested; zero: not known
	Newest    time.Time // their newest watermark; zero: none has one
	Unmarked  int64     // of them without a watermark
	Untimed   int64     // of them without a time of ingestion
	Watermark time.Time // that the export continues from; zero: from what the source holds

	Joined      bool // the old rows become part of what readers see
	Reconfigure bool // the configuration gets a row
	Absent      bool // there is no published table yet

	Since time.Time // when it was taken over; zero: it was not yet
	Notes []string
	Err   error // why it cannot be taken over
}

// Takeovers looks for tables that another exporter has filled. It changes
// nothing. describe is the catalogue; with names, only those source tables count.
func (c *Importer) Takeovers(ctx context.Context, describe func(string) (tvmexport.Table, bool), names []string) ([]Takeover, error) {
	inv, err := c.conn.Schema(ctx, "import", false)
	if err != nil {
		return nil, err
	}
	list, err := c.listed(ctx, inv)
	if err != nil {
		return nil, err
	}
	list = slices.DeleteFunc(list, func(t Takeover) bool { return len(names) > 0 && !slices.Contains(names, t.Table.Name) })
	for _, name := range names {
		if !slices.ContainsFunc(list, func(t Takeover) bool { return t.Table.Name == name }) {
			return nil, conn.UsageError("import", name, errors.New("no configuration table of another exporter names it"))
		}
	}
	list = slices.DeleteFunc(list, func(t Takeover) bool {
		raw, ok := inv.Tables[t.Table.Destination]
		return ok && (raw.Folder == kql.Folder || !views.IsForeign(raw.Columns)) // ours
	})
	var sound []tvmexport.Table
	for i := range list {
		t := &list[i]
		t.propose(describe)
		raw, ok := inv.Tables[t.Table.Destination]
		switch {
		case t.Err != nil:
		case !ok:
			t.Absent = true
		case views.Payload(raw.Columns) == "":
			t.Err = conn.RefusedError("import", t.Table.Name, views.NoPayload(t.Table.Destination), "name another DestinationTable in "+t.Listed)
		default:
			sound = append(sound, t.Table)
		}
	}
	until, last, err := c.past(ctx, inv, sound)
	if err != nil {
		return nil, err
	}
	for i := range list {
		t := &list[i]
		if t.Err != nil {
			continue
		}
		t.Since = until[t.Table.Name]
		if t.Absent {
			t.decide(false)
			continue
		}
		if err := c.survey(ctx, t, inv.Tables[t.Table.Destination].Columns); err != nil {
			return nil, err
		}
		t.decide(last[t.Table.Name])
	}
	return list, nil
}

// past says which tables were taken over, and which have commits of ours.
func (c *Importer) past(ctx context.Context, inv conn.Schema, tables []tvmexport.Table) (until map[string]time.Time, last map[string]bool, err error) {
	last = map[string]bool{}
	if _, ok := inv.Tables[kql.RunsTable]; !ok || len(tables) == 0 {
		return map[string]time.Time{}, last, nil
	}
	if until, err = c.ledger.TakenOver(ctx, tables); err != nil {
		return nil, nil, err
	}
	s := conn.Statement{Op: "import", Text: fmt.Sprintf(`%s
| where Table in (%s) and State in (%s)
| distinct Table`, kql.RunsTable, kql.Literals(kql.Names(tables)), kql.Literals([]string{kql.CommittedState, kql.PublishingState}))}
	rows, err := c.conn.Query(ctx, s)
	if err != nil {
		return nil, nil, err
	}
	_, err = conn.ReadRows(s, rows, func(r *conn.Reader) struct{} {
		last[r.Text("Table")] = true
		return struct{}{}
	})
	return until, last, err
}

// listed are the tables that the configuration tables of other exporters name;
// of two rows for one source table that of MigrationConfiguration counts.
func (c *Importer) listed(ctx context.Context, inv conn.Schema) ([]Takeover, error) {
	var out []Takeover
	known := false
	for _, from := range []struct{ table, watermark string }{{kql.ConfigurationTable, "LastRefreshedTime"}, {siblingTable, "HighWatermark"}} {
		found, ok := inv.Tables[from.table]
		if !ok {
			continue
		}
		known = true
		want := []kql.Column{{Name: "SourceTable", Kind: "string"}, {Name: "DestinationTable", Kind: "string"}, {Name: "WatermarkColumn", Kind: "string"}, {Name: from.watermark, Kind: "datetime"}, {Name: "LoadType", Kind: "string"}, {Name: "IsActive", Kind: "bool"}}
		if lack := kql.Missing(found.Columns, want); lack != "" {
			return nil, conn.RefusedError("import", "", fmt.Errorf("table %s has no column %s", from.table, lack), "it is not the configuration of a supported exporter")
		}
		rows, err := c.listedIn(ctx, from.table, from.watermark)
		if err != nil {
			return nil, err
		}
		for _, t := range rows {
			if !slices.ContainsFunc(out, func(o Takeover) bool { return o.Table.Name == t.Table.Name }) {
				out = append(out, t)
			}
		}
	}
	if !known {
		return nil, &tvmexport.Error{
			Op: "import", Action: tvmexport.Stop, Cause: tvmexport.Usage,
			Err:  fmt.Errorf("the database has no table %s or %s: there is nothing to take over", kql.ConfigurationTable, siblingTable),
			Hint: "check kusto.database, or start without a takeover with tvmexport init",
		}
	}
	return out, nil
}

func (c *Importer) listedIn(ctx context.Context, table, watermark string) ([]Takeover, error) {
	s := conn.Statement{Op: "import", Text: listedText(table, watermark)}
	rows, err := c.conn.Query(ctx, s)
	if err != nil {
		return nil, err
	}
	return conn.ReadRows(s, rows, func(r *conn.Reader) Takeover {
		row := ledger.Configured{
			Source: r.Text("SourceTable"), Destination: r.Text("DestinationTable"),
			Watermark: strings.TrimSpace(r.Text("WatermarkColumn")), Load: r.Text("LoadType"),
			Refreshed: r.Time("Refreshed"), Active: r.Flag("IsActive"),
		}
		if slices.Contains(ingestionMembers, row.Watermark) {
			row.Watermark = kql.NoWatermark
		}
		o := ledger.Order(row)
		return Takeover{Listed: table, Old: o, Loads: row.Load, Err: o.Err, Table: tvmexport.Table{
			Name: o.Table, Destination: o.Into, LoadType: o.Load, Watermark: o.Column,
		}}
	})
}

// listedText is the query for the newest configuration row of each source table.
// watermark is the expression for the watermark of a row.
func listedText(table, watermark string) string {
	return fmt.Sprintf(`%s
| extend WrittenAt = coalesce(ingestion_time(), LastRefreshedTime, datetime(1900-01-01))
| summarize arg_max(WrittenAt, *) by SourceTable
| project SourceTable, DestinationTable, WatermarkColumn, Refreshed = %s, LoadType, IsActive
| order by SourceTable asc`, table, watermark)
}

// propose says how the table is exported from now on: tables that are a state
// as Snapshot, others by the column that the catalogue knows, where the old
// exporter followed ingestion_time(), which rows do not carry.
func (t *Takeover) propose(describe func(string) (tvmexport.Table, bool)) {
	if t.Err != nil {
		return
	}
	if known, ok := describe(t.Table.Name); ok {
		as := t.Table
		t.Table = known
		t.Table.Name, t.Table.Destination, t.Table.LoadType, t.Table.Watermark = as.Name, as.Destination, as.LoadType, as.Watermark
		switch {
		case known.LoadType == tvmexport.Snapshot:
			t.Table.LoadType, t.Table.Watermark = tvmexport.Snapshot, ""
		case t.Table.LoadType == tvmexport.Snapshot:
		case t.Old.Column == "" || t.Old.Column == tvmexport.IngestionTime:
			t.Table.Watermark = known.Watermark
		}
	}
	if t.Table.LoadType != tvmexport.Snapshot && t.Table.Watermark == "" {
		t.Table.Watermark = tvmexport.IngestionTime
	}
	if t.Table.LoadType != t.Old.Load {
		t.note("LoadType %s becomes %s: the table is current state without a time, and fixed findings disappear", t.Loads, t.Table.LoadType)
	} else if t.Table.Watermark != t.Old.Column && t.Table.Watermark != tvmexport.IngestionTime {
		t.note("WatermarkColumn None becomes %s, which rows contain, so that missing rows can be found", t.Table.Watermark)
	}
}

func (t *Takeover) note(format string, args ...any) {
	t.Notes = append(t.Notes, fmt.Sprintf(format, args...))
}
