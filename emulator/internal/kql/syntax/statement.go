package syntax

// statements reads statements up to the end, a closing brace or a closing parenthesis.
func (p *parser) statements() *Query {
	q := &Query{}
	for p.err == nil {
		for p.accept(";") {
		}
		if p.endsStatements() {
			break
		}
		if s := p.statement(); p.err == nil {
			q.Statements = append(q.Statements, s)
		}
		if !p.is(";") && !p.endsStatements() {
			p.unexpected()
		}
	}
	return q
}

func (p *parser) endsStatements() bool {
	return p.current().Kind == EndToken || p.is("}") || p.is(")")
}

func (p *parser) statement() Statement {
	t, following := p.current(), p.peek(1)
	named := following.Kind == NameToken || following.Kind == QuotedToken
	switch {
	case t.Is("let") && named && p.peek(2).Is("="):
		return p.let()
	case t.Is("set") && named:
		return p.set()
	case t.Is("declare") && following.Is("query_parameters"):
		at := p.here()
		p.next()
		p.next()
		return &Declare{Place: at, Parameters: p.parameters()}
	case (t.Is("alias") || t.Is("restrict") || t.Is("declare")) && named:
		p.unsupported(t, "The %s statement is not supported here.", t.Text)
		return nil
	}
	return &Result{Place: p.here(), X: p.pipe()}
}

func (p *parser) let() *Let {
	l := &Let{Place: p.here()}
	p.next()
	l.Name = p.name()
	p.expect("=")
	view := p.is("view") && p.peek(1).Is("(")
	if view {
		p.next()
	}
	if view || p.is("(") && p.declaresFunction() {
		f := &Function{Place: p.here(), View: view, Parameters: p.parameters()}
		if p.enter() {
			p.expect("{")
			f.Body = p.statements()
			p.expect("}")
		}
		p.leave()
		l.Function = f
		return l
	}
	if p.is("entity_group") && p.peek(1).Is("[") {
		l.X = readEntityGroup(p)
		return l
	}
	l.X = p.pipe()
	return l
}

// declaresFunction says whether the parentheses that begin here are the
// parameters of a function: a brace follows them.
func (p *parser) declaresFunction() bool {
	depth := 0
	for i := p.at; i < len(p.tokens); i++ {
		switch t := p.tokens[i]; {
		case t.Is("("):
			depth++
		case t.Is(")"):
			if depth--; depth == 0 {
				return p.tokens[min(i+1, len(p.tokens)-1)].Is("{")
			}
		case t.Is(";"):
			return false
		}
	}
	return false
}

func (p *parser) set() *Set {
	s := &Set{Place: p.here()}
	p.next()
	s.Name = p.name()
	for p.accept(".") { // names such as query.take_max_records
		s.Name += "." + p.name()
	}
	if p.accept("=") {
		s.Value = p.unary()
	}
	return s
}

func (p *parser) parameters() []Parameter {
	p.expect("(")
	var list []Parameter
	for p.err == nil && !p.is(")") {
		list = append(list, p.parameter())
		if !p.accept(",") {
			break
		}
	}
	p.expect(")")
	return list
}

func (p *parser) parameter() Parameter {
	x := Parameter{Place: p.here(), Name: p.name()}
	p.expect(":")
	if p.accept("(") {
		x.Tabular = true
		if p.accept("*") {
			p.expect(")")
		} else {
			x.Columns = p.columns()
		}
		return x
	}
	x.Kind = p.kind()
	if p.accept("=") {
		x.Default = p.unary()
	}
	return x
}
