package kql

import (
	"github.com/tvmexport/tvmexport/emulator/internal/kql/syntax"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// binder turns a tree into pipelines. It resolves names, checks types and
// chooses the code that runs.
type binder struct {
	env      Environment
	now      value.Value
	binSize  value.Value               // of bin_auto(); the zero Value where the query does not set it
	binAt    value.Value               // likewise
	shapes   map[*syntax.Function]bool // whether a function gives a table
	bodies   map[entity]*storedFunction
	active   map[entity]int            // stored functions whose bodies are being bound
	kept     *sharings                 // of materialize
	foreign  map[*syntax.Function]bool // functions that are stored
	budget   int                       // operators and functions that may still be bound
	depth    int                       // of functions within functions
	volatile int                       // calls so far whose values differ from row to row, or from read to read
	asserts  []*expr                   // that the statement depends on
	warnings []string                  // about what the statement leaves out
	expands  int                       // macro-expand operators within macro-expand operators
}

// entity is a table or function of a database.
type entity struct{ db, name string }

type storedFunction struct {
	function *syntax.Function
	err      error
}

// maxOperators bounds what a query may grow to when the names in it are
// replaced by what they stand for, entityOperators what each entity of an outermost
// macro-expand adds to that; maxFunctions how deep functions may call functions.
const (
	maxOperators    = 20_000
	entityOperators = 500
	maxFunctions    = 32
)

func newBinder(env Environment) *binder {
	return &binder{
		env: env, now: value.NewDateTime(env.Now), budget: maxOperators,
		shapes: map[*syntax.Function]bool{}, bodies: map[entity]*storedFunction{}, kept: newSharings(),
		active: map[entity]int{}, foreign: map[*syntax.Function]bool{},
	}
}

// site is the position of an expression.
type site struct {
	scope *scope
	row   *row   // what it can read; never nil
	op    string // the operator that it is an operand of, "" for none
}

// spend counts what is bound.
func (b *binder) spend(at int) error {
	if b.budget--; b.budget < 0 {
		return semantic(at, "The query is too complex: it grows to more than %d operators.", maxOperators)
	}
	return nil
}

func (b *binder) table(db, name string) (Relation, bool) {
	if b.env.Catalog == nil {
		return nil, false
	}
	return b.env.Catalog.Table(db, name)
}

// stored is the stored function called name, nil if there is none.
func (b *binder) stored(db, name string) (*syntax.Function, error) {
	if b.env.Catalog == nil {
		return nil, nil
	}
	key := entity{db, name}
	if known, ok := b.bodies[key]; ok {
		return known.function, known.err
	}
	known := &storedFunction{}
	b.bodies[key] = known
	f, ok := b.env.Catalog.Function(db, name)
	if !ok {
		return nil, nil
	}
	parsed := &syntax.Function{}
	if f.Parameters != "" {
		if parsed.Parameters, known.err = syntax.ParseParameters(f.Parameters); known.err != nil {
			known.err = within(name, known.err)
			return nil, known.err
		}
	}
	if parsed.Body, known.err = syntax.ParseBody(f.Body); known.err != nil {
		known.err = within(name, known.err)
		return nil, known.err
	}
	known.function = parsed
	b.foreign[parsed] = true
	return parsed, nil
}

// rowlessSite is a site where no row can be read, with a layout of its own.
func rowlessSite(s *scope, op string) (site, *layout) {
	l := &layout{}
	return site{scope: s, row: &row{layout: l}, op: op}, l
}

// independent binds an expression that reads no row, so that it can be used
// anywhere: it is constant or computed once when the query runs.
func (b *binder) independent(x syntax.Expr, s *scope, op string) (*expr, error) {
	at, l := rowlessSite(s, op)
	e, err := b.scalar(x, at)
	if err != nil || e.constant != nil {
		return e, err
	}
	return l.lateExpr(e), nil
}

// lateExpr is e, which reads no row and was bound in l, for use anywhere.
func (l *layout) lateExpr(e *expr) *expr {
	return lateExpr(e.kind, &late{compute: func(x *execution) (value.Value, error) {
		f := l.frame(x)
		v := e.eval(f)
		return v, f.err
	}})
}

// count binds an operand such as the N of take.
func (b *binder) count(x syntax.Expr, s *scope, op string) (*expr, error) {
	e, err := b.independent(x, s, op)
	if err != nil {
		return nil, err
	}
	if !e.kind.IsInteger() {
		return nil, semantic(x.Pos(), "'%s' operator: expected a whole number, found %v", op, e.kind)
	}
	return e, nil
}

// number evaluates such an operand.
func number(f *frame, e *expr) (int64, error) {
	v := e.eval(f)
	if f.err != nil {
		return 0, f.err
	}
	if v.IsNull() {
		return 0, nil
	}
	return max(0, v.Int64()), nil
}
