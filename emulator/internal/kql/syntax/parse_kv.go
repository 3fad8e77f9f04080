package syntax

import "github.com/tvmexport/tvmexport/emulator/internal/kql/value"

// ParseKV is parse-kv. Either Regex or both delimiters are given.
type ParseKV struct {
	Place
	X        Expr
	Keys     []value.Column
	Pair, KV string
	Quotes   []string // an opening and a closing character, or one for both
	Escapes  []string
	Regex    string
	HasRegex bool
}

func (p *parser) parseKV(at Place) Operator {
	x := &ParseKV{Place: at}
	p.options(nil)
	x.X = p.expr()
	p.expect("as")
	p.expect("(")
	x.Keys = p.columns()
	if p.accept("with") {
		p.expect("(")
		for p.err == nil && !p.is(")") {
			p.optionKV(x)
			if !p.accept(",") {
				break
			}
		}
		p.expect(")")
	}
	if !x.HasRegex && (x.Pair == "" || x.KV == "") {
		p.unsupported(p.current(), "parse-kv without delimiters and without a regular expression is not supported here.")
	}
	return x
}

func (p *parser) optionKV(x *ParseKV) {
	t := p.current()
	name := p.name()
	p.expect("=")
	switch name {
	case "pair_delimiter":
		x.Pair = p.text()
	case "kv_delimiter":
		x.KV = p.text()
	case "quote":
		x.Quotes = append(x.Quotes, p.text())
	case "escape":
		x.Escapes = append(x.Escapes, p.text())
	case "regex":
		x.Regex, x.HasRegex = p.text(), true
	case "greedy":
		if v := p.next().Value; v.Kind() != value.Bool || v.Bool() {
			p.unsupported(t, "parse-kv with greedy=true is not supported here.")
		}
	default:
		p.fail(t, "parse-kv: the option '%s' is not known.", name)
	}
}

func (p *printer) parseKV(n *ParseKV) {
	p.put("parse-kv ", n.X, " as (", columnsText(n.Keys), ") with (")
	i := 0
	option := func(name, text string) {
		p.put(separator(i, ", "), name, "=", quote(text))
		i++
	}
	if n.HasRegex {
		option("regex", n.Regex)
	} else {
		option("pair_delimiter", n.Pair)
		option("kv_delimiter", n.KV)
	}
	for _, q := range n.Quotes {
		option("quote", q)
	}
	for _, e := range n.Escapes {
		option("escape", e)
	}
	p.put(")")
}
