package kql

import (
	"slices"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/aggregate"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/syntax"
)

// aggregation collects the calls of aggregates in a summarize: their arguments
// read rows of in, their results are columns of out.
type aggregation struct {
	in     *pipeline
	out    *pipeline
	source *summarizeSource
	names  map[*syntax.Call]string // of the calls within expressions
}

// aggregateCall is one call; its results begin at column first of the output.
type aggregateCall struct {
	bound aggregate.Bound
	args  []*expr
	names []string // of the arguments, "" for what is no plain name
	first int
	when  test   // of the argument that says whether a row counts, if there is one
	base  int    // of the arguments' places in the frame
	skip  []bool // arguments whose values nobody reads
	used  bool
}

// aggregateItem binds one item between summarize and by. A call of an
// aggregate with several results gives several columns; a name in the text is
// that of the first.
func (b *binder) aggregateItem(item syntax.Item, c site, names *namer) ([]field, error) {
	if call, ok := item.X.(*syntax.Call); ok {
		if a, ok := aggregate.Lookup(call.Name); ok {
			return b.aggregateColumns(item, call, a, c, names)
		}
	}
	if len(item.Names) > 1 {
		return nil, semantic(item.Pos(), "'summarize' operator: the expression has one value and several names")
	}
	e, err := b.scalar(item.X, c)
	if err != nil {
		return nil, err
	}
	name := nameOf(item.X, c)
	if len(item.Names) == 1 {
		name = item.Names[0]
	}
	return []field{c.row.pipe.compute(names.unique(name), e)}, nil
}

func (b *binder) aggregateColumns(item syntax.Item, call *syntax.Call, a aggregate.Aggregate, c site, names *namer) ([]field, error) {
	made, err := b.aggregate(call, a, c)
	if err != nil {
		return nil, err
	}
	var fields []field
	for i, r := range made.bound.Results {
		name := r.Name(func(i int) string { return made.names[i] })
		if i < len(item.Names) {
			name = item.Names[i]
		}
		fields = append(fields, field{name: names.unique(name), kind: r.Kind, ref: ref(made.first + i)})
	}
	return fields, nil
}

// aggregateCall binds a call within an expression, where its first result is
// its value.
func (b *binder) aggregateCall(n *syntax.Call, a aggregate.Aggregate, c site) (*expr, error) {
	made, err := b.aggregate(n, a, c)
	if err != nil {
		return nil, err
	}
	c.row.aggregates.names[n] = made.nameWithin(a)
	e := columnExpr(field{kind: made.bound.Results[0].Kind, ref: ref(made.first)})
	e.column = false
	return e, nil
}

// nameWithin is what the call gives to the name of an expression around it: the
// name of its result, unless it can have several.
func (a *aggregateCall) nameWithin(of aggregate.Aggregate) string {
	switch {
	case of.Star && of.Name != "any", len(a.bound.Results) > 1:
		return ""
	}
	return a.bound.Results[0].Name(func(i int) string { return a.names[i] })
}

// aggregate binds the arguments in the rows before summarize and reserves the
// columns of the results.
func (b *binder) aggregate(n *syntax.Call, a aggregate.Aggregate, c site) (*aggregateCall, error) {
	g := c.row.aggregates
	inner := site{scope: c.scope, row: &g.in.row, op: c.op}
	made := &aggregateCall{first: g.source.width}
	for i, x := range n.Args {
		if _, star := x.X.(*syntax.Star); star && a.Star && i == a.StarAt && i == len(n.Args)-1 {
			made.star(g)
			continue
		}
		e, err := b.scalar(x.X, inner)
		if err != nil {
			return nil, err
		}
		made.args, made.names = append(made.args, e), append(made.names, nameOf(x.X, inner))
	}
	var err error
	if made.bound, err = a.Bind(scalarArgs(made.args)); err != nil {
		return nil, in(n.Pos(), err)
	}
	if len(made.bound.Results) == 0 {
		return nil, unsupported(n.Pos(), "%s() without a result is not supported here.", n.Name)
	}
	if filter := made.bound.Filter - 1; filter >= 0 {
		made.when = made.args[filter].condition()
	}
	made.base = g.in.lay.arguments(made.args)
	g.source.calls = append(g.source.calls, made)
	g.source.width += len(made.bound.Results)
	return made, nil
}

// star adds the columns that are neither keys nor arguments already.
func (a *aggregateCall) star(g *aggregation) {
	taken := func(r ref) bool {
		is := func(e *expr) bool { return e.column && e.reads[0] == r }
		return slices.ContainsFunc(g.source.keys, is) || slices.ContainsFunc(a.args, is)
	}
	for _, f := range g.in.fields {
		if !taken(f.ref) {
			a.args, a.names = append(a.args, columnExpr(f)), append(a.names, f.name)
		}
	}
}

// require marks the calls whose results are read, and the arguments that
// choose a row's values one by one and are not read.
func (a *aggregateCall) require(need []bool) {
	n := len(a.bound.Results)
	a.used = slices.Contains(need[a.first:a.first+n], true)
	a.skip = make([]bool, len(a.args))
	byArgument := n == len(a.args)
	for i, r := range a.bound.Results {
		byArgument = byArgument && r.Arg == i && r.Prefix == "" && r.Suffix == ""
	}
	for i := 1; byArgument && i < n; i++ {
		a.skip[i] = !need[a.first+i]
	}
}
