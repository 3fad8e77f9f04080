package kql

import (
	"cmp"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/scalar"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// truth is what a condition gives.
type truth int8

const (
	fails truth = iota
	holds
	unknown // null
)

var truths = [...]value.Value{fails: value.NewBool(false), holds: value.NewBool(true), unknown: value.Null(value.Bool)}

// test computes a condition without making a value of what it gives.
type test func(f *frame) truth

func truthOf(v value.Value) truth {
	switch {
	case v.IsNull():
		return unknown
	case v.Bool():
		return holds
	}
	return fails
}

func truthIf(b bool) truth {
	if b {
		return holds
	}
	return fails
}

// condition is the test of an expression of type bool.
func (e *expr) condition() test {
	if e.test != nil {
		return e.test
	}
	compute := e.eval
	return func(f *frame) truth { return truthOf(compute(f)) }
}

// tested is e, computed by t.
func (e *expr) tested(t test) {
	e.test = t
	e.eval = func(f *frame) value.Value { return truths[t(f)] }
}

// fuseTest makes a test of a call that has a cheap one.
func fuseTest(e *expr, b scalar.Bound) {
	switch {
	case e.kind != value.Bool:
	case b.Test != nil:
		of, arg := b.Test, e.args[0].eval
		e.tested(func(f *frame) truth { return truthIf(of(arg(f))) })
	case e.op == "not" && e.args[0].kind == value.Bool:
		of := e.args[0].condition()
		e.tested(func(f *frame) truth {
			switch of(f) {
			case fails:
				return holds
			case holds:
				return fails
			}
			return unknown
		})
	case mirrored[e.op] == "" && e.op != "!=" && e.op != "<>":
	case bothText(e.args):
		fuseTextEquality(e, b)
	case bothCounted(e.args):
		fuseOrder(e, b)
	}
}

func bothText(args []*expr) bool {
	return args[0].kind == value.String && args[1].kind == value.String
}

// bothCounted says whether the 64 bits of both sides can be compared.
func bothCounted(args []*expr) bool {
	l, r := args[0].kind, args[1].kind
	return l.IsInteger() && r.IsInteger() || l == r && (l == value.DateTime || l == value.TimeSpan)
}

// outcome is what the kernel says of two values.
func outcome(b scalar.Bound, left, right value.Value) truth {
	v, err := b.Eval([]value.Value{left, right})
	if err != nil {
		return unknown // no comparison fails
	}
	return truthOf(v)
}

func fuseTextEquality(e *expr, b scalar.Bound) {
	left, right := e.args[0].eval, e.args[1].eval
	a, z := value.NewString("a"), value.NewString("z")
	equal, other := outcome(b, a, a), outcome(b, a, z)
	if c := e.args[1].constant; c != nil {
		text := c.Text()
		e.tested(func(f *frame) truth {
			l := left(f)
			if l.Text() == text {
				return equal
			}
			return other
		})
		return
	}
	e.tested(func(f *frame) truth {
		l := left(f)
		r := right(f)
		if l.Text() == r.Text() {
			return equal
		}
		return other
	})
}

func fuseOrder(e *expr, b scalar.Bound) {
	left, right := e.args[0].eval, e.args[1].eval
	l, r := e.args[0].kind, e.args[1].kind
	of := func(x, y int64) truth { return outcome(b, value.FromBits(l, x), value.FromBits(r, y)) }
	less, equal, more := of(1, 2), of(1, 1), of(2, 1)
	noLeft, noRight := outcome(b, value.Null(l), value.FromBits(r, 1)), outcome(b, value.FromBits(l, 1), value.Null(r))
	neither := outcome(b, value.Null(l), value.Null(r))
	if c := e.args[1].constant; c != nil && !c.IsNull() {
		y := c.Int64()
		e.tested(func(f *frame) truth {
			v := left(f)
			x := v.Int64()
			switch {
			case v.IsNull():
				return noLeft
			case x < y:
				return less
			case x == y:
				return equal
			}
			return more
		})
		return
	}
	e.tested(func(f *frame) truth {
		x := left(f)
		y := right(f)
		switch {
		case x.IsNull() && y.IsNull():
			return neither
		case x.IsNull():
			return noLeft
		case y.IsNull():
			return noRight
		}
		switch cmp.Compare(x.Int64(), y.Int64()) {
		case -1:
			return less
		case 0:
			return equal
		}
		return more
	})
}

// fuseChoice computes only the branch of iff() and case() that is chosen.
func fuseChoice(e *expr) {
	if e.op != "iff" && e.op != "iif" && e.op != "case" {
		return
	}
	last := len(e.args) - 1
	var tests []test
	var branches []eval
	for i, a := range e.args {
		switch {
		case i%2 == 0 && i < last:
			if a.kind != value.Bool {
				return
			}
			tests = append(tests, a.condition())
		case a.kind != e.kind:
			return
		default:
			branches = append(branches, a.eval)
		}
	}
	otherwise := branches[len(tests)]
	e.eval = func(f *frame) value.Value {
		for i, t := range tests {
			if t(f) == holds {
				return branches[i](f)
			}
		}
		return otherwise(f)
	}
}

// logic joins conditions with `and` or `or` and three values, and stops at the
// first that decides.
func logic(op string, terms []*expr) *expr {
	e := &expr{kind: value.Bool, op: op, args: terms, cost: 1}
	tests := make([]test, len(terms))
	for i, t := range terms {
		tests[i] = t.condition()
		e.reads = append(e.reads, t.reads...)
		e.volatile = e.volatile || t.volatile
		e.cost = min(e.cost+t.cost, maxCost+1)
	}
	decisive := truthIf(op == "or")
	undecided := truthIf(op != "or")
	e.tested(func(f *frame) truth {
		result := undecided
		for _, t := range tests {
			switch t(f) {
			case unknown:
				result = unknown
			case decisive:
				return decisive
			}
		}
		return result
	})
	return e
}
