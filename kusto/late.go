package kusto

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/tvmexport/tvmexport"
)

// Lacking implements tvmexport.Destination.
func (c *Client) Lacking(ctx context.Context, run tvmexport.Run, late []tvmexport.BatchInfo) (map[tvmexport.BatchID]int64, error) {
	raw, err := c.columns(ctx, run.Table.Destination)
	if err != nil {
		return nil, err
	}
	out := map[tvmexport.BatchID]int64{}
	for _, b := range late {
		s := statement{op: "confirm", table: run.Table.Name, text: lackingText(run, []tvmexport.BatchID{b.ID}, b.Slice.Window, raw) +
			"| summarize Rows = sum(Lack)"}
		rows, err := c.query(ctx, s)
		if err != nil {
			return nil, err
		}
		counts, err := readRows(s, rows, func(r *reader) int64 { return r.long("Rows") })
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
// included, so that it has nothing left once it was carried out.
func lackingText(run tvmexport.Run, batches []tvmexport.BatchID, w tvmexport.Window, raw []column) string {
	t := run.Table
	lets, rows := visible(t, raw)
	seen, parse, landed := "tostring(Records)", "", "tostring(parse_json(Records))"
	if shared(t, raw) {
		seen, parse, landed = content(t, recordColumn), "| extend Parsed = parse_json(Records)\n", content(t, "Parsed")
	}
	own := fmt.Sprintf("| where RunId == %s\n", literal(string(run.ID)))
	if foreign(raw) {
		own = fmt.Sprintf("| where tostring(extent_tags()) has %s\n", literal(runTag(run.ID)))
	}
	bounded := ""
	if t.Watermark != tvmexport.IngestionTime {
		bounded = within(t, w)
	}
	return fmt.Sprintf(`%slet Seen = union (
%s| project Records
), (
%s
%s%s| project Records
)
%s| summarize Copies = count() by Content = %s;
%s%s| extend Content = %s
| summarize Landed = count(), take_any(Records, Partition) by Content
| join kind=leftouter Seen on Content
| extend Lack = Landed - coalesce(Copies, 0)
| where Lack > 0
`, lets, rows, ident(t.Destination), own, asRecords(raw), bounded, seen, landedLines(t, batches), parse, landed)
}

// landedLines are the lines of batches, each once however often it was
// delivered; a copy that was spoiled on the way does not count. The groups are
// many, hence the hint (https://learn.microsoft.com/kusto/query/shuffle-query).
func landedLines(t tvmexport.Table, batches []tvmexport.BatchID) string {
	lines := make([]string, 0, len(batches)/4+1)
	for part := range slices.Chunk(batches, 4) {
		lines = append(lines, "    "+literals(part))
	}
	return fmt.Sprintf(`%s
| where BatchId in (
%s)
| where Line > 0 and not(%s)
| summarize hint.strategy = shuffle take_any(Records, Partition) by BatchId, Line
`, ident(t.Landing()), strings.Join(lines, ",\n"), spoiled)
}
