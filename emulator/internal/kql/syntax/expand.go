package syntax

import "github.com/tvmexport/tvmexport/emulator/internal/kql/value"

// legacyLimit is the limit of mvexpand, the former name of mv-expand, unless
// the text gives one.
const legacyLimit = 128

func (p *parser) mvExpand(at Place, legacy bool) *MvExpand {
	x := &MvExpand{Place: at}
	kind := func(t Token) {
		x.Arrays = t.Text == "array"
		if t.Text != "array" && t.Text != "bag" {
			p.fail(t, "mv-expand: kind '%s' is not known.", t.Text)
		}
	}
	p.options(map[string]func(Token){
		"kind": kind, "bagexpansion": kind,
		"with_itemindex": func(t Token) { x.ItemIndex = t.Text },
	})
	for p.err == nil {
		x.Items = append(x.Items, p.expansion())
		if !p.accept(",") {
			break
		}
	}
	switch {
	case p.accept("limit"):
		x.Limit = p.unary()
	case legacy:
		x.Limit = &Literal{Place: at, Value: value.NewLong(legacyLimit)}
	}
	return x
}

func (p *parser) expansion() Expansion {
	i := p.item()
	e := Expansion{Place: i.Place, X: i.X}
	if len(i.Names) > 1 {
		p.unexpected()
	}
	if len(i.Names) > 0 {
		e.Name = i.Names[0]
	}
	if p.accept("to") {
		t := p.current()
		typ := p.typeOf()
		if typ.Kind == 0 && p.err == nil {
			p.fail(t, recognition)
		}
		e.Kind = typ.Kind
	}
	return e
}

// parse reads the operand and the pattern of parse and parse-where.
func (p *parser) parse(at Place, filter bool) Operator {
	x := &Parse{Place: at, Filter: filter, Kind: "simple"}
	p.options(map[string]func(Token){
		"kind":  func(t Token) { x.Kind = t.Text },
		"flags": func(t Token) { x.Flags = t.Text },
	})
	switch x.Kind {
	case "simple", "regex", "relaxed":
	default:
		p.fail(p.current(), "parse: kind '%s' is not known.", x.Kind)
	}
	x.X = p.expr()
	p.expect("with")
	for p.err == nil && !p.operatorEnds() {
		x.Parts = append(x.Parts, p.parsePart())
	}
	if len(x.Parts) == 0 {
		p.unexpected()
	}
	return x
}

func (p *parser) parsePart() ParsePart {
	x := ParsePart{Place: p.here()}
	switch {
	case p.accept("*"):
		x.Star = true
	case p.isString():
		x.Text = p.text()
	default:
		x.Name, x.Kind = p.name(), value.String
		if p.accept(":") {
			x.Kind = p.kind()
		}
	}
	return x
}
