package publish

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/internal/fingerprint"
	"github.com/tvmexport/tvmexport/kusto/conn"
	"github.com/tvmexport/tvmexport/kusto/kql"
	"github.com/tvmexport/tvmexport/kusto/views"
)

// HourlyCounts implements tvmexport.Destination.
func (c *Observer) HourlyCounts(ctx context.Context, t tvmexport.Table, w tvmexport.Window) ([]tvmexport.Count, error) {
	if err := conn.CheckNames(t); err != nil {
		return nil, err
	}
	from, err := c.ledger.Readers(ctx, t)
	if err != nil {
		return nil, err
	}
	if err := c.visible.SeesAll(ctx, "count published rows", t.Name, from.Tables()...); err != nil {
		return nil, err
	}
	lets, rows := from.State(t, "")
	return c.counts(ctx, t, fmt.Sprintf("%s%s%s%s| project Part = \"\", Start, Rows, %s",
		lets, rows, within(t, w, from), views.CountByHour(t, from), noPrints))
}

// State implements tvmexport.Destination: the question that the source is
// asked, over the rows that readers see.
func (c *Observer) State(ctx context.Context, q tvmexport.CountQuery) ([]tvmexport.Count, error) {
	if err := conn.CheckNames(q.Table); err != nil {
		return nil, err
	}
	if err := countable(q); err != nil {
		return nil, err
	}
	from, err := c.printable(ctx, q.Table)
	if err != nil {
		return nil, err
	}
	if err := c.visible.SeesAll(ctx, "count published rows", q.Table.Name, from.Tables()...); err != nil {
		return nil, err
	}
	parts, err := c.counts(ctx, q.Table, stateText(q, from))
	if err != nil || q.Bin > 0 {
		return parts, err
	}
	return byPartition(asked(parts, q), q.Within.Depth()+q.Depth), nil
}

// printable is the table that fingerprints of what readers see can be made of:
// the one that they look at, unless fingerprints take columns that it lacks.
func (c *Observer) printable(ctx context.Context, t tvmexport.Table) (views.Source, error) {
	from, err := c.ledger.Readers(ctx, t)
	if err != nil || !from.Typed || !t.Layout.Raw() {
		return from, err
	}
	for _, h := range views.Holdings(from.Columns, t.FingerprintColumns()) {
		if kql.Missing(from.Columns, []kql.Column{{Name: h.At, Kind: h.Type}}) != "" {
			raw, err := c.conn.Columns(ctx, t.Destination)
			return views.Source{Table: t.Destination, Columns: raw}, err
		}
	}
	return from, nil
}

// stateText counts and fingerprints what readers see, by the first digits of
// the key, or by steps of the watermark.
func stateText(q tvmexport.CountQuery, from views.Source) string {
	t := q.Table
	lets, rows := from.State(t, "")
	bounded := ""
	if t.Watermark != tvmexport.IngestionTime { // which rows do not carry
		bounded = within(t, q.Window, from)
	}
	by := fmt.Sprintf("Part = substring(%s, 0, %d), Start = datetime(null)", keyOf(t), digitsOf(q))
	if q.Bin > 0 {
		by = fmt.Sprintf("Part = \"\", Start = bin(%s, %s)", kql.Ident(t.Watermark), kql.Timespan(q.Bin))
	}
	return fmt.Sprintf("%s%s%s%s| extend PrintOfRow = %s\n| summarize Rows = count(), %s by %s\n| project Part, Start, Rows, %s",
		lets, rows, bounded, from.Projection(tvmexport.NameableColumns(t.Columns)), fingerprint.Row(t.FingerprintColumns(), kql.Ident), fingerprint.Sums("PrintOfRow"), by,
		strings.Join(fingerprint.Columns[:], ", "))
}

// keyOf is the key that partitions are prefixes of, over the projected columns.
func keyOf(t tvmexport.Table) string {
	switch {
	case t.KeyVisibility() != "": // published rows do not show it
	case t.Key.Column != "":
		return kql.Ident(t.Key.Column)
	case len(t.Key.Hashed) > 0:
		return fingerprint.Joined(t.Key.Hashed, kql.Ident)
	}
	return "\"\"" // one partition
}

// within keeps the published rows of a window.
func within(t tvmexport.Table, w tvmexport.Window, from views.Source) string {
	var b strings.Builder
	if t.Watermark == "" {
		return ""
	}
	if !w.From.IsZero() {
		fmt.Fprintf(&b, "| where %s > %s\n", views.WatermarkOf(t, from), kql.Datetime(w.From))
	}
	if !w.To.IsZero() {
		fmt.Fprintf(&b, "| where %s <= %s\n", views.WatermarkOf(t, from), kql.Datetime(w.To))
	}
	return b.String()
}

// noPrints stands for fingerprints where none are computed.
var noPrints = func() string {
	list := make([]string, len(fingerprint.Columns))
	for i, c := range fingerprint.Columns {
		list[i] = c + " = long(null)"
	}
	return strings.Join(list, ", ")
}()

// counts reads parts: Part as the first digits of a key.
func (c *Observer) counts(ctx context.Context, t tvmexport.Table, text string) ([]tvmexport.Count, error) {
	s := conn.Statement{Op: "count published rows", Table: t.Name, Text: text}
	rows, err := c.conn.Query(ctx, s)
	if err != nil {
		return nil, err
	}
	return conn.ReadRows(s, rows, func(r *conn.Reader) tvmexport.Count {
		p := tvmexport.Count{Partition: tvmexport.Partition(r.Text("Part")), Start: r.Time("Start"), Rows: r.Count("Rows"), Fingerprint: tvmexport.EmptyFingerprint}
		for i, name := range fingerprint.Columns {
			p.Fingerprint.Sums[i] = r.Long(name)
		}
		return p
	})
}

// byPartition gathers the beginnings of keys into partitions.
func byPartition(parts []tvmexport.Count, depth int) []tvmexport.Count {
	at := map[tvmexport.Partition]int{}
	var out []tvmexport.Count
	for _, p := range parts {
		p.Partition, p.Start = tvmexport.Of(string(p.Partition), depth), time.Time{}
		if i, ok := at[p.Partition]; ok {
			out[i].Rows += p.Rows
			out[i].Fingerprint = out[i].Fingerprint.Add(p.Fingerprint)
			continue
		}
		at[p.Partition] = len(out)
		out = append(out, p)
	}
	return out
}
