package syntax

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// Text is KQL for a *Query, a Statement, an Expr or an Operator: what is
// parsed from it is the same tree. Every binary operator has parentheses, and
// names are bracketed where they must be.
func Text(node any) string {
	p := &printer{}
	p.node(node)
	return p.String()
}

type printer struct{ strings.Builder }

func (p *printer) put(parts ...any) {
	for _, part := range parts {
		if s, ok := part.(string); ok {
			p.WriteString(s)
			continue
		}
		p.node(part)
	}
}

func (p *printer) node(node any) {
	switch n := node.(type) {
	case *Query:
		for i, s := range n.Statements {
			p.put(separator(i, "; "), s)
		}
	case *Let, *Set, *Declare, *Result, *Function:
		p.statement(n)
	case Expr:
		if !p.expr(n) {
			p.operator(n)
		}
	}
}

func separator(i int, text string) string {
	if i == 0 {
		return ""
	}
	return text
}

func (p *printer) statement(node any) {
	switch n := node.(type) {
	case *Let:
		p.put("let ", Name(n.Name), " = ")
		if n.Function != nil {
			p.put(n.Function)
		} else {
			p.put(n.X)
		}
	case *Set:
		p.put("set ", n.Name)
		if n.Value != nil {
			p.put(" = ", n.Value)
		}
	case *Declare:
		p.put("declare query_parameters")
		p.parameters(n.Parameters)
	case *Result:
		p.put(n.X)
	case *Function:
		if n.View {
			p.put("view ")
		}
		p.parameters(n.Parameters)
		p.put(" { ", n.Body, " }")
	}
}

func (p *printer) parameters(list []Parameter) {
	p.put("(")
	for i, x := range list {
		p.put(separator(i, ", "), Name(x.Name), ":")
		switch {
		case x.Tabular && len(x.Columns) == 0:
			p.put("(*)")
		case x.Tabular:
			p.put("(", columnsText(x.Columns), ")")
		default:
			p.put(x.Kind.String())
		}
		if x.Default != nil {
			p.put(" = ", x.Default)
		}
	}
	p.put(")")
}

func columnsText(columns []value.Column) string {
	var b strings.Builder
	for i, c := range columns {
		b.WriteString(separator(i, ", ") + Name(c.Name) + ":" + c.Kind.String())
	}
	return b.String()
}

// expr is false for what is no expression.
func (p *printer) expr(node Expr) bool {
	switch n := node.(type) {
	case *Ident:
		p.put(Name(n.Name))
	case *Literal:
		p.put(Literally(n.Value))
	case *Star:
		p.put("*")
	case *Wild:
		p.put(n.Pattern)
	case *TypeOf:
		p.put("typeof")
		p.schema(n)
	case *Unary:
		p.put("(", n.Op, n.X, ")")
	case *Binary:
		p.put("(", n.Left, " ", n.Op, " ", n.Right, ")")
	case *Logic:
		p.put("(")
		for i, t := range n.Terms {
			p.put(separator(i, " "+n.Op+" "), t)
		}
		p.put(")")
	case *List:
		p.put("(", n.X, " ", n.Op, " (")
		p.list(n.List)
		p.put("))")
	case *Between:
		op := " between ("
		if n.Not {
			op = " !between ("
		}
		p.put("(", n.X, op, n.Low, " .. ", n.High, "))")
	case *Call:
		p.call(n)
	case *Member:
		p.put(n.X, ".", Name(n.Name))
	case *Index:
		p.put(n.X, "[", n.Key, "]")
	case *Pipe:
		p.put("(", n.Source)
		for _, o := range n.Operators {
			p.put(" | ")
			p.operator(o)
		}
		p.put(")")
	default:
		return p.table(node)
	}
	return true
}

// table prints nodes that are tables by themselves. They are enclosed in
// parentheses; otherwise they would include what follows.
func (p *printer) table(node Expr) bool {
	switch n := node.(type) {
	case *Datatable:
		p.put("datatable(", columnsText(n.Columns), ") [")
		p.list(n.Values)
		p.put(" ]")
	case *Range:
		p.put("(range ", Name(n.Name), " from ", n.From, " to ", n.To, " step ", n.Step, ")")
	case *Print:
		p.put("(print ")
		p.items(n.Items)
		p.put(")")
	case *Union:
		p.put("(")
		p.union(n)
		p.put(")")
	case *Search:
		p.put("(")
		p.search(n)
		p.put(")")
	case *MacroExpand:
		p.macroExpand(n)
	case *EntityGroup:
		p.put("entity_group [")
		p.list(n.Entities)
		p.put("]")
	default:
		return false
	}
	return true
}

func (p *printer) list(list []Expr) {
	for i, x := range list {
		p.put(separator(i, ", "), x)
	}
}

func (p *printer) call(n *Call) {
	if n.IsScoped() {
		p.put(n.Args[0].X, ".", n.Args[1].X)
		return
	}
	p.put(n.Name, "(")
	for i, a := range n.Args {
		p.put(separator(i, ", "))
		if a.Name != "" {
			p.put(Name(a.Name), " = ")
		}
		p.put(a.X)
	}
	p.put(")")
}

func (p *printer) schema(n *TypeOf) {
	switch {
	case n.Kind != 0:
		p.put("(", n.Kind.String(), ")")
	case n.Open && len(n.Columns) > 0:
		p.put("(*, ", columnsText(n.Columns), ")")
	case n.Open:
		p.put("(*)")
	default:
		p.put("(", columnsText(n.Columns), ")")
	}
}

func (p *printer) items(items []Item) {
	for i, x := range items {
		p.put(separator(i, ", "))
		switch len(x.Names) {
		case 0:
		case 1:
			p.put(Name(x.Names[0]), " = ")
		default:
			p.put("(")
			for j, name := range x.Names {
				p.put(separator(j, ", "), Name(name))
			}
			p.put(") = ")
		}
		p.put(x.X)
	}
}

// Name returns a name as a query writes it: in brackets unless it is plain.
func Name(name string) string {
	plain := name != "" && isNameStart(name[0]) && !reserved[name] && name != "true" && name != "false"
	for i := 0; plain && i < len(name); i++ {
		plain = isNamePart(name[i])
	}
	if _, typed := literalTypes[name]; plain && !typed && !contextual[name] {
		return name
	}
	return "[" + quote(name) + "]"
}

// contextual names mean something else where a source or an operand begins.
var contextual = map[string]bool{
	"let": true, "set": true, "print": true, "union": true, "range": true, "datatable": true, "h": true, "H": true,
	"search": true, "find": true, "externaldata": true, "external_table": true, "evaluate": true, "typeof": true,
	"declare": true, "alias": true, "restrict": true, "view": true, "hint": true, "on": true, "with": true,
	"asc": true, "desc": true, "nulls": true, "limit": true, "to": true, "of": true, "step": true, "kind": true,
	"withsource": true, "with_source": true, "isfuzzy": true, "has": true, "contains": true, "matches": true,
}

func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i := 0; i < len(s); i++ {
		switch c := s[i]; c {
		case '"', '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case '\n':
			b.WriteString(`\n`)
		case '\r':
			b.WriteString(`\r`)
		case '\t':
			b.WriteString(`\t`)
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// Literally is a value as a literal.
func Literally(v value.Value) string {
	k := v.Kind()
	switch {
	case k == value.String:
		return quote(v.Text())
	case k == value.Dynamic:
		return "dynamic(" + string(v.AppendJSON(nil)) + ")"
	case v.IsNull():
		return k.String() + "(null)"
	case k == value.Bool, k == value.Long && v.Int64() >= 0:
		return v.String()
	case k == value.Real:
		return "real(" + strconv.FormatFloat(v.Real(), 'g', -1, 64) + ")"
	default:
		return fmt.Sprintf("%v(%v)", k, v)
	}
}
