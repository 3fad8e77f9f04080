package value

import (
	"fmt"
	"strings"
)

// DynamicJSON makes a Dynamic of JSON text as parse_json() does: text that is
// no JSON becomes a dynamic string, empty text null. Whole numbers that fit are
// longs, other numbers are reals, strings stay strings.
// (https://learn.microsoft.com/kusto/query/parse-json-function)
func DynamicJSON(text string) Value { return lenient(text, false) }

// DynamicJSONTyped is DynamicJSON as ingestion does it: full ISO 8601
// date-time strings, at any depth, become datetimes
// (https://learn.microsoft.com/kusto/query/scalar-data-types/dynamic).
func DynamicJSONTyped(text string) Value { return lenient(text, true) }

func lenient(text string, typed bool) Value {
	if text == "" {
		return Null(Dynamic)
	}
	if v, ok := fromJSON(text, typed); ok {
		return v
	}
	return NewDynamic(NewString(text))
}

// ParseDynamic is DynamicJSON for text that must be JSON.
func ParseDynamic(text string) (Value, error) {
	if v, ok := fromJSON(text, false); ok {
		return v, nil
	}
	return Value{}, fmt.Errorf("dynamic %q: not valid JSON", clip(text))
}

// fromJSON checks text and brings it into the form that Kusto prints.
func fromJSON(text string, typed bool) (Value, bool) {
	text = strings.Trim(text, " \t\r\n")
	p := checker{s: text, typed: typed, canonical: true}
	if !p.document() {
		return Value{}, false
	}
	if !p.canonical {
		t := transcoder{s: text, typed: typed, out: make([]byte, 0, len(text))}
		t.value()
		text = string(t.out)
	}
	return element(text, typed), true
}

// element makes the Dynamic of canonical JSON text.
func element(text string, typed bool) Value {
	switch text[0] {
	case '{', '[':
		return Value{of: &natures[Dynamic][0][markedIf(typed)], s: text}
	case '"':
		s := text[1 : len(text)-1]
		if typed && isTicksForm(s) {
			if v, ok := parseISO(s, true); ok {
				return NewDynamic(v)
			}
		}
		if strings.IndexByte(s, '\\') >= 0 {
			s = unquote(s)
		}
		return Value{of: &natures[Dynamic][String][plain], s: s}
	case 't':
		return Value{of: &natures[Dynamic][Bool][plain], n: 1}
	case 'f':
		return Value{of: &natures[Dynamic][Bool][plain]}
	case 'n':
		return Null(Dynamic)
	default:
		return NewDynamic(number(text))
	}
}

// IsArray says whether v is a Dynamic that holds an array.
func (v Value) IsArray() bool {
	if v.nature().d != nil {
		return !v.nature().d.isBag
	}
	return v.nature().kind == Dynamic && v.nature().inner == 0 && !v.nature().null && v.s[0] == '['
}

// IsBag says whether v is a Dynamic that holds a property bag.
func (v Value) IsBag() bool {
	if v.nature().d != nil {
		return v.nature().d.isBag
	}
	return v.nature().kind == Dynamic && v.nature().inner == 0 && !v.nature().null && v.s[0] == '{'
}

// Array is the elements of a Dynamic array. They must not be changed.
func (v Value) Array() ([]Value, bool) {
	if !v.IsArray() {
		return nil, false
	}
	if v.nature().d != nil {
		return v.nature().d.array, true
	}
	elements := make([]Value, 0, 4)
	for w := newWalker(v.s); w.next(); {
		elements = append(elements, element(w.item, v.nature().typed))
	}
	return elements, true
}

// Len is the number of elements of a Dynamic array or slots of a bag.
func (v Value) Len() (int, bool) {
	switch {
	case !v.IsArray() && !v.IsBag():
		return 0, false
	case v.nature().d != nil && v.nature().d.isBag:
		return len(v.nature().d.bag), true
	case v.nature().d != nil:
		return len(v.nature().d.array), true
	}
	n := 0
	for w := newWalker(v.s); w.next(); {
		n++
	}
	return n, true
}

// Bag is the slots of a Dynamic property bag, in the order they were given.
// They must not be changed.
func (v Value) Bag() ([]Property, bool) {
	if !v.IsBag() {
		return nil, false
	}
	if v.nature().d != nil {
		return v.nature().d.bag, true
	}
	slots := make([]Property, 0, 8)
	for w := newWalker(v.s); w.next(); {
		slots = append(slots, Property{Name: w.name(), Value: element(w.item, v.nature().typed)})
	}
	return slots, true
}

// Field is the Dynamic in the slot called name of a property bag. Of a
// repeated name the first slot counts.
func (v Value) Field(name string) (Value, bool) {
	if !v.IsBag() {
		return Value{}, false
	}
	if v.nature().d != nil {
		for i := range v.nature().d.bag {
			if v.nature().d.bag[i].Name == name {
				return v.nature().d.bag[i].Value, true
			}
		}
		return Value{}, false
	}
	for w := newWalker(v.s); w.next(); {
		if w.is(name) {
			return element(w.item, v.nature().typed), true
		}
	}
	return Value{}, false
}

// Index is element i of a Dynamic array; a negative i counts from the end.
func (v Value) Index(i int) (Value, bool) {
	if !v.IsArray() {
		return Value{}, false
	}
	if i < 0 {
		n, _ := v.Len()
		if i += n; i < 0 {
			return Value{}, false
		}
	}
	if v.nature().d != nil {
		if i >= len(v.nature().d.array) {
			return Value{}, false
		}
		return v.nature().d.array[i], true
	}
	for w := newWalker(v.s); w.next(); i-- {
		if i == 0 {
			return element(w.item, v.nature().typed), true
		}
	}
	return Value{}, false
}

// Scalar is the scalar that a Dynamic holds. It is false for an array, a bag
// and null, and for a value that is no Dynamic.
func (v Value) Scalar() (Value, bool) {
	if v.nature().kind != Dynamic || v.nature().inner == 0 {
		return Value{}, false
	}
	v.of = &natures[v.nature().inner][0][plain]
	return v, true
}

// AppendJSON appends the JSON that Kusto prints for v inside a dynamic:
// datetimes, timespans, guids and decimals are strings, NaN and the infinities
// too, null is null.
func (v Value) AppendJSON(b []byte) []byte {
	if v.nature().null || v.nature().kind == 0 {
		return append(b, "null"...)
	}
	switch v.scalarKind() {
	case String:
		return appendQuoted(b, v.s)
	case Real:
		b, start := append(b, '"'), len(b)
		b = AppendReal(b, v.Real())
		if c := b[len(b)-1]; c >= '0' && c <= '9' {
			return append(b[:start], b[start+1:]...)
		}
		return append(b, '"')
	case DateTime, TimeSpan, GUID, Decimal:
		b = append(b, '"')
		b = v.AppendText(b)
		return append(b, '"')
	case Bool, Int, Long:
		return v.AppendText(b)
	}
	switch {
	case v.nature().d == nil:
		return append(b, v.s...)
	case v.nature().d.isBag:
		b = append(b, '{')
		for i, p := range v.nature().d.bag {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendQuoted(b, p.Name)
			b = append(b, ':')
			b = p.Value.AppendJSON(b)
		}
		return append(b, '}')
	default:
		b = append(b, '[')
		for i, e := range v.nature().d.array {
			if i > 0 {
				b = append(b, ',')
			}
			b = e.AppendJSON(b)
		}
		return append(b, ']')
	}
}
