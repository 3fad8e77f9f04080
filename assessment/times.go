package assessment

import (
	"bytes"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/tvmexport/tvmexport/internal/wire"
)

// noTime is how the service writes that a time is not known.
const noTime = "0001-01-01T00:00:00"

// appendTime appends a time as ISO 8601 in UTC, nothing for no time. The forms
// without a zone, which is UTC, and with Z are read without parsing. ok is false if v is
// not a time, and nothing was appended then.
func appendTime(dst, v []byte) (_ []byte, ok bool) {
	if out, ok := plainTime(dst, v); ok {
		return out, true
	}
	if v[0] != '"' {
		return dst, false
	}
	text, err := jsontext.AppendUnquote(nil, v)
	if err != nil {
		return dst, false
	}
	iso, ok := wire.AnyMoment(nil, text)
	if !ok {
		return dst, false
	}
	return plainTime(dst, iso)
}

// plainTime is appendTime for "2006-01-02 15:04:05", with a T or a blank, any digits
// of a fraction, and with or without a Z.
func plainTime(dst, v []byte) (_ []byte, ok bool) {
	const form = `"0000-00-00 00:00:00`
	if len(v) < len(form)+1 || v[0] != '"' || v[5] != '-' || v[8] != '-' || v[11] != ' ' && v[11] != 'T' || v[14] != ':' || v[17] != ':' ||
		two(v[12:]) > 23 || two(v[15:]) > 59 || two(v[18:]) > 59 || !isDate(v[1:]) {
		return dst, false
	}
	rest := v[len(form) : len(v)-1]
	if n := len(rest); n > 0 && rest[n-1] == 'Z' {
		rest = rest[:n-1]
	}
	if len(rest) > 0 {
		if rest[0] != '.' || len(rest) == 1 {
			return dst, false
		}
		for _, c := range rest[1:] {
			if c < '0' || c > '9' {
				return dst, false
			}
		}
		if rest = bytes.TrimRight(rest, "0"); len(rest) == 1 {
			rest = nil
		}
	}
	start := len(dst)
	dst = append(dst, v[:len(form)]...)
	dst[start+11] = 'T'
	if len(rest) == 0 && string(dst[start+1:]) == noTime {
		return dst[:start], true
	}
	dst = append(dst, rest...)
	return append(dst, 'Z', '"'), true
}

// daysOf are the days of the months of a year that is no leap year.
var daysOf = [...]int{1: 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}

// isDate says whether what 2006-01-02 has in place of digits is a date.
func isDate(d []byte) bool {
	century, year, month, day := two(d), two(d[2:]), two(d[5:]), two(d[8:])
	if max(century, year) == noDigits || century+year == 0 {
		return false
	}
	if month >= 1 && month <= 12 && day >= 1 && day <= daysOf[month] {
		return true
	}
	_, err := time.Parse(time.DateOnly, string(d[:10]))
	return err == nil
}

// noDigits is more than two digits say.
const noDigits = 100

// two is the number that the first two bytes say; noDigits if they are no digits.
func two(d []byte) int {
	tens, ones := d[0]-'0', d[1]-'0'
	if tens > 9 || ones > 9 {
		return noDigits
	}
	return int(tens)*10 + int(ones)
}
