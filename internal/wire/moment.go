package wire

import (
	"bytes"
	"time"
)

// moments are the accepted forms of a datetime, in addition to that of IsMoment:
// ISO 8601 with a blank or without a zone, which is UTC then, or a date
// alone, and those that Kusto documents
// (https://learn.microsoft.com/kusto/query/scalar-data-types/datetime). A
// fraction of any length may follow seconds.
var moments = []string{
	"2006-01-02T15:04:05", "2006-01-02T15:04:05Z07:00", "2006-01-02T15:04:05Z0700", "2006-01-02T15:04:05Z07",
	"2006-01-02T15:04", "2006-01-02T15:04Z07:00", "2006-01-02",
	time.RFC1123, time.RFC1123Z, time.RFC850, time.RFC822, time.RFC822Z,
}

// mostMoment bounds the text that is tried.
const mostMoment = 64

// AnyMoment appends a datetime in the form of IsMoment, in UTC unless the text
// has an offset in that form already. All digits of a fraction are kept.
func AnyMoment(dst, text []byte) ([]byte, bool) {
	text = bytes.TrimSpace(text)
	if len(text) > mostMoment || len(text) < len("2006-01-02") {
		return dst, false
	}
	iso := bytes.Clone(text)
	if iso[4] == '-' {
		iso = bytes.ToUpper(iso)
		if len(iso) > 10 && iso[10] == ' ' {
			iso[10] = 'T'
		}
		if len(iso) > 19 && iso[19] == ',' { // ISO 8601 allows it
			iso[19] = '.'
		}
		iso = bytes.ReplaceAll(iso, []byte(" "), nil) // before an offset
	}
	fraction := fractionOf(iso)
	for _, form := range moments {
		t, err := time.ParseInLocation(form, string(iso), time.UTC)
		if err != nil {
			continue
		}
		if zone, offset := t.Zone(); offset == 0 && zone != "UTC" && zone != "GMT" && zone != "" {
			return dst, false // a name whose offset is not known
		}
		if t = t.UTC(); !inYears(t) {
			return dst, false
		}
		dst = append(dst, '"')
		dst = t.AppendFormat(dst, "2006-01-02T15:04:05")
		dst = append(dst, fraction...)
		return append(dst, 'Z', '"'), true
	}
	return dst, false
}

// inYears says whether a time is one that a datetime holds.
func inYears(t time.Time) bool { return t.Year() >= 1 && t.Year() <= 9999 }

// fractionOf is the point and the digits behind the seconds; empty if there
// are none.
func fractionOf(iso []byte) []byte {
	const seconds = len("2006-01-02T15:04:05")
	if len(iso) <= seconds || iso[seconds] != '.' {
		return nil
	}
	end := seconds + 1
	for end < len(iso) && '0' <= iso[end] && iso[end] <= '9' {
		end++
	}
	return iso[seconds:end]
}
