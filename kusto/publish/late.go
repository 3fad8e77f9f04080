package publish

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/internal/fingerprint"
	"github.com/tvmexport/tvmexport/kusto/conn"
	"github.com/tvmexport/tvmexport/kusto/kql"
	"github.com/tvmexport/tvmexport/kusto/views"
)

// CountMissing implements tvmexport.Destination.
func (c *Publisher) CountMissing(ctx context.Context, run tvmexport.Run, late []tvmexport.BatchInfo) (map[tvmexport.BatchID]int64, error) {
	seen, err := c.ledger.Readers(ctx, run.Table)
	if err != nil {
		return nil, err
	}
	if len(late) > 0 {
		if err := c.Visible.SeesAll(ctx, "confirm", run.Table.Name, append(seen.Tables(), run.Table.Landing())...); err != nil {
			return nil, err
		}
	}
	out := map[tvmexport.BatchID]int64{}
	for _, b := range late {
		s := conn.Statement{Op: "confirm", Table: run.Table.Name, Text: lackingText(run, []tvmexport.BatchID{b.ID}, b.Slice.Window, seen, run.Table.Visible()) +
			"| summarize Rows = coalesce(sum(Lack), 0)"}
		rows, err := c.conn.Query(ctx, s)
		if err != nil {
			return nil, err
		}
		counts, err := conn.ReadRows(s, rows, func(r *conn.Reader) int64 { return r.Count("Rows") })
		if err != nil {
			return nil, err
		}
		for _, n := range counts {
			out[b.ID] += n
		}
	}
	return out, nil
}

// lackingText is the query of the records that batches of late slices hold
// more often (Lack times) than readers see them, the publishing run's own rows
// included, so that it has nothing left once it was carried out. Rows are the
// same if they are in the columns that readers see.
func lackingText(run tvmexport.Run, batches []tvmexport.BatchID, w tvmexport.Window, seen views.Source, shown []tvmexport.Column) string {
	t := run.Table
	lets, rows := seen.State(t, "")
	own := fmt.Sprintf("| where RunId == %s\n", kql.Literal(string(run.ID)))
	if views.IsForeign(seen.Columns) {
		own = fmt.Sprintf("| where tostring(extent_tags()) has %s\n", kql.Literal(kql.RunTag(run.ID)))
	}
	own += seen.Alone().Records()
	bounded, boundedOwn := "", ""
	if t.Watermark != tvmexport.IngestionTime {
		bounded, boundedOwn = within(t, w, seen), within(t, w, seen.Alone())
	}
	there, here := contents(t, seen, shown)
	ours, _ := contents(t, seen.Alone(), shown)
	return fmt.Sprintf(`%slet Seen = union (
%s%s| project Content = %s
), (
%s
%s%s| project Content = %s
)
| summarize Copies = count() by Content;
%s| extend %s = parse_json(Records)
| extend Content = %s
| summarize Landed = count(), take_any(Records, Partition) by Content
| join kind=leftouter Seen on Content
| extend Lack = Landed - coalesce(Copies, 0)
| where Lack > 0
`, lets, rows, bounded, there, kql.Ident(seen.Table), own, boundedOwn, ours, landedLines(t, batches), views.ParsedRecord, here)
}

// contents are the texts that are equal for equal rows: of published rows, and
// of landed records.
func contents(t tvmexport.Table, seen views.Source, shown []tvmexport.Column) (there, here string) {
	switch {
	case views.IsShared(t, seen.Columns):
		return views.RecordContent(t, views.RecordColumn), views.RecordContent(t, views.ParsedRecord)
	case !seen.Typed && seen.Other == nil:
		return "tostring(" + views.RecordColumn + ")", "tostring(" + views.ParsedRecord + ")"
	}
	published, landed := map[string]string{}, map[string]string{}
	for i, value := range seen.Values(shown) {
		published[shown[i].Name] = value
		landed[shown[i].Name] = views.FromLanded(shown[i])
	}
	return fingerprint.Row(shown, func(name string) string { return published[name] }),
		fingerprint.Row(shown, func(name string) string { return landed[name] })
}

// landedLines returns the lines of batches, each once, regardless of how often it
// was delivered. A copy that was corrupted in ingestion does not count. The hint is
// needed because the groups are many (https://learn.microsoft.com/kusto/query/shuffle-query).
func landedLines(t tvmexport.Table, batches []tvmexport.BatchID) string {
	lines := make([]string, 0, len(batches)/4+1)
	for part := range slices.Chunk(batches, 4) {
		lines = append(lines, "    "+kql.Literals(part))
	}
	return fmt.Sprintf(`%s
| where BatchId in (
%s)
| where Line > 0 and not(%s)
| summarize hint.strategy = shuffle take_any(Records, Partition) by BatchId, Line
`, kql.Ident(t.Landing()), strings.Join(lines, ",\n"), kql.SpoiledRecord)
}
