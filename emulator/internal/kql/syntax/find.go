package syntax

import "github.com/tvmexport/tvmexport/emulator/internal/kql/value"

// Find is find. Tables is nil where it looks in all; its predicate holds terms, as
// that of Search does. Columns is nil for project-smart.
type Find struct {
	Place
	WithSource string // "" for source_
	Tables     []Expr
	Predicate  Expr
	Columns    []FindColumn
}

// FindColumn is a column of a find's project; Kind is 0 where it is left out.
type FindColumn struct {
	Place
	Name string
	Kind value.Kind
}

// inTables reads the list of tables in parentheses behind the word in; nil where
// there is none.
func inTables(p *parser) []Expr {
	if !p.is("in") || !p.peek(1).Is("(") {
		return nil
	}
	p.next()
	p.next()
	var list []Expr
	for p.err == nil {
		list = append(list, p.table())
		if !p.accept(",") {
			break
		}
	}
	p.expect(")")
	return list
}

// readFind reads what follows the word.
func readFind(p *parser, at Place) *Find {
	x := &Find{Place: at}
	source := func(t Token) { x.WithSource = t.Text }
	p.options(map[string]func(Token){"withsource": source, "with_source": source})
	if x.Tables = inTables(p); x.Tables != nil {
		p.expect("where")
	} else {
		p.accept("where")
	}
	before := p.terms
	p.terms = true
	x.Predicate = p.expr()
	p.terms = before
	switch name, n := p.operatorName(); name {
	case "project-smart":
		p.at += n
	case "project":
		p.next()
		readFindColumns(p, x)
	}
	return x
}

func readFindColumns(p *parser, x *Find) {
	for p.err == nil {
		if p.peek(1).Is("(") {
			p.unsupported(p.current(), "find with %s() behind project is not supported here.", p.current().Text)
			return
		}
		c := FindColumn{Place: p.here(), Name: p.name()}
		if p.accept(":") {
			c.Kind = p.kind()
		}
		x.Columns = append(x.Columns, c)
		if !p.accept(",") {
			break
		}
	}
}

func (p *printer) find(n *Find) {
	p.put("find ")
	if n.WithSource != "" {
		p.put("withsource=", Name(n.WithSource), " ")
	}
	if len(n.Tables) > 0 {
		p.put("in (")
		p.list(n.Tables)
		p.put(") ")
	}
	p.put("where ", n.Predicate)
	for i, c := range n.Columns {
		p.put(separator(i, ", "))
		if i == 0 {
			p.put(" project ")
		}
		p.put(Name(c.Name))
		if c.Kind != 0 {
			p.put(":", c.Kind.String())
		}
	}
}
