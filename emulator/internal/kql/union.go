package kql

import (
	"slices"
	"strconv"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/syntax"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// unionSource gives the rows of several pipelines, one after the other.
type unionSource struct {
	legs []*leg
	need []bool
}

// leg is a pipeline of a union.
type leg struct {
	p    *pipeline
	name string // for withsource
	from []ref  // of each column of the result, where has says so
	has  []bool
	row  []value.Value // nulls, where the leg has no column
}

// union binds union; before is the table in front of the pipe, nil for none
// (https://learn.microsoft.com/kusto/query/union-operator).
func (b *binder) union(n *syntax.Union, before *pipeline, s *scope) (*pipeline, error) {
	src := &unionSource{}
	add := func(p *pipeline, name string) {
		if name == "" {
			name = "union_arg" + strconv.Itoa(len(src.legs))
		}
		src.legs = append(src.legs, &leg{p: p, name: name})
	}
	if before != nil {
		add(before, "")
	}
	for _, x := range n.Tables {
		tables, err := b.unionTables(n, x, s)
		if err != nil {
			return nil, err
		}
		for _, t := range tables {
			p, err := b.tabular(t, s, "union")
			if err != nil {
				if b.skips(n.Fuzzy, err) {
					continue
				}
				return nil, err
			}
			name := ""
			switch t := t.(type) {
			case *syntax.Ident:
				name = t.Name
			case *syntax.Pipe:
				if as, ok := t.Operators[len(t.Operators)-1].(*syntax.As); ok {
					name = as.Name
				}
			}
			add(p, name)
		}
	}
	if len(src.legs) == 0 {
		return nil, semantic(n.Pos(), "'union' operator: none of the tables could be resolved")
	}
	return src.unify(n), nil
}

// unionTables is the tables that an operand means: those of a pattern, or
// itself.
func (b *binder) unionTables(n *syntax.Union, x syntax.Expr, s *scope) ([]syntax.Expr, error) {
	w, ok := x.(*syntax.Wild)
	if !ok {
		return []syntax.Expr{x}, nil
	}
	var tables []syntax.Expr
	for at := s; at != nil; at = at.parent {
		if f := at.function(); f != nil && f.View && len(f.Parameters) == 0 && wildcard(w.Pattern, at.name) {
			tables = append(tables, &syntax.Ident{Place: w.Place, Name: at.name})
		}
	}
	slices.Reverse(tables)
	if b.env.Catalog != nil {
		for _, name := range b.env.Catalog.Tables(s.db) {
			if wildcard(w.Pattern, name) {
				tables = append(tables, &syntax.Ident{Place: w.Place, Name: name})
			}
		}
	}
	if len(tables) == 0 {
		if err := absent(unresolved(w.Pos(), "union", "table or column expression", w.Pattern), w.Pattern); !b.skips(n.Fuzzy, err) {
			return nil, err
		}
	}
	return tables, nil
}

// unify chooses the result's columns: all of them, or with kind=inner those
// that all legs have. Columns of one name and several types become one each,
// with the type behind the name.
func (u *unionSource) unify(n *syntax.Union) *pipeline {
	var columns []value.Column
	if n.WithSource != "" {
		columns = append(columns, value.Column{Name: n.WithSource, Kind: value.String})
	}
	var all []value.Column
	kinds := map[string]int{} // types that a name has
	count := map[value.Column]int{}
	for _, l := range u.legs {
		for _, f := range l.p.fields {
			c := value.Column{Name: f.name, Kind: f.kind}
			if count[c]++; count[c] == 1 {
				all = append(all, c)
				kinds[c.Name]++
			}
		}
	}
	if n.Kind == "inner" {
		all = slices.DeleteFunc(all, func(c value.Column) bool { return count[c] < len(u.legs) })
	}
	names := newNamer()
	names.declare(n.WithSource)
	for _, c := range all {
		name := c.Name
		if kinds[c.Name] > 1 && n.Kind != "inner" {
			name += "_" + c.Kind.String()
		}
		columns = append(columns, value.Column{Name: names.unique(name), Kind: c.Kind})
	}
	out := newPipeline(u, columns)
	hidden := u.hidden()
	for i, h := range hidden {
		out.hidden = append(out.hidden, field{name: h.Name, kind: h.Kind, ref: ref(len(columns) + i)})
	}
	out.width = len(columns) + len(hidden)
	for _, l := range u.legs {
		l.place(all, hidden, n.WithSource != "")
	}
	return out
}

// hidden are the hidden columns that any leg has.
func (u *unionSource) hidden() []value.Column {
	var hidden []value.Column
	for _, l := range u.legs {
		for _, h := range l.p.hidden {
			if c := (value.Column{Name: h.name, Kind: h.kind}); !slices.Contains(hidden, c) {
				hidden = append(hidden, c)
			}
		}
	}
	return hidden
}

// place finds where the leg has each column of the result.
func (l *leg) place(all, hidden []value.Column, withSource bool) {
	if withSource {
		l.add(ref(0), false, value.NewString(l.name))
	}
	for _, c := range all {
		l.look(l.p.fields, c)
	}
	for _, c := range hidden {
		l.look(l.p.hidden, c)
	}
}

func (l *leg) look(fields []field, c value.Column) {
	i := slices.IndexFunc(fields, func(f field) bool { return f.name == c.Name && f.kind == c.Kind })
	if i < 0 {
		l.add(0, false, value.Null(c.Kind))
		return
	}
	l.add(fields[i].ref, true, value.Null(c.Kind))
}

func (l *leg) add(r ref, has bool, otherwise value.Value) {
	l.from, l.has, l.row = append(l.from, r), append(l.has, has), append(l.row, otherwise)
}

func (u *unionSource) require(need []bool) {
	u.need = need
	for _, l := range u.legs {
		var refs []ref
		for i, r := range l.from {
			if need[i] && l.has[i] {
				refs = append(refs, r)
			}
		}
		l.p.finish(refs)
	}
}

// run gives the rows of leg after leg. A leg that gives nothing before it has
// read its table takes the rows that an earlier leg reads of the same table.
func (u *unionSource) run(x *execution, _ []Condition, yield func(row []value.Value) error) error {
	begun := make([]*reader, len(u.legs))
	for i, l := range u.legs {
		if begun[i] == nil {
			if !u.together(x, l) {
				if err := l.p.run(x, u.sink(l, yield)); err != nil {
					return err
				}
				continue
			}
			if err := u.readTable(x, i, begun, yield); err != nil {
				return err
			}
		}
		if err := begun[i].end(begun[i].stopped); err != nil {
			return err
		}
	}
	return nil
}

// together says whether the leg is read by readTable. A shared table is, if nobody else
// than legs that can take its rows together uses it: then none of its rows are kept.
func (u *unionSource) together(x *execution, l *leg) bool {
	from, _ := l.p.origin()
	table, ok := from.(*sharedSource)
	if !ok {
		return from != nil
	}
	if x.shared[table.shared] != nil || len(x.inputs) > 0 {
		return false
	}
	uses := 0
	for _, other := range u.legs {
		if o, last := other.p.origin(); isOrigin(from, o) && (last || uses == 0) {
			uses++
		}
	}
	return uses == table.uses
}

// readTable begins leg i, and the legs behind it that can share its read, and
// gives them all rows of the table.
func (u *unionSource) readTable(x *execution, i int, begun []*reader, yield func(row []value.Value) error) error {
	table, _ := u.legs[i].p.origin()
	var readers []*reader
	for j := i; j < len(u.legs); j++ {
		l := u.legs[j]
		if from, last := l.p.origin(); begun[j] != nil || j > i && (!last || !isOrigin(table, from)) {
			continue
		}
		r, err := l.p.open(x, u.sink(l, yield))
		if err != nil {
			return err
		}
		if j == i || r.canShare(readers[0]) {
			begun[j], readers = r, append(readers, r)
		}
	}
	return readTogether(x, readers)
}

// sink takes the rows of a leg.
func (u *unionSource) sink(l *leg, yield func(row []value.Value) error) func(f *frame) error {
	row := slices.Clone(l.row)
	return func(f *frame) error {
		for i, r := range l.from {
			if l.has[i] && u.need[i] {
				row[i] = f.at(r)
			}
		}
		return yield(row)
	}
}
