package wire

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// Readable appends a scalar that is not in the form of its column's type, in
// that form, where it can be read: numbers and bools as text, the forms of
// OData, datetimes without a zone. Numbers that a dynamic value would round
// are text; a typed column reads them from it with all their digits. ok is
// false where the value is not of the type, and nothing was appended then.
func Readable(dst []byte, kind string, v []byte) (_ []byte, ok bool) {
	text := v
	quoted := v[0] == '"'
	if quoted {
		if text = v[1 : len(v)-1]; bytes.IndexByte(text, '\\') >= 0 {
			text, _ = jsontext.AppendUnquote(nil, v) // valid except for lone surrogates
		}
		if len(text) == 0 {
			return append(dst, v...), true // no value in any type
		}
		text = bytes.TrimSpace(text)
	}
	switch kind {
	case "string":
		return Quote(dst, v), !quoted
	case "bool":
		return readBool(dst, text)
	case "int", "long":
		bits := 64
		if kind == "int" {
			bits = 32
		}
		n, ok := integer(text, bits)
		if !ok {
			return dst, false
		}
		return strconv.AppendInt(dst, n, 10), true
	case "real":
		return readReal(dst, text)
	case "decimal":
		s := shapeOf(text)
		if !s.ok || s.digits > mostDecimal {
			return dst, false
		}
		return Quote(dst, text), true
	case "datetime":
		if quoted {
			return AnyMoment(dst, text)
		}
	case "timespan":
		if quoted {
			return span(dst, text)
		}
	case "guid":
		if quoted {
			return guid(dst, text)
		}
	}
	return dst, false
}

func readBool(dst, text []byte) ([]byte, bool) {
	if len(text) > len("false") {
		return dst, false
	}
	switch strings.ToLower(string(text)) {
	case "0", "false":
		return append(dst, "false"...), true
	case "1", "true":
		return append(dst, "true"...), true
	}
	return dst, false
}

// mostNumber bounds the text that is read as a number.
const mostNumber = 1000

// readReal reads a number, and what is none in the words of OData, .NET and Go.
func readReal(dst, text []byte) ([]byte, bool) {
	if len(text) > mostNumber {
		return dst, false
	}
	switch strings.ToLower(string(text)) {
	case "nan":
		return append(dst, `"NaN"`...), true
	case "inf", "+inf", "infinity", "+infinity":
		return append(dst, `"Infinity"`...), true
	case "-inf", "-infinity":
		return append(dst, `"-Infinity"`...), true
	}
	s := shapeOf(text)
	switch {
	case !s.ok || outside(text, s):
		return dst, false
	case Rounds(text):
		return Quote(dst, text), true
	case s.json:
		return append(dst, text...), true
	}
	f, _ := strconv.ParseFloat(string(text), 64) // within range
	return strconv.AppendFloat(dst, f, 'g', -1, 64), true
}

// Quote appends text as a JSON string. Invalid UTF-8 is replaced.
func Quote(dst, text []byte) []byte {
	dst, _ = jsontext.AppendQuote(dst, text)
	return dst
}
