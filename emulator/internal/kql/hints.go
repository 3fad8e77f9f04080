package kql

import (
	"slices"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// hint is the part of a condition on a column of a scan that is known before the
// query runs. Exactly one of prefixes and the bounds is set.
type hint struct {
	column   int
	prefixes []*expr
	computed bool // the prefixes are those of substring() of the column
	exact    int  // how many of the prefixes, the first ones, are the whole column
	from, to *expr
}

// findHints turns the conjuncts of filters into hints. Only filters before the
// first step that counts rows are looked at: such a step must see all rows.
func findHints(steps []step) []hint {
	var hints []hint
	for _, s := range steps {
		switch s := s.(type) {
		case *filterStep:
			hints = append(hints, conjunct(s.e)...)
		case *computeStep, *parseStep, *keysStep, *expandStep:
		default:
			return hints
		}
	}
	return hints
}

func conjunct(e *expr) []hint {
	if e.op == "and" {
		var hints []hint
		for _, t := range e.args {
			hints = append(hints, conjunct(t)...)
		}
		return hints
	}
	if h, ok := prefixHint(e); ok {
		return []hint{h}
	}
	return boundHint(e)
}

// prefixHint finds conditions on the start of a string: startswith_cs, ==, in,
// the same of substring(column, 0, n), and several of them joined by `or` on
// one column. Of terms joined by `and` it takes the first such condition.
func prefixHint(e *expr) (hint, bool) {
	switch e.op {
	case "or":
		var all hint
		for i, t := range e.args {
			h, ok := prefixHint(t)
			if !ok || i > 0 && h.column != all.column {
				return hint{}, false
			}
			// The exact ones stay in front.
			all.column, all.prefixes = h.column, slices.Insert(all.prefixes, all.exact, h.prefixes[:h.exact]...)
			all.prefixes = append(all.prefixes, h.prefixes[h.exact:]...)
			all.exact += h.exact
			all.computed = all.computed || h.computed
		}
		return all, len(e.args) > 0
	case "and":
		for _, t := range e.args {
			if h, ok := prefixHint(t); ok {
				return h, true
			}
		}
	case "startswith_cs":
		return startOf(e.args[0], e.args[1:], false)
	case "==":
		h, ok := startOf(e.args[0], e.args[1:], true)
		if !ok {
			h, ok = startOf(e.args[1], e.args[:1], true)
		}
		if ok && !h.computed {
			h.exact = 1
		}
		return h, ok
	case "in", "in table":
		return startOf(e.args[0], e.args[1:], true)
	}
	return hint{}, false
}

// startOf is the hint that x begins with one of the texts; x is a column or,
// where substring is allowed, the start of one.
func startOf(x *expr, texts []*expr, substring bool) (hint, bool) {
	computed := false
	if substring && x.op == "substring" && len(x.args) == 3 {
		if from := x.args[1].constant; from == nil || from.IsNull() || from.Int64() != 0 {
			return hint{}, false
		}
		x, computed = x.args[0], true
	}
	if !x.column || x.reads[0] < 0 || x.kind != value.String || len(texts) == 0 {
		return hint{}, false
	}
	for _, t := range texts {
		if !t.rowless() || t.kind != value.String && t.kind != value.Dynamic {
			return hint{}, false
		}
	}
	return hint{column: int(x.reads[0]), prefixes: texts, computed: computed}, true
}

// mirrored are the comparisons with their sides exchanged.
var mirrored = map[string]string{"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "=="}

// boundHint finds comparisons of a number or a time with what is the same for
// all rows.
func boundHint(e *expr) []hint {
	if e.op == "between" && boundable(e.args[0], e.args[1]) && boundable(e.args[0], e.args[2]) {
		return []hint{{column: int(e.args[0].reads[0]), from: e.args[1], to: e.args[2]}}
	}
	op := e.op
	if mirrored[op] == "" || len(e.args) != 2 {
		return nil
	}
	x, bound := e.args[0], e.args[1]
	if !boundable(x, bound) {
		if x, bound, op = bound, x, mirrored[op]; !boundable(x, bound) {
			return nil
		}
	}
	h := hint{column: int(x.reads[0])}
	if op != "<" && op != "<=" {
		h.from = bound
	}
	if op != ">" && op != ">=" {
		h.to = bound
	}
	return []hint{h}
}

// boundable says whether x is a column of the scan that a value of bound's kind
// can bound.
func boundable(x, bound *expr) bool {
	if !x.column || x.reads[0] < 0 || !bound.rowless() {
		return false
	}
	switch x.kind {
	case value.DateTime, value.TimeSpan:
		return bound.kind == x.kind
	}
	return x.kind.IsNumeric() && bound.kind.IsNumeric()
}

// conditions evaluates hints for a run. What turns out to bound nothing is left
// out.
func conditions(hints []hint, f *frame) ([]Condition, error) {
	var list []Condition
	for _, h := range hints {
		c := Condition{Column: h.column, Unindexed: h.computed}
		if h.prefixes != nil {
			c.Prefixes = prefixesOf(h.prefixes, h.exact, f)
		} else {
			c.From, c.To = boundOf(h.from, f), boundOf(h.to, f)
		}
		if f.err != nil {
			return nil, f.err
		}
		if c.Prefixes != nil || c.From.Kind() != 0 || c.To.Kind() != 0 {
			list = append(list, c)
		}
	}
	return list, nil
}

func boundOf(e *expr, f *frame) value.Value {
	if e == nil {
		return value.Value{}
	}
	if v := e.eval(f); !v.IsNull() {
		return v
	}
	return value.Value{}
}

// prefixesOf is nil if one of the texts is no text, if one that is a prefix is empty,
// and if there are none. The first ones, exact in number, are the whole column.
func prefixesOf(texts []*expr, exact int, f *frame) Prefixes {
	var prefixes []string
	add := func(v value.Value, exact bool) bool {
		if s, ok := v.Scalar(); ok {
			v = s
		}
		switch {
		case v.Kind() != value.String || v.Text() == "" && !exact:
			return false
		case v.Text() == "":
			prefixes = append(prefixes, EmptyText)
		default:
			prefixes = append(prefixes, v.Text())
		}
		return true
	}
	for i, t := range texts {
		v := t.eval(f)
		elements, ok := v.Array()
		if !ok {
			elements = []value.Value{v}
		}
		for _, e := range elements {
			if !add(e, i < exact) {
				return nil
			}
		}
	}
	if prefixes == nil {
		return nil
	}
	return NewPrefixes(prefixes)
}
