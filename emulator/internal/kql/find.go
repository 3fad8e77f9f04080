package kql

import (
	"slices"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/syntax"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// packColumn is the column into which find packs what it has no column for.
const packColumn = "pack_"

// finding is a find that is being bound: its tables, and the columns that its
// predicate names, in the order of the text.
type finding struct {
	n       *syntax.Find
	scope   *scope
	tables  []syntax.Expr
	schemas [][]value.Column // of the tables
	named   []string
	terms   bool // the predicate looks in all columns
}

// bindFind binds find (https://learn.microsoft.com/kusto/query/find-operator): a union of
// the tables that have a column of the predicate, and a filter. A column that has
// several types in them is refused if the predicate or the result needs it.
func bindFind(b *binder, n *syntax.Find, s *scope) (*pipeline, error) {
	f := &finding{n: n, scope: s}
	if err := f.resolve(b); err != nil {
		return nil, err
	}
	columns, rest, err := f.columns()
	if err != nil {
		return nil, err
	}
	src := &unionSource{}
	for i, t := range f.tables {
		p, err := b.tabular(t, s, "find")
		if err != nil {
			return nil, err
		}
		if rest {
			if err := f.pack(b, p, f.schemas[i], columns); err != nil {
				return nil, err
			}
		}
		name := ""
		if id, ok := t.(*syntax.Ident); ok {
			name = id.Name
		}
		src.legs = append(src.legs, &leg{p: p, name: name})
	}
	source := n.WithSource
	if source == "" {
		source = "source_"
	}
	p := src.unify(&syntax.Union{WithSource: source})
	seen := p.row // without the pack, which holds no column
	seen.fields = slices.DeleteFunc(slices.Clone(p.fields), func(f field) bool { return f.name == packColumn })
	e, err := b.searched(n.Predicate, false, site{scope: s, row: &seen, op: "find"})
	if err != nil {
		return nil, err
	}
	p.filter(e)
	fields := []field{p.fields[0]}
	if !haveNames(f.tables, s) { // the service generates a name for what is no table
		fields[0] = p.compute(source, failing(value.String, "'find' operator: "+source+" of what is no table is not supported here."))
	}
	for _, c := range columns {
		from, _ := p.find(c.Name)
		to := columnExpr(from)
		if c.Kind != 0 {
			to = converted(&p.lay, to, c.Kind)
		}
		fields = append(fields, p.compute(c.Name, to))
	}
	if pack, ok := p.find(packColumn); ok && rest {
		fields = append(fields, pack)
	}
	p.fields = fields
	return p, nil
}

// resolve finds the tables, and leaves out those that have no column of the
// predicate.
func (f *finding) resolve(b *binder) error {
	tables := f.n.Tables
	if len(tables) == 0 {
		tables = []syntax.Expr{&syntax.Wild{Place: f.n.Place, Pattern: "*"}}
	}
	var schemas [][]value.Column
	var all []syntax.Expr
	for _, x := range tables {
		list, err := b.unionTables(&syntax.Union{Place: f.n.Place}, x, f.scope)
		if err != nil {
			return err
		}
		for _, t := range list {
			p, err := b.tabular(t, f.scope, "find")
			if err != nil {
				return err
			}
			p.finish(nil) // bound for its schema alone
			all, schemas = append(all, t), append(schemas, p.columns())
		}
	}
	f.mentions(f.n.Predicate, schemas)
	for i, t := range all {
		if f.terms || slices.ContainsFunc(f.named, func(name string) bool { return kindIn(schemas[i], name) != 0 }) {
			f.tables, f.schemas = append(f.tables, t), append(f.schemas, schemas[i])
		}
	}
	if len(f.tables) == 0 {
		for name := range syntax.Idents(f.n.Predicate) {
			return unresolved(f.n.Predicate.Pos(), "find", "scalar expression", name)
		}
		return semantic(f.n.Predicate.Pos(), "'find' operator: the predicate refers to no column")
	}
	return nil
}

// mentions notes the columns in a predicate, and whether it holds terms.
func (f *finding) mentions(x syntax.Expr, schemas [][]value.Column) {
	if l, ok := x.(*syntax.Literal); ok && l.Value.Kind() == value.String {
		f.terms = true
		return
	}
	if l, ok := x.(*syntax.Logic); ok {
		for _, t := range l.Terms {
			f.mentions(t, schemas)
		}
		return
	}
	for at := range syntax.Idents(x) {
		known := slices.ContainsFunc(schemas, func(s []value.Column) bool { return kindIn(s, at) != 0 })
		switch {
		case at == "*":
			f.terms = true
		case known && !slices.Contains(f.named, at):
			f.named = append(f.named, at)
		}
	}
}

func kindIn(columns []value.Column, name string) value.Kind {
	for _, c := range columns {
		if c.Name == name {
			return c.Kind
		}
	}
	return 0
}

// columns are those of the result; rest says whether there are others, to be packed.
func (f *finding) columns() (list []syntax.FindColumn, rest bool, err error) {
	list = f.n.Columns
	if list == nil {
		for _, c := range f.schemas[0] {
			if !slices.ContainsFunc(f.schemas, func(s []value.Column) bool { return kindIn(s, c.Name) != c.Kind }) {
				list = append(list, syntax.FindColumn{Place: f.n.Place, Name: c.Name})
			}
		}
		for _, name := range f.named {
			if !slices.ContainsFunc(list, func(c syntax.FindColumn) bool { return c.Name == name }) {
				list = append(list, syntax.FindColumn{Place: f.n.Place, Name: name})
			}
		}
	}
	names := slices.Clone(f.named)
	for i, c := range list {
		if slices.ContainsFunc(list[:i], func(l syntax.FindColumn) bool { return l.Name == c.Name }) {
			return nil, false, semantic(c.Pos(), "'find' operator: Column '%s' is defined more than once", c.Name)
		}
		names = append(names, c.Name)
	}
	for _, name := range names {
		var found value.Kind
		for _, s := range f.schemas {
			switch k := kindIn(s, name); {
			case k == 0:
			case found != 0 && k != found:
				return nil, false, unsupported(f.n.Pos(), "'find' operator: the column '%s' has several types, which is not supported here.", name)
			default:
				found = k
			}
		}
		if found == 0 {
			return nil, false, unresolved(f.n.Pos(), "find", "column", name)
		}
	}
	for _, s := range f.schemas {
		for _, c := range s {
			if c.Name == packColumn {
				return nil, false, unsupported(f.n.Pos(), "'find' operator: a table with a column '%s' is not supported here.", packColumn)
			}
			in := slices.ContainsFunc(list, func(l syntax.FindColumn) bool { return l.Name == c.Name })
			rest = rest || !in && f.n.Columns == nil
		}
	}
	return list, rest, nil
}

// pack adds the bag with the table's columns that the result does not have.
func (f *finding) pack(b *binder, p *pipeline, schema []value.Column, columns []syntax.FindColumn) error {
	call := &syntax.Call{Name: "bag_pack"}
	for _, c := range schema {
		if !slices.ContainsFunc(columns, func(f syntax.FindColumn) bool { return f.Name == c.Name }) {
			call.Args = append(call.Args, syntax.Argument{X: &syntax.Literal{Value: value.NewString(c.Name)}}, syntax.Argument{X: &syntax.Ident{Name: c.Name}})
		}
	}
	var x syntax.Expr = call
	if len(call.Args) == 0 {
		x = &syntax.Literal{Value: value.DynamicJSON("{}")}
	}
	e, err := b.scalar(x, site{scope: f.scope, row: &p.row, op: "find"})
	if err != nil {
		return err
	}
	p.fields = append(p.fields, p.compute(packColumn, e))
	return nil
}
