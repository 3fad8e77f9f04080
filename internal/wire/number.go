package wire

import (
	"math"
	"strconv"
)

// How many significant digits survive in a number of a dynamic value, which is
// a long or a real (https://learn.microsoft.com/kusto/query/scalar-data-types/dynamic).
// A decimal has to come out of it as it went in, so that 15 are left for it.
const (
	realDigits    = 17
	decimalDigits = 15
	// mostDecimal is how many digits a decimal itself has
	// (https://learn.microsoft.com/kusto/query/scalar-data-types/decimal).
	mostDecimal = 34
)

// shape is what a number's text says of it without computing its value.
type shape struct {
	ok     bool // it is a number: [+-] digits [. digits] [e digits], a digit at least
	json   bool // in the form that JSON allows
	whole  bool // without point and exponent
	digits int  // significant ones; 0 for zero
}

// shapeOf reads a number.
func shapeOf(v []byte) shape {
	s := shape{whole: true, json: true}
	i, zeros, seen := 0, 0, 0
	if i < len(v) && (v[i] == '-' || v[i] == '+') {
		s.json = v[i] == '-'
		i++
	}
	start, point := i, -1
	for ; i < len(v); i++ {
		switch c := v[i]; {
		case c == '.' && point < 0:
			point = i
			continue
		case c < '0' || c > '9':
		case c == '0' && s.digits == 0:
			seen++
			continue
		case c == '0':
			seen++
			zeros++
			continue
		default:
			seen++
			s.digits += zeros + 1
			zeros = 0
			continue
		}
		break
	}
	if seen == 0 {
		return shape{}
	}
	integer := i
	if point >= 0 {
		s.whole = false
		integer = point
		s.json = s.json && i-point > 1
	}
	s.json = s.json && integer > start && (v[start] != '0' || integer == start+1)
	if i < len(v) {
		if v[i]|0x20 != 'e' {
			return shape{}
		}
		s.whole = false
		i++
		if i < len(v) && (v[i] == '-' || v[i] == '+') {
			i++
		}
		if i == len(v) {
			return shape{}
		}
		for ; i < len(v); i++ {
			if v[i] < '0' || v[i] > '9' {
				return shape{}
			}
		}
	}
	s.ok = true
	return s
}

// Rounds says whether a number loses digits or its size as a long or a real of
// a dynamic value.
func Rounds(v []byte) bool {
	if len(v) <= decimalDigits && !hasExponent(v) {
		return false
	}
	s := shapeOf(v)
	if !s.ok {
		return false
	}
	if s.whole {
		_, err := strconv.ParseInt(string(v), 10, 64)
		return err != nil
	}
	return s.digits > realDigits || outside(v, s)
}

// outside says whether a number is out of the range of a real, or so near to
// zero that it would become zero.
func outside(v []byte, s shape) bool {
	f, err := strconv.ParseFloat(string(v), 64)
	return err != nil || f == 0 && s.digits > 0
}

func hasExponent(v []byte) bool {
	for _, c := range v {
		if c|0x20 == 'e' {
			return true
		}
	}
	return false
}

// integer reads a number without a fraction, in any form, in the range of an
// integer of the given bits.
func integer(v []byte, bits int) (int64, bool) {
	if n, err := strconv.ParseInt(string(v), 10, bits); err == nil {
		return n, true
	}
	s := shapeOf(v)
	if !s.ok || s.whole || s.digits > realDigits+2 {
		return 0, false
	}
	// 7.0 and 1e3: exact in a float64 up to 2^53, which is checked both ways.
	f, err := strconv.ParseFloat(string(v), 64)
	if err != nil || f != math.Trunc(f) || math.Abs(f) > 1<<53 || f == 0 && s.digits > 0 {
		return 0, false
	}
	n := int64(f)
	if s.digits > decimalDigits || bits == 32 && int64(int32(n)) != n {
		return 0, false
	}
	return n, true
}
