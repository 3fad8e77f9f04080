package wire

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// isGUID says whether text is 32 hex digits in groups of 8-4-4-4-12.
func isGUID(text []byte) bool {
	if len(text) != 36 {
		return false
	}
	for i, c := range text {
		switch i {
		case 8, 13, 18, 23:
			if c != '-' {
				return false
			}
		default:
			if c |= 0x20; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
				return false
			}
		}
	}
	return true
}

// guid appends a GUID in braces or parentheses, or without dashes.
func guid(dst, text []byte) ([]byte, bool) {
	text = bytes.TrimSpace(text)
	if n := len(text); n > 2 && (text[0] == '{' && text[n-1] == '}' || text[0] == '(' && text[n-1] == ')') {
		text = text[1 : n-1]
	}
	if len(text) == 32 {
		text = bytes.Join([][]byte{text[:8], text[8:12], text[12:16], text[16:20], text[20:]}, []byte{'-'})
	}
	if !isGUID(text) {
		return dst, false
	}
	dst = append(dst, '"')
	dst = append(dst, text...)
	return append(dst, '"'), true
}

var clock = regexp.MustCompile(`^-?(\d{1,8}\.)?([01]?\d|2[0-3]):[0-5]?\d(:[0-5]?\d(\.\d{1,7})?)?$`)

// IsClock says whether text is a timespan as [-][d.]hh:mm[:ss[.fffffff]]
// (https://learn.microsoft.com/kusto/query/scalar-data-types/timespan).
func IsClock(text []byte) bool { return clock.Match(text) }

// duration is ISO 8601's form, which OData uses (Edm.Duration). Years and
// months have no fixed length.
var duration = regexp.MustCompile(`^(-?)P(?:(\d{1,8})D)?(?:T(?:(\d{1,9})H)?(?:(\d{1,9})M)?(?:(\d{1,9})(?:\.(\d{1,7}))?S)?)?$`)

// span appends a timespan that is written as an ISO 8601 duration.
func span(dst, text []byte) ([]byte, bool) {
	if len(text) > mostMoment {
		return dst, false
	}
	m := duration.FindStringSubmatch(strings.TrimSpace(string(text)))
	if m == nil || m[2]+m[3]+m[4]+m[5] == "" {
		return dst, false
	}
	var n [4]int64
	for i, s := range m[2:6] {
		n[i], _ = strconv.ParseInt(s, 10, 64) // digits, or nothing, which is 0
	}
	minutes := n[2] + n[3]/60
	hours := n[1] + minutes/60
	days := n[0] + hours/24
	const mostDays = 10_675_199 // that 64 bits of ticks hold, less the last one
	if days >= mostDays {
		return dst, false
	}
	dst = fmt.Appendf(dst, `"%s%d.%02d:%02d:%02d`, m[1], days, hours%24, minutes%60, n[3]%60)
	if m[6] != "" {
		dst = append(dst, '.')
		dst = append(dst, m[6]...)
	}
	return append(dst, '"'), true
}
