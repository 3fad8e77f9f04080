package kql

import (
	"context"
	"slices"
	"sync/atomic"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/syntax"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// pivot binds the plugin of that name: each value of a column becomes a column
// of its own, with what an aggregate gives of the rows that have the value,
// count() or sum() here (https://learn.microsoft.com/kusto/query/pivot-plugin).
func (b *binder) pivot(p *pipeline, n *syntax.Evaluate, before *syntax.Pipe, c site) (*pipeline, error) {
	columns, measure, err := pivotArguments(p, n, c)
	if err != nil {
		return nil, err
	}
	keys := columns[1:]
	if len(keys) == 0 {
		for _, f := range p.fields {
			if f.name != columns[0].Name && (measure == nil || f.name != measure.Name) {
				keys = append(keys, &syntax.Ident{Place: columns[0].Place, Name: f.name})
			}
		}
	}
	var out []value.Column
	if n.Schema != nil && !n.Schema.Open {
		out = n.Schema.Columns
	} else if n.Schema != nil {
		return nil, unsupported(n.Schema.Pos(), "An output schema with * is not supported here behind pivot().")
	} else if out, err = b.pivotColumns(before, pivotNames{columns[0], keys, measure}, p, c); err != nil {
		return nil, err
	}
	at := columns[0].Place
	group := &syntax.Summarize{Place: at}
	for _, k := range keys {
		group.By = append(group.By, syntax.Item{Place: at, X: k})
	}
	show := make([]syntax.Item, 0, len(out))
	for _, column := range out {
		shown := syntax.Expr(&syntax.Ident{Place: at, Name: column.Name})
		if !slices.ContainsFunc(keys, func(k *syntax.Ident) bool { return k.Name == column.Name }) {
			group.Aggregates = append(group.Aggregates, pivoted(columns[0], column.Name, measure))
			shown = &syntax.Call{Place: at, Name: "to" + column.Kind.String(), Args: []syntax.Argument{{X: shown}}}
		}
		show = append(show, syntax.Item{Place: at, Names: []string{column.Name}, X: shown})
	}
	grouped, err := b.summarize(p, group, c)
	if err != nil {
		return nil, err
	}
	return grouped, b.project(grouped, show, site{scope: c.scope, row: &grouped.row, op: c.op})
}

// pivoted is the column of one value.
func pivoted(column *syntax.Ident, name string, measure *syntax.Ident) syntax.Item {
	at := column.Place
	is := &syntax.Binary{
		Place: at, Op: "==", Right: &syntax.Literal{Place: at, Value: value.NewString(name)},
		Left: &syntax.Call{Place: at, Name: "tostring", Args: []syntax.Argument{{X: column}}},
	}
	call := &syntax.Call{Place: at, Name: "countif", Args: []syntax.Argument{{X: is}}}
	if measure != nil {
		call = &syntax.Call{Place: at, Name: "sumif", Args: []syntax.Argument{{X: measure}, {X: is}}}
	}
	return syntax.Item{Place: at, Names: []string{name}, X: call}
}

// pivotArguments are the columns that are named, the pivoted one first, and the
// one that is summed up, nil for a count.
func pivotArguments(p *pipeline, n *syntax.Evaluate, c site) (columns []*syntax.Ident, measure *syntax.Ident, err error) {
	if len(n.Call.Args) == 0 {
		return nil, nil, semantic(n.Pos(), "pivot(): function expects at least 1 argument(s).")
	}
	for i, a := range n.Call.Args {
		id, ok := a.X.(*syntax.Ident)
		if call, isCall := a.X.(*syntax.Call); isCall && i == 1 {
			switch {
			case call.Name == "count" && len(call.Args) == 0:
				continue
			case call.Name != "sum" || len(call.Args) != 1:
				return nil, nil, unsupported(n.Pos(), "pivot() with %s() is not supported here; count() and sum() of a column are.", call.Name)
			}
			id, ok = call.Args[0].X.(*syntax.Ident)
			measure = id
		}
		if !ok {
			return nil, nil, semantic(n.Pos(), "pivot(): argument #%d must be a column", i+1)
		}
		if _, found := p.find(id.Name); !found {
			return nil, nil, unresolved(id.Pos(), c.op, "scalar expression", id.Name)
		}
		if id != measure {
			columns = append(columns, id)
		}
	}
	return columns, measure, nil
}

// pivotNames are the columns that a pivot names.
type pivotNames struct {
	column  *syntax.Ident
	keys    []*syntax.Ident
	measure *syntax.Ident // nil for a count
}

// pivotColumns reads the table to learn what the column's values are: they
// follow the keys, by name.
func (b *binder) pivotColumns(before *syntax.Pipe, named pivotNames, p *pipeline, c site) ([]value.Column, error) {
	values, err := b.tabular(before.Simple(), c.scope, "")
	if err != nil {
		return nil, err
	}
	at, _ := values.find(named.column.Name)
	values.finish([]ref{at.ref})
	b.kept.finishWhole()
	var names []string
	seen := map[string]bool{}
	err = values.run(newExecution(context.Background(), new(atomic.Int64)), func(f *frame) error {
		if text := f.at(at.ref).String(); !seen[text] {
			seen[text] = true
			names = append(names, text)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if seen[""] {
		return nil, unsupported(named.column.Pos(), "pivot(): an empty value of '%s' names no column here.", named.column.Name)
	}
	slices.Sort(names)
	var out []value.Column
	for _, k := range named.keys {
		f, _ := p.find(k.Name)
		out = append(out, value.Column{Name: f.name, Kind: f.kind})
	}
	kind := value.Long
	if named.measure != nil {
		if f, _ := p.find(named.measure.Name); f.kind != value.Int {
			kind = f.kind
		}
	}
	for _, name := range names {
		out = append(out, value.Column{Name: name, Kind: kind})
	}
	return out, nil
}
