package publish

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/kusto/conn"
	"github.com/tvmexport/tvmexport/kusto/kql"
	"github.com/tvmexport/tvmexport/kusto/views"
)

// target is one of the tables that a run's rows are published into. Each has
// commands of its own, with keys of their own, and is counted by itself.
type target struct {
	Table   string
	Columns []kql.Column
	Shown   []tvmexport.Column // of a typed table: what it is filled by; nil for Raw
	Suffix  string             // of the keys of its steps
}

// key guards the step of that ordinal.
func (t target) key(b base, step int) string { return b.key(step) + t.Suffix }

// values are those of a row of the table, by column.
func (t target) values(run tvmexport.Run) map[string]kql.Expression {
	if t.Shown == nil {
		return views.RecordValues(run, t.Columns)
	}
	return views.TypedValues(run, t.Columns, t.Shown)
}

// parse names the parsed record where values are made of it.
func (t target) parse() string {
	if t.Shown == nil {
		return ""
	}
	return "| extend " + views.ParsedRecord + " = parse_json(Records)\n"
}

// targets are the tables that a publication fills: Raw alone where it does not
// say, as in publications that earlier versions began. The one that readers
// look at comes last.
func (c *Publisher) targets(ctx context.Context, p tvmexport.Publication) ([]target, error) {
	var out []target
	t := p.Run.Table
	if p.Layout == "" || p.Layout.Raw() {
		columns, err := c.conn.Columns(ctx, t.Destination)
		if err != nil {
			return nil, err
		}
		out = append(out, target{Table: t.Destination, Columns: columns})
	}
	if p.Layout == "" || !p.Layout.Typed() || len(p.Shown) == 0 {
		if len(out) == 0 {
			return nil, conn.RefusedError("publish", t.Name, errors.New("its columns are unknown, so there is no typed table to publish into"), "set layout to raw or both")
		}
		return out, nil
	}
	columns, err := c.conn.Columns(ctx, t.Typed())
	if err != nil {
		return nil, err
	}
	for _, h := range views.Holdings(columns, p.Shown) {
		if lack := kql.Missing(columns, []kql.Column{{Name: h.At, Kind: h.Type}}); lack != "" {
			return nil, conn.RefusedError("publish", t.Name, fmt.Errorf("table %s has no column %s", t.Typed(), lack), conn.InitHint(t.Name))
		}
	}
	typed := target{Table: t.Typed(), Columns: columns, Shown: p.Shown, Suffix: ":typed"}
	if len(out) > 0 && views.IsShared(t, out[0].Columns) {
		return []target{typed, out[0]}, nil
	}
	return append(out, typed), nil
}

// seenBy is where readers of a publication's layout see rows; it is needed for
// late steps alone.
func (c *Publisher) seenBy(ctx context.Context, p tvmexport.Publication) (views.Source, error) {
	if !slices.ContainsFunc(p.Steps, func(s tvmexport.PublicationStep) bool { return s.Late != nil }) {
		return views.Source{}, nil
	}
	t := p.Run.Table
	t.Layout, t.Shown = cmp.Or(p.Layout, tvmexport.RawOnly), p.Shown
	return c.ledger.Readers(ctx, t)
}
