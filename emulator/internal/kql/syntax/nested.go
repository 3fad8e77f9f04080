package syntax

// The operators that hold operators or clauses of their own.
type (
	// MvApply is mv-apply: Body runs over what each row expands to.
	MvApply struct {
		MvExpand
		Body []Operator
	}
	// Partition is partition: Body runs over the rows of each value of By.
	Partition struct {
		Place
		By     *Ident
		Legacy bool // the strategy that has a limit of partitions
		Body   []Operator
	}
	// MakeSeries is make-series. From and To are nil where they are left out.
	MakeSeries struct {
		Place
		NonEmpty       bool
		Aggregates     []SeriesItem
		Axis           Item
		From, To, Step Expr
		By             []Item
	}
	// TopNested is top-nested, one or more levels.
	TopNested struct {
		Place
		Levels []NestedLevel
	}
	// Scan is scan.
	Scan struct {
		Place
		MatchID string // "" for none
		Declare []Parameter
		Steps   []ScanStep
	}
)

// SeriesItem is an aggregate of make-series; Default is nil for none.
type SeriesItem struct {
	Item
	Default Expr
}

// NestedLevel is a level of top-nested. N and Others are nil where they are
// left out.
type NestedLevel struct {
	Place
	N, Others Expr
	Of, By    Item
	Asc       bool
}

// ScanStep is a step of scan. Output is all, last or none.
type ScanStep struct {
	Place
	Name   string
	Output string
	When   Expr
	Assign []Item
}

// body reads the operators of a subquery in parentheses.
func (p *parser) body() []Operator {
	if !p.enter() {
		return nil
	}
	defer p.leave()
	p.expect("(")
	var list []Operator
	for p.err == nil {
		if len(list) == maxDepth {
			p.fail(p.current(), "The query has more than %d operators in a row.", maxDepth)
			break
		}
		if o := p.operator(); p.err == nil {
			list = append(list, o)
		}
		if !p.accept("|") {
			break
		}
	}
	p.expect(")")
	return list
}

func (p *parser) mvApply(at Place) Operator {
	x := &MvApply{MvExpand: *p.mvExpand(at, false)}
	p.expect("on")
	x.Body = p.body()
	return x
}

func (p *parser) partition(at Place) Operator {
	x := &Partition{Place: at, Legacy: true}
	for p.is("hint") && p.peek(1).Is(".") {
		if p.peek(2).Is("strategy") {
			x.Legacy = p.peek(4).Is("legacy")
		}
		p.hint()
	}
	p.expect("by")
	x.By = &Ident{Place: p.here(), Name: p.name()}
	if p.is("{") {
		p.unsupported(p.current(), "partition with a table of its own in the subquery is not supported here.")
		return x
	}
	x.Body = p.body()
	return x
}

func (p *parser) makeSeries(at Place) Operator {
	x := &MakeSeries{Place: at}
	p.options(map[string]func(Token){"kind": func(t Token) {
		if x.NonEmpty = t.Text == "nonempty"; !x.NonEmpty {
			p.fail(t, "make-series: kind '%s' is not known.", t.Text)
		}
	}})
	for p.err == nil {
		item := SeriesItem{Item: p.item()}
		if p.accept("default") {
			p.expect("=")
			item.Default = p.unary()
		}
		x.Aggregates = append(x.Aggregates, item)
		if !p.accept(",") {
			break
		}
	}
	p.expect("on")
	x.Axis = p.item()
	if _, ok := x.Axis.X.(*List); ok {
		p.unsupported(p.current(), "make-series with 'in range()' is not supported here; use from, to and step.")
		return x
	}
	if p.accept("from") {
		x.From = p.sum()
	}
	if p.accept("to") {
		x.To = p.sum()
	}
	p.expect("step")
	x.Step = p.sum()
	if p.accept("by") {
		x.By = p.items()
	}
	return x
}

func (p *parser) topNested(at Place) Operator {
	x := &TopNested{Place: at}
	for p.err == nil {
		l := NestedLevel{Place: p.here()}
		if !p.is("of") {
			l.N = p.unary()
		}
		p.expect("of")
		l.Of = p.item()
		if p.accept("with") {
			p.expect("others")
			p.expect("=")
			l.Others = p.unary()
		}
		p.expect("by")
		l.By = p.item()
		if l.Asc = p.accept("asc"); !l.Asc {
			p.accept("desc")
		}
		x.Levels = append(x.Levels, l)
		if !p.is(",") {
			break
		}
		p.next()
		if name, n := p.operatorName(); name == "top-nested" {
			p.at += n
		} else {
			p.unexpected()
		}
	}
	return x
}

func (p *parser) scan(at Place) Operator {
	x := &Scan{Place: at}
	p.options(map[string]func(Token){"with_match_id": func(t Token) { x.MatchID = t.Text }})
	if p.accept("declare") {
		x.Declare = p.parameters()
	}
	p.expect("with")
	p.expect("(")
	for p.err == nil && !p.is(")") {
		x.Steps = append(x.Steps, p.scanStep())
	}
	p.expect(")")
	if len(x.Steps) == 0 {
		p.unexpected()
	}
	return x
}

func (p *parser) scanStep() ScanStep {
	p.expect("step")
	s := ScanStep{Place: p.here(), Name: p.name(), Output: "all"}
	p.options(map[string]func(Token){"output": func(t Token) {
		switch s.Output = t.Text; t.Text {
		case "all", "last", "none":
		default:
			p.fail(t, "scan: output '%s' is not known.", t.Text)
		}
	}})
	p.expect(":")
	s.When = p.expr()
	if p.accept("=>") {
		s.Assign = p.items()
	}
	p.expect(";")
	return s
}
