package syntax

import (
	"strconv"
	"strings"
	"time"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// number reads 12, 0x1f, 1.5, 1e3, and timespans such as 1d or 2.5h.
func (l *lexer) number(t *Token) {
	t.Kind = LiteralToken
	start := l.at
	if strings.HasPrefix(l.text[l.at:], "0x") || strings.HasPrefix(l.text[l.at:], "0X") {
		l.at += 2
		for l.at < len(l.text) && strings.IndexByte("0123456789abcdefABCDEF", l.text[l.at]) >= 0 {
			l.at++
		}
		n, err := strconv.ParseUint(l.text[start+2:l.at], 16, 64)
		t.Value = value.NewLong(int64(n))
		if err != nil {
			t.Value = value.Null(value.Long)
		}
		return
	}
	l.digits()
	real := false
	if l.at+1 < len(l.text) && l.text[l.at] == '.' && isDigit(l.text[l.at+1]) {
		real = true
		l.at++
		l.digits()
	}
	if l.at < len(l.text) && (l.text[l.at] == 'e' || l.text[l.at] == 'E') {
		rest := strings.TrimLeft(l.text[l.at+1:], "+-")
		if rest != "" && isDigit(rest[0]) && len(l.text)-l.at-1-len(rest) <= 1 {
			real = true
			l.at = len(l.text) - len(rest)
			l.digits()
		}
	}
	number := l.text[start:l.at]
	end := l.at
	for end < len(l.text) && isNamePart(l.text[end]) {
		end++
	}
	if unit := l.text[l.at:end]; unit != "" {
		if span, ok := value.ParseTimeSpan(number + unit); ok {
			l.at = end
			t.Value = span
			return
		}
		if !real {
			l.at = end
			t.Kind, t.Text = NameToken, l.text[start:end]
			return
		}
	}
	if !real {
		if n, err := strconv.ParseInt(number, 10, 64); err == nil {
			t.Value = value.NewLong(n)
			return
		}
	}
	f, _ := strconv.ParseFloat(number, 64) // out of range is infinity
	t.Value = value.NewReal(f)
}

func (l *lexer) digits() {
	for l.at < len(l.text) && isDigit(l.text[l.at]) {
		l.at++
	}
}

var literalTypes = map[string]value.Kind{
	"bool": value.Bool, "boolean": value.Bool, "datetime": value.DateTime, "date": value.DateTime,
	"dynamic": value.Dynamic, "guid": value.GUID, "uuid": value.GUID, "uniqueid": value.GUID,
	"int": value.Int, "long": value.Long, "real": value.Real, "double": value.Real,
	"decimal": value.Decimal, "time": value.TimeSpan, "timespan": value.TimeSpan,
}

// typed reads a literal such as datetime(2026-01-02) or long(null).
func (l *lexer) typed(t *Token, kind value.Kind) error {
	inside, end, ok := balanced(l.text, l.at)
	if !ok {
		return errorAt(*t, incomplete)
	}
	if kind == value.Dynamic {
		l.at = end
		t.Kind, t.Text = DynamicToken, inside
		return nil
	}
	v, ok := parseTyped(kind, strings.TrimSpace(inside))
	if !ok {
		return errorAt(*t, "%s(%s) is not a valid literal.", t.Text, inside)
	}
	l.at = end
	t.Kind, t.Value = LiteralToken, v
	return nil
}

func parseTyped(kind value.Kind, s string) (value.Value, bool) {
	if s == "null" {
		return value.Null(kind), true
	}
	if n := len(s); n >= 2 && (s[0] == '"' || s[0] == '\'') && s[n-1] == s[0] {
		s = s[1 : n-1]
	}
	switch kind {
	case value.Bool:
		switch strings.ToLower(s) {
		case "true", "1":
			return value.NewBool(true), true
		case "false", "0":
			return value.NewBool(false), true
		}
		return value.Value{}, false
	case value.DateTime:
		if strings.Contains(s, ",") {
			return dateOfParts(s)
		}
		return value.ParseDateTime(s)
	case value.TimeSpan:
		return value.ParseTimeSpan(s)
	case value.GUID:
		v, err := value.NewGUID(s)
		return v, err == nil
	case value.Decimal:
		v, err := value.NewDecimal(s)
		return v, err == nil
	case value.Real:
		f, err := strconv.ParseFloat(s, 64)
		return value.NewReal(f), err == nil
	}
	base := 10
	digits := s
	if rest, ok := strings.CutPrefix(s, "0x"); ok {
		base, digits = 16, rest
	}
	n, err := strconv.ParseInt(digits, base, 64)
	if kind == value.Int {
		if err != nil || n != int64(int32(n)) {
			return value.Null(value.Int), err == nil
		}
		return value.NewInt(int32(n)), true
	}
	return value.NewLong(n), err == nil
}

// dateOfParts reads `2025, 6, 14`: a year, a month and a day, and perhaps the
// hour, the minute and the second.
func dateOfParts(s string) (value.Value, bool) {
	parts := strings.Split(s, ",")
	if len(parts) < 3 || len(parts) > 6 {
		return value.Value{}, false
	}
	n := [6]int{}
	for i, part := range parts {
		var err error
		if n[i], err = strconv.Atoi(strings.TrimSpace(part)); err != nil {
			return value.Value{}, false
		}
	}
	t := time.Date(n[0], time.Month(n[1]), n[2], n[3], n[4], n[5], 0, time.UTC)
	if t.Year() != n[0] || int(t.Month()) != n[1] || t.Day() != n[2] || t.Hour() != n[3] || t.Minute() != n[4] || t.Second() != n[5] {
		return value.Value{}, false
	}
	return value.NewDateTime(t), true
}

// balanced returns the text between the parenthesis at open and its counterpart,
// and the offset after it. Parentheses in strings do not count.
func balanced(text string, open int) (inside string, end int, ok bool) {
	depth := 0
	for i := open; i < len(text); i++ {
		switch c := text[i]; c {
		case '(', '[', '{':
			depth++
		case ')', ']', '}':
			depth--
			if depth == 0 {
				return text[open+1 : i], i + 1, true
			}
		case '"', '\'':
			for i++; i < len(text) && text[i] != c; i++ {
				if text[i] == '\\' {
					i++
				}
			}
		}
	}
	return "", 0, false
}
