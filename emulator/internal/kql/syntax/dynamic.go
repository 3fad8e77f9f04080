package syntax

import (
	"errors"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// parseDynamic reads what dynamic(...) holds: JSON, also with single quotes and
// with the literals of other types in it
// (https://learn.microsoft.com/kusto/query/scalar-data-types/dynamic).
func parseDynamic(t Token) (value.Value, error) {
	if v, err := value.ParseDynamic(t.Text); err == nil {
		return v, nil
	}
	tokens, err := (&lexer{text: t.Text, dynamic: true}).all()
	if err != nil {
		return value.Value{}, err
	}
	d := dynamicParser{parser{tokens: tokens}}
	v := d.value()
	d.expectEnd()
	if d.err != nil {
		return value.Value{}, errors.New("The dynamic literal is not valid.")
	}
	return value.NewDynamic(v), nil
}

type dynamicParser struct{ parser }

func (p *dynamicParser) value() value.Value {
	t := p.current()
	switch {
	case t.Kind == LiteralToken && t.Value.Kind() == value.String:
		return value.NewString(p.text())
	case t.Kind == LiteralToken:
		p.next()
		return t.Value
	case t.Kind == DynamicToken:
		p.next()
		v, err := parseDynamic(t)
		if err != nil {
			p.fail(t, "%s", err.Error())
		}
		return v
	case t.Is("null"):
		p.next()
		return value.Null(value.Dynamic)
	case t.Is("-") && p.peek(1).Kind == LiteralToken:
		p.next()
		return p.negative(p.next().Value)
	case t.Kind == QuotedToken: // ['one'] where a name is allowed
		p.next()
		return value.NewArray([]value.Value{value.NewString(t.Text)})
	case t.Is("["):
		return p.array()
	case t.Is("{"):
		return p.bag()
	}
	p.unexpected()
	return value.Value{}
}

func (p *dynamicParser) negative(v value.Value) value.Value {
	switch v.Kind() {
	case value.Long:
		return value.NewLong(-v.Int64())
	case value.Real:
		return value.NewReal(-v.Real())
	case value.TimeSpan:
		return value.NewTimeSpan(-v.Ticks())
	}
	p.unexpected()
	return v
}

func (p *dynamicParser) array() value.Value {
	if !p.enter() {
		return value.Value{}
	}
	defer p.leave()
	p.expect("[")
	elements := []value.Value{}
	for p.err == nil && !p.is("]") {
		elements = append(elements, p.value())
		if !p.accept(",") {
			break
		}
	}
	p.expect("]")
	if p.err != nil {
		return value.Value{}
	}
	return value.NewArray(elements)
}

func (p *dynamicParser) bag() value.Value {
	if !p.enter() {
		return value.Value{}
	}
	defer p.leave()
	p.expect("{")
	slots := []value.Property{}
	for p.err == nil && !p.is("}") {
		name := p.text()
		p.expect(":")
		slots = append(slots, value.Property{Name: name, Value: p.value()})
		if !p.accept(",") {
			break
		}
	}
	p.expect("}")
	if p.err != nil {
		return value.Value{}
	}
	return value.NewBag(slots)
}
