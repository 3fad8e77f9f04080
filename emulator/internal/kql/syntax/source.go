package syntax

import "github.com/tvmexport/tvmexport/emulator/internal/kql/value"

// pipe reads a source and the operators behind it, or a scalar expression.
func (p *parser) pipe() Expr {
	at := p.here()
	source := p.source()
	if !p.is("|") {
		return source
	}
	x := &Pipe{Place: at, Source: source}
	for p.accept("|") {
		if len(x.Operators) == maxDepth {
			p.fail(p.current(), "The query has more than %d operators in a row.", maxDepth)
			break
		}
		x.Operators = append(x.Operators, p.operator())
	}
	return x
}

// source reads a table by itself, or an expression.
func (p *parser) source() Expr {
	t, following := p.current(), p.peek(1)
	if t.Kind != NameToken {
		return p.expr()
	}
	named := following.Kind == NameToken || following.Kind == QuotedToken
	switch t.Text {
	case "macro":
		if p.beginsMacro() {
			return readMacro(p)
		}
	case "datatable":
		if following.Is("(") {
			return p.datatable()
		}
	case "range":
		if named && p.peek(2).Is("from") {
			return p.rangeSource()
		}
	case "print":
		if named || following.Is("(") || following.Is("-") || following.Kind == LiteralToken || following.Kind == DynamicToken {
			p.next()
			return &Print{Place: Place(t.Offset), Items: p.items()}
		}
	case "union":
		if named || following.Is("(") || following.Is("*") {
			p.next()
			return p.union(Place(t.Offset))
		}
	case "search":
		if named || following.Is("(") || following.Is("*") || following.Kind == LiteralToken {
			p.next()
			return p.search(Place(t.Offset))
		}
	case "find":
		if named || following.Is("(") || following.Is("*") || following.Kind == LiteralToken {
			p.next()
			return readFind(p, Place(t.Offset))
		}
	case "externaldata", "external_table", "evaluate":
		if following.Is("(") || named {
			p.unsupported(t, "%s is not supported here.", t.Text)
			return nil
		}
	}
	return p.expr()
}

func (p *parser) datatable() *Datatable {
	x := &Datatable{Place: p.here()}
	p.next()
	p.expect("(")
	x.Columns = p.columns()
	if t := p.current(); t.Kind == QuotedToken { // one string, read as a bracketed name
		p.next()
		x.Values = []Expr{&Literal{Place: Place(t.Offset), Value: value.NewString(t.Text)}}
		return x
	}
	p.expect("[")
	for p.err == nil && !p.is("]") {
		x.Values = append(x.Values, p.unary())
		if !p.accept(",") {
			break
		}
	}
	p.expect("]")
	return x
}

func (p *parser) rangeSource() *Range {
	x := &Range{Place: p.here()}
	p.next()
	x.Name = p.name()
	p.expect("from")
	x.From = p.expr()
	p.expect("to")
	x.To = p.expr()
	p.expect("step")
	x.Step = p.expr()
	return x
}

// union reads what follows the word.
func (p *parser) union(at Place) *Union {
	x := &Union{Place: at}
	p.options(map[string]func(Token){
		"kind":       func(t Token) { x.Kind = t.Text },
		"withsource": func(t Token) { x.WithSource = t.Text },
		"with_source": func(t Token) {
			x.WithSource = t.Text
		},
		"isfuzzy": func(t Token) { x.Fuzzy = t.Value.Kind() == value.Bool && t.Value.Bool() },
	})
	switch x.Kind {
	case "", "inner", "outer":
	default:
		p.fail(p.current(), "union: kind '%s' is not known.", x.Kind)
	}
	for p.err == nil {
		x.Tables = append(x.Tables, p.table())
		if !p.accept(",") {
			break
		}
	}
	return x
}

// table reads a table of a list: a name, a pattern, a call, or an expression in
// parentheses.
func (p *parser) table() Expr {
	at := p.here()
	if pattern, ok := p.pattern(); ok {
		return &Wild{Place: at, Pattern: pattern}
	}
	t := p.current()
	x := p.postfix()
	switch x.(type) {
	case *Ident, *Call, *Member, *Pipe, *Union, *Search, *Find, *MacroExpand, *Datatable, *Range, *Print:
	default:
		p.fail(t, recognition)
	}
	return x
}

// pattern reads a name with asterisks, if there is one: tokens without space
// between them.
func (p *parser) pattern() (string, bool) {
	text, wild, n := "", false, 0
	for {
		t := p.peek(n)
		if n > 0 && t.Space || t.Kind != NameToken && t.Kind != LiteralToken && !t.Is("*") {
			break
		}
		if t.Kind == LiteralToken && (n == 0 || t.Value.Kind() != value.Long) {
			break
		}
		wild = wild || t.Is("*")
		text += t.Text
		n++
	}
	if !wild {
		return "", false
	}
	p.at += n
	return text, true
}

// options reads `name = value` pairs before an operator's operands; hints are
// passed over.
func (p *parser) options(known map[string]func(Token)) {
	for p.err == nil {
		t := p.current()
		if t.Is("hint") && p.peek(1).Is(".") {
			p.hint()
			continue
		}
		set, ok := known[t.Text]
		if t.Kind != NameToken || !ok || !p.peek(1).Is("=") {
			return
		}
		p.next()
		p.next()
		v := p.next()
		if v.Kind == EndToken {
			p.unexpected()
			return
		}
		set(v)
	}
}

// hint passes over `hint.strategy = shuffle`, which changes no result.
func (p *parser) hint() {
	p.next()
	for p.accept(".") {
		p.name()
	}
	p.expect("=")
	if p.current().Kind == EndToken {
		p.unexpected()
	}
	p.next()
}

func (p *parser) items() []Item {
	var items []Item
	for p.err == nil {
		items = append(items, p.item())
		if !p.accept(",") {
			break
		}
	}
	return items
}

// item reads `x`, `a = x` or `(a, b) = x`.
func (p *parser) item() Item {
	x := Item{Place: p.here()}
	t := p.current()
	switch {
	case (t.Kind == NameToken || t.Kind == QuotedToken) && p.peek(1).Is("="):
		x.Names = []string{p.name()}
		p.next()
	case t.Is("(") && p.namesList():
		p.next()
		for p.err == nil && !p.is(")") {
			x.Names = append(x.Names, p.name())
			if !p.accept(",") {
				break
			}
		}
		p.expect(")")
		p.expect("=")
	}
	x.X = p.expr()
	return x
}

// namesList says whether `(a, b) =` comes next.
func (p *parser) namesList() bool {
	for n := 1; ; n++ {
		switch t := p.peek(n); {
		case t.Kind == NameToken, t.Kind == QuotedToken, t.Is(","):
		case t.Is(")"):
			return p.peek(n + 1).Is("=")
		default:
			return false
		}
	}
}
