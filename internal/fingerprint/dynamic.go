package fingerprint

import (
	"bytes"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/tvmexport/tvmexport"
)

// appendDynamic appends the JSON of a value as Kusto writes what it has stored: no
// blanks, strings with the fewest escapes, whole numbers as longs and others as reals.
// It says that the text is one value; what is none is appended as it is.
func appendDynamic(b, v []byte) ([]byte, bool) {
	if len(v) == 0 {
		return append(b, "null"...), true
	}
	for i := 0; i < len(v); {
		switch c := v[i]; {
		case isBlank(c):
			i++
		case c == '"':
			o := object{text: v, i: i}
			text := o.string()
			if text == nil {
				return append(b, v[i:]...), false
			}
			if i = o.i; hasFewestEscapes(text) {
				b = append(b, text...)
			} else {
				b = appendQuoted(b, plainText(text))
			}
		case c == '-' || '0' <= c && c <= '9':
			end := i
			for end < len(v) && !isDelimiter(v[end]) {
				end++
			}
			b = appendNumber(b, v[i:end])
			i = end
		default:
			b = append(b, c)
			i++
		}
	}
	return b, true
}

// appendNumber appends a number of a dynamic value, which is a long or a real.
func appendNumber(b, text []byte) []byte {
	if !bytes.ContainsAny(text, ".eE") {
		if n, err := strconv.ParseInt(string(text), 10, 64); err == nil {
			return strconv.AppendInt(b, n, 10)
		}
	}
	if out, ok := appendReal(b, text); ok {
		return out
	}
	return append(b, text...)
}

const hexDigits = "0123456789abcdef"

// appendQuoted appends a text as a JSON string. Quotes, backslashes and control
// characters are escaped.
func appendQuoted(b, text []byte) []byte {
	b = append(b, '"')
	start := 0
	for i, c := range text {
		if c >= 0x20 && c != '"' && c != '\\' {
			continue
		}
		b = append(b, text[start:i]...)
		start = i + 1
		switch c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\n':
			b = append(b, `\n`...)
		case '\r':
			b = append(b, `\r`...)
		case '\t':
			b = append(b, `\t`...)
		case '\b':
			b = append(b, `\b`...)
		case '\f':
			b = append(b, `\f`...)
		default:
			b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
	}
	if rest := text[start:]; utf8.Valid(rest) {
		b = append(b, rest...)
	} else {
		b = append(b, bytes.ToValidUTF8(rest, []byte("\uFFFD"))...)
	}
	return append(b, '"')
}

// hasFewestEscapes says whether a string of JSON is ASCII and escapes quotes and backslashes
// alone: appendQuoted would write it with the same bytes.
func hasFewestEscapes(text []byte) bool {
	text = text[1 : len(text)-1]
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c < ' ' || c >= utf8.RuneSelf:
			return false
		case c == '\\':
			if i++; i == len(text) || text[i] != '\\' && text[i] != '"' {
				return false
			}
		}
	}
	return true
}

// moments are the forms of a datetime in published rows: time.Parse takes a fraction
// of any length behind seconds.
var moments = []string{time.RFC3339, "2006-01-02T15:04:05"}

// Moment is the time of a datetime in the form of published rows, to the tick.
func Moment(text []byte) (time.Time, bool) {
	for _, form := range moments {
		if t, err := time.ParseInLocation(form, string(text), time.UTC); err == nil {
			t = t.UTC().Truncate(tvmexport.Tick)
			return t, t.Year() >= 1 && t.Year() <= 9999
		}
	}
	return time.Time{}, false
}

// JSONMoment is Moment of the JSON text of a value; the zero time, and true, for null.
func JSONMoment(v []byte) (time.Time, bool) {
	if len(v) == 0 || string(v) == "null" || string(v) == `""` {
		return time.Time{}, true
	}
	if v[0] != '"' {
		return time.Time{}, false
	}
	return Moment(plainText(v))
}

// appendMoment appends a datetime as tostring() writes it. The usual form of published
// rows is recognised without parsing.
func appendMoment(b, text []byte) ([]byte, bool) {
	if out, ok := appendUsual(b, text); ok {
		return out, true
	}
	t, ok := Moment(text)
	if !ok {
		return b, false
	}
	return t.AppendFormat(b, "2006-01-02T15:04:05.0000000Z"), true
}

// daysOf are the days of the months of a year that is no leap year.
var daysOf = [...]int{1: 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}

// appendUsual is appendMoment for 2006-01-02T15:04:05Z with at most seven digits of a
// fraction. It leaves leap days, and all that is wrong, to others.
func appendUsual(b, text []byte) (_ []byte, ok bool) {
	const form, ticks = "2006-01-02T15:04:05", ".0000000"
	last := len(text) - 1
	if last < len(form) || last > len(form+ticks) || text[last] != 'Z' ||
		text[4] != '-' || text[7] != '-' || text[10] != 'T' || text[13] != ':' || text[16] != ':' {
		return b, false
	}
	century, year, month, day := two(text), two(text[2:]), two(text[5:]), two(text[8:])
	if max(century, year) == noDigits || century+year == 0 || month < 1 || month > 12 || day < 1 || day > daysOf[month] ||
		two(text[11:]) > 23 || two(text[14:]) > 59 || two(text[17:]) > 59 {
		return b, false
	}
	fraction := text[len(form):last]
	for i, c := range fraction {
		if i == 0 && (c != '.' || len(fraction) == 1) || i > 0 && (c < '0' || c > '9') {
			return b, false
		}
	}
	b = append(b, text[:last]...)
	b = append(b, ticks[len(fraction):]...)
	return append(b, 'Z'), true
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
