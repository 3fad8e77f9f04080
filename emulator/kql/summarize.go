package kql

import (
	"slices"

	"github.com/tvmexport/tvmexport/emulator/kql/aggregate"
	"github.com/tvmexport/tvmexport/emulator/kql/syntax"
	"github.com/tvmexport/tvmexport/emulator/kql/value"
)

// aggregation collects the calls of aggregates in a summarize: their arguments
// read rows of in, their results are columns of out.
type aggregation struct {
	in     *pipeline
	out    *pipeline
	source *summarizeSource
}

// aggregateCall is one call; its results begin at column first of the output.
type aggregateCall struct {
	bound aggregate.Bound
	args  []*expr
	names []string // of the arguments, "" for what is no plain name
	first int
	base  int    // of the arguments' places in the frame
	skip  []bool // arguments whose values nobody reads
	used  bool
}

// summarizeSource groups rows. Without aggregates it gives the distinct keys
// as they come.
type summarizeSource struct {
	in    *pipeline
	keys  []*expr
	calls []*aggregateCall
	width int
}

// summarize binds keys, then aggregates, whose columns follow those of the
// keys (https://learn.microsoft.com/kusto/query/summarize-operator).
func (b *binder) summarize(p *pipeline, n *syntax.Summarize, c site) (*pipeline, error) {
	if len(n.Aggregates) == 0 && len(n.By) == 0 {
		return nil, semantic(n.Pos(), "'summarize' operator: expected aggregates or keys")
	}
	src := &summarizeSource{in: p}
	out, names, err := b.groupBy(src, n.By, c)
	if err != nil {
		return nil, err
	}
	out.aggregates = &aggregation{in: p, out: out, source: src}
	after := site{scope: c.scope, row: &out.row, op: c.op}
	keys := slices.Clone(out.fields)
	var results []field
	for _, item := range n.Aggregates {
		fields, err := b.aggregateItem(item, after, names)
		if err != nil {
			return nil, err
		}
		results = append(results, fields...)
	}
	out.fields = append(keys, results...)
	out.aggregates = nil
	out.width = src.width
	return out, nil
}

// groupBy is a pipeline over the keys.
func (b *binder) groupBy(src *summarizeSource, by []syntax.Item, c site) (*pipeline, *namer, error) {
	names := newNamer()
	list, err := b.items(by, c)
	if err != nil {
		return nil, nil, err
	}
	var columns []value.Column
	for i, k := range list {
		if k.e.kind == value.Dynamic {
			return nil, nil, semantic(k.at, "%s group key '%s' is of a 'dynamic' type. Please use an explicit cast (for example, "+
				"'summarize ... by tostring(%s)') as grouping by a 'dynamic' type is not supported.", title(c.op), k.name, syntax.Text(by[i].X))
		}
		src.keys = append(src.keys, k.e)
		columns = append(columns, value.Column{Name: names.unique(k.name), Kind: k.e.kind})
	}
	src.width = len(columns)
	return newPipeline(src, columns), names, nil
}

func title(op string) string {
	if op == "distinct" {
		return "Distinct"
	}
	return "Summarize"
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
	e := columnExpr(field{kind: made.bound.Results[0].Kind, ref: ref(made.first)})
	e.column = false
	return e, nil
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

func (s *summarizeSource) require(need []bool) {
	var refs []ref
	for _, k := range s.keys {
		refs = append(refs, k.reads...)
	}
	for _, c := range s.calls {
		c.require(need)
		for i, a := range c.args {
			if c.used && !c.skip[i] {
				refs = append(refs, a.reads...)
			}
		}
	}
	s.in.finish(refs)
}

// accumulators makes those of one group; what is not used has none.
func (s *summarizeSource) accumulators() []aggregate.Accumulator {
	if len(s.calls) == 0 {
		return nil
	}
	list := make([]aggregate.Accumulator, len(s.calls))
	for i, c := range s.calls {
		if c.used {
			list[i] = c.bound.New()
		}
	}
	return list
}

func (s *summarizeSource) run(x *execution, _ []Condition, yield func(row []value.Value) error) error {
	if len(s.calls) == 0 {
		return s.distinct(x, yield)
	}
	g := newGroups(s.keys, s.accumulators)
	var whole *group // the only group where there are no keys, also of no rows
	if len(s.keys) == 0 {
		whole = g.add(nil)
	}
	err := s.in.run(x, func(f *frame) error {
		found := whole
		if found == nil {
			if found, _ = g.find(f); f.err != nil {
				return f.err
			}
		}
		return s.accumulate(f, found)
	})
	if err != nil {
		return err
	}
	row := make([]value.Value, 0, s.width)
	for i, found := range g.list {
		if i%4096 == 0 {
			if err := x.ctx.Err(); err != nil {
				return err
			}
		}
		row = append(row[:0], found.key...)
		for j, c := range s.calls {
			if c.used {
				row = found.accumulators[j].AppendResults(row)
			} else {
				row = row[:len(row)+len(c.bound.Results)]
			}
		}
		if err := yield(row); err != nil {
			return err
		}
	}
	return nil
}

// accumulate adds the frame's row to a group.
func (s *summarizeSource) accumulate(f *frame, to *group) error {
	for i, c := range s.calls {
		if !c.used {
			continue
		}
		args := f.tmp[c.base : c.base+len(c.args)]
		for j, a := range c.args {
			if a.constant == nil && !c.skip[j] {
				args[j] = a.eval(f)
			}
		}
		if f.err != nil {
			return f.err
		}
		if err := to.accumulators[i].Add(args); err != nil {
			return runtimeError(err)
		}
	}
	return nil
}

// distinct gives on each key when it first comes.
func (s *summarizeSource) distinct(x *execution, yield func(row []value.Value) error) error {
	g := newGroups(s.keys, s.accumulators)
	return s.in.run(x, func(f *frame) error {
		found, isNew := g.find(f)
		switch {
		case f.err != nil:
			return f.err
		case isNew:
			return yield(found.key)
		}
		return nil
	})
}

// distinct binds distinct; no items stand for all columns.
func (b *binder) distinct(p *pipeline, items []syntax.Item, c site) (*pipeline, error) {
	if len(items) == 0 {
		for _, f := range p.fields {
			items = append(items, syntax.Item{X: &syntax.Ident{Name: f.name}})
		}
	}
	out, _, err := b.groupBy(&summarizeSource{in: p}, items, c)
	return out, err
}

// countRows is the count operator.
func countRows(p *pipeline) *pipeline {
	return newPipeline(&countSource{p}, []value.Column{{Name: "Count", Kind: value.Long}})
}

type countSource struct{ in *pipeline }

func (s *countSource) require([]bool) { s.in.finish(nil) }

func (s *countSource) run(x *execution, _ []Condition, yield func(row []value.Value) error) error {
	n := int64(0)
	err := s.in.run(x, func(*frame) error {
		n++
		return nil
	})
	if err != nil {
		return err
	}
	return yield([]value.Value{value.NewLong(n)})
}
