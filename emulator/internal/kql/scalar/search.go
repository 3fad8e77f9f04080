package scalar

import (
	"math"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// searches find texts in texts.
var searches = []Function{
	fn("indexof", value.Long, params{isAny, isAny, isInteger}, func(a []value.Value) value.Value {
		lookup := a[1].String()
		return nthIndex(a, func(s string) (int, int) {
			return strings.Index(s, lookup), len(lookup)
		})
	}).arity(2, 5),
	custom("indexof_regex", 2, 5, bindIndexOfRegex),
	custom("countof", 2, 3, bindCountOf),
	fn("has_any_index", value.Long, params{isString, isDynamic}, func(a []value.Value) value.Value {
		elements, _ := a[1].Array()
		for i, e := range elements {
			if newTerm(e.String(), false, ends{start: true, stop: true}).in(a[0].Text()) {
				return value.NewLong(int64(i))
			}
		}
		return value.NewLong(-1)
	}),
}

// nthIndex evaluates indexof(source, lookup [, start [, length [, occurrence]]]).
// find gives offset and length of the first match in a text, or -1. Each
// occurrence is searched in length characters behind the one before.
func nthIndex(a []value.Value, find func(string) (at, size int)) value.Value {
	s := a[0].String()
	start, length, occurrence := int64(0), int64(-1), int64(1)
	for i, p := range []*int64{&start, &length, &occurrence} {
		if i+2 < len(a) {
			*p = a[i+2].Int64()
		}
	}
	if start < 0 {
		start = max(0, start+int64(utf8.RuneCountInString(s)))
	}
	if occurrence <= 0 || length < -1 {
		return nullLong
	}
	if length == -1 {
		length = math.MaxInt64
	}
	from := skip(s, start)
	for {
		at, size := find(Cut(s[from:], 0, length))
		if at < 0 {
			return value.NewLong(-1)
		}
		if occurrence--; occurrence == 0 {
			return value.NewLong(int64(utf8.RuneCountInString(s[:from+at])))
		}
		from += at + skip(s[from+at:], 1)
		if size == 0 && from >= len(s) {
			return value.NewLong(-1)
		}
	}
}

func bindIndexOfRegex(c call) (Bound, error) {
	if err := (params{isString, isString, isInteger}).check(c); err != nil {
		return Bound{}, err
	}
	p, err := newPattern("indexof_regex()", c.args[1])
	if err != nil {
		return Bound{}, err
	}
	return Bound{Kind: value.Long, Cost: 100, Eval: func(a []value.Value) (value.Value, error) {
		re, err := p.of(a[1])
		if err != nil {
			return value.Value{}, err
		}
		return nthMatch(a, re), nil
	}}, nil
}

// nthMatch evaluates indexof_regex(source, regex [, start [, length [,
// occurrence]]]). Matches do not overlap; a negative start is null, as the
// recorded answers of the page's examples have it.
func nthMatch(a []value.Value, re *regexp.Regexp) value.Value {
	s := a[0].Text()
	start, length, occurrence := int64(0), int64(-1), int64(1)
	for i, p := range []*int64{&start, &length, &occurrence} {
		if i+2 < len(a) {
			*p = a[i+2].Int64()
		}
	}
	if start < 0 || occurrence <= 0 || length < -1 {
		return nullLong
	}
	if length == -1 {
		length = math.MaxInt64
	}
	from := skip(s, start)
	found := re.FindAllStringIndex(Cut(s[from:], 0, length), int(min(occurrence, math.MaxInt32)))
	if int64(len(found)) < occurrence {
		return value.NewLong(-1)
	}
	return value.NewLong(int64(utf8.RuneCountInString(s[:from+found[occurrence-1][0]])))
}

// bindCountOf binds countof(source, search [, kind]): matches of a plain text
// may overlap, those of a regular expression do not.
func bindCountOf(c call) (Bound, error) {
	if err := (params{isString}).check(c); err != nil {
		return Bound{}, err
	}
	regex := false
	if len(c.args) == 3 {
		kind, err := c.constant(2)
		if err != nil {
			return Bound{}, err
		}
		switch strings.ToLower(kind.Text()) {
		case "normal":
		case "regex":
			regex = true
		default:
			return Bound{}, c.refuse(2, "'normal' or 'regex'")
		}
	}
	if !regex {
		return Bound{Kind: value.Long, Cost: 20, Eval: func(a []value.Value) (value.Value, error) {
			return value.NewLong(overlapping(a[0].Text(), a[1].Text())), nil
		}}, nil
	}
	p, err := newPattern("countof()", c.args[1])
	if err != nil {
		return Bound{}, err
	}
	return Bound{Kind: value.Long, Cost: 100, Eval: func(a []value.Value) (value.Value, error) {
		re, err := p.of(a[1])
		if err != nil {
			return value.Value{}, err
		}
		return value.NewLong(int64(len(re.FindAllStringIndex(a[0].Text(), -1)))), nil
	}}, nil
}

func overlapping(s, text string) int64 {
	if text == "" {
		return 0
	}
	n := int64(0)
	for {
		i := strings.Index(s, text)
		if i < 0 {
			return n
		}
		n++
		s = s[i+1:]
	}
}
