package scalar

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// textFunctions measure and build strings. Positions and lengths count
// Unicode code points.
var textFunctions = []Function{
	fn("strlen", value.Long, params{isString | isDynamic}, func(a []value.Value) value.Value {
		return value.NewLong(int64(utf8.RuneCountInString(a[0].String())))
	}),
	fn("string_size", value.Long, params{isString | isDynamic}, func(a []value.Value) value.Value {
		return value.NewLong(int64(len(a[0].String())))
	}),
	textMap("tolower", strings.ToLower),
	textMap("toupper", strings.ToUpper),
	lenient("reverse", value.String, params{isAny}, func(a []value.Value) value.Value {
		return value.NewString(reversed(PlainText(a[0])))
	}),
	lenient("strcat", value.String, params{isAny}, func(a []value.Value) value.Value {
		var b []byte
		for _, v := range a {
			b = append(b, PlainText(v)...)
		}
		return value.NewString(string(b))
	}).arity(1, 64),
	lenient("strcat_delim", value.String, params{isString, isAny}, func(a []value.Value) value.Value {
		var b []byte
		for i, v := range a[1:] {
			if i > 0 {
				b = append(b, a[0].Text()...)
			}
			b = append(b, PlainText(v)...)
		}
		return value.NewString(string(b))
	}).arity(3, 64),
	fn("strrep", value.String, params{isAny, isInteger, isString}, repeated).arity(2, 3),
	fn("strcmp", value.Long, params{isString, isString}, func(a []value.Value) value.Value {
		return value.NewLong(int64(strings.Compare(a[0].Text(), a[1].Text())))
	}),
	fn("isutf8", value.Bool, params{isString}, func(a []value.Value) value.Value {
		return boolean(utf8.ValidString(a[0].Text()))
	}),
	fn("isascii", value.Bool, params{isString}, func(a []value.Value) value.Value {
		return boolean(!strings.ContainsFunc(a[0].Text(), func(r rune) bool { return r >= utf8.RuneSelf }))
	}),
	fn("tohex", value.String, params{isInteger}, hexText).arity(1, 2),
	fn("unicode_codepoints_from_string", value.Dynamic, params{isString}, codePoints),
	alias("to_utf8", fn("", value.Dynamic, params{isString}, codePoints)),
	lenient("unicode_codepoints_to_string", value.String, params{isInteger | isDynamic}, fromCodePoints).arity(1, 64),
	lenient("make_string", value.String, params{isInteger | isDynamic}, fromCodePoints).arity(1, 64),
	fn("strcat_array", value.String, params{isDynamic, isString}, joined),
	fn("array_strcat", value.String, params{isDynamic, isString}, joined),
}

func joined(a []value.Value) value.Value {
	elements, _ := a[0].Array()
	texts := make([]string, len(elements))
	for i, e := range elements {
		texts[i] = e.String()
	}
	return value.NewString(strings.Join(texts, a[1].Text()))
}

// maxText bounds what a function may build from small arguments.
const maxText = 1 << 24

// textMap makes a function from text to text.
func textMap(name string, f func(string) string) Function {
	return fn(name, value.String, params{isString}, func(a []value.Value) value.Value {
		return value.NewString(f(a[0].Text()))
	})
}

func reversed(s string) string {
	runes := []rune(s)
	slices.Reverse(runes)
	return string(runes)
}

// repeated is strrep(value, multiplier [, delimiter]).
func repeated(a []value.Value) value.Value {
	text, times, delimiter := a[0].String(), a[1].Int64(), ""
	if len(a) == 3 {
		delimiter = a[2].Text()
	}
	if times <= 0 || times > 1024 || (len(text)+len(delimiter))*int(times) > maxText {
		return noText
	}
	return value.NewString(strings.Repeat(text+delimiter, int(times)-1) + text)
}

// hexText is tohex(value [, minLength]): a negative number has as many digits
// as its type.
func hexText(a []value.Value) value.Value {
	n := uint64(a[0].Int64())
	if a[0].Kind() == value.Int {
		n = uint64(uint32(n))
	}
	text := strconv.FormatUint(n, 16)
	if len(a) == 2 {
		if pad := min(a[1].Int64(), 16) - int64(len(text)); pad > 0 {
			text = strings.Repeat("0", int(pad)) + text
		}
	}
	return value.NewString(text)
}

func codePoints(a []value.Value) value.Value {
	points := []value.Value{}
	for _, r := range a[0].Text() {
		points = append(points, value.NewLong(int64(r)))
	}
	return value.NewArray(points)
}

func fromCodePoints(a []value.Value) value.Value {
	var b []byte
	for _, arg := range a {
		eachElement(arg, func(v value.Value) {
			if n := v.Int64(); !v.IsNull() && n >= 0 && n <= utf8.MaxRune {
				b = utf8.AppendRune(b, rune(n))
			}
		})
	}
	return value.NewString(string(b))
}

// textEdits split and change strings.
var textEdits = []Function{
	fn("substring", value.String, params{isString, isInteger}, substring).arity(2, 3),
	trimmer("trim", true, true),
	trimmer("trim_start", true, false),
	trimmer("trim_end", false, true),
	fn("replace_string", value.String, params{isString, isString, isString}, func(a []value.Value) value.Value {
		if a[1].Text() == "" {
			return a[0]
		}
		return value.NewString(strings.ReplaceAll(a[0].Text(), a[1].Text(), a[2].Text()))
	}),
	custom("replace_strings", 3, 3, bindReplaceStrings),
	fn("translate", value.String, params{isString, isString, isString}, translate),
	fn("split", value.Dynamic, params{isString, isString, isInteger}, split).arity(2, 3),
}

// substring is substring(source, start [, length]); a negative start counts
// from the end.
func substring(a []value.Value) value.Value {
	s, start, length := a[0].Text(), a[1].Int64(), int64(math.MaxInt64)
	if len(a) == 3 {
		length = a[2].Int64()
	}
	if start < 0 {
		start = max(0, start+int64(utf8.RuneCountInString(s)))
	}
	return value.NewString(Cut(s, start, length))
}

// Cut is length code points of s from start on, as a part of s.
func Cut(s string, start, length int64) string {
	if length <= 0 {
		return ""
	}
	s = s[skip(s, start):]
	return s[:skip(s, length)]
}

// skip is the offset behind n code points of s, len(s) if there are fewer.
func skip(s string, n int64) int {
	i := 0
	for ; n > 0 && i < len(s); n-- {
		if s[i] < utf8.RuneSelf {
			i++
			continue
		}
		_, size := utf8.DecodeRuneInString(s[i:])
		i += size
	}
	return i
}

// translate is translate(searchList, replacementList, source): each character
// of the first list becomes the one at its place in the second, whose last
// character is repeated; an empty second list removes.
func translate(a []value.Value) value.Value {
	from, to := []rune(a[0].Text()), []rune(a[1].Text())
	return value.NewString(strings.Map(func(r rune) rune {
		i := slices.Index(from, r)
		switch {
		case i < 0:
			return r
		case len(to) == 0:
			return -1
		}
		return to[min(i, len(to)-1)]
	}, a[2].Text()))
}

// split is split(source, delimiter [, index]): all parts, or an array of the
// part at index.
func split(a []value.Value) value.Value {
	parts := []string{a[0].Text()}
	if delimiter := a[1].Text(); delimiter != "" {
		parts = strings.Split(a[0].Text(), delimiter)
	}
	if len(a) == 3 {
		i := a[2].Int64()
		if i < 0 || i >= int64(len(parts)) {
			return value.NewArray(nil)
		}
		parts = parts[i : i+1]
	}
	return textArray(parts)
}

// textArray is a dynamic array of strings.
func textArray(texts []string) value.Value {
	elements := make([]value.Value, len(texts))
	for i, t := range texts {
		elements[i] = value.NewString(t)
	}
	return value.NewArray(elements)
}

// trimmer makes the trim functions: trim(regex, text) removes a match at the
// start, at the end, or both.
func trimmer(name string, start, end bool) Function {
	return custom(name, 2, 2, func(c call) (Bound, error) {
		if err := (params{isString}).check(c); err != nil {
			return Bound{}, err
		}
		if _, err := newPattern(name+"()", c.args[0]); err != nil {
			return Bound{}, err
		}
		head, tail := &pattern{name: name + "()"}, &pattern{name: name + "()"}
		return Bound{Kind: value.String, Cost: 100, Eval: func(a []value.Value) (value.Value, error) {
			text := a[1].Text()
			if start {
				re, err := head.of(value.NewString("^(?:" + a[0].Text() + ")"))
				if err != nil {
					return value.Value{}, err
				}
				if at := re.FindStringIndex(text); at != nil {
					text = text[at[1]:]
				}
			}
			if end {
				re, err := tail.of(value.NewString("(?:" + a[0].Text() + ")$"))
				if err != nil {
					return value.Value{}, err
				}
				if at := re.FindStringIndex(text); at != nil {
					text = text[:at[0]]
				}
			}
			return value.NewString(text), nil
		}}, nil
	})
}

// bindReplaceStrings binds replace_strings(source, lookups, rewrites), which
// replaces each lookup in what the lookups before it left over: what was
// replaced is not looked at again.
func bindReplaceStrings(c call) (Bound, error) {
	if err := (params{isString, isDynamic, isDynamic}).check(c); err != nil {
		return Bound{}, err
	}
	return Bound{Kind: value.String, Cost: 50, Eval: func(a []value.Value) (value.Value, error) {
		lookups, ok1 := a[1].Array()
		rewrites, ok2 := a[2].Array()
		if !ok1 || !ok2 || len(lookups) != len(rewrites) {
			return value.Value{}, fmt.Errorf("replace_strings(): lookups and rewrites must be arrays of the same length")
		}
		parts := []part{{text: a[0].Text()}}
		for i, l := range lookups {
			parts = replaceIn(parts, l.String(), rewrites[i])
		}
		var out strings.Builder
		for _, p := range parts {
			out.WriteString(p.text)
		}
		return value.NewString(out.String()), nil
	}}, nil
}

// part is a part of a text. One that is done is not looked at again.
type part struct {
	text string
	done bool
}

// replaceIn replaces a lookup in the parts that are not done. A rewrite that is
// no text leaves the lookup as it is, but done.
func replaceIn(parts []part, lookup string, rewrite value.Value) []part {
	if lookup == "" {
		return parts
	}
	by := lookup
	if s, ok := rewrite.Scalar(); ok && s.Kind() == value.String {
		by = s.Text()
	}
	var out []part
	for _, p := range parts {
		for !p.done {
			before, after, found := strings.Cut(p.text, lookup)
			if !found {
				break
			}
			out = append(out, part{text: before}, part{text: by, done: true})
			p.text = after
		}
		out = append(out, p)
	}
	return out
}
