package kusto

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/kusto/conn"
	"github.com/tvmexport/tvmexport/kusto/kql"
)

// target is one of the tables that a run's rows are published into. Each has
// commands of its own, with keys of their own, and is counted by itself.
type target struct {
	table   string
	columns []kql.Column
	shown   []tvmexport.Column // of a typed table: what it is filled by; nil for Raw
	suffix  string             // of the keys of its steps
}

// key guards the step of that ordinal.
func (t target) key(b base, step int) string { return b.key(step) + t.suffix }

// values are those of a row of the table, by column.
func (t target) values(run tvmexport.Run) map[string]kql.Expression {
	if t.shown == nil {
		return published(run, t.columns)
	}
	return typedValues(run, t.columns, t.shown)
}

// parse names the parsed record where values are made of it.
func (t target) parse() string {
	if t.shown == nil {
		return ""
	}
	return "| extend " + parsedRecord + " = parse_json(Records)\n"
}

// targets are the tables that a publication fills: Raw alone where it does not
// say, as in publications that earlier versions began. The one that readers
// look at comes last.
func (c *Client) targets(ctx context.Context, p tvmexport.Publication) ([]target, error) {
	var out []target
	t := p.Run.Table
	if p.Layout == "" || p.Layout.Raw() {
		columns, err := c.conn.Columns(ctx, t.Destination)
		if err != nil {
			return nil, err
		}
		out = append(out, target{table: t.Destination, columns: columns})
	}
	if p.Layout == "" || !p.Layout.Typed() || len(p.Shown) == 0 {
		if len(out) == 0 {
			return nil, conn.RefusedError("publish", t.Name, errors.New("its columns are not known, so that there is no typed table to publish into"), "set layout to raw or both")
		}
		return out, nil
	}
	columns, err := c.conn.Columns(ctx, t.Typed())
	if err != nil {
		return nil, err
	}
	for _, h := range holdings(columns, p.Shown) {
		if lack := lacking(columns, []kql.Column{{Name: h.at, Kind: h.Type}}); lack != "" {
			return nil, conn.RefusedError("publish", t.Name, fmt.Errorf("table %s has no column %s", t.Typed(), lack), conn.InitHint(t.Name))
		}
	}
	typed := target{table: t.Typed(), columns: columns, shown: p.Shown, suffix: ":typed"}
	if len(out) > 0 && shared(t, out[0].columns) {
		return []target{typed, out[0]}, nil
	}
	return append(out, typed), nil
}

// readers is the table that readers see rows of t in.
func (c *Client) readers(ctx context.Context, t tvmexport.Table) (source, error) {
	existing := map[string][]kql.Column{}
	for _, name := range []string{t.Destination, t.Typed()} {
		columns, err := c.conn.Columns(ctx, name)
		if err != nil && !errors.Is(err, conn.ErrNoTable) {
			return source{}, err
		}
		if err == nil {
			existing[name] = columns
		}
	}
	from := readersOf(t, existing)
	if from.columns == nil {
		return from, conn.MissingTable("read schema", t.Name, from.table)
	}
	lacks, err := c.lacking(ctx, t)
	return from.with(t, existing, lacks), err
}

// readersOf is the table that readers see rows of t in, where tables have the
// columns existing: the typed one where there is one of ours, but Raw where
// rows of another exporter stand there beside ours.
func readersOf(t tvmexport.Table, existing map[string][]kql.Column) source {
	raw, typed := existing[t.Destination], existing[t.Typed()]
	if isTyped(t) && (raw == nil || typed != nil && !foreign(typed) && !(shared(t, raw) && t.Layout.Raw())) {
		return source{table: t.Typed(), columns: typed, typed: true}
	}
	return source{table: t.Destination, columns: raw}
}

// isTyped says whether readers see rows in a typed table: where the layout has
// one and columns are known to make it of.
func isTyped(t tvmexport.Table) bool { return t.Layout.Typed() && len(t.Visible()) > 0 }

// seenBy is where readers of a publication's layout see rows; it is needed for
// late steps alone.
func (c *Client) seenBy(ctx context.Context, p tvmexport.Publication) (source, error) {
	if !slices.ContainsFunc(p.Steps, func(s tvmexport.PublicationStep) bool { return s.Late != nil }) {
		return source{}, nil
	}
	t := p.Run.Table
	t.Layout, t.Shown = cmp.Or(p.Layout, tvmexport.RawOnly), p.Shown
	return c.readers(ctx, t)
}
