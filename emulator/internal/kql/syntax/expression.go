package syntax

import "github.com/tvmexport/tvmexport/emulator/internal/kql/value"

// expr reads a scalar expression, or a name or call that may be a table.
//
// The levels, the loosest first: or; and; equality, string and list operators;
// order; sums; products; sign; paths.
func (p *parser) expr() Expr { return p.logic("or", func() Expr { return p.logic("and", p.equality) }) }

func (p *parser) logic(op string, operand func() Expr) Expr {
	at := p.here()
	first := operand()
	if !p.is(op) {
		return first
	}
	x := &Logic{Place: at, Op: op, Terms: []Expr{first}}
	for p.accept(op) {
		x.Terms = append(x.Terms, operand())
	}
	return x
}

// textOperators are the string operators that are names.
var textOperators = map[string]bool{
	"has": true, "hasprefix": true, "hassuffix": true, "contains": true, "startswith": true, "endswith": true,
	"has_cs": true, "hasprefix_cs": true, "hassuffix_cs": true, "contains_cs": true, "startswith_cs": true, "endswith_cs": true,
	"notcontains": true, "containscs": true, "notcontainscs": true,
}

// listOperators take a list in parentheses.
var listOperators = map[string]bool{"in": true, "in~": true, "!in": true, "!in~": true, "has_any": true, "has_all": true}

// unpublished are operators that Microsoft's parser knows and no page describes.
var unpublished = map[string]bool{"like": true, "likecs": true, "notlike": true, "notlikecs": true, "!like": true, "!likecs": true}

// formerNames of operators.
var formerNames = map[string]string{"<>": "!=", "notcontains": "!contains", "containscs": "contains_cs", "notcontainscs": "!contains_cs"}

// equalityOperator is the operator that the current token is, or "".
func (p *parser) equalityOperator() string {
	t := p.current()
	switch {
	case t.Kind != PunctToken && t.Kind != NameToken:
		return ""
	case t.Text == "==" || t.Text == "!=" || t.Text == "<>" || t.Text == "=~" || t.Text == "!~":
	case textOperators[t.Text], listOperators[t.Text], t.Text == "between", t.Text == "!between":
	case len(t.Text) > 1 && t.Text[0] == '!' && textOperators[t.Text[1:]]:
	case t.Text == "matches" && p.peek(1).Is("regex"):
		return "matches regex"
	default:
		return ""
	}
	if current, ok := formerNames[t.Text]; ok {
		return current
	}
	return t.Text
}

func (p *parser) equality() Expr {
	at := p.here()
	left := p.relation()
	if _, named := left.(*Ident); named && p.terms && p.accept(":") {
		return &Binary{Place: at, Op: ":", Left: left, Right: p.relation()}
	}
	if t := p.current(); unpublished[t.Text] && (t.Kind == NameToken || t.Kind == PunctToken) {
		p.unsupported(t, "The operator '%s' is not supported here.", t.Text)
		return left
	}
	op := p.equalityOperator()
	if op == "" {
		return left
	}
	p.next()
	switch {
	case op == "matches regex":
		p.next()
	case listOperators[op]:
		return &List{Place: at, Op: op, X: left, List: p.list()}
	case op == "between" || op == "!between":
		p.expect("(")
		x := &Between{Place: at, Not: op[0] == '!', X: left, Low: p.sum()}
		p.expect("..")
		x.High = p.sum()
		p.expect(")")
		return x
	}
	return &Binary{Place: at, Op: op, Left: left, Right: p.relation()}
}

// list reads the right side of in and similar operators; a single table needs no
// parentheses.
func (p *parser) list() []Expr {
	if !p.is("(") {
		return []Expr{p.postfix()}
	}
	p.next()
	var list []Expr
	for p.err == nil && !p.is(")") {
		list = append(list, p.pipe())
		if !p.accept(",") {
			break
		}
	}
	p.expect(")")
	return list
}

func (p *parser) relation() Expr {
	at := p.here()
	left := p.sum()
	for _, op := range []string{"<=", ">=", "<", ">"} {
		if p.accept(op) {
			return &Binary{Place: at, Op: op, Left: left, Right: p.sum()}
		}
	}
	return left
}

func (p *parser) sum() Expr { return p.arithmetic([]string{"+", "-"}, p.product) }

func (p *parser) product() Expr { return p.arithmetic([]string{"*", "/", "%"}, p.unary) }

func (p *parser) arithmetic(ops []string, operand func() Expr) Expr {
	at := p.here()
	left := operand()
	for n := 0; p.err == nil; n++ {
		op := ""
		for _, o := range ops {
			if p.is(o) {
				op = o
			}
		}
		if op == "" {
			break
		}
		if n == maxDepth {
			p.fail(p.current(), "The expression has more than %d operators in a row.", maxDepth)
			break
		}
		p.next()
		left = &Binary{Place: at, Op: op, Left: left, Right: operand()}
	}
	return left
}

func (p *parser) unary() Expr {
	at := p.here()
	if t := p.current(); t.Is("-") || t.Is("+") {
		p.next()
		return &Unary{Place: at, Op: t.Text, X: p.postfix()}
	}
	return p.postfix()
}

// postfix reads a primary and the path behind it.
func (p *parser) postfix() Expr {
	at := p.here()
	x := p.primary()
	for n := 0; p.err == nil; n++ {
		if n == maxDepth {
			p.fail(p.current(), "The path has more than %d steps.", maxDepth)
		}
		switch {
		case p.accept("."):
			if p.is("[") { // d.[k] is d[k]
				continue
			}
			t := p.current()
			name := p.name()
			if t.Kind == NameToken && p.is("(") { // database("x").f(1)
				call := &Call{Place: Place(t.Offset), Name: name, Args: p.arguments()}
				x = &Call{Place: at, Name: scoped, Args: []Argument{{X: x}, {X: call}}}
				continue
			}
			x = &Member{Place: at, X: x, Name: name}
		case p.is("["):
			if !p.enter() {
				return x
			}
			p.next()
			x = &Index{Place: at, X: x, Key: p.expr()}
			p.expect("]")
			p.leave()
		default:
			return x
		}
	}
	return x
}

// scoped is the name of the call that `database("x").f(1)` is read as: its
// arguments are the database and the call.
const scoped = "."

// IsScoped says whether the call is one of a function of another database:
// the arguments are the database and the call.
func (c *Call) IsScoped() bool { return c.Name == scoped }

// reserved names are no columns unless bracketed.
var reserved = map[string]bool{"and": true, "or": true, "by": true, "in": true, "between": true}

func (p *parser) primary() Expr {
	t := p.current()
	at := p.here()
	switch t.Kind {
	case LiteralToken:
		if t.Value.Kind() == value.String {
			return &Literal{Place: at, Value: value.NewString(p.text())}
		}
		p.next()
		return &Literal{Place: at, Value: t.Value}
	case DynamicToken:
		p.next()
		v, err := parseDynamic(t)
		if err != nil {
			p.fail(t, "%s", err.Error())
		}
		return &Literal{Place: at, Value: v}
	case QuotedToken:
		p.next()
		return &Ident{Place: at, Name: t.Text}
	case NameToken:
		return p.named()
	}
	switch {
	case t.Is("("):
		if !p.enter() {
			return nil
		}
		p.next()
		x := p.pipe()
		p.expect(")")
		p.leave()
		return x
	case t.Is("*"):
		p.next()
		return &Star{Place: at}
	}
	p.unexpected()
	return nil
}

// named reads a name or a call.
func (p *parser) named() Expr {
	t := p.current()
	at := p.here()
	if reserved[t.Text] {
		p.unexpected()
		return nil
	}
	if t.Is("typeof") && p.peek(1).Is("(") {
		return p.typeOf()
	}
	p.next()
	if p.is("(") {
		if _, ok := literalTypes[t.Text]; ok { // a literal's parenthesis follows at once
			p.unexpected()
			return nil
		}
		return &Call{Place: at, Name: t.Text, Args: p.arguments()}
	}
	return &Ident{Place: at, Name: t.Text}
}

func (p *parser) typeOf() *TypeOf {
	x := &TypeOf{Place: p.here()}
	p.expect("typeof")
	p.expect("(")
	if !p.is(")") && !p.is("*") && p.peek(1).Is(")") {
		x.Kind = p.kind()
		p.expect(")")
		return x
	}
	p.schema(x)
	return x
}

// schema reads `*, a:long)` into x.
func (p *parser) schema(x *TypeOf) {
	if p.accept("*") {
		x.Open = true
		if !p.accept(",") {
			p.expect(")")
			return
		}
	}
	x.Columns = p.columns()
}

func (p *parser) arguments() []Argument {
	if !p.enter() {
		return nil
	}
	defer p.leave()
	p.expect("(")
	var args []Argument
	for p.err == nil && !p.is(")") {
		var a Argument
		if t := p.current(); (t.Kind == NameToken || t.Kind == QuotedToken) && p.peek(1).Is("=") {
			a.Name = p.name()
			p.next()
		}
		a.X = p.pipe()
		args = append(args, a)
		if !p.accept(",") {
			break
		}
	}
	p.expect(")")
	return args
}
