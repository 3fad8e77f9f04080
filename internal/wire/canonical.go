package wire

import (
	"bytes"
	"math"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// AppendCanonical appends a scalar so that equal values have equal bytes: texts
// with no more escapes than JSON wants, numbers in their shortest form. v is valid
// JSON without blanks around it, and no number that Rounds. A lone surrogate is
// replaced.
func AppendCanonical(dst, v []byte) []byte {
	switch {
	case v[0] == '"':
		if bytes.IndexByte(v, '\\') < 0 || hasFewestEscapes(v) {
			return append(dst, v...)
		}
		plain, _ := jsontext.AppendUnquote(nil, v) // valid except for lone surrogates
		return Quote(dst, plain)
	case v[0] == '-' || v[0] <= '9':
		return appendNumber(dst, v)
	}
	return append(dst, v...)
}

// hasFewestEscapes says whether a text is ASCII and escapes quotes and backslashes alone:
// Quote would write it with the same bytes.
func hasFewestEscapes(v []byte) bool {
	v = v[1 : len(v)-1]
	for i := 0; i < len(v); i++ {
		switch c := v[i]; {
		case c < ' ' || c >= 0x7f:
			return false
		case c == '\\':
			if i++; i == len(v) || v[i] != '\\' && v[i] != '"' {
				return false
			}
		}
	}
	return true
}

// Numbers from tiny to huge are written without an exponent.
const tiny, huge = 1e-15, 1e15

// appendNumber appends a number without the zeros at the end of its fraction. A
// text of few digits needs no arithmetic for that.
func appendNumber(dst, v []byte) []byte {
	point := bytes.IndexByte(v, '.')
	if hasExponent(v) || point >= 0 && len(v) > decimalDigits+1 {
		f, _ := strconv.ParseFloat(string(v), 64) // within range
		form := byte('f')
		if size := math.Abs(f); size != 0 && (size < tiny || size >= huge) {
			form = 'e'
		}
		return strconv.AppendFloat(dst, f+0, form, -1, 64) // -0 is 0
	}
	if point >= 0 {
		v = bytes.TrimRight(v, "0")
		v = bytes.TrimSuffix(v, []byte{'.'})
	}
	if string(v) == "-0" {
		v = v[1:]
	}
	return append(dst, v...)
}
