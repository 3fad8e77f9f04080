package ledger

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/kusto/conn"
	"github.com/tvmexport/tvmexport/kusto/kql"
)

// OrphanedBatches implements tvmexport.Destination: one query for all tables.
func (c *Ledger) OrphanedBatches(ctx context.Context, tables []tvmexport.Table, of map[string]tvmexport.History, since time.Time) (map[string][]tvmexport.OrphanedBatch, error) {
	out := map[string][]tvmexport.OrphanedBatch{}
	if len(tables) == 0 {
		return out, nil
	}
	byName := make(map[string]tvmexport.Table, len(tables))
	for _, t := range tables {
		if err := conn.CheckNames(t); err != nil {
			return nil, err
		}
		byName[t.Name] = t
		if err := c.visible.SeesAll(ctx, "read landing tables", t.Name, t.Landing()); err != nil {
			return nil, err
		}
	}
	s := conn.Statement{Op: "read landing tables", Text: leftoversText(tables, of, time.Since(since))}
	rows, err := c.conn.Query(ctx, s)
	if err != nil {
		return nil, err
	}
	type line struct {
		table    string
		batch    tvmexport.BatchID
		rows     int64
		manifest []byte
	}
	lines, err := conn.ReadRows(s, rows, func(r *conn.Reader) line {
		return line{r.Text("Table"), tvmexport.BatchID(r.Text("BatchId")), r.Count("BatchRows"), r.Document("Slice")}
	})
	if err != nil {
		return nil, err
	}
	for _, l := range lines {
		var m tvmexport.Manifest
		if err := json.Unmarshal(l.manifest, &m); err != nil || m.Header.ID == "" || len(m.Partitions) == 0 {
			c.conn.Log.WarnContext(ctx, "kusto: a landed batch has an unknown description and is ignored", "table", l.table, "batch", l.batch, "error", err)
			continue
		}
		m.Slice.Table = byName[l.table]
		out[l.table] = append(out[l.table], tvmexport.OrphanedBatch{Header: m.Header, Batch: tvmexport.BatchInfo{
			ID: l.batch, Slice: m.Slice, Rows: l.rows, Bytes: m.Bytes, Counts: m.Counts, Fingerprints: tvmexport.NewFingerprints(m.Fingerprints...), Unread: m.Unread,
		}})
	}
	return out, nil
}

// leftoversText asks for the whole batches, landed within the age, of runs that
// built on each table's last commit and never began to publish.
func leftoversText(tables []tvmexport.Table, of map[string]tvmexport.History, age time.Duration) string {
	var lets strings.Builder
	parts := make([]string, len(tables))
	for i, t := range tables {
		previous := ""
		if last := of[t.Name].Last; last != nil {
			previous = string(last.ID)
		}
		fmt.Fprintf(&lets, `let Tails%d = %s
    | where Line == 0 and coalesce(ingestion_time(), now()) > ago(%s)
    | where tostring(Slice.origin.previous) == %s and RunId !in (Published)
    | summarize take_any(Slice, BatchRows) by BatchId;
`, i, kql.Ident(t.Landing()), kql.Timespan(age), kql.Literal(previous))
		parts[i] = fmt.Sprintf(`%s
| where Line > 0 and BatchId in (Tails%d | project BatchId)
| summarize Good = countif(not(%s) and not(%s)) by BatchId, Line
| summarize Lines = countif(Good > 0) by BatchId
| join kind=inner Tails%d on BatchId
| where Lines == BatchRows
| project Table = %s, BatchId, BatchRows, Slice`, kql.Ident(t.Landing()), i, kql.SpoiledRecord, kql.UnreadRecord, i, kql.Literal(t.Name))
	}
	return fmt.Sprintf(`let Published = %s
    | where State in (%s)
    | distinct RunId;
%sunion (
%s
)
| order by BatchId asc`, kql.RunsTable, kql.Literals([]string{kql.PublishingState, kql.CommittedState}), lets.String(), strings.Join(parts, "\n), (\n"))
}
