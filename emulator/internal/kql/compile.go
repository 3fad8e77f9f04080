package kql

import (
	"context"
	"errors"
	"iter"
	"strings"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/scalar"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/syntax"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// compile binds the statements of a text.
func compile(text string, env Environment) (*Query, error) {
	parsed, err := syntax.ParseQuery(text)
	if err != nil {
		return nil, placed(text, err)
	}
	q, err := newBinder(env).query(parsed)
	if err != nil {
		return nil, placed(text, err)
	}
	return q, nil
}

func (b *binder) query(parsed *syntax.Query) (*Query, error) {
	q := &Query{}
	s := root("")
	var lets []*syntax.Let
	var scopes []*scope
	for _, statement := range parsed.Statements {
		var err error
		switch n := statement.(type) {
		case *syntax.Set:
			if err = b.set(n, s); err != nil {
				return nil, err
			}
		case *syntax.Declare:
			if s, err = b.declare(n, s); err != nil {
				return nil, err
			}
		case *syntax.Let:
			s = s.with(n.Name, &binding{function: n.Function, x: n.X, scope: s})
			lets, scopes = append(lets, n), append(scopes, s)
		case *syntax.Result:
			results, err := results(n)
			if err != nil {
				return nil, err
			}
			for _, r := range results {
				made, err := b.statement(r, s)
				if err != nil {
					return nil, err
				}
				q.Statements = append(q.Statements, made)
			}
		}
	}
	b.kept.finish()
	for i, n := range lets {
		if !scopes[i].bound.used {
			if err := b.unused(n, scopes[i].bound); err != nil {
				return nil, err
			}
		}
	}
	return q, nil
}

// set reads the request properties that change what a query means; others are
// the caller's to read.
func (b *binder) set(n *syntax.Set, s *scope) error {
	var to *value.Value
	kind := value.DateTime
	switch n.Name {
	case "query_now":
		to = &b.now
	case "query_bin_auto_size":
		to, kind = &b.binSize, 0
	case "query_bin_auto_at":
		to, kind = &b.binAt, 0
	default:
		return nil
	}
	if n.Value == nil {
		return semantic(n.Pos(), "set %s: a value is expected", n.Name)
	}
	e, err := b.independent(n.Value, s, "")
	switch {
	case err != nil:
		return err
	case e.constant == nil || e.constant.IsNull() || kind != 0 && e.kind != kind:
		return semantic(n.Value.Pos(), "set %s: the value is no literal of the type that is expected", n.Name)
	}
	*to = *e.constant
	return nil
}

// unused checks a let that nothing refers to, as the service does.
func (b *binder) unused(n *syntax.Let, v *binding) error {
	if v.function != nil {
		return nil
	}
	if g, ok := v.x.(*syntax.EntityGroup); ok {
		_, err := kindOfGroup(g.Entities)
		return err
	}
	var err error
	if b.isTabular(v.x, v.scope, nil) {
		_, err = b.tabular(v.x, v.scope, "")
	} else {
		_, err = b.independent(v.x, v.scope, "")
	}
	return err
}

func (b *binder) statement(n *syntax.Result, s *scope) (*Statement, error) {
	b.asserts, b.warnings = nil, nil
	p, err := b.tabular(n.X, s, "")
	if err != nil {
		return nil, err
	}
	refs := p.refs()
	p.finish(refs)
	return &Statement{columns: p.columns(), plan: p, refs: refs, asserts: b.asserts, warnings: b.warnings}, nil
}

// declare gives the query's parameters their values.
func (b *binder) declare(n *syntax.Declare, s *scope) (*scope, error) {
	for _, p := range n.Parameters {
		if p.Tabular {
			return nil, unsupported(p.Pos(), "A query parameter cannot be a table.")
		}
		var v value.Value
		text, given := b.env.Values[p.Name]
		switch {
		case given:
			var ok bool
			if v, ok = parameterValue(text, p.Kind); !ok {
				return nil, semantic(p.Pos(), "Query parameter '%s': '%s' is not a value of type %v", p.Name, text, p.Kind)
			}
		case p.Default != nil:
			e, err := b.independent(p.Default, s, "")
			if err != nil {
				return nil, err
			}
			if e.constant == nil {
				return nil, semantic(p.Pos(), "Query parameter '%s': the default value is not a constant", p.Name)
			}
			v = scalar.Convert(*e.constant, p.Kind)
		default:
			return nil, semantic(p.Pos(), "Query parameter '%s' has no value", p.Name)
		}
		s = s.with(p.Name, &binding{scalar: constantExpr(v)})
	}
	return s, nil
}

// parameterValue reads a literal, or text that is no literal.
func parameterValue(text string, k value.Kind) (value.Value, bool) {
	if v, ok := literal(text); ok && (k != value.String || v.Kind() == value.String) {
		if c := scalar.Convert(v, k); v.IsNull() || !c.IsNull() {
			return c, true
		}
	}
	switch k {
	case value.String:
		return value.NewString(text), true
	case value.Dynamic:
		return value.DynamicJSON(text), true
	}
	v := scalar.Convert(value.NewString(strings.TrimSpace(text)), k)
	return v, !v.IsNull()
}

// literal is the value of a text that is a literal, with or without a sign.
func literal(text string) (value.Value, bool) {
	x, err := syntax.ParseExpression(text)
	if err != nil {
		return value.Value{}, false
	}
	inner := x
	if u, ok := x.(*syntax.Unary); ok {
		inner = u.X
	}
	if _, ok := inner.(*syntax.Literal); !ok {
		return value.Value{}, false
	}
	e, err := newBinder(Environment{}).independent(x, root(""), "")
	if err != nil || e.constant == nil {
		return value.Value{}, false
	}
	return *e.constant, true
}

// Parameter is a parameter of a stored function.
type Parameter struct {
	Name    string
	Kind    value.Kind     // of a scalar parameter
	Tabular bool           // it is a table
	Columns []value.Column // that the table must have; empty for (*)
	Default string         // a literal, "" for none
}

// ParseFunctionParameters reads the parameters of a function with their
// parentheses, such as `(a:long = 1, T:(x:string))`. The error is a *Error.
func ParseFunctionParameters(text string) ([]Parameter, error) {
	parsed, err := syntax.ParseParameters(text)
	if err != nil {
		return nil, placed(text, err)
	}
	list := make([]Parameter, len(parsed))
	for i, p := range parsed {
		list[i] = Parameter{Name: p.Name, Kind: p.Kind, Tabular: p.Tabular, Columns: p.Columns}
		if p.Default != nil {
			list[i].Default = syntax.Text(p.Default)
		}
	}
	return list, nil
}

// errDone ends a run whose reader wants no more rows.
var errDone = errors.New("the reader has enough rows")

func (s *Statement) rows(ctx context.Context) iter.Seq2[[]value.Value, error] {
	return func(yield func([]value.Value, error) bool) {
		out := make([]value.Value, len(s.refs))
		x := newExecution(ctx, &s.scanned)
		if err := hold(x, s.asserts); err != nil {
			yield(nil, err)
			return
		}
		err := s.plan.run(x, func(f *frame) error {
			for i, r := range s.refs {
				out[i] = f.at(r)
			}
			if !yield(out, nil) {
				return errDone
			}
			return nil
		})
		if err != nil && err != errDone {
			yield(nil, err)
		}
	}
}
