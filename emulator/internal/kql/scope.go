package kql

import (
	"github.com/tvmexport/tvmexport/emulator/internal/kql/syntax"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// scope is the names that let statements, parameters and `as` have given. Each
// name makes a new scope; a later one hides an earlier one.
type scope struct {
	parent *scope
	name   string
	bound  *binding
	db     string // where tables and stored functions are looked for; "" for the query's
}

// binding is what a name stands for: a function, a scalar that is bound, or an
// expression of the scope where it was written.
type binding struct {
	function *syntax.Function
	scalar   *expr
	layout   *layout // not nil: scalar can be computed in frames of this layout only
	x        syntax.Expr
	scope    *scope // of x, or where function was written

	member *member // not nil: an entity of a group, under its name in macro-expand

	kind    value.Kind // of a scalar parameter, while only shapes are looked at
	tabular bool       // it is a table
	used    bool
	kept    *shared // not nil: the table, which is computed once

	volatile bool // x is a scalar that can have a different value at each read
}

func (s *scope) with(name string, b *binding) *scope {
	return &scope{parent: s, name: name, bound: b, db: s.db}
}

func (s *scope) find(name string) (*binding, bool) {
	for ; s != nil; s = s.parent {
		if s.bound != nil && s.name == name {
			return s.bound, true
		}
	}
	return nil, false
}

// function is the function that this name stands for, nil if it is none.
func (s *scope) function() *syntax.Function {
	if s.bound == nil {
		return nil
	}
	return s.bound.function
}

// root is a scope without names.
func root(db string) *scope { return &scope{db: db} }

// isTabular says whether an expression is a table. Columns of the row, if
// there is one, come before everything else of their name.
func (b *binder) isTabular(x syntax.Expr, s *scope, r *row) bool {
	switch n := x.(type) {
	case *syntax.Pipe, *syntax.Datatable, *syntax.Range, *syntax.Print, *syntax.Union, *syntax.Search, *syntax.Find, *syntax.Wild, *syntax.MacroExpand:
		return true
	case *syntax.Ident:
		if r != nil {
			if _, ok := r.find(n.Name); ok {
				return false
			}
		}
		if v, ok := s.find(n.Name); ok {
			return b.bindingIsTabular(v)
		}
		if _, ok := b.table(s.db, n.Name); ok {
			return true
		}
		return b.storedIsTabular(s.db, n.Name)
	case *syntax.Call:
		return b.callIsTabular(n, s)
	case *syntax.Member:
		_, ok := b.databaseOf(n.X, s)
		return ok && !isContextual(n.Name)
	}
	return false
}

func (b *binder) callIsTabular(n *syntax.Call, s *scope) bool {
	if n.IsScoped() {
		db, ok := b.databaseOf(n.Args[0].X, s)
		call, isCall := n.Args[1].X.(*syntax.Call)
		return ok && isCall && b.storedIsTabular(db, call.Name)
	}
	switch n.Name {
	case "materialize", "table", "materialized_view":
		return true
	}
	if v, ok := s.find(n.Name); ok {
		return b.bindingIsTabular(v)
	}
	return b.storedIsTabular(s.db, n.Name)
}

func (b *binder) bindingIsTabular(v *binding) bool {
	switch {
	case v.tabular:
		return true
	case v.scalar != nil || v.kind != 0:
		return false
	case v.function != nil:
		return b.bodyIsTabular(v.function, v.scope)
	}
	return b.isTabular(v.x, v.scope, nil)
}

func (b *binder) storedIsTabular(db, name string) bool {
	f, err := b.stored(db, name)
	return err == nil && f != nil && b.bodyIsTabular(f, root(db))
}

// bodyIsTabular looks at the last statement of a function.
func (b *binder) bodyIsTabular(f *syntax.Function, s *scope) bool {
	if known, ok := b.shapes[f]; ok {
		return known
	}
	b.shapes[f] = false // for functions that call themselves
	for _, p := range f.Parameters {
		s = s.with(p.Name, &binding{tabular: p.Tabular, kind: p.Kind})
	}
	tabular := false
	for _, statement := range f.Body.Statements {
		switch n := statement.(type) {
		case *syntax.Let:
			s = s.with(n.Name, &binding{function: n.Function, x: n.X, scope: s})
		case *syntax.Result:
			tabular = b.isTabular(n.X, s, nil)
		}
	}
	b.shapes[f] = tabular
	return tabular
}
