package wire

import (
	"bytes"
	"strconv"
	"time"
)

// Fits says whether a value is in the form in which its column is published,
// and can be copied as it is. v is a valid JSON value without blanks around it.
func Fits(kind string, v []byte) bool {
	switch v[0] {
	case '"':
		switch kind {
		case "string", "dynamic", "":
			return true
		case "datetime":
			return IsMoment(v)
		case "guid":
			return isGUID(v[1 : len(v)-1])
		case "timespan":
			return IsClock(v[1 : len(v)-1])
		case "real":
			return notANumber(v)
		case "decimal":
			s := shapeOf(v[1 : len(v)-1])
			return s.ok && s.digits <= mostDecimal
		}
		return false
	case '{', '[':
		return false
	case 'n':
		return true
	case 't', 'f':
		return kind == "bool" || kind == "dynamic" || kind == ""
	}
	switch kind {
	case "int":
		return len(v) < 10 && IsInteger(v) || inRangeOf(v, 32)
	case "long":
		return len(v) < 19 && IsInteger(v) || inRangeOf(v, 64)
	case "real", "dynamic", "":
		return !Rounds(v)
	case "decimal":
		return len(v) <= decimalDigits && !hasExponent(v)
	}
	return false
}

func inRangeOf(v []byte, bits int) bool {
	_, err := strconv.ParseInt(string(v), 10, bits)
	return err == nil
}

// notANumber holds for the values of a real that JSON has no number for.
func notANumber(v []byte) bool {
	switch string(v) {
	case `"NaN"`, `"Infinity"`, `"-Infinity"`:
		return true
	}
	return false
}

// IsInteger says whether v is digits, perhaps behind a minus.
func IsInteger(v []byte) bool {
	v = bytes.TrimPrefix(v, []byte{'-'})
	for _, c := range v {
		if c < '0' || c > '9' {
			return false
		}
	}
	return len(v) > 0
}

// IsMoment reports whether v is the JSON text of a datetime. The usual form of the
// APIs is recognised without parsing.
func IsMoment(v []byte) bool {
	const form = `"0000-00-00T00:00:00`
	if len(v) < len(form)+2 {
		return false
	}
	for i, c := range []byte(form) {
		if d := v[i]; c == '0' && (d < '0' || d > '9') || c != '0' && d != c {
			return false
		}
	}
	rest := v[len(form) : len(v)-1]
	if rest[0] == '.' {
		digits := 0
		for digits+1 < len(rest) && '0' <= rest[digits+1] && rest[digits+1] <= '9' {
			digits++
		}
		if digits == 0 || digits > 7 {
			return false
		}
		rest = rest[digits+1:]
	}
	if len(rest) == 0 || rest[0] != 'Z' && rest[0] != '+' && rest[0] != '-' {
		return false
	}
	if string(rest) != "Z" || v[9] == '3' || string(v[6:8]) == "02" || string(v[1:5]) == "0000" {
		t, err := time.Parse(time.RFC3339, string(v[1:len(v)-1]))
		return err == nil && inYears(t.UTC())
	}
	return inRange(v[6], v[7], 12) && inRange(v[9], v[10], 29) &&
		digit(v[12], v[13]) < 24 && digit(v[15], v[16]) < 60 && digit(v[18], v[19]) < 60
}

func digit(tens, ones byte) int { return int(tens-'0')*10 + int(ones-'0') }

func inRange(tens, ones byte, most int) bool {
	n := digit(tens, ones)
	return n >= 1 && n <= most
}
