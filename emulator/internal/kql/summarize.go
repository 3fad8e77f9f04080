package kql

import (
	"slices"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/syntax"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// summarizeSource groups rows. Where the first row of a group says all, as it
// does without aggregates, it gives the groups as they come.
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
	out.aggregates = &aggregation{in: p, out: out, source: src, names: map[*syntax.Call]string{}}
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
		src.keys = append(src.keys, remembered(&src.in.lay, k.e))
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

func (s *summarizeSource) run(x *execution, _ []Condition, yield func(row []value.Value) error) error {
	if s.first() {
		return s.distinct(x, yield)
	}
	return runCollector(s, x, yield)
}

// first says whether the first row of each group is all that counts.
func (s *summarizeSource) first() bool {
	if len(s.keys) == 0 {
		return len(s.calls) == 0
	}
	return !slices.ContainsFunc(s.calls, func(c *aggregateCall) bool { return c.used && !c.bound.First })
}

// input is the pipeline that is grouped, nil where groups are given as they come.
func (s *summarizeSource) input() *pipeline {
	if s.first() {
		return nil
	}
	return s.in
}

func (s *summarizeSource) collect(x *execution) (take func(f *frame) error, give rowsFunc) {
	g := newGroups(s.keys, s.calls)
	whole := len(s.keys) == 0
	if whole {
		g.add() // the only group, also of no rows
	}
	take = func(f *frame) error {
		found := 0
		if !whole {
			if found, _ = g.find(f); f.err != nil {
				return f.err
			}
		}
		return s.accumulate(f, g, found)
	}
	return take, func(yield func(row []value.Value) error) error { return s.give(x, g, yield) }
}

// give yields a row for each group.
func (s *summarizeSource) give(x *execution, g *groups, yield func(row []value.Value) error) error {
	row := make([]value.Value, 0, s.width)
	for i := range g.n {
		if i%4096 == 0 {
			if err := x.ctx.Err(); err != nil {
				return err
			}
		}
		row = g.appendKey(i, row[:0])
		for j, c := range s.calls {
			if c.used {
				row = g.columns[j].AppendResults(i, row)
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
func (s *summarizeSource) accumulate(f *frame, g *groups, group int) error {
	for i, c := range s.calls {
		if !c.used {
			continue
		}
		args := f.tmp[c.base : c.base+len(c.args)]
		if filter := c.bound.Filter - 1; filter >= 0 {
			if c.when(f) != holds && f.err == nil {
				continue
			}
			args[filter] = truths[holds]
		}
		for j, a := range c.args {
			if a.constant == nil && !c.skip[j] && j != c.bound.Filter-1 {
				args[j] = a.eval(f)
			}
		}
		if f.err != nil {
			return f.err
		}
		if err := g.columns[i].Add(group, args); err != nil {
			return runtimeError(err)
		}
	}
	return nil
}

// distinct gives on each group when its first row comes.
func (s *summarizeSource) distinct(x *execution, yield func(row []value.Value) error) error {
	g := newGroups(s.keys, nil)
	row := make([]value.Value, s.width)
	return s.in.run(x, func(f *frame) error {
		found, isNew := g.find(f)
		if f.err != nil || !isNew {
			return f.err
		}
		row = g.appendKey(found, row[:0])[:s.width]
		for _, c := range s.calls {
			for i, a := range c.args {
				if c.used && !c.skip[i] {
					row[c.first+i] = a.eval(f)
				}
			}
		}
		if f.err != nil {
			return f.err
		}
		return yield(row)
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
	return runCollector(s, x, yield)
}

func (s *countSource) input() *pipeline { return s.in }

func (s *countSource) collect(*execution) (take func(f *frame) error, give rowsFunc) {
	n := int64(0)
	take = func(*frame) error {
		n++
		return nil
	}
	return take, func(yield func(row []value.Value) error) error { return yield([]value.Value{value.NewLong(n)}) }
}
