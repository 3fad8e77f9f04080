package syntax

import (
	"fmt"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// Kusto's words for what cannot be parsed.
const (
	recognition      = "A recognition error occurred."
	incomplete       = "The incomplete fragment is unexpected"
	operatorExpected = "Query operator expected."
)

// maxDepth limits the nesting of parentheses, brackets and braces, and the number
// of consecutive operators, so that no text exhausts the stack.
const maxDepth = 200

// ParseQuery reads a query: statements separated by semicolons. The error is a
// *Error.
func ParseQuery(text string) (*Query, error) {
	p, err := newParser(text)
	if err != nil {
		return nil, err
	}
	q := p.statements()
	p.expectEnd()
	if p.err != nil {
		return nil, p.err
	}
	return q, nil
}

// ParseExpression reads one expression, scalar or tabular. The error is a
// *Error.
func ParseExpression(text string) (Expr, error) {
	p, err := newParser(text)
	if err != nil {
		return nil, err
	}
	x := p.pipe()
	p.expectEnd()
	if p.err != nil {
		return nil, p.err
	}
	return x, nil
}

// ParseParameters reads the parameters of a function with their parentheses,
// such as `(a:long = 1, T:(x:string))`. The error is a *Error.
func ParseParameters(text string) ([]Parameter, error) {
	p, err := newParser(text)
	if err != nil {
		return nil, err
	}
	parameters := p.parameters()
	p.expectEnd()
	if p.err != nil {
		return nil, p.err
	}
	return parameters, nil
}

// ParseBody reads the body of a function, with or without its braces. The
// error is a *Error.
func ParseBody(text string) (*Query, error) {
	p, err := newParser(text)
	if err != nil {
		return nil, err
	}
	braces := p.accept("{")
	q := p.statements()
	if braces {
		p.expect("}")
	}
	p.expectEnd()
	if p.err != nil {
		return nil, p.err
	}
	return q, nil
}

// parser holds the tokens. The first error is kept and moves the parser to the
// end, where every loop stops; results are void then.
type parser struct {
	tokens []Token
	at     int
	depth  int
	terms  bool // within the predicate of search
	err    error
}

func newParser(text string) (*parser, error) {
	tokens, err := Lex(text)
	if err != nil {
		return nil, err
	}
	return &parser{tokens: tokens}, nil
}

// peek is the token n behind the current one; the last token stands for all
// behind it.
func (p *parser) peek(n int) Token { return p.tokens[min(p.at+n, len(p.tokens)-1)] }

func (p *parser) current() Token { return p.peek(0) }

func (p *parser) here() Place { return Place(p.current().Offset) }

func (p *parser) next() Token {
	t := p.current()
	p.at = min(p.at+1, len(p.tokens)-1)
	return t
}

func (p *parser) is(text string) bool { return p.current().Is(text) }

func (p *parser) accept(text string) bool {
	if p.is(text) {
		p.next()
		return true
	}
	return false
}

func (p *parser) expect(text string) {
	if !p.accept(text) {
		p.unexpected()
	}
}

func (p *parser) expectEnd() {
	if p.current().Kind != EndToken {
		p.unexpected()
	}
}

// fail keeps the first error.
func (p *parser) fail(t Token, format string, args ...any) {
	if p.err == nil {
		p.err = errorAt(t, format, args...)
	}
	p.at = len(p.tokens) - 1
}

func (p *parser) unexpected() {
	t := p.current()
	if t.Kind == EndToken {
		p.fail(t, incomplete)
		return
	}
	p.fail(t, recognition)
}

// unsupported refuses good KQL that is not evaluated here.
func (p *parser) unsupported(t Token, format string, args ...any) {
	if p.err == nil {
		p.err = &Error{Message: fmt.Sprintf(format, args...), Offset: t.Offset, Token: t.Text, Unsupported: true}
	}
	p.at = len(p.tokens) - 1
}

// enter counts nesting; it is false, with an error, where it is too deep.
func (p *parser) enter() bool {
	if p.depth++; p.depth > maxDepth {
		p.fail(p.current(), "The query is nested more than %d levels deep.", maxDepth)
		return false
	}
	return true
}

func (p *parser) leave() { p.depth-- }

// name reads a name, bare or bracketed.
func (p *parser) name() string {
	t := p.current()
	if t.Kind != NameToken && t.Kind != QuotedToken {
		p.unexpected()
		return ""
	}
	p.next()
	return t.Text
}

// kind reads the name of a type.
func (p *parser) kind() value.Kind {
	t := p.current()
	k, ok := value.ParseKind(p.name())
	if !ok && p.err == nil {
		p.fail(t, "Type '%s' is not known.", t.Text)
	}
	return k
}

// columns reads `a:long, b:string` up to the closing parenthesis.
func (p *parser) columns() []value.Column {
	var columns []value.Column
	for p.err == nil && !p.is(")") {
		name := p.name()
		p.expect(":")
		columns = append(columns, value.Column{Name: name, Kind: p.kind()})
		if !p.accept(",") {
			break
		}
	}
	p.expect(")")
	return columns
}

// text reads a string literal; adjacent ones are joined.
func (p *parser) text() string {
	t := p.current()
	if t.Kind != LiteralToken || t.Value.Kind() != value.String {
		p.unexpected()
		return ""
	}
	text := ""
	for t.Kind == LiteralToken && t.Value.Kind() == value.String {
		text += t.Value.Text()
		p.next()
		t = p.current()
	}
	return text
}

// isString says whether a string literal comes next.
func (p *parser) isString() bool {
	t := p.current()
	return t.Kind == LiteralToken && t.Value.Kind() == value.String
}
