package syntax

// nested prints the operators of nested.go.
func (p *printer) nested(node Operator) {
	switch n := node.(type) {
	case *MvApply:
		p.expansion("mv-apply ", &n.MvExpand)
		p.put(" on ")
		p.body(n.Body)
	case *Partition:
		strategy := "native"
		if n.Legacy {
			strategy = "legacy"
		}
		p.put("partition hint.strategy=", strategy, " by ", n.By, " ")
		p.body(n.Body)
	case *MakeSeries:
		p.makeSeries(n)
	case *TopNested:
		for i, l := range n.Levels {
			p.put(separator(i, ", "), "top-nested ")
			if l.N != nil {
				p.put("(", l.N, ") ")
			}
			p.put("of ")
			p.items([]Item{l.Of})
			if l.Others != nil {
				p.put(" with others = (", l.Others, ")")
			}
			p.put(" by ")
			p.items([]Item{l.By})
			if l.Asc {
				p.put(" asc")
			}
		}
	case *ParseKV:
		p.parseKV(n)
	case *Search:
		p.search(n)
	case *Scan:
		p.scan(n)
	default:
		p.several(node)
	}
}

func (p *printer) body(list []Operator) {
	p.put("(")
	for i, o := range list {
		p.put(separator(i, " | "))
		p.operator(o)
	}
	p.put(")")
}

func (p *printer) makeSeries(n *MakeSeries) {
	p.put("make-series ")
	if n.NonEmpty {
		p.put("kind=nonempty ")
	}
	for i, item := range n.Aggregates {
		p.put(separator(i, ", "))
		p.items([]Item{item.Item})
		if item.Default != nil {
			p.put(" default = (", item.Default, ")")
		}
	}
	p.put(" on ")
	p.items([]Item{n.Axis})
	if n.From != nil {
		p.put(" from ", n.From)
	}
	if n.To != nil {
		p.put(" to ", n.To)
	}
	p.put(" step ", n.Step)
	if len(n.By) > 0 {
		p.put(" by ")
		p.items(n.By)
	}
}

func (p *printer) scan(n *Scan) {
	p.put("scan ")
	if n.MatchID != "" {
		p.put("with_match_id=", Name(n.MatchID), " ")
	}
	if len(n.Declare) > 0 {
		p.put("declare ")
		p.parameters(n.Declare)
		p.put(" ")
	}
	p.put("with (")
	for _, s := range n.Steps {
		p.put("step ", Name(s.Name), " output=", s.Output, ": ", s.When)
		if len(s.Assign) > 0 {
			p.put(" => ")
			p.items(s.Assign)
		}
		p.put("; ")
	}
	p.put(")")
}
