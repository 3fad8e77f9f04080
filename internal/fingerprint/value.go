package fingerprint

import (
	"bytes"
	"math"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// appendValue appends the text of a value of a column, as Row takes it: that of
// tostring(). v is its JSON text, nil if the row does not have it. fits is false for a
// value that does not fit its type.
func appendValue(b []byte, kind string, v []byte) (_ []byte, fits bool) {
	if kind == "dynamic" {
		b = append(b, '[')
		b, _ = appendDynamic(b, v)
		return append(b, ']'), true
	}
	if len(v) == 0 || string(v) == "null" {
		return b, true
	}
	text := v
	if v[0] == '"' {
		text = plainText(v)
		if kind == "string" {
			return append(b, text...), true
		}
		if len(text) == 0 {
			return b, true // no value in any type
		}
	}
	var ok bool
	switch kind {
	case "string":
		b, ok = appendDynamic(b, v)
	case "bool":
		b, ok = appendBool(b, text)
	case "int", "long":
		b, ok = appendLong(b, text)
	case "real":
		b, ok = appendReal(b, text)
	case "datetime":
		b, ok = appendMoment(b, text)
	case "guid", "decimal", "timespan":
		b, ok = append(b, bytes.ToLower(text)...), true
	}
	if !ok {
		b = append(b, v...)
	}
	return b, ok
}

// plainText is the text of a JSON string.
func plainText(v []byte) []byte {
	if bytes.IndexByte(v, '\\') < 0 {
		return v[1 : len(v)-1]
	}
	text, _ := jsontext.AppendUnquote(nil, v) // valid except for lone surrogates, which are replaced
	return text
}

func appendBool(b, text []byte) ([]byte, bool) {
	if len(text) > len("false") {
		return b, false
	}
	switch strings.ToLower(string(text)) {
	case "true", "1":
		return append(b, "True"...), true
	case "false", "0":
		return append(b, "False"...), true
	}
	return b, false
}

func appendLong(b, text []byte) ([]byte, bool) {
	n, err := strconv.ParseInt(string(text), 10, 64)
	if err != nil {
		return b, false
	}
	return strconv.AppendInt(b, n, 10), true
}

// appendReal appends a real in .NET's shortest form, with a fraction digit behind a
// whole number: 1.5, 10.0, 1E+15, 1E-05.
func appendReal(b, text []byte) ([]byte, bool) {
	f, err := strconv.ParseFloat(string(text), 64)
	if err != nil {
		return b, false
	}
	return appendFloat(b, f), true
}

func appendFloat(b []byte, f float64) []byte {
	switch {
	case math.IsNaN(f):
		return append(b, "NaN"...)
	case math.IsInf(f, 1):
		return append(b, "Infinity"...)
	case math.IsInf(f, -1):
		return append(b, "-Infinity"...)
	case f == 0:
		return append(b, "0.0"...)
	}
	if a := math.Abs(f); a < 1e-4 || a >= 1e15 {
		return strconv.AppendFloat(b, f, 'E', -1, 64) // at least two digits of the exponent, as .NET
	}
	start := len(b)
	b = strconv.AppendFloat(b, f, 'f', -1, 64)
	if bytes.IndexByte(b[start:], '.') < 0 {
		b = append(b, ".0"...)
	}
	return b
}
