package syntax

import "iter"

// Idents are the names in a scalar expression, in the order of the text; `*` for each
// star. Those within tables are not among them.
func Idents(x Expr) iter.Seq[string] {
	return func(yield func(string) bool) { idents(x, yield) }
}

func idents(x Expr, yield func(string) bool) bool {
	all := func(list ...Expr) bool {
		for _, x := range list {
			if !idents(x, yield) {
				return false
			}
		}
		return true
	}
	switch n := x.(type) {
	case *Ident:
		return yield(n.Name)
	case *Star:
		return yield("*")
	case *Unary:
		return all(n.X)
	case *Binary:
		return all(n.Left, n.Right)
	case *Logic:
		return all(n.Terms...)
	case *List:
		return all(n.X) && all(n.List...)
	case *Between:
		return all(n.X, n.Low, n.High)
	case *Member:
		return all(n.X)
	case *Index:
		return all(n.X, n.Key)
	case *Call:
		for _, a := range n.Args {
			if !all(a.X) {
				return false
			}
		}
	}
	return true
}
