package formats

import (
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// convert makes a value of the target's kind of JSON text, which is known to be
// canonical or not. What does not fit becomes null and is counted.
func (t target) convert(raw string, canonical bool, n *node, stats *Stats) value.Value {
	if raw[0] == 'n' {
		return value.Null(t.kind)
	}
	if t.transform != none {
		v, ok := t.transform.apply(value.DynamicJSON(raw), n)
		if !ok {
			stats.Nulled++
			return value.Null(t.kind)
		}
		raw, canonical = string(v.AppendJSON(nil)), false
	}
	if t.kind == value.Dynamic {
		if len(raw) > maxDynamic {
			stats.Nulled++
			return value.Null(value.Dynamic)
		}
		return value.DynamicJSONTyped(raw)
	}
	switch raw[0] {
	case '"':
		return fromText(unquote(raw), t.kind, stats)
	case '{', '[':
		if t.kind == value.String {
			if canonical {
				return fromObject(value.DynamicCanonical(raw, false), stats)
			}
			return fromObject(value.DynamicJSON(raw), stats)
		}
		stats.Nulled++
		return value.Null(t.kind)
	case 't', 'f':
		if t.kind != value.String && t.kind != value.Bool {
			stats.Nulled++
			return value.Null(t.kind)
		}
	default:
		return fromJSONNumber(raw, t.kind, stats)
	}
	return fromText(raw, t.kind, stats)
}

// fromObject is the text of an array or a bag, or of what is nested too deep to be one.
func fromObject(v value.Value, stats *Stats) value.Value {
	if s, ok := value.JSONString(v); ok && len(s.Text()) <= maxString {
		return s
	}
	return fromString(v.String(), stats)
}

// unquote is the content of a JSON string.
func unquote(quoted string) string {
	if inner := quoted[1 : len(quoted)-1]; strings.IndexByte(inner, '\\') < 0 {
		return inner
	}
	text, _ := jsontext.AppendUnquote(nil, quoted) // invalid UTF-8 is replaced
	return string(text)
}

// fromJSONNumber makes a value of a JSON number. 1.0 and 1e3 are integers.
func fromJSONNumber(text string, kind value.Kind, stats *Stats) value.Value {
	switch kind {
	case value.Int, value.Long:
		if strings.ContainsAny(text, ".eE") {
			f, err := strconv.ParseFloat(text, 64)
			if err != nil || f != math.Trunc(f) || math.Abs(f) >= 1<<63 {
				stats.Nulled++
				return value.Null(kind)
			}
			text = strconv.FormatInt(int64(f), 10)
		}
	case value.DateTime, value.TimeSpan, value.GUID:
		stats.Nulled++
		return value.Null(kind)
	}
	return fromText(text, kind, stats)
}

// fromText makes a value of plain text. Empty text is null without being a
// misfit.
func fromText(text string, kind value.Kind, stats *Stats) value.Value {
	switch kind {
	case value.String:
		return fromString(text, stats)
	case value.Dynamic:
		if len(text) > maxDynamic {
			stats.Nulled++
			return value.Null(kind)
		}
		return value.DynamicJSONTyped(text)
	}
	if text = strings.TrimSpace(text); text == "" {
		return value.Null(kind)
	}
	v, ok := parse(text, kind)
	if !ok {
		stats.Nulled++
		return value.Null(kind)
	}
	return v
}

// fromString repairs UTF-8 and cuts what is too long, never within a rune.
func fromString(text string, stats *Stats) value.Value {
	if !utf8.ValidString(text) {
		text = strings.ToValidUTF8(text, "\uFFFD")
	}
	if len(text) > maxString {
		stats.Truncated++
		end := maxString
		for !utf8.RuneStart(text[end]) {
			end--
		}
		text = text[:end]
	}
	return value.NewString(text)
}

func parse(text string, kind value.Kind) (value.Value, bool) {
	switch kind {
	case value.Bool:
		return parseBool(text)
	case value.Int:
		n, ok := parseInteger(text, 32)
		return value.NewInt(int32(n)), ok
	case value.Long:
		n, ok := parseInteger(text, 64)
		return value.NewLong(n), ok
	case value.Real:
		return parseReal(text)
	case value.Decimal:
		v, err := value.NewDecimal(text)
		return v, err == nil
	case value.DateTime:
		return value.ParseDateTime(text)
	case value.TimeSpan:
		return value.ParseTimeSpan(text)
	case value.GUID:
		v, err := value.NewGUID(text)
		return v, err == nil
	}
	return value.Value{}, false
}

func parseBool(text string) (value.Value, bool) {
	switch {
	case strings.EqualFold(text, "true"):
		return value.NewBool(true), true
	case strings.EqualFold(text, "false"):
		return value.NewBool(false), true
	}
	v, ok := parseReal(text)
	return value.NewBool(v.Real() != 0), ok
}

// parseInteger reads decimal or, behind 0x, hexadecimal digits.
func parseInteger(text string, bits int) (int64, bool) {
	if hex, ok := strings.CutPrefix(strings.ToLower(text), "0x"); ok {
		n, err := strconv.ParseInt(hex, 16, bits)
		return n, err == nil
	}
	n, err := strconv.ParseInt(text, 10, bits)
	return n, err == nil
}

func parseReal(text string) (value.Value, bool) {
	switch strings.ToLower(text) {
	case "nan":
		return value.NewReal(math.NaN()), true
	case "infinity", "inf", "+inf":
		return value.NewReal(math.Inf(1)), true
	case "-infinity", "-inf":
		return value.NewReal(math.Inf(-1)), true
	}
	if strings.ContainsAny(text, "xXpP_iInN") {
		return value.Value{}, false
	}
	f, err := strconv.ParseFloat(text, 64)
	return value.NewReal(f), err == nil
}

// fromNumber is a whole number in a column of any kind.
func fromNumber(n int64, kind value.Kind) value.Value {
	return fromText(strconv.FormatInt(n, 10), kind, &Stats{})
}
