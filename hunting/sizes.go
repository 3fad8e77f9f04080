package hunting

import (
	"context"
	"fmt"
	"strings"

	"github.com/tvmexport/tvmexport"
)

// RowSizes implements tvmexport.RowSizer: one query in which each row is measured as
// JSON. What an answer holds in addition on Graph, the types of bools, is added.
func (c *Client) RowSizes(ctx context.Context, list []tvmexport.Slice) ([]float64, int, error) {
	legs := make([]string, len(list))
	for i, s := range list {
		if err := check("sample", s.Table); err != nil {
			return nil, 0, err
		}
		legs[i] = sizeQuery(s, c.dialects.get(s.Table.Name), i)
	}
	var rows []sizeRow
	a, err := c.ask(ctx, question{op: "sample", text: "union " + strings.Join(legs, ",\n")}, func(b *body) error {
		rows = nil
		return rowsInto(b, "sizes", &rows)
	})
	if err != nil {
		return nil, a.Calls, err
	}
	out := make([]float64, len(list))
	for _, r := range rows {
		if r.Member >= 0 && r.Member < len(out) && r.Rows > 0 && r.Bytes > 0 {
			out[r.Member] = float64(r.Bytes)/float64(r.Rows) + c.typesInRow(list[r.Member].Table)
		}
	}
	return out, a.Calls, nil
}

// sizeRow is the measure of one slice.
type sizeRow struct {
	Member int
	Rows   int64
	Bytes  int64
}

// sizeQuery measures the rows of a slice as a fetch requests them.
func sizeQuery(s tvmexport.Slice, d dialect, member int) string {
	asText := d.asText(s.Table)
	t := d.without(s.Table)
	var b strings.Builder
	b.WriteString("(" + name(t.Name) + filters(t, s.Window, s.Partitions, s.Ending...) + chosen(t))
	for _, c := range asText {
		fmt.Fprintf(&b, "\n| extend %s = tostring(pack_array(%s))", name(c), name(c))
	}
	size := name(unused(t, "SizeOfRow"))
	fmt.Fprintf(&b, "\n| extend %[1]s = strlen(tostring(pack_all()))\n| summarize Rows = count(), Bytes = coalesce(sum(%[1]s), 0)\n| extend %[2]s = %[3]d)", size, memberColumn, member)
	return b.String()
}

// typesInRow is the size of the keys that say the type of a bool.
func (c *Client) typesInRow(t tvmexport.Table) float64 {
	if c.o.API != Graph {
		return 0
	}
	n := 0
	for _, column := range t.Columns {
		if column.Type == "bool" && !t.Policy.Excludes(column.Name) {
			n += len(column.Name) + len(`"@odata.type":"#SByte",`) - len("true")
		}
	}
	return float64(n)
}
