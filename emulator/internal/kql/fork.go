package kql

import (
	"github.com/tvmexport/tvmexport/emulator/internal/kql/syntax"
)

// results are the statements that a statement with fork or facet at its end stands
// for: one for each branch, or for what facet's with holds and for each column. See
// https://learn.microsoft.com/kusto/query/fork-operator and facet-operator.
func results(n *syntax.Result) ([]*syntax.Result, error) {
	pipe, ok := n.X.(*syntax.Pipe)
	if !ok {
		return []*syntax.Result{n}, nil
	}
	last := len(pipe.Operators) - 1
	if _, ok := pipe.Operators[last].(*syntax.Render); ok && last > 0 {
		last-- // what shows the results changes none
	}
	before := (&syntax.Pipe{Place: pipe.Place, Source: pipe.Source, Operators: pipe.Operators[:last]}).Simple()
	branch := func(at syntax.Place, body ...syntax.Operator) *syntax.Result {
		return &syntax.Result{Place: n.Place, X: &syntax.Pipe{Place: at, Source: before, Operators: body}}
	}
	var list []*syntax.Result
	switch o := pipe.Operators[last].(type) {
	case *syntax.Fork:
		for _, f := range o.Branches {
			if err := inFork(f.Body, "fork"); err != nil {
				return nil, err
			}
			list = append(list, branch(f.Place, f.Body...))
		}
	case *syntax.Facet:
		if o.With != nil {
			if err := inFork(o.With, "facet"); err != nil {
				return nil, err
			}
			list = append(list, branch(o.Place, o.With...))
		}
		for _, c := range o.Columns {
			count := syntax.Item{Place: c.Place, Names: []string{"count_" + c.Name}, X: &syntax.Call{Place: c.Place, Name: "count"}}
			list = append(list, branch(c.Place, &syntax.Summarize{
				Place: c.Place, Aggregates: []syntax.Item{count}, By: []syntax.Item{{Place: c.Place, X: c}},
			}))
		}
	default:
		return []*syntax.Result{n}, nil
	}
	return list, nil
}

// inFork refuses the operators that the page of fork does not list.
func inFork(body []syntax.Operator, outer string) error {
	for _, o := range body {
		switch o.(type) {
		case *syntax.As, *syntax.Count, *syntax.Extend, *syntax.Parse, *syntax.Where, *syntax.Take, *syntax.Project, *syntax.ProjectNames,
			*syntax.ProjectRename, *syntax.Summarize, *syntax.Top, *syntax.TopNested, *syntax.Sort, *syntax.MvExpand:
		case *syntax.Join, *syntax.Union, *syntax.Fork, *syntax.Facet:
			return semantic(o.Pos(), "The query operator '%s' is not allowed in the current context.", operatorName(o))
		default:
			return unsupported(o.Pos(), "'%s' operator: the operator '%s' in a subquery is not supported here.", outer, operatorName(o))
		}
	}
	return nil
}

// bindTopHitters binds top-hitters as what its page says that it is equivalent to; the service
// estimates (https://learn.microsoft.com/kusto/query/top-hitters-operator).
func bindTopHitters(b *binder, p *pipeline, n *syntax.TopHitters, c site) (*pipeline, error) {
	column, ok := n.Of.X.(*syntax.Ident)
	if !ok {
		return nil, unsupported(n.Of.Pos(), "'top-hitters' operator: a value that is not a column is not supported here.")
	}
	name, call := "approximate_count_"+column.Name, &syntax.Call{Place: n.Place, Name: "count"}
	if n.By != nil {
		by := nameOf(n.By.X, c)
		if len(n.By.Names) > 0 {
			by = n.By.Names[0]
		}
		name, call = "approximate_sum_"+by, &syntax.Call{Place: n.By.Place, Name: "sum", Args: []syntax.Argument{{X: n.By.X}}}
	}
	p, err := b.summarize(p, &syntax.Summarize{
		Place: n.Place, Aggregates: []syntax.Item{{Place: n.Place, Names: []string{name}, X: call}}, By: []syntax.Item{n.Of},
	}, c)
	if err != nil {
		return nil, err
	}
	by := syntax.Order{Place: n.Place, X: &syntax.Ident{Place: n.Place, Name: name}}
	return b.top(p, &syntax.Top{Place: n.Place, N: n.N, By: []syntax.Order{by}}, site{scope: c.scope, row: &p.row, op: c.op})
}
