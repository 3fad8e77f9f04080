package kql

import (
	"github.com/tvmexport/tvmexport/emulator/internal/kql/syntax"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// tabular binds a tabular expression. op is the operator that it is an operand
// of, or the first one behind it, for messages.
func (b *binder) tabular(x syntax.Expr, s *scope, op string) (*pipeline, error) {
	if err := b.spend(x.Pos()); err != nil {
		return nil, err
	}
	switch n := x.(type) {
	case *syntax.Pipe:
		return b.pipe(n, s)
	case *syntax.Ident:
		return b.tableNamed(n, s, op)
	case *syntax.Call:
		return b.tableCall(n, s, op)
	case *syntax.Member:
		return b.tableOf(n, s, op)
	case *syntax.Datatable:
		return b.datatable(n, s)
	case *syntax.Range:
		return b.rangeTable(n, s)
	case *syntax.Print:
		return b.print(n, s)
	case *syntax.Union:
		return b.union(n, nil, s)
	case *syntax.Search:
		return b.search(n, nil, s)
	case *syntax.Find:
		return bindFind(b, n, s)
	case *syntax.MacroExpand:
		return bindMacro(b, n, s)
	}
	return nil, semantic(x.Pos(), "A scalar expression cannot be used where a table is expected.")
}

// pipe binds a source and the operators behind it.
func (b *binder) pipe(n *syntax.Pipe, s *scope) (*pipeline, error) {
	p, err := b.tabular(n.Source, s, operatorName(n.Operators[0]))
	if err != nil {
		return nil, err
	}
	for i, o := range n.Operators {
		if err := b.spend(o.Pos()); err != nil {
			return nil, err
		}
		before := &syntax.Pipe{Place: n.Place, Source: n.Source, Operators: n.Operators[:i]}
		if a, ok := o.(*syntax.As); ok {
			x := before.Simple()
			if a.Materialized {
				x = &syntax.Call{Place: a.Place, Name: "materialize", Args: []syntax.Argument{{X: x}}}
				if p, err = b.tabular(x, s, ""); err != nil {
					return nil, err
				}
			}
			s = s.with(a.Name, &binding{x: x, scope: s, tabular: true})
			continue
		}
		if p, err = b.tabularOperator(p, o, before, s); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// tableNamed binds the name of a variable, a table or a function.
func (b *binder) tableNamed(n *syntax.Ident, s *scope, op string) (*pipeline, error) {
	if v, ok := s.find(n.Name); ok {
		v.used = true
		switch {
		case v.scalar != nil || !b.bindingIsTabular(v):
			return nil, semantic(n.Pos(), "A scalar expression cannot be used where a table is expected: '%s'", n.Name)
		case v.function != nil:
			return b.tabularFunction(userCall{n.Name, v.function, v.scope, nil, n.Pos()}, s)
		}
		return b.letTable(v, op)
	}
	return b.entity(s.db, n.Name, n.Pos(), op)
}

// entity binds a table of a database or a stored function without arguments. A
// function hides a table of its name.
func (b *binder) entity(db, name string, at int, op string) (*pipeline, error) {
	f, err := b.stored(db, name)
	if err != nil {
		return nil, err
	}
	if f != nil && !b.calling(db, name) {
		return b.storedTable(userCall{name, f, root(db), nil, at}, root(db))
	}
	if r, ok := b.table(db, name); ok {
		return newScan(r, entity{db, name}), nil
	}
	if op == "" {
		return nil, absent(unresolved(at, "", "table or column or scalar or graph expression", name), entityName(db, name))
	}
	return nil, absent(unresolved(at, op, "table or column expression", name), entityName(db, name))
}

// entityName is what warnings call a table or function.
func entityName(db, name string) string {
	if db == "" {
		return name
	}
	return "database('" + db + "')." + name
}

// calling says whether the body of the stored function is being bound: within
// it, its name means the table of that name.
func (b *binder) calling(db, name string) bool { return b.active[entity{db, name}] > 0 }

// storedTable binds a call of a stored function, whose home is a database.
func (b *binder) storedTable(n userCall, from *scope) (*pipeline, error) {
	key := entity{n.home.db, n.name}
	b.active[key]++
	defer func() { b.active[key]-- }()
	return b.tabularFunction(n, from)
}

// tableCall binds a call whose result is a table.
func (b *binder) tableCall(n *syntax.Call, s *scope, op string) (*pipeline, error) {
	if n.IsScoped() {
		db, ok := b.databaseOf(n.Args[0].X, s)
		call, isCall := n.Args[1].X.(*syntax.Call)
		if !ok || !isCall {
			return nil, semantic(n.Pos(), "A function can be called on a database only.")
		}
		if err := b.checkCluster(n.Args[0].X, s); err != nil {
			return nil, err
		}
		return b.storedCall(call, b.databaseKey(db), s)
	}
	switch n.Name {
	case "materialize":
		return b.materialize(n, s)
	case "table", "materialized_view":
		name, err := b.nameOf(n, s, op)
		if err != nil {
			return nil, err
		}
		return b.entity(s.db, name, n.Pos(), "table")
	}
	if v, ok := s.find(n.Name); ok {
		v.used = true
		if v.function == nil {
			return nil, unknownFunction(n)
		}
		return b.tabularFunction(userCall{n.Name, v.function, v.scope, n.Args, n.Pos()}, s)
	}
	return b.storedCall(n, s.db, s)
}

func (b *binder) storedCall(n *syntax.Call, db string, s *scope) (*pipeline, error) {
	f, err := b.stored(db, n.Name)
	if err != nil {
		return nil, err
	}
	if f == nil {
		return nil, absent(unknownFunction(n), entityName(db, n.Name))
	}
	return b.storedTable(userCall{n.Name, f, root(db), n.Args, n.Pos()}, s)
}

// nameOf is the argument of table() and database(): any string that is constant, such as
// a let, a parameter of a function or of the query. See
// https://learn.microsoft.com/kusto/query/table-function and
// https://learn.microsoft.com/kusto/query/database-function.
func (b *binder) nameOf(n *syntax.Call, s *scope, op string) (string, error) {
	if name, err := constantName(n); err == nil || len(n.Args) == 0 {
		return name, err
	}
	c, _ := rowlessSite(s, op)
	e, err := b.scalar(n.Args[0].X, c)
	if err != nil {
		return "", err
	}
	if e.constant == nil || e.kind != value.String {
		return constantName(n) // its refusal
	}
	return e.constant.Text(), nil
}

// constantName is the argument of table("T").
func constantName(n *syntax.Call) (string, error) {
	if len(n.Args) > 0 {
		if l, ok := n.Args[0].X.(*syntax.Literal); ok && l.Value.Kind() == value.String {
			return l.Value.Text(), nil
		}
	}
	return "", semantic(n.Pos(), "%s(): argument #1 must be a constant string", n.Name)
}

// databaseOf is the database that database("d"), with or without cluster(...)
// before it, means.
func (b *binder) databaseOf(x syntax.Expr, s *scope) (string, bool) {
	if m := s.ofEntity(x); m != nil {
		return m.own, m.kind == databaseEntity
	}
	c, ok := x.(*syntax.Call)
	if !ok {
		return "", false
	}
	if c.IsScoped() { // cluster("c").database("d")
		if m := s.ofEntity(c.Args[0].X); m == nil || m.kind != clusterEntity {
			if outer, ok := c.Args[0].X.(*syntax.Call); !ok || outer.Name != "cluster" {
				return "", false
			}
		}
		return b.databaseOf(c.Args[1].X, s)
	}
	if c.Name != "database" {
		return "", false
	}
	name, err := b.nameOf(c, s, "")
	return name, err == nil
}

// databaseKey is "" for the database that the query runs in.
func (b *binder) databaseKey(name string) string {
	if name == b.env.Database {
		return ""
	}
	return name
}

// tableOf binds database("d").T.
func (b *binder) tableOf(n *syntax.Member, s *scope, op string) (*pipeline, error) {
	db, ok := b.databaseOf(n.X, s)
	if !ok {
		return nil, semantic(n.Pos(), "A scalar expression cannot be used where a table is expected.")
	}
	if err := b.checkCluster(n.X, s); err != nil {
		return nil, err
	}
	return b.entity(b.databaseKey(db), n.Name, n.Pos(), op)
}

// datatable binds a table of literals.
func (b *binder) datatable(n *syntax.Datatable, s *scope) (*pipeline, error) {
	width := len(n.Columns)
	if width == 0 || len(n.Values)%width != 0 {
		return nil, semantic(n.Pos(), "'datatable' operator: the number of values (%d) is no multiple of the number of columns (%d)", len(n.Values), width)
	}
	c, l := rowlessSite(s, "datatable")
	src := &literalRows{width: width}
	var cells []*expr
	for i, x := range n.Values {
		e, err := b.scalar(x, c)
		if err != nil {
			return nil, err
		}
		cells = append(cells, converted(l, e, n.Columns[i%width].Kind))
		if len(cells) == width {
			src.rows, cells = append(src.rows, cells), nil
		}
	}
	src.layout = *l
	return newPipeline(src, n.Columns), nil
}

// print binds a table of one row.
func (b *binder) print(n *syntax.Print, s *scope) (*pipeline, error) {
	c, l := rowlessSite(s, "print")
	var columns []value.Column
	var cells []*expr
	names := newNamer()
	for i, item := range n.Items {
		e, err := b.scalarOf(item.X, c)
		if err != nil {
			return nil, err
		}
		if call, ok := item.X.(*syntax.Call); ok && e.results != nil && len(item.Names) <= len(e.results) {
			for _, n := range resultsOf(item, call, e, e, c) {
				cells = append(cells, n.e)
				columns = append(columns, value.Column{Name: names.unique(n.name), Kind: n.e.kind})
			}
			continue
		}
		if err := single(e, item.X); err != nil {
			return nil, err
		}
		name := printName(i)
		if len(item.Names) > 0 {
			name = item.Names[0]
		}
		cells = append(cells, e)
		names.declare(name)
		columns = append(columns, value.Column{Name: name, Kind: e.kind})
	}
	src := &literalRows{layout: *l, rows: [][]*expr{cells}, width: len(cells)}
	p := newPipeline(src, columns)
	p.serialized = true
	return p, nil
}
