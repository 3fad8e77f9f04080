package publish

import (
	"context"
	"fmt"
	"strings"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/kusto/conn"
	"github.com/tvmexport/tvmexport/kusto/kql"
	"github.com/tvmexport/tvmexport/kusto/views"
)

// nulled counts, per column of the typed table, the values of a publication
// that are there in the record and null once converted, and says so, a sentence
// a column. Raw holds them as text.
func (c *Publisher) nulled(ctx context.Context, p tvmexport.Publication, into []target) (out []tvmexport.Unread, notes []string) {
	for _, t := range into {
		if t.Shown == nil {
			continue
		}
		counts := map[string]int64{}
		for _, step := range p.Steps {
			text := nulledText(p.Run.Table, step.Batches, t.Shown)
			if text == "" {
				return out, notes
			}
			s := conn.Statement{Op: "publish", Table: p.Run.Table.Name, Text: text, Scans: true}
			rows, err := c.conn.Ask(ctx, s)
			if err != nil {
				c.conn.Log.InfoContext(ctx, "kusto: values that do not fit their type were not counted", "table", t.Table, "run", p.Run.ID, "error", err)
				return out, notes
			}
			_, err = conn.ReadRows(s, rows, func(r *conn.Reader) struct{} {
				counts[r.Text("Name")] += r.Long("Count")
				return struct{}{}
			})
			if err != nil {
				c.conn.Log.InfoContext(ctx, "kusto: values that do not fit their type were not counted", "table", t.Table, "run", p.Run.ID, "error", err)
				return out, notes
			}
		}
		for _, column := range t.Shown {
			if n := counts[column.Name]; n > 0 {
				out = append(out, tvmexport.Unread{Column: column.Name, Type: column.Type, Values: n})
				notes = append(notes, fmt.Sprintf("%d values do not fit the type %[3]s of column %[2]s and are null in table %[4]s", n, column.Name, column.Type, t.Table))
			}
		}
	}
	return out, notes
}

// nulledText counts values that conversion makes null; "" where no column is converted.
func nulledText(t tvmexport.Table, batches []tvmexport.BatchID, shown []tvmexport.Column) string {
	var sums, pairs []string
	for _, c := range shown {
		if _, ok := kql.Conversions[c.Type]; !ok || c.Type == "string" {
			continue
		}
		n := fmt.Sprintf("N%d", len(sums))
		// A line that was delivered twice counts once.
		sums = append(sums, fmt.Sprintf(`    %s = count_distinctif(strcat(BatchId, "/", tostring(Line)), isnotempty(tostring(%s)) and isnull(%s))`,
			n, views.ParsedRecord+kql.Member(c.Name), views.FromLanded(c)))
		pairs = append(pairs, kql.Literal(c.Name)+", "+n)
	}
	if len(sums) == 0 {
		return ""
	}
	return fmt.Sprintf(`%s
| where BatchId in (%s) and Line > 0
| extend %s = parse_json(Records)
| summarize
%s
| project Nulled = bag_pack(%s)
| mv-expand kind=array Nulled
| project Name = tostring(Nulled[0]), Count = tolong(Nulled[1])
| where Count > 0`, kql.Ident(t.Landing()), kql.Literals(batches), views.ParsedRecord, strings.Join(sums, ",\n"), strings.Join(pairs, ", "))
}
