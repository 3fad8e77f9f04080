package value

import (
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// String is the text that tostring() gives: a datetime as
// `2026-01-02T03:04:05.0000000Z`, a timespan as `d.hh:mm:ss.fffffff`, a bool
// as `true` or `false`, a real with at least one fraction digit, a string in a
// dynamic without quotes, an array or bag as JSON, and null as the empty string.
func (v Value) String() string {
	if v.nature().null || v.nature().kind == 0 {
		return ""
	}
	switch v.scalarKind() {
	case String, GUID, Decimal:
		return v.s
	case Bool:
		if v.n != 0 {
			return "true"
		}
		return "false"
	case 0: // array or bag
		if v.nature().d == nil {
			return v.s
		}
	}
	return string(v.AppendText(nil))
}

// AppendText appends what String gives.
func (v Value) AppendText(b []byte) []byte {
	if v.nature().null {
		return b
	}
	switch v.scalarKind() {
	case Bool:
		return strconv.AppendBool(b, v.n != 0)
	case Int, Long:
		return strconv.AppendInt(b, v.n, 10)
	case Real:
		return AppendReal(b, v.Real())
	case DateTime:
		return AppendDateTime(b, v.n)
	case TimeSpan:
		return AppendTimeSpan(b, v.n)
	case String, GUID, Decimal:
		return append(b, v.s...)
	}
	if v.nature().kind == Dynamic {
		return v.AppendJSON(b)
	}
	return b
}

// AppendReal appends f as .NET's shortest round-trip form, with `.0` behind a
// whole number: `1.5`, `10.0`, `1E+15`, `1E-05`, `NaN`, `Infinity`.
func AppendReal(b []byte, f float64) []byte {
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
	if a := math.Abs(f); a >= 1e-4 && a < 1e15 {
		start := len(b)
		b = strconv.AppendFloat(b, f, 'f', -1, 64)
		for _, c := range b[start:] {
			if c == '.' {
				return b
			}
		}
		return append(b, ".0"...)
	}
	return strconv.AppendFloat(b, f, 'E', -1, 64) // at least two exponent digits, as .NET
}

const hexDigits = "0123456789abcdef"

// appendQuoted appends s as a JSON string; only quotes, backslashes and
// control characters are escaped. Invalid UTF-8 becomes U+FFFD.
func appendQuoted(b []byte, s string) []byte {
	b = append(b, '"')
	if skipPlain(s, 0) == len(s) {
		return append(appendValid(b, s), '"')
	}
	start := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= 0x20 && c != '"' && c != '\\' {
			continue
		}
		b = appendValid(b, s[start:i])
		start = i + 1
		switch c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\n':
			b = append(b, '\\', 'n')
		case '\r':
			b = append(b, '\\', 'r')
		case '\t':
			b = append(b, '\\', 't')
		case '\b':
			b = append(b, '\\', 'b')
		case '\f':
			b = append(b, '\\', 'f')
		default:
			b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
	}
	b = appendValid(b, s[start:])
	return append(b, '"')
}

func appendValid(b []byte, s string) []byte {
	if utf8.ValidString(s) {
		return append(b, s...)
	}
	return append(b, strings.ToValidUTF8(s, "\uFFFD")...)
}
