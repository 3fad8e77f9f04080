package kql

import (
	"github.com/tvmexport/tvmexport/emulator/internal/kql/scalar"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/syntax"
)

// assertion binds assert(). Its arguments cannot depend on a row; what toscalar() returns
// is a constant (https://learn.microsoft.com/kusto/query/toscalar-function). It is evaluated
// before the query yields rows, regardless of its position, so that it also fails
// a query without rows (https://learn.microsoft.com/kusto/query/assert-function).
func (b *binder) assertion(n *syntax.Call, c site) (*expr, error) {
	args, err := b.arguments(n, c)
	if err != nil {
		return nil, err
	}
	for i, a := range args {
		if !a.rowless() {
			return nil, semantic(n.Pos(), "assert(): argument #%d must be a constant", i+1)
		}
	}
	at, l := rowlessSite(c.scope, c.op)
	if args, err = b.arguments(n, at); err != nil {
		return nil, err
	}
	f, _ := scalar.Lookup(n.Name)
	bound, err := f.Bind(scalarArgs(args))
	if err != nil {
		return nil, in(n.Pos(), err)
	}
	e := apply(l, n.Name, bound, args, false)
	if e.constant != nil {
		return e, nil
	}
	e = l.lateExpr(e)
	b.asserts = append(b.asserts, e)
	return e, nil
}

// hold evaluates assertions; the error is that of the first that fails.
func hold(x *execution, asserts []*expr) error {
	f := (&layout{}).frame(x)
	for _, a := range asserts {
		if a.eval(f); f.err != nil {
			return f.err
		}
	}
	return nil
}
