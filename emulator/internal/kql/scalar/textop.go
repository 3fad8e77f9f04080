package scalar

import (
	"strings"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// match tests a text.
type match func(s string) bool

// textOperators make, per operator without its negation, the match for a
// right-hand side (https://learn.microsoft.com/kusto/query/datatypes-string-operators).
var textOperators = func() map[string]func(right string) match {
	words := func(exact bool, e ends) func(string) match {
		return func(right string) match { return newTerm(right, exact, e).in }
	}
	base := map[string]func(string) match{
		"=~": func(right string) match {
			right = foldASCII(right)
			return func(s string) bool { return equalFold(s, right) }
		},
		"contains": func(right string) match {
			right = foldASCII(right)
			return func(s string) bool { return indexFold(s, right) >= 0 }
		},
		"startswith": func(right string) match {
			right = foldASCII(right)
			return func(s string) bool { return hasPrefixFold(s, right) }
		},
		"endswith": func(right string) match {
			right = foldASCII(right)
			return func(s string) bool { return hasSuffixFold(s, right) }
		},

		"contains_cs":   func(right string) match { return func(s string) bool { return strings.Contains(s, right) } },
		"startswith_cs": func(right string) match { return func(s string) bool { return strings.HasPrefix(s, right) } },
		"endswith_cs":   func(right string) match { return func(s string) bool { return strings.HasSuffix(s, right) } },

		"has":          words(false, ends{start: true, stop: true}),
		"has_cs":       words(true, ends{start: true, stop: true}),
		"hasprefix":    words(false, ends{start: true}),
		"hasprefix_cs": words(true, ends{start: true}),
		"hassuffix":    words(false, ends{stop: true}),
		"hassuffix_cs": words(true, ends{stop: true}),
	}
	all := map[string]func(string) match{"matches regex": nil}
	for name, f := range base {
		all[name] = f
		if name != "=~" {
			all["!"+name] = f
		}
	}
	all["!~"] = base["=~"]
	return all
}()

func hasPrefixFold(s, folded string) bool {
	return len(s) >= len(folded) && equalFold(s[:len(folded)], folded)
}

func hasSuffixFold(s, folded string) bool {
	return len(s) >= len(folded) && equalFold(s[len(s)-len(folded):], folded)
}

// textOperator binds an operator of textOperators. A dynamic on either side
// counts as tostring() of it.
func textOperator(op string, left, right Arg) (Bound, error) {
	for i, k := range []value.Kind{left.Kind, right.Kind} {
		if k != value.String && k != value.Dynamic {
			return Bound{}, refusef("'%s' operator: argument #%d expected to be a string expression", op, i+1)
		}
	}
	if op == "matches regex" {
		return matchesRegex(right)
	}
	negated := op[0] == '!'
	make := textOperators[op]
	if right.Const == nil {
		return Bound{Kind: value.Bool, Cost: 20, Eval: func(a []value.Value) (value.Value, error) {
			return boolean(make(a[1].String())(a[0].String()) != negated), nil
		}}, nil
	}
	test := make(right.Const.String())
	if left.Kind == value.String {
		return tested(3, func(v value.Value) bool { return test(v.Text()) != negated }), nil
	}
	return tested(10, func(v value.Value) bool { return test(v.String()) != negated }), nil
}

// matchesRegex binds `matches regex`: the pattern occurs anywhere in the text.
func matchesRegex(right Arg) (Bound, error) {
	p, err := newPattern("matches regex", right)
	if err != nil {
		return Bound{}, err
	}
	return Bound{Kind: value.Bool, Cost: 50, Eval: func(a []value.Value) (value.Value, error) {
		re, err := p.of(a[1])
		if err != nil {
			return value.Value{}, err
		}
		return boolean(re.MatchString(a[0].String())), nil
	}}, nil
}
