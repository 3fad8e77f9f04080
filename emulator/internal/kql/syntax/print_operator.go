package syntax

import "github.com/tvmexport/tvmexport/emulator/internal/kql/value"

func (p *printer) operator(node Operator) {
	switch n := node.(type) {
	case *Where:
		p.put("where ", n.Predicate)
	case *Project:
		p.put("project ")
		p.items(n.Items)
	case *Extend:
		p.put("extend ")
		p.items(n.Items)
	case *Serialize:
		p.put("serialize")
		if len(n.Items) > 0 {
			p.put(" ")
			p.items(n.Items)
		}
	case *ProjectRename:
		p.put("project-rename ")
		p.items(n.Items)
	case *ProjectNames:
		p.projectNames(n)
	case *Summarize:
		p.summarize(n)
	case *Distinct:
		if len(n.Items) == 0 {
			p.put("distinct *")
			return
		}
		p.put("distinct ")
		p.items(n.Items)
	case *Count:
		p.put("count")
	case *Take:
		p.put("take ", n.N)
	case *Top:
		p.put("top ", n.N, " by ")
		p.orders(n.By)
	case *Sort:
		p.put("sort by ")
		p.orders(n.By)
	case *Join:
		p.join(n)
	case *Sample:
		if n.Of == nil {
			p.put("sample ", n.N)
			return
		}
		p.put("sample-distinct ", n.N, " of ", n.Of)
	default:
		p.otherOperator(node)
	}
}

func (p *printer) otherOperator(node Operator) {
	switch n := node.(type) {
	case *Union:
		p.union(n)
	case *MvExpand:
		p.expansion("mv-expand ", n)
	case *Parse:
		p.parse(n)
	case *As:
		p.put("as ")
		if n.Materialized {
			p.put("hint.materialized=true ")
		}
		p.put(Name(n.Name))
	case *GetSchema:
		p.put("getschema")
	case *Evaluate:
		p.put("evaluate ", n.Call)
		if n.Schema != nil {
			p.put(" : ")
			p.schema(n.Schema)
		}
	case *Invoke:
		p.put("invoke ", n.Call)
	case *Render:
		p.put("render table")
	case *Consume:
		p.put("consume")
	default:
		p.nested(node)
	}
}

func (p *printer) projectNames(n *ProjectNames) {
	p.put(n.Op, " ")
	for i, x := range n.Names {
		p.put(separator(i, ", "))
		if isPattern(x.Name) {
			p.put(x.Name)
		} else {
			p.put(Name(x.Name))
		}
		if x.Order != "" {
			p.put(" ", x.Order)
		}
	}
}

// isPattern says whether a name holds an asterisk and nothing that would have
// to be bracketed.
func isPattern(name string) bool {
	wild := false
	for i := range len(name) {
		wild = wild || name[i] == '*'
		if name[i] != '*' && !isNamePart(name[i]) {
			return false
		}
	}
	return wild
}

func (p *printer) summarize(n *Summarize) {
	p.put("summarize ")
	p.items(n.Aggregates)
	if len(n.By) > 0 {
		if len(n.Aggregates) > 0 {
			p.put(" ")
		}
		p.put("by ")
		p.items(n.By)
	}
}

func (p *printer) orders(list []Order) {
	for i, o := range list {
		p.put(separator(i, ", "), o.X)
		if o.Asc {
			p.put(" asc")
		} else {
			p.put(" desc")
		}
		switch {
		case o.NullsGiven && o.NullsFirst:
			p.put(" nulls first")
		case o.NullsGiven:
			p.put(" nulls last")
		}
	}
}

func (p *printer) join(n *Join) {
	op := "join "
	if n.Lookup {
		op = "lookup "
	}
	p.put(op)
	if n.Kind != "" {
		p.put("kind=", n.Kind, " ")
	}
	p.put("(", n.Right, ") on ")
	p.list(n.On)
}

func (p *printer) union(n *Union) {
	p.put("union ")
	if n.Kind != "" {
		p.put("kind=", n.Kind, " ")
	}
	if n.WithSource != "" {
		p.put("withsource=", Name(n.WithSource), " ")
	}
	if n.Fuzzy {
		p.put("isfuzzy=true ")
	}
	p.list(n.Tables)
}

func (p *printer) expansion(op string, n *MvExpand) {
	p.put(op)
	if n.Arrays {
		p.put("kind=array ")
	}
	if n.ItemIndex != "" {
		p.put("with_itemindex=", Name(n.ItemIndex), " ")
	}
	for i, e := range n.Items {
		p.put(separator(i, ", "))
		if e.Name != "" {
			p.put(Name(e.Name), " = ")
		}
		p.put(e.X)
		if e.Kind != 0 {
			p.put(" to typeof(", e.Kind.String(), ")")
		}
	}
	if n.Limit != nil {
		p.put(" limit ", n.Limit)
	}
}

func (p *printer) parse(n *Parse) {
	op := "parse "
	if n.Filter {
		op = "parse-where "
	}
	p.put(op, "kind=", n.Kind, " ")
	if n.Flags != "" {
		p.put("flags=", n.Flags, " ")
	}
	p.put(n.X, " with")
	for _, x := range n.Parts {
		switch {
		case x.Star:
			p.put(" *")
		case x.Name == "":
			p.put(" ", quote(x.Text))
		default:
			p.put(" ", Name(x.Name))
			if x.Kind != value.String {
				p.put(":", x.Kind.String())
			}
		}
	}
}
