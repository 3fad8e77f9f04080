package syntax

// Search is search, as an operator or as a source. Tables is nil where it has a
// table before it or searches all; its predicate holds terms: texts in
// place of conditions, and `column:"term"`, a Binary with the operator ":".
type Search struct {
	Place
	CaseSensitive bool
	Tables        []Expr
	Predicate     Expr
}

// search reads what follows the word.
func (p *parser) search(at Place) *Search {
	x := &Search{Place: at}
	p.options(map[string]func(Token){"kind": func(t Token) {
		switch t.Text {
		case "case_sensitive":
			x.CaseSensitive = true
		case "default", "case_insensitive":
		default:
			p.fail(t, "search: kind '%s' is not known.", t.Text)
		}
	}})
	x.Tables = inTables(p)
	before := p.terms
	p.terms = true
	x.Predicate = p.expr()
	p.terms = before
	return x
}

func (p *printer) search(n *Search) {
	p.put("search ")
	if n.CaseSensitive {
		p.put("kind=case_sensitive ")
	}
	if len(n.Tables) > 0 {
		p.put("in (")
		p.list(n.Tables)
		p.put(") ")
	}
	p.put(n.Predicate)
}
