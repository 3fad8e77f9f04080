package command

import (
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// Parameter is a parameter of a stored function: scalar, or a table.
type Parameter struct {
	Name    string
	Kind    value.Kind     // of a scalar
	Tabular bool           // a table
	Columns []value.Column // of a table; none: any
	Default string         // literal of a scalar, "" where there is none
}

// ParseParameters reads the parameters of a function with their parentheses:
// (a:long = 1, T:(x:string), U:(*)). The error is a *Error.
func ParseParameters(src string) (parameters []Parameter, err error) {
	p := &parser{lex: lexer{src: src}}
	defer func() {
		switch r := recover().(type) {
		case nil:
		case failure:
			r.err.Line, r.err.Column = place(src, r.err.Offset)
			parameters, err = nil, r.err
		default:
			panic(r)
		}
	}()
	p.expectSymbol("(")
	for !p.acceptSymbol(")") {
		parameters = append(parameters, parameter(p))
		if !p.acceptSymbol(",") && !p.peek(0).isSymbol(")") {
			p.unexpected(p.peek(0), "',' or ')'")
		}
	}
	if t := p.take(); t.kind != end {
		p.unexpected(t, "The end of the parameters")
	}
	return parameters, nil
}

func parameter(p *parser) Parameter {
	q := Parameter{Name: p.name("A parameter name")}
	p.expectSymbol(":")
	if p.peek(0).isSymbol("(") {
		q.Tabular = true
		if p.peek(1).isSymbol("*") {
			p.take()
			p.take()
			p.expectSymbol(")")
			return q
		}
		q.Columns = columns(p)
		return q
	}
	t := p.take()
	kind, ok := value.ParseKind(t.value)
	if t.kind != word || !ok {
		p.unexpected(t, "A parameter type")
	}
	q.Kind = kind
	if p.acceptSymbol("=") {
		from := p.peek(0).at
		p.scalar()
		q.Default = p.lex.src[from:p.behind]
	}
	return q
}
