package command

import (
	"fmt"
	"strings"

	"github.com/google/uuid"
)

// Error says why a text is not a command that the emulator knows.
type Error struct {
	Offset       int // in bytes
	Line, Column int // 1-based
	Token        string
	Reason       string // a sentence
	Unsupported  bool   // the service may know the command; the emulator does not
}

// Error is the reason with its place.
func (e *Error) Error() string {
	return fmt.Sprintf("%s [line:position=%d:%d]", e.Reason, e.Line, e.Column)
}

// parser reads one command. The first error ends the parsing by panic(failure),
// which Parse catches; that keeps the grammar readable.
type parser struct {
	lex    lexer
	ahead  []token
	behind int // offset behind the last token taken
}

type failure struct{ err *Error }

func (p *parser) fail(t token, format string, args ...any) {
	shown := t.value
	if t.kind != text && t.to > t.at {
		shown = p.lex.src[t.at:t.to]
	}
	panic(failure{&Error{Offset: t.at, Token: shown, Reason: fmt.Sprintf(format, args...)}})
}

func (p *parser) unexpected(t token, wanted string) {
	if t.kind == end {
		p.fail(t, "The incomplete fragment is unexpected: %s expected at the end of the command.", wanted)
	}
	p.fail(t, "%s expected, not '%s'.", wanted, p.lex.src[t.at:t.to])
}

// peek is the token n places ahead, 0 being the next.
func (p *parser) peek(n int) token {
	for len(p.ahead) <= n {
		t, err := p.lex.next()
		if err != nil {
			panic(failure{err.(*Error)}) // next makes no other
		}
		p.ahead = append(p.ahead, t)
	}
	return p.ahead[n]
}

func (p *parser) take() token {
	t := p.peek(0)
	p.ahead = p.ahead[1:]
	p.behind = t.to
	return t
}

// rest is the text behind the last token, which ends the parsing.
func (p *parser) rest() string {
	s := p.lex.src[p.behind:]
	p.ahead = nil
	p.lex.at = len(p.lex.src)
	return s
}

func (t token) isWord(w string) bool   { return t.kind == word && strings.EqualFold(t.value, w) }
func (t token) isSymbol(s string) bool { return t.kind == symbol && t.value == s }

// isWord says whether the words come next.
func (p *parser) isWord(words ...string) bool {
	for i, w := range words {
		if !p.peek(i).isWord(w) {
			return false
		}
	}
	return true
}

// accept takes the words if they come next.
func (p *parser) accept(words ...string) bool {
	if !p.isWord(words...) {
		return false
	}
	for range words {
		p.take()
	}
	return true
}

func (p *parser) expect(words ...string) {
	for _, w := range words {
		if !p.accept(w) {
			p.unexpected(p.peek(0), "'"+w+"'")
		}
	}
}

func (p *parser) acceptSymbol(s string) bool {
	if !p.peek(0).isSymbol(s) {
		return false
	}
	p.take()
	return true
}

func (p *parser) expectSymbol(s string) {
	if !p.acceptSymbol(s) {
		p.unexpected(p.peek(0), "'"+s+"'")
	}
}

// word takes any word, in lower case.
func (p *parser) word(wanted string) string {
	t := p.take()
	if t.kind != word {
		p.unexpected(t, wanted)
	}
	return strings.ToLower(t.value)
}

// string takes a string literal.
func (p *parser) string(wanted string) string {
	t := p.take()
	if t.kind != text {
		p.unexpected(t, wanted)
	}
	return t.value
}

// name takes an entity's name: bare, ['x'], ["x"], 'x' or "x".
func (p *parser) name(wanted string) string {
	t := p.take()
	switch {
	case t.kind == word || t.kind == text && t.value != "":
		return t.value
	case t.isSymbol("[") && p.peek(0).kind == text && p.peek(0).value != "":
		n := p.take().value
		p.expectSymbol("]")
		return n
	}
	p.unexpected(t, wanted)
	return ""
}

// names takes (a, b, c).
func (p *parser) names(wanted string) []string {
	return list(p, func() string { return p.name(wanted) })
}

// list takes (item, item).
func list[T any](p *parser, item func() T) []T {
	p.expectSymbol("(")
	items := []T{item()}
	for p.acceptSymbol(",") {
		items = append(items, item())
	}
	p.expectSymbol(")")
	return items
}

// guid takes a guid, bare, quoted or as guid(...).
func (p *parser) guid() uuid.UUID {
	t := p.take()
	value := t.value
	if t.isWord("guid") && p.acceptSymbol("(") {
		value = p.raw()
	}
	id, err := uuid.Parse(value)
	if err != nil {
		p.fail(t, "A guid expected, not '%s'.", value)
	}
	return id
}

// raw takes the text up to the parenthesis that closes an open one, and that.
func (p *parser) raw() string {
	start, depth := p.peek(0).at, 1
	for {
		t := p.take()
		switch {
		case t.kind == end:
			p.unexpected(t, "')'")
		case t.isSymbol("("):
			depth++
		case t.isSymbol(")"):
			depth--
			if depth == 0 {
				return strings.TrimSpace(p.lex.src[start:t.at])
			}
		}
	}
}

// scalar takes the value of a property: a string, or a literal as it is
// written. Of typed literals such as datetime(x) it is x.
func (p *parser) scalar() string {
	t := p.take()
	switch {
	case t.kind == text:
		return t.value
	case t.kind == word && p.acceptSymbol("("):
		inner := p.raw()
		if v, size, ok := literalIn(inner); ok && size == len(inner) {
			return v
		}
		return inner
	case t.kind == word, t.isSymbol("-"), t.isSymbol("+"):
		to := t.to
		for { // 1.5, 10.00:00:00, -1d
			n := p.peek(0)
			if n.at != to || n.kind != word && !n.isSymbol(".") && !n.isSymbol(":") {
				break
			}
			to = p.take().to
		}
		return p.lex.src[t.at:to]
	}
	p.unexpected(t, "A value")
	return ""
}

func literalIn(s string) (string, int, bool) {
	n := stringPrefix(s)
	if n < 0 {
		return "", 0, false
	}
	v, size, ok := stringLiteral(s[n:], strings.IndexByte(s[:n], '@') >= 0)
	return v, n + size, ok
}

// Properties are those of with (name=value); names in lower case.
type Properties map[string]string

// properties takes with (...) if it comes next.
func (p *parser) properties() Properties {
	if !p.accept("with") {
		return nil
	}
	p.expectSymbol("(")
	with := Properties{}
	for !p.acceptSymbol(")") {
		name := strings.ToLower(p.name("A property name"))
		p.expectSymbol("=")
		with[name] = p.scalar()
		if !p.acceptSymbol(",") && !p.peek(0).isSymbol(")") {
			p.unexpected(p.peek(0), "',' or ')'")
		}
	}
	return with
}

// query takes <| and all that follows.
func (p *parser) query() string {
	p.expectSymbol("<|")
	q := strings.TrimSpace(p.rest())
	if q == "" {
		p.unexpected(p.take(), "A query")
	}
	return q
}

// body takes { ... } to the end of the text.
func (p *parser) body() string {
	p.expectSymbol("{")
	s := strings.TrimRight(p.rest(), " \t\r\n;")
	inner, closed := strings.CutSuffix(s, "}")
	if !closed {
		p.unexpected(p.take(), "'}'")
	}
	return inner
}
