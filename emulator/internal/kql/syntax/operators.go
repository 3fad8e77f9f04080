package syntax

// operator reads the operator behind a pipe.
func (p *parser) operator() Operator {
	t := p.current()
	if t.Kind != NameToken {
		p.fail(t, operatorExpected)
		return nil
	}
	name, n := p.operatorName()
	if name == macroName { // it takes no rows
		p.fail(t, "macro-expand cannot be behind a pipe: it takes no table.")
		return nil
	}
	if refusedOperators[name] {
		p.unsupported(t, "The %s operator is not supported here.", name)
		return nil
	}
	if !operators[name] {
		p.fail(t, operatorExpected)
		return nil
	}
	p.at = min(p.at+n, len(p.tokens)-1)
	return p.read(name, Place(t.Offset))
}

// operatorName is the name with its dashes, such as project-away, and the
// number of its tokens.
func (p *parser) operatorName() (string, int) {
	name, n := p.current().Text, 1
	for p.peek(n).Is("-") && !p.peek(n).Space && p.peek(n+1).Kind == NameToken && !p.peek(n+1).Space {
		name += "-" + p.peek(n+1).Text
		n += 2
	}
	return name, n
}

// refusedOperators are Kusto's, and not evaluated here.
var refusedOperators = map[string]bool{
	"mvapply": true, "reduce": true, "make-graph": true,
	"graph-match": true, "graph-shortest-paths": true, "graph-to-table": true, "graph-mark-components": true,
	"assert-schema": true, "execute-and-cache": true,
	"project-by-names": true, "project-smart": true, "graph-where-nodes": true, "graph-where-edges": true,
	"partition-by": true,
}

// read reads the operands of one of the operators; the name has been read.
func (p *parser) read(name string, at Place) Operator {
	switch name {
	case "where", "filter":
		p.options(nil)
		return &Where{at, p.expr()}
	case "project":
		return &Project{at, p.items()}
	case "extend":
		return &Extend{at, p.items()}
	case "serialize":
		return p.serialize(at)
	case "project-rename":
		return &ProjectRename{at, p.items()}
	case "project-away", "project-keep", "project-reorder":
		return p.projectNames(name, at)
	case "summarize":
		return p.summarize(at)
	case "distinct":
		return p.distinct(at)
	case "count":
		return &Count{at}
	case "take", "limit":
		p.options(nil)
		return &Take{at, p.expr()}
	case "top":
		return p.top(at)
	case "sort", "order":
		p.options(nil)
		p.expect("by")
		return &Sort{at, p.orders()}
	case "join", "lookup":
		return p.join(at, name == "lookup")
	case "union":
		return p.union(at)
	case "mv-expand", "mvexpand":
		return p.mvExpand(at, name == "mvexpand")
	case "search":
		return p.search(at)
	case "parse-kv":
		return p.parseKV(at)
	case "mv-apply":
		return p.mvApply(at)
	case "partition":
		return p.partition(at)
	case "make-series":
		return p.makeSeries(at)
	case "top-nested":
		return p.topNested(at)
	case "scan":
		return p.scan(at)
	case "fork":
		return readFork(p, at)
	case "facet":
		return readFacet(p, at)
	case "top-hitters":
		return readTopHitters(p, at)
	case "find":
		return readFind(p, at)
	case "parse", "parse-where":
		return p.parse(at, name == "parse-where")
	case "as":
		materialized := p.is("hint") && p.peek(2).Is("materialized") && p.peek(4).Value.Bool()
		p.options(nil)
		return &As{at, p.name(), materialized}
	case "getschema":
		if t := p.current(); t.Is("kind") && p.peek(1).Is("=") && !p.peek(2).Is("default") {
			p.unsupported(t, "getschema with a kind is not supported here.")
			return nil
		}
		return &GetSchema{at}
	case "evaluate":
		return p.evaluate(at)
	case "invoke":
		return &Invoke{at, p.call()}
	case "sample":
		return &Sample{Place: at, N: p.expr()}
	case "sample-distinct":
		return p.sampleDistinct(at)
	case "render":
		p.skipOperator()
		return &Render{at}
	case "consume":
		p.skipOperator()
		return &Consume{at}
	}
	return nil
}

// operatorEnds says whether the operator has no further operands.
func (p *parser) operatorEnds() bool {
	t := p.current()
	return t.Kind == EndToken || t.Is("|") || t.Is(")") || t.Is(";") || t.Is("}") || t.Is(",")
}

func (p *parser) serialize(at Place) Operator {
	if p.operatorEnds() {
		return &Serialize{Place: at}
	}
	return &Serialize{at, p.items()}
}

func (p *parser) projectNames(op string, at Place) Operator {
	x := &ProjectNames{Place: at, Op: op}
	for p.err == nil {
		n := NamePattern{Place: p.here()}
		var ok bool
		if n.Name, ok = p.pattern(); !ok {
			n.Name = p.name()
		}
		if op == "project-reorder" {
			n.Order = p.nameOrder()
		}
		x.Names = append(x.Names, n)
		if !p.accept(",") {
			break
		}
	}
	return x
}

func (p *parser) nameOrder() string {
	switch {
	case p.accept("asc"):
		return "asc"
	case p.accept("desc"):
		return "desc"
	case p.is("granny") && p.peek(1).Is("-"):
		p.next()
		p.next()
		return "granny-" + p.name()
	}
	return ""
}

func (p *parser) summarize(at Place) Operator {
	x := &Summarize{Place: at}
	p.options(nil)
	if !p.is("by") {
		x.Aggregates = p.items()
	}
	if p.accept("by") {
		x.By = p.items()
	}
	return x
}

func (p *parser) distinct(at Place) Operator {
	p.options(nil)
	if p.is("*") {
		p.next()
		return &Distinct{Place: at}
	}
	return &Distinct{at, p.items()}
}

func (p *parser) top(at Place) Operator {
	x := &Top{Place: at}
	p.options(nil)
	x.N = p.expr()
	p.expect("by")
	x.By = p.orders()
	return x
}

// orders reads sort keys, descending unless they say otherwise.
func (p *parser) orders() []Order {
	var list []Order
	for p.err == nil {
		o := Order{Place: p.here(), X: p.expr()}
		if p.accept("asc") {
			o.Asc = true
		} else {
			p.accept("desc")
		}
		if p.accept("nulls") {
			o.NullsGiven = true
			o.NullsFirst = p.accept("first")
			if !o.NullsFirst {
				p.expect("last")
			}
		}
		list = append(list, o)
		if !p.accept(",") {
			break
		}
	}
	return list
}

// joinKinds are the flavours of join, with their aliases.
var joinKinds = map[string]string{
	"innerunique": "innerunique", "inner": "inner", "leftouter": "leftouter", "rightouter": "rightouter", "fullouter": "fullouter",
	"leftsemi": "leftsemi", "rightsemi": "rightsemi", "leftanti": "leftanti", "rightanti": "rightanti",
	"anti": "leftanti", "leftantisemi": "leftanti", "rightantisemi": "rightanti", "semi": "leftsemi",
}

func (p *parser) join(at Place, lookup bool) Operator {
	x := &Join{Place: at, Lookup: lookup}
	p.options(map[string]func(Token){"kind": func(t Token) {
		kind, ok := joinKinds[t.Text]
		if !ok || lookup && kind != "leftouter" && kind != "inner" {
			p.fail(t, "'%s' is not a kind of join that is allowed here.", t.Text)
		}
		x.Kind = kind
	}})
	x.Right = p.postfix()
	p.options(nil)
	p.expect("on")
	for p.err == nil {
		x.On = append(x.On, p.expr())
		if !p.accept(",") {
			break
		}
	}
	return x
}

// call reads a call of a named function.
func (p *parser) call() *Call {
	c := &Call{Place: p.here(), Name: p.name()}
	c.Args = p.arguments()
	return c
}

func (p *parser) evaluate(at Place) Operator {
	p.options(nil)
	x := &Evaluate{Place: at, Call: p.call()}
	if p.accept(":") {
		x.Schema = &TypeOf{Place: p.here()}
		p.expect("(")
		p.schema(x.Schema)
	}
	return x
}

func (p *parser) sampleDistinct(at Place) Operator {
	x := &Sample{Place: at, N: p.expr()}
	p.expect("of")
	x.Of = p.expr()
	return x
}

// skipOperator passes over the operands of an operator that has no effect.
func (p *parser) skipOperator() {
	depth := 0
	for p.current().Kind != EndToken {
		switch {
		case p.is("("):
			depth++
		case p.is(")"):
			if depth == 0 {
				return
			}
			depth--
		case depth == 0 && (p.is("|") || p.is(";") || p.is("}")):
			return
		}
		p.next()
	}
}
