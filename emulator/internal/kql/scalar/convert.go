package scalar

import (
	"math"
	"strconv"
	"strings"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// conversions are the to*() functions; what cannot be converted is null
// (https://learn.microsoft.com/kusto/query/scalar-functions#conversion-functions).
var conversions = []Function{
	to("tobool", value.Bool), to("toboolean", value.Bool),
	to("toint", value.Int), to("tolong", value.Long),
	to("toreal", value.Real), to("todouble", value.Real),
	to("todecimal", value.Decimal),
	to("todatetime", value.DateTime), to("totimespan", value.TimeSpan), to("totime", value.TimeSpan),
	to("toguid", value.GUID),
	custom("tostring", 1, 1, bindToString),
	// The names of types are conversions too, for what is no literal.
	to("bool", value.Bool), to("boolean", value.Bool), to("int", value.Int), to("long", value.Long),
	to("real", value.Real), to("double", value.Real), to("decimal", value.Decimal),
	to("datetime", value.DateTime), to("timespan", value.TimeSpan), to("time", value.TimeSpan), to("guid", value.GUID),
}

// to makes the conversion to kind k.
func to(name string, k value.Kind) Function {
	return custom(name, 1, 1, func(c call) (Bound, error) {
		convert := converter(c.args[0].Kind, k)
		return one(k, 5, convert), nil
	})
}

func bindToString(c call) (Bound, error) {
	if c.args[0].Kind == value.String {
		return Bound{Kind: value.String, Cost: 1, Eval: first}, nil
	}
	return one(value.String, 8, func(v value.Value) value.Value { return value.NewString(PlainText(v)) }), nil
}

// PlainText is the text of a value as tostring() and strcat() give it. A bool
// by itself is True or False, one within a dynamic is JSON's.
func PlainText(v value.Value) string {
	if v.Kind() != value.Bool || v.IsNull() {
		return v.String()
	}
	if v.Bool() {
		return "True"
	}
	return "False"
}

// AppendPlain appends PlainText of v.
func AppendPlain(b []byte, v value.Value) []byte {
	if v.Kind() != value.Bool || v.IsNull() {
		return v.AppendText(b)
	}
	return append(b, PlainText(v)...)
}

// first is the kernel that gives its first argument back.
func first(a []value.Value) (value.Value, error) { return a[0], nil }

// Convert converts v to kind k as the to*() functions do; what cannot be
// converted is null.
func Convert(v value.Value, k value.Kind) value.Value { return converter(v.Kind(), k)(v) }

// converter chooses the conversion between two kinds.
func converter(from, k value.Kind) cast {
	if from == k {
		return noCast
	}
	var convert cast
	switch k {
	case value.Bool:
		convert = toBool
	case value.Int:
		convert = toInt
	case value.Long:
		convert = toLong
	case value.Real:
		convert = toReal
	case value.Decimal:
		convert = toDecimal
	case value.DateTime:
		convert = toDateTime
	case value.TimeSpan:
		convert = toTimeSpan
	case value.String:
		return func(v value.Value) value.Value { return value.NewString(PlainText(v)) }
	case value.GUID:
		convert = toGUID
	default:
		return value.NewDynamic
	}
	null := value.Null(k)
	return func(v value.Value) value.Value {
		if v.Kind() == value.Dynamic {
			s, ok := v.Scalar()
			if !ok {
				return null
			}
			v = s
		}
		if v.IsNull() {
			return null
		}
		if v.Kind() == k {
			return v
		}
		return convert(v)
	}
}

func toBool(v value.Value) value.Value {
	switch v.Kind() {
	case value.Int, value.Long:
		return boolean(v.Int64() != 0)
	case value.Real, value.Decimal:
		return boolean(v.Real() != 0)
	case value.String:
		text := strings.TrimSpace(v.Text())
		switch {
		case strings.EqualFold(text, "true"):
			return yes
		case strings.EqualFold(text, "false"):
			return no
		}
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			return boolean(n != 0)
		}
	}
	return nullBool
}

// toInt keeps the low 32 bits of a long that is too large; text that is too
// large is null. Both are as measured on the real engine.
func toInt(v value.Value) value.Value {
	n := toLong(v)
	if n.IsNull() || v.Kind() == value.String && (n.Int64() > math.MaxInt32 || n.Int64() < math.MinInt32) {
		return value.Null(value.Int)
	}
	return value.NewInt(int32(n.Int64()))
}

// toLong cuts the fraction of a real. Text is a whole number, decimal or
// hexadecimal with 0x (https://learn.microsoft.com/kusto/query/tolong-function);
// one with a fraction or an exponent is null, as measured on the real engine.
func toLong(v value.Value) value.Value {
	switch v.Kind() {
	case value.Bool, value.Int, value.Long, value.DateTime, value.TimeSpan:
		return value.NewLong(v.Int64())
	case value.Real, value.Decimal:
		return truncated(v.Real())
	case value.String:
		return parseLong(v.Text())
	}
	return nullLong
}

// truncated is the whole part of f, null where no long holds it.
func truncated(f float64) value.Value {
	if math.IsNaN(f) || f >= math.MaxInt64 || f < math.MinInt64 {
		return nullLong
	}
	return value.NewLong(int64(f))
}

// ParseLong is tolong() of a text.
func ParseLong(text []byte) value.Value {
	if n, ok := shortHex(text); ok {
		return value.NewLong(n)
	}
	return parseLong(string(text))
}

// shortHex reads 0x and at most 15 digits, and leaves all else to parseLong.
func shortHex(text []byte) (n int64, ok bool) {
	if len(text) < 3 || len(text) > 17 || text[0] != '0' || text[1] != 'x' {
		return 0, false
	}
	for _, c := range text[2:] {
		switch {
		case c >= '0' && c <= '9':
			n = n<<4 | int64(c-'0')
		case c >= 'a' && c <= 'f':
			n = n<<4 | int64(c-'a'+10)
		default:
			return 0, false
		}
	}
	return n, true
}

func parseLong(text string) value.Value {
	text = strings.TrimSpace(text)
	body, negative := strings.CutPrefix(text, "-")
	if hex, ok := cutHex(body); ok {
		n, err := strconv.ParseUint(hex, 16, 64)
		if err != nil {
			return nullLong
		}
		if negative {
			return value.NewLong(-int64(n))
		}
		return value.NewLong(int64(n))
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return value.NewLong(n)
	}
	return nullLong
}

// cutHex cuts the prefix 0x.
func cutHex(text string) (string, bool) {
	if len(text) > 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X') {
		return text[2:], true
	}
	return "", false
}

func toReal(v value.Value) value.Value {
	switch v.Kind() {
	case value.Bool, value.Int, value.Long, value.Real, value.Decimal:
		return value.NewReal(v.Real())
	case value.DateTime, value.TimeSpan:
		return value.NewReal(float64(v.Ticks()))
	case value.String:
		if f, ok := parseReal(strings.TrimSpace(v.Text())); ok {
			return value.NewReal(f)
		}
		if hex, ok := cutHex(strings.TrimSpace(v.Text())); ok {
			if n, err := strconv.ParseUint(hex, 16, 64); err == nil {
				return value.NewReal(float64(n))
			}
		}
	}
	return nullReal
}

// parseReal reads a decimal number with optional exponent, NaN or an infinity.
func parseReal(text string) (float64, bool) {
	if text == "" || strings.ContainsAny(text, "xX_pP") {
		return 0, false
	}
	f, err := strconv.ParseFloat(text, 64)
	return f, err == nil
}

func toDecimal(v value.Value) value.Value {
	switch v.Kind() {
	case value.Bool, value.Int, value.Long:
		return value.NewLong(v.Int64()).ToDecimal()
	case value.Real:
		return v.ToDecimal()
	case value.String:
		if d, err := value.NewDecimal(v.Text()); err == nil {
			return d
		}
	}
	return value.Null(value.Decimal)
}

func toDateTime(v value.Value) value.Value {
	switch v.Kind() {
	case value.Int, value.Long:
		return value.DateTimeFromTicks(v.Int64())
	case value.String:
		if t, ok := value.ParseDateTime(v.Text()); ok {
			return t
		}
	}
	return nullTime
}

func toTimeSpan(v value.Value) value.Value {
	switch v.Kind() {
	case value.Int, value.Long:
		return value.NewTimeSpan(v.Int64())
	case value.String:
		if t, ok := value.ParseTimeSpan(v.Text()); ok {
			return t
		}
	}
	return nullSpan
}

// withoutDashes leaves out dashes where a GUID has them.
func withoutDashes(text string) string {
	var b []byte
	for i := range len(text) {
		if n := len(b); text[i] == '-' && (n == 8 || n == 12 || n == 16 || n == 20) {
			continue
		}
		b = append(b, text[i])
	}
	return string(b)
}

func toGUID(v value.Value) value.Value {
	if v.Kind() == value.String {
		text := v.Text()
		if n := strings.Count(text, "-"); n > 0 && n < 4 { // some of the dashes
			text = withoutDashes(text)
		}
		if g, err := value.NewGUID(text); err == nil {
			return g
		}
	}
	return value.Null(value.GUID)
}
