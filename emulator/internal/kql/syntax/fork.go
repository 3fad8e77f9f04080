package syntax

// The operators with several results, and those that stand for others.
type (
	// Fork is fork: each branch is a result of its own.
	Fork struct {
		Place
		Branches []ForkBranch
	}
	// Facet is facet: a result for each column, and one for With; that is nil where it
	// is left out.
	Facet struct {
		Place
		Columns []*Ident
		With    []Operator
	}
	// TopHitters is top-hitters. By is nil where rows are counted.
	TopHitters struct {
		Place
		N  Expr
		Of Item
		By *Item
	}
)

// ForkBranch is a subquery of fork; Name is "" for none.
type ForkBranch struct {
	Place
	Name string
	Body []Operator
}

func readFork(p *parser, at Place) Operator {
	x := &Fork{Place: at}
	for p.err == nil {
		branch := ForkBranch{Place: p.here()}
		if t := p.current(); (t.Kind == NameToken || t.Kind == QuotedToken) && p.peek(1).Is("=") {
			branch.Name = p.name()
			p.next()
		}
		branch.Body = p.body()
		x.Branches = append(x.Branches, branch)
		if !p.is("(") && !p.peek(1).Is("=") {
			break
		}
	}
	return x
}

func readFacet(p *parser, at Place) Operator {
	x := &Facet{Place: at}
	p.expect("by")
	for p.err == nil {
		x.Columns = append(x.Columns, &Ident{Place: p.here(), Name: p.name()})
		if !p.accept(",") {
			break
		}
	}
	if p.accept("with") {
		x.With = p.body()
	}
	return x
}

func readTopHitters(p *parser, at Place) Operator {
	x := &TopHitters{Place: at, N: p.unary()}
	p.expect("of")
	x.Of = p.item()
	if p.accept("by") {
		by := p.item()
		x.By = &by
	}
	return x
}

// several prints the operators of this file, and find.
func (p *printer) several(node Operator) {
	switch n := node.(type) {
	case *Fork:
		p.put("fork")
		for _, branch := range n.Branches {
			p.put(" ")
			if branch.Name != "" {
				p.put(Name(branch.Name), " = ")
			}
			p.body(branch.Body)
		}
	case *Facet:
		p.put("facet by ")
		for i, c := range n.Columns {
			p.put(separator(i, ", "), c)
		}
		if n.With != nil {
			p.put(" with ")
			p.body(n.With)
		}
	case *TopHitters:
		p.put("top-hitters (", n.N, ") of ")
		p.items([]Item{n.Of})
		if n.By != nil {
			p.put(" by ")
			p.items([]Item{*n.By})
		}
	case *Find:
		p.find(n)
	}
}
