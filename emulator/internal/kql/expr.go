package kql

import (
	"github.com/tvmexport/tvmexport/emulator/internal/kql/scalar"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// expr is a bound scalar expression.
type expr struct {
	kind     value.Kind
	eval     eval
	test     test                  // not nil: the same of a condition, cheaper than eval
	str      func(f *frame) string // not nil: the text of the value, as tostring() gives it
	append   appender              // not nil: the text of the value, cheaper than eval
	made     func(f *frame) []byte // not nil: the same in a buffer, until the next time
	constant *value.Value          // not nil: the value, and reads is empty
	reads    []ref                 // columns that it reads
	column   bool                  // it is just the column reads[0]
	volatile bool                  // equal rows may give different values
	cost     int                   // about the price of one evaluation

	results []scalar.Result // of a function with several; the value is an array of them

	op   string // the operator or function, for finding conditions
	args []*expr
}

// maxCost bounds the price of an expression: functions that call functions
// can grow without bound in a short text.
const maxCost = 1 << 20

// arg is what the packages scalar and aggregate want to know.
func (e *expr) arg() scalar.Arg { return scalar.Arg{Kind: e.kind, Const: e.constant} }

func scalarArgs(list []*expr) []scalar.Arg {
	args := make([]scalar.Arg, len(list))
	for i, e := range list {
		args[i] = e.arg()
	}
	return args
}

// rowless says whether the value is the same for all rows of a run.
func (e *expr) rowless() bool { return len(e.reads) == 0 && !e.volatile }

func constantExpr(v value.Value) *expr {
	return &expr{kind: v.Kind(), constant: &v, eval: func(*frame) value.Value { return v }}
}

func columnExpr(f field) *expr {
	e := &expr{kind: f.kind, reads: []ref{f.ref}, column: true, cost: 1}
	if f.ref >= 0 {
		at := int(f.ref)
		e.eval = func(f *frame) value.Value { return f.src[at] }
	} else {
		at := int(^f.ref)
		e.eval = func(f *frame) value.Value { return f.ext[at] }
	}
	return e
}

func lateExpr(k value.Kind, l *late) *expr { return &expr{kind: k, eval: l.eval, cost: 2} }

// apply makes the call of a bound function. What is constant is computed now,
// unless it fails: a failure belongs to the run.
func apply(l *layout, op string, b scalar.Bound, args []*expr, volatile bool) *expr {
	e := &expr{kind: b.Kind, op: op, args: args, volatile: volatile, cost: b.Cost + 1, results: b.Results}
	known := !volatile
	for _, a := range args {
		e.reads = append(e.reads, a.reads...)
		e.volatile = e.volatile || a.volatile
		e.cost = min(e.cost+a.cost, maxCost+1)
		known = known && a.constant != nil
	}
	if known {
		values := make([]value.Value, len(args))
		for i, a := range args {
			values[i] = *a.constant
		}
		if v, err := b.Eval(values); err == nil {
			c := constantExpr(v)
			c.kind, c.results = b.Kind, b.Results
			return c
		}
	}
	e.eval = callOf(l, b.Eval, args)
	if b.One != nil {
		one, arg := b.One, args[0].eval
		e.eval = func(f *frame) value.Value { return one(arg(f)) }
	}
	fuse(l, e)
	fuseTest(e, b)
	fuseChoice(e)
	return e
}

// callOf evaluates the arguments that are not constant into their places and
// calls the kernel.
func callOf(l *layout, kernel scalar.Kernel, args []*expr) eval {
	base := l.arguments(args)
	end := base + len(args)
	var at []int
	var evals []eval
	for i, a := range args {
		if a.constant == nil {
			at = append(at, base+i)
			evals = append(evals, a.eval)
		}
	}
	if len(evals) == 1 {
		at, arg := at[0], evals[0]
		return func(f *frame) value.Value {
			v := arg(f) // may use f.tmp itself
			f.tmp[at] = v
			v, err := kernel(f.tmp[base:end:end])
			if err != nil {
				f.fail(runtimeError(err))
			}
			return v
		}
	}
	return func(f *frame) value.Value {
		for i, arg := range evals {
			f.tmp[at[i]] = arg(f)
		}
		v, err := kernel(f.tmp[base:end:end])
		if err != nil {
			f.fail(runtimeError(err))
		}
		return v
	}
}

// converted is e as kind k, by scalar.Convert.
func converted(l *layout, e *expr, k value.Kind) *expr {
	if e.kind == k {
		return e
	}
	return apply(l, "", scalar.Bound{Kind: k, Cost: 5, Eval: func(a []value.Value) (value.Value, error) {
		return scalar.Convert(a[0], k), nil
	}}, []*expr{e}, false)
}

// isTrue evaluates a condition.
func isTrue(f *frame, condition eval) (bool, error) {
	v := condition(f)
	return v.Bool(), f.err
}
