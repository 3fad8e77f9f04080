package takeover

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/kusto/kql"
	"github.com/tvmexport/tvmexport/kusto/setup"
	"github.com/tvmexport/tvmexport/kusto/views"
)

// takeTerm is how long the lease of a takeover lasts at most.
const takeTerm = 10 * time.Minute

// TakeoverCommands are the commands that take tables over, in order: rows of
// the configuration, then a row of the ledger for each table. Each does its
// work once, however often it is sent.
func (c *Importer) TakeoverCommands(ctx context.Context, list []Takeover) ([]setup.Command, error) {
	inv, err := c.conn.Schema(ctx, "import", false)
	if err != nil {
		return nil, err
	}
	columns := kql.ConfigurationColumns
	if found, ok := inv.Tables[kql.ConfigurationTable]; ok {
		columns = found.Columns
	}
	id := tvmexport.RunID(time.Now().UTC().Format("20060102T150405Z") + "-legacy")
	var rows, runs []setup.Command
	for _, t := range list {
		if t.Err != nil || !t.Since.IsZero() {
			continue
		}
		if t.Reconfigure {
			rows = append(rows, setup.Command{
				Kind: setup.MakeRows, Name: kql.ConfigurationTable, Table: kql.ConfigurationTable,
				Why: "how " + t.Table.Name + " is exported from now on", Text: reconfigureText(t, columns),
			})
		}
		if t.Absent {
			continue
		}
		runs = append(runs, setup.Command{
			Kind: setup.MakeRows, Name: kql.RunsTable, Table: kql.RunsTable,
			Why: "what came into " + t.Table.Destination + " before is not ours", Text: legacyText(t, inv.Tables[t.Table.Destination].Columns, id),
		})
	}
	return append(rows, runs...), nil
}

// TakeOver carries the commands out. It holds the leases of the tables
// meanwhile, so that no run begins in between.
func (c *Importer) TakeOver(ctx context.Context, owner string, list []Takeover) (err error) {
	var tables []tvmexport.Table
	for _, t := range list {
		if t.Err == nil && t.Since.IsZero() {
			tables = append(tables, t.Table)
		}
	}
	if len(tables) == 0 {
		return nil
	}
	held, err := c.invocations.Acquire(ctx, tvmexport.Lease{Owner: owner, Tables: tables, Term: takeTerm})
	if err != nil {
		return err
	}
	defer func() {
		err = errors.Join(err, c.invocations.EndInvocation(context.WithoutCancel(ctx), tvmexport.InvocationEnd{Owner: owner, Tables: tables}))
	}()
	for table, by := range held {
		return &tvmexport.Error{
			Op: "import", Table: table, Action: tvmexport.Stop, Cause: tvmexport.LeaseHeld,
			Err:  fmt.Errorf("%s exports it until %s", by.Owner, by.Expires.UTC().Format(time.RFC3339)),
			Hint: "import again when that run has ended",
		}
	}
	commands, err := c.TakeoverCommands(ctx, list)
	if err != nil {
		return err
	}
	for _, cmd := range commands {
		if _, err := c.conn.AppendOnce(ctx, "import", "", cmd.Text); err != nil {
			return err
		}
	}
	return nil
}

// reconfigureText appends the row by which the table is exported from now on,
// in the columns that the configuration has.
func reconfigureText(t Takeover, columns []kql.Column) string {
	watermark := t.column()
	if watermark == "" {
		watermark = kql.NoWatermark
	}
	refreshed := t.Watermark
	if refreshed.IsZero() && t.Table.LoadType == tvmexport.Snapshot {
		refreshed = t.Old.From
	}
	text := `""`
	if !refreshed.IsZero() {
		text = "tostring(" + kql.Datetime(refreshed) + ")"
	}
	return kql.Guarded(kql.ConfigurationTable, "tvmexport-import:"+t.Table.Name, nil, "print "+kql.Fill(columns, map[string]kql.Expression{
		"SourceTable":         {Kind: "string", Text: kql.Literal(t.Table.Name)},
		"DestinationTable":    {Kind: "string", Text: kql.Literal(t.Table.Destination)},
		"WatermarkColumn":     {Kind: "string", Text: kql.Literal(watermark)},
		"LastRefreshedTime":   {Kind: "datetime", Text: kql.Datetime(refreshed)},
		kql.LastRefreshedText: {Kind: "string", Text: text},
		"LoadType":            {Kind: "string", Text: kql.Literal(string(t.Table.LoadType))},
		"IsActive":            {Kind: "bool", Text: fmt.Sprint(t.Old.Active)},
	}))
}

// legacyText writes the row of the ledger that stands for what the other
// exporter has left: bounded by the time at which the row is written, and
// committed if readers should see those rows.
func legacyText(t Takeover, raw []kql.Column, id tvmexport.RunID) string {
	state := kql.TakenOverState
	if t.Joined {
		state = kql.CommittedState
	}
	values := map[string]kql.Expression{
		"Table":     {Kind: "string", Text: kql.Literal(t.Table.Name)},
		"RunId":     {Kind: "string", Text: kql.Literal(string(id))},
		"State":     {Kind: "string", Text: kql.Literal(state)},
		"At":        {Kind: "datetime", Text: "now()"},
		"Kind":      {Kind: "string", Text: kql.Literal(string(tvmexport.LegacyRun))},
		"LoadType":  {Kind: "string", Text: kql.Literal(string(t.Table.LoadType))},
		"Watermark": {Kind: "datetime", Text: kql.Datetime(t.Watermark)},
		"Rows":      {Kind: "long", Text: "Found"},
		"Bytes":     {Kind: "long", Text: "long(0)"},
		"Calls":     {Kind: "long", Text: "long(0)"},
		"Owner":     {Kind: "string", Text: kql.Literal("import")},
		"Detail": {Kind: "dynamic", Text: fmt.Sprintf(`bag_pack("id", %s, "kind", %s, "startedAt", now(), "listed", %s)`,
			kql.Literal(string(id)), kql.Literal(string(tvmexport.LegacyRun)), kql.Literal(t.Listed))},
	}
	rows := strings.TrimSuffix(theirs(t.Table, raw, time.Time{}), views.AsRecords(raw))
	return kql.Guarded(kql.RunsTable, "tvmexport-legacy:"+t.Table.Name, nil, fmt.Sprintf("%s| where isnull(ingestion_time()) or ingestion_time() <= now()\n| summarize Found = count()\n| project %s", rows, kql.Fill(kql.RunsColumns, values)))
}
