package kql

import (
	"slices"
	"strings"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/scalar"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/syntax"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// scalar binds a scalar expression.
func (b *binder) scalar(x syntax.Expr, c site) (*expr, error) {
	e, err := b.scalarOf(x, c)
	if err != nil {
		return nil, err
	}
	return e, single(e, x)
}

// single refuses what is no value of one expression.
func single(e *expr, x syntax.Expr) error {
	switch {
	case e.cost > maxCost:
		return semantic(x.Pos(), "The expression is too complex.")
	case e.results != nil:
		return semantic(x.Pos(), "The expression has several values where one is expected.")
	}
	return nil
}

func (b *binder) scalarOf(x syntax.Expr, c site) (*expr, error) {
	switch n := x.(type) {
	case *syntax.Literal:
		return constantExpr(n.Value), nil
	case *syntax.Ident:
		return b.ident(n, c)
	case *syntax.Unary:
		return b.unary(n, c)
	case *syntax.Binary:
		return b.binary(n, c)
	case *syntax.Logic:
		return b.logic(n, c)
	case *syntax.List:
		return b.list(n, c)
	case *syntax.Between:
		return b.between(n, c)
	case *syntax.Call:
		return b.call(n, c)
	case *syntax.Member:
		return b.member(n, c)
	case *syntax.Index:
		return b.index(n, c)
	case *syntax.TypeOf:
		if n.Kind == 0 {
			return nil, unsupported(n.Pos(), "typeof() of several columns is not supported here.")
		}
		return constantExpr(value.NewString(n.Kind.String())), nil
	case *syntax.Star, *syntax.Wild:
		return nil, unsupported(x.Pos(), "'*' in place of a column is not supported here.")
	}
	return nil, semantic(x.Pos(), "A table cannot be used where a scalar expression is expected.")
}

func (b *binder) scalars(list []syntax.Expr, c site) ([]*expr, error) {
	bound := make([]*expr, len(list))
	for i, x := range list {
		var err error
		if bound[i], err = b.scalar(x, c); err != nil {
			return nil, err
		}
	}
	return bound, nil
}

// ident binds the name of a column, a variable or a function without
// parameters.
func (b *binder) ident(n *syntax.Ident, c site) (*expr, error) {
	if f, ok := c.row.find(n.Name); ok {
		return columnExpr(f), nil
	}
	if v, ok := c.scope.find(n.Name); ok {
		return b.variable(n, v, c)
	}
	if f, err := b.stored(c.scope.db, n.Name); err != nil {
		return nil, err
	} else if f != nil && !b.storedIsTabular(c.scope.db, n.Name) {
		return b.scalarFunction(userCall{n.Name, f, root(c.scope.db), nil, n.Pos()}, c)
	}
	return nil, unresolved(n.Pos(), c.op, "scalar expression", n.Name)
}

// variable is what a name that let or a parameter has given stands for.
func (b *binder) variable(n *syntax.Ident, v *binding, c site) (*expr, error) {
	v.used = true
	switch {
	case v.member != nil && v.member.kind != tableEntity:
		return nil, semantic(n.Pos(), "The %s '%s' cannot be used where a scalar expression is expected.", strings.ToLower(v.member.kind), n.Name)
	case v.scalar != nil:
		if v.layout != nil && v.layout != c.row.layout && v.scalar.constant == nil {
			return nil, unsupported(n.Pos(), "'%s' depends on a row of another table, which is not supported here.", n.Name)
		}
		return v.scalar, nil
	case b.bindingIsTabular(v):
		return nil, unresolved(n.Pos(), c.op, "scalar expression", n.Name)
	case v.function != nil:
		return b.scalarFunction(userCall{n.Name, v.function, v.scope, nil, n.Pos()}, c)
	}
	if v.volatile {
		return b.again(n, v, c)
	}
	at, l := rowlessSite(v.scope, "")
	e, err := b.scalar(v.x, at)
	switch {
	case err != nil:
		return nil, err
	case e.volatile:
		v.volatile = true
		return b.again(n, v, c)
	case e.constant == nil:
		e = l.lateExpr(e)
	}
	v.scalar = e
	return e, nil
}

// again binds what a let stands for at the place of its name, where it can have
// another value for each row.
func (b *binder) again(n *syntax.Ident, v *binding, c site) (*expr, error) {
	if err := b.spend(n.Pos()); err != nil {
		return nil, err
	}
	return b.scalar(v.x, site{scope: v.scope, row: &row{layout: c.row.layout}})
}

func (b *binder) unary(n *syntax.Unary, c site) (*expr, error) {
	e, err := b.scalar(n.X, c)
	if err != nil {
		return nil, err
	}
	if n.Op == "+" {
		if e.kind.IsNumeric() || e.kind == value.TimeSpan {
			return e, nil
		}
		return nil, semantic(n.Pos(), "Unary plus cannot be carried-out on %v", e.kind)
	}
	bound, err := scalar.Negate(e.arg())
	if err != nil {
		return nil, in(n.Pos(), err)
	}
	return apply(c.row.layout, "-", bound, []*expr{e}, false), nil
}

func (b *binder) binary(n *syntax.Binary, c site) (*expr, error) {
	if _, ok := n.Left.(*syntax.Star); ok {
		return bindStar(b, n, c)
	}
	args, err := b.scalars([]syntax.Expr{n.Left, n.Right}, c)
	if err != nil {
		return nil, err
	}
	return b.operator(n.Pos(), n.Op, args, c)
}

func (b *binder) operator(at int, op string, args []*expr, c site) (*expr, error) {
	typedLiterals(op, args[0], args[1:])
	typedLiterals(op, args[1], args[:1])
	bound, err := scalar.Operator(op, args[0].arg(), args[1].arg())
	if err != nil {
		return nil, in(at, err)
	}
	return apply(c.row.layout, op, bound, args, false), nil
}

func (b *binder) logic(n *syntax.Logic, c site) (*expr, error) {
	terms, err := b.scalars(n.Terms, c)
	if err != nil {
		return nil, err
	}
	for i, t := range terms {
		if i > 0 { // for its refusal of what is no condition
			if _, err := scalar.Operator(n.Op, terms[i-1].arg(), t.arg()); err != nil {
				return nil, in(n.Terms[i].Pos(), err)
			}
		}
	}
	for i := range terms {
		terms[i] = converted(c.row.layout, terms[i], value.Bool)
	}
	return logic(n.Op, terms), nil
}

// condition binds a predicate.
func (b *binder) condition(x syntax.Expr, c site) (*expr, error) {
	e, err := b.scalar(x, c)
	if err != nil {
		return nil, err
	}
	if e.kind != value.Bool && e.kind != value.Dynamic {
		return nil, semantic(x.Pos(), "'%s' operator: argument #1 expected to be a boolean expression", c.op)
	}
	return converted(c.row.layout, e, value.Bool), nil
}

func (b *binder) between(n *syntax.Between, c site) (*expr, error) {
	args, err := b.scalars([]syntax.Expr{n.X, n.Low, n.High}, c)
	if err != nil {
		return nil, err
	}
	op := "between"
	if n.Not {
		op = "!between"
	}
	bound, err := scalar.OperatorList(op, args[0].arg(), scalarArgs(args[1:]))
	if err != nil {
		return nil, in(n.Pos(), err)
	}
	return apply(c.row.layout, op, bound, args, false), nil
}

// list binds in, has_any and similar operators.
func (b *binder) list(n *syntax.List, c site) (*expr, error) {
	left, err := b.scalar(n.X, c)
	if err != nil {
		return nil, err
	}
	if len(n.List) == 1 && b.isTabular(n.List[0], c.scope, c.row) {
		return b.listOfTable(n, left, c)
	}
	args, err := b.scalars(n.List, c)
	if err != nil {
		return nil, err
	}
	typedLiterals(n.Op, left, args)
	args = append([]*expr{left}, args...)
	bound, err := scalar.OperatorList(n.Op, left.arg(), scalarArgs(args[1:]))
	if err != nil {
		return nil, in(n.Pos(), err)
	}
	return apply(c.row.layout, n.Op, bound, args, false), nil
}

// member binds a path such as a.b.
func (b *binder) member(n *syntax.Member, c site) (*expr, error) {
	if e, ok, err := bindContextual(b, n, c.scope); ok || err != nil {
		return e, err
	}
	if _, ok := b.databaseOf(n.X, c.scope); ok {
		return nil, unresolved(n.Pos(), c.op, "scalar expression", n.Name)
	}
	if id, ok := n.X.(*syntax.Ident); ok && c.row.states[id.Name] != nil {
		f, ok := c.row.states[id.Name].find(n.Name)
		if !ok {
			return nil, unresolved(n.Pos(), c.op, "scalar expression", n.Name)
		}
		return columnExpr(f), nil
	}
	base, err := b.scalar(n.X, c)
	if err != nil {
		return nil, err
	}
	return b.access(n.Pos(), base, constantExpr(value.NewString(n.Name)), c)
}

func (b *binder) index(n *syntax.Index, c site) (*expr, error) {
	base, err := b.scalarOf(n.X, c)
	if err != nil {
		return nil, err
	}
	if slices.ContainsFunc(base.results, func(r scalar.Result) bool { return r.Kind != value.Dynamic }) {
		return nil, unsupported(n.Pos(), "A subscript behind a function with several results is not supported here.")
	}
	key, err := b.scalar(n.Key, c)
	if err != nil {
		return nil, err
	}
	return b.access(n.Pos(), base, key, c)
}

func (b *binder) access(at int, base, key *expr, c site) (*expr, error) {
	bound, err := scalar.Access(base.arg(), key.arg())
	if err != nil {
		return nil, in(at, err)
	}
	e := apply(c.row.layout, "[]", bound, []*expr{base, key}, false)
	c.row.layout.field(e)
	return e, nil
}
