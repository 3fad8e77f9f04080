package kql

import (
	"slices"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/syntax"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// enter begins the body of a function.
func (b *binder) enter(name string, at int) error {
	if err := b.spend(at); err != nil {
		return err
	}
	if b.depth++; b.depth > maxFunctions {
		return semantic(at, "Function '%s': calls are nested more than %d levels deep.", name, maxFunctions)
	}
	return nil
}

func (b *binder) leave() { b.depth-- }

// userCall is a call of a function of let or of a stored one.
type userCall struct {
	name string
	f    *syntax.Function
	home *scope // in which the body is bound
	args []syntax.Argument
	at   int
}

// scalarFunction binds a call of a function whose body is a scalar: the body
// with the arguments in place of the parameters.
func (b *binder) scalarFunction(n userCall, c site) (*expr, error) {
	if err := b.enter(n.name, n.at); err != nil {
		return nil, err
	}
	defer b.leave()
	s, err := b.bindParameters(n, c, b.rowArgument)
	if err != nil {
		return nil, err
	}
	result, s, err := b.body(n, s, &row{layout: c.row.layout}, c.op)
	if err != nil {
		return nil, b.inBody(n, err)
	}
	if b.isTabular(result, s, nil) {
		return nil, unresolved(n.at, c.op, "scalar expression", n.name)
	}
	e, err := b.scalar(result, site{scope: s, row: &row{layout: c.row.layout}, op: c.op})
	return e, b.inBody(n, err)
}

// tabularFunction binds a call of a function whose body is a table.
func (b *binder) tabularFunction(n userCall, from *scope) (*pipeline, error) {
	if err := b.enter(n.name, n.at); err != nil {
		return nil, err
	}
	defer b.leave()
	c, _ := rowlessSite(from, "")
	s, err := b.bindParameters(n, c, b.tableArgument)
	if err != nil {
		return nil, err
	}
	result, s, err := b.body(n, s, nil, "")
	if err != nil {
		return nil, b.inBody(n, err)
	}
	p, err := b.tabular(result, s, "")
	return p, b.inBody(n, err)
}

// body is the result of a function and the names that it can use. With a row,
// variables are computed for every row, as they may depend on the arguments.
func (b *binder) body(c userCall, s *scope, r *row, op string) (syntax.Expr, *scope, error) {
	var result syntax.Expr
	for _, statement := range c.f.Body.Statements {
		switch n := statement.(type) {
		case *syntax.Let:
			v := &binding{function: n.Function, x: n.X, scope: s}
			if r != nil && n.Function == nil && !b.isTabular(n.X, s, nil) {
				var err error
				v.layout = r.layout
				if v.scalar, err = b.scalar(n.X, site{scope: s, row: r, op: op}); err != nil {
					return nil, nil, err
				}
			}
			s = s.with(n.Name, v)
		case *syntax.Declare:
			return nil, nil, unsupported(c.at, "Function '%s' declares query parameters, which is not supported here.", c.name)
		case *syntax.Result:
			result = n.X
		}
	}
	if result == nil {
		return nil, nil, semantic(c.at, "Function '%s' has no result.", c.name)
	}
	return result, s, nil
}

// inBody takes the place out of an error in the body of a stored function: it
// means nothing in the text that calls it.
func (b *binder) inBody(c userCall, err error) error {
	if err != nil && b.foreign[c.f] {
		return within(c.name, err)
	}
	return err
}

// bindParameters returns the scope of a function's body: its home and the parameters.
// The arguments are at c.
func (b *binder) bindParameters(n userCall, c site, bind func(p syntax.Parameter, x syntax.Expr, c site) (*binding, error)) (*scope, error) {
	given, err := n.match()
	if err != nil {
		return nil, err
	}
	s := n.home
	for i, p := range n.f.Parameters {
		x := given[i]
		switch {
		case p.Tabular:
			if err := b.checkTable(n.name, p, x, c.scope); err != nil {
				return nil, err
			}
			s = s.with(p.Name, &binding{x: x, scope: c.scope, tabular: true})
			continue
		case x == nil:
			return nil, n.wrongNumber()
		}
		v, err := bind(p, x, c)
		if err != nil {
			return nil, err
		}
		s = s.with(p.Name, v)
	}
	return s, nil
}

// match gives each parameter its argument, by position or by name, or its
// default; nil where there is none.
func (n userCall) match() ([]syntax.Expr, error) {
	given := make([]syntax.Expr, len(n.f.Parameters))
	for i, a := range n.args {
		to := i
		if a.Name != "" {
			to = slices.IndexFunc(n.f.Parameters, func(p syntax.Parameter) bool { return p.Name == a.Name })
			if to < 0 {
				return nil, semantic(a.X.Pos(), "%s(): there is no parameter named '%s'", n.name, a.Name)
			}
		}
		if to >= len(given) || given[to] != nil {
			return nil, n.wrongNumber()
		}
		given[to] = a.X
	}
	for i, p := range n.f.Parameters {
		if given[i] == nil {
			given[i] = p.Default
		}
	}
	return given, nil
}

func (n userCall) wrongNumber() error {
	return semantic(n.at, "%s(): function expects %d argument(s).", n.name, len(n.f.Parameters))
}

// checkType says whether an argument can be brought to the parameter's type.
func checkType(p syntax.Parameter, e *expr, at int) error {
	if e.kind == p.Kind || e.kind == value.Dynamic || p.Kind == value.Dynamic || e.kind.IsNumeric() && p.Kind.IsNumeric() {
		return nil
	}
	return semantic(at, "Argument '%s' is of type %v, expected %v", p.Name, e.kind, p.Kind)
}

// rowArgument binds an argument of a scalar function, which is computed for
// every row.
func (b *binder) rowArgument(p syntax.Parameter, x syntax.Expr, c site) (*binding, error) {
	e, err := b.scalar(x, c)
	if err != nil {
		return nil, err
	}
	return &binding{scalar: converted(c.row.layout, e, p.Kind), layout: c.row.layout}, checkType(p, e, x.Pos())
}

// tableArgument binds a scalar argument of a tabular function, which is the
// same for all rows.
func (b *binder) tableArgument(p syntax.Parameter, x syntax.Expr, c site) (*binding, error) {
	e, err := b.independent(x, c.scope, c.op)
	if err != nil {
		return nil, err
	}
	if err := checkType(p, e, x.Pos()); err != nil || e.kind == p.Kind {
		return &binding{scalar: e}, err
	}
	l := &layout{}
	e = converted(l, e, p.Kind)
	if e.constant == nil {
		e = l.lateExpr(e)
	}
	return &binding{scalar: e}, nil
}

// checkTable verifies that a tabular argument has the columns that the
// parameter asks for.
func (b *binder) checkTable(name string, p syntax.Parameter, x syntax.Expr, s *scope) error {
	if x == nil || !b.isTabular(x, s, nil) {
		at := p.Pos()
		if x != nil {
			at = x.Pos()
		}
		return semantic(at, "%s(): argument '%s' must be a table", name, p.Name)
	}
	if len(p.Columns) == 0 {
		return nil
	}
	t, err := b.tabular(x, s, "")
	if err != nil {
		return err
	}
	for _, want := range p.Columns {
		f, ok := t.find(want.Name)
		if !ok || f.kind != want.Kind {
			return semantic(x.Pos(), "%s(): argument '%s' has no column '%s' of type %v", name, p.Name, want.Name, want.Kind)
		}
	}
	return nil
}
