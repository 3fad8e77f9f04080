package takeover

import (
	"context"
	"fmt"
	"time"

	"github.com/tvmexport/tvmexport/kusto/conn"
	"github.com/tvmexport/tvmexport/kusto/kql"
	"github.com/tvmexport/tvmexport/kusto/ledger"
)

// siblingAudit is the audit of the exporter that siblingTable belongs to.
const siblingAudit = "meta_MigrationAudit"

// LegacyRuns is another exporter's own audit of a day, and what came in.
type LegacyRuns struct {
	Day      time.Time
	Runs     int64
	Failed   int64
	Sent     int64 // rows that it reports for runs that succeeded
	Ingested int64 // rows that came in on that day
}

// Short says whether rows that were reported as sent did not all come in.
func (r LegacyRuns) Short() bool { return r.Sent > r.Ingested }

// LegacyAudit compares another exporter's audit with the rows that came in, by
// day of ingestion, newest first, mostDays at most. It is empty where there is
// no audit.
func (c *Importer) LegacyAudit(ctx context.Context, t Takeover) ([]LegacyRuns, error) {
	inv, err := c.conn.Schema(ctx, "import", false)
	if err != nil {
		return nil, err
	}
	_, exported := inv.Tables[kql.RunsTable]
	audit := legacyAuditText(t, exported)
	table := kql.AuditTable
	want := kql.AuditColumns
	if t.Listed == siblingTable {
		table, want = siblingAudit, []kql.Column{{Name: "table", Kind: "string"}, {Name: "ingestion_timestamp", Kind: "datetime"}, {Name: "success", Kind: "bool"}, {Name: "records_processed", Kind: "long"}}
	}
	found, ok := inv.Tables[table]
	if !ok || kql.MissingNames(found.Columns, want) != "" {
		return nil, nil
	}
	s := conn.Statement{Op: "import", Table: t.Table.Name, Text: fmt.Sprintf(`%s
| join kind=leftouter (%s| summarize Ingested = count() by Day = startofday(ingestion_time())) on Day
| project Day, Runs, Failed, Sent, Ingested = coalesce(Ingested, 0)
| top %d by Day desc`, audit, theirs(t.Table, inv.Tables[t.Table.Destination].Columns, t.Since), mostDays)}
	rows, err := c.conn.Query(ctx, s)
	if err != nil {
		return nil, err
	}
	return conn.ReadRows(s, rows, func(r *conn.Reader) LegacyRuns {
		return LegacyRuns{Day: r.Time("Day"), Runs: r.Long("Runs"), Failed: r.Long("Failed"), Sent: r.Long("Sent"), Ingested: r.Long("Ingested")}
	})
}

// legacyAuditText sums up an audit. Exporters of the family name the published table in
// it, early versions of tvmexport the source table. Rows of tvmexport itself are not
// counted: those after the takeover, or after its first run if there was no takeover.
func legacyAuditText(t Takeover, exported bool) string {
	if t.Listed == siblingTable {
		return fmt.Sprintf(`%s
| where ['table'] == %s
| summarize Runs = count(), Failed = countif(success != true), Sent = sum(tolong(records_processed)) by Day = startofday(ingestion_timestamp)`, siblingAudit, kql.Literal(t.Table.Destination))
	}
	until := ""
	switch {
	case !t.Since.IsZero():
		until = "\n| where Timestamp <= " + kql.Datetime(t.Since)
	case exported:
		until = fmt.Sprintf("\n| where Timestamp < coalesce(toscalar(%s | where Table == %s and State == %s | summarize min(At)), now())", kql.RunsTable, kql.Literal(t.Table.Name), kql.Literal(kql.LeaseState))
	}
	return fmt.Sprintf(`%s
| where TableName in (%s)%s
| summarize Runs = count(), Failed = countif(Status != %s), Sent = sum(tolong(RecordCount)) by Day = startofday(Timestamp)`,
		kql.AuditTable, kql.Literals([]string{t.Table.Destination, t.Table.Name}), until, kql.Literal(ledger.Succeeded))
}
