package scalar

import (
	"fmt"
	"regexp"
	"strings"
	"sync/atomic"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// Regular expressions are RE2, as in Kusto and in Go
// (https://learn.microsoft.com/kusto/query/regex).

var regexFunctions = []Function{
	custom("extract", 3, 4, bindExtract),
	custom("extract_all", 2, 3, bindExtractAll),
	custom("extractall", 2, 3, bindExtractAll),
	custom("replace_regex", 3, 3, bindReplaceRegex),
	custom("replace", 3, 3, func(c call) (Bound, error) {
		// The deprecated form has the text last.
		if err := (params{isString}).check(c); err != nil {
			return Bound{}, err
		}
		b, err := replaceRegex(c.name, c.args[0])
		if err != nil {
			return Bound{}, err
		}
		eval := b.Eval
		b.Eval = func(a []value.Value) (value.Value, error) {
			return eval([]value.Value{a[2], a[0], a[1]})
		}
		return b, nil
	}),
	fn("regex_quote", value.String, params{isString}, func(a []value.Value) value.Value {
		return value.NewString(regexp.QuoteMeta(a[0].Text()))
	}),
}

// pattern is a regular expression: compiled when bound if it is constant,
// otherwise when it changes. It may be used by several goroutines.
type pattern struct {
	name string
	last atomic.Pointer[regexp.Regexp]
}

func newPattern(name string, arg Arg) (*pattern, error) {
	p := &pattern{name: name}
	if arg.Const != nil {
		if _, err := p.of(*arg.Const); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// of is the compiled expression of v.
func (p *pattern) of(v value.Value) (*regexp.Regexp, error) {
	text := v.String()
	if re := p.last.Load(); re != nil && re.String() == text {
		return re, nil
	}
	re, err := regexp.Compile(text)
	if err != nil {
		return nil, fmt.Errorf("%s: invalid regular expression '%s': %w", p.name, text, err)
	}
	p.last.Store(re)
	return re, nil
}

// bindExtract binds extract(regex, captureGroup, source [, typeLiteral]). The
// type comes as a constant of that kind or as its name.
func bindExtract(c call) (Bound, error) {
	if err := (params{isString, isInteger, isString, isAny}).check(c); err != nil {
		return Bound{}, err
	}
	p, err := newPattern("extract()", c.args[0])
	if err != nil {
		return Bound{}, err
	}
	kind := value.String
	if len(c.args) == 4 {
		if kind, err = c.typeLiteral(3); err != nil {
			return Bound{}, err
		}
	}
	convert := converter(value.String, kind)
	return Bound{Kind: kind, Cost: 100, Eval: func(a []value.Value) (value.Value, error) {
		re, err := p.of(a[0])
		if err != nil {
			return value.Value{}, err
		}
		groups := re.FindStringSubmatchIndex(a[2].Text())
		group := a[1].Int64()
		if groups == nil || group < 0 || 2*group+1 >= int64(len(groups)) || groups[2*group] < 0 {
			return value.Null(kind), nil
		}
		return convert(value.NewString(a[2].Text()[groups[2*group]:groups[2*group+1]])), nil
	}}, nil
}

// typeLiteral reads an argument such as typeof(long): its name as a constant
// string, or a constant of the kind.
func (c call) typeLiteral(i int) (value.Kind, error) {
	if c.args[i].Kind != value.String {
		return c.args[i].Kind, nil
	}
	v, err := c.constant(i)
	if err != nil {
		return 0, err
	}
	name := strings.TrimSuffix(strings.TrimPrefix(v.Text(), "typeof("), ")")
	k, ok := value.ParseKind(name)
	if !ok {
		return 0, c.refuse(i, "a type literal")
	}
	return k, nil
}

// bindExtractAll binds extract_all(regex, [captureGroups,] source): an array of
// the only group, or of arrays of the groups.
func bindExtractAll(c call) (Bound, error) {
	source := len(c.args) - 1
	if err := c.check(0, isString); err != nil {
		return Bound{}, err
	}
	if err := c.check(source, isString); err != nil {
		return Bound{}, err
	}
	if source == 2 {
		if err := c.check(1, isDynamic); err != nil {
			return Bound{}, err
		}
	}
	p, err := newPattern("extract_all()", c.args[0])
	if err != nil {
		return Bound{}, err
	}
	return Bound{Kind: value.Dynamic, Cost: 200, Eval: func(a []value.Value) (value.Value, error) {
		re, err := p.of(a[0])
		if err != nil {
			return value.Value{}, err
		}
		if re.NumSubexp() == 0 {
			return value.Value{}, fmt.Errorf("extract_all(): the regular expression '%s' must have between 1 and 16 capture groups", re)
		}
		var wanted []value.Value
		if source == 2 {
			wanted, _ = a[1].Array()
		}
		found := re.FindAllStringSubmatch(a[source].Text(), -1)
		if found == nil {
			return nullAny, nil
		}
		matches := make([]value.Value, len(found))
		for i, groups := range found {
			matches[i] = captured(re, groups, wanted)
		}
		return value.NewArray(matches), nil
	}}, nil
}

// captured is what one match contributes.
func captured(re *regexp.Regexp, groups []string, wanted []value.Value) value.Value {
	var texts []value.Value
	if wanted == nil {
		for _, g := range groups[1:] {
			texts = append(texts, value.NewString(g))
		}
	}
	for _, w := range wanted {
		n := int(w.Int64())
		if s, ok := w.Scalar(); ok && s.Kind() == value.String {
			n = re.SubexpIndex(s.Text())
		}
		if n >= 0 && n < len(groups) {
			texts = append(texts, value.NewString(groups[n]))
		}
	}
	if len(texts) == 1 {
		return texts[0]
	}
	return value.NewArray(texts)
}

func bindReplaceRegex(c call) (Bound, error) {
	if err := (params{isString}).check(c); err != nil {
		return Bound{}, err
	}
	return replaceRegex(c.name, c.args[1])
}

// replaceRegex replaces all matches; \1 to \9 in the rewrite stand for groups,
// \0 for the match.
func replaceRegex(name string, regex Arg) (Bound, error) {
	p, err := newPattern(name+"()", regex)
	if err != nil {
		return Bound{}, err
	}
	return Bound{Kind: value.String, Cost: 200, Eval: func(a []value.Value) (value.Value, error) {
		re, err := p.of(a[1])
		if err != nil {
			return value.Value{}, err
		}
		return value.NewString(re.ReplaceAllString(a[0].Text(), goRewrite(a[2].Text()))), nil
	}}, nil
}

// goRewrite turns \1 into ${1} and keeps what Go would read as a group.
func goRewrite(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '$':
			b.WriteString("$$")
		case s[i] == '\\' && i+1 < len(s) && s[i+1]-'0' <= 9:
			i++
			b.WriteString("${" + s[i:i+1] + "}")
		case s[i] == '\\' && i+1 < len(s) && s[i+1] == '\\':
			i++
			b.WriteByte('\\')
		default:
			b.WriteByte(s[i])
		}
	}
	return b.String()
}
