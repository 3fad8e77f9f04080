package defender

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// span is a range of time, both ends inclusive; a zero end is open.
type span struct{ from, to time.Time }

// intersect is the part that both have.
func (s span) intersect(o span) span {
	if o.from.After(s.from) {
		s.from = o.from
	}
	if !o.to.IsZero() && (s.to.IsZero() || o.to.Before(s.to)) {
		s.to = o.to
	}
	return s
}

// open says that the span holds every time.
func (s span) open() bool { return s.from.IsZero() && s.to.IsZero() }

// parseTimespan reads Graph's Timespan, an ISO 8601 interval in one of the forms
// that https://learn.microsoft.com/graph/api/security-security-runhuntingquery
// lists: start/end, P30D/end, start/P30D, P30D (until now), or a start alone.
func parseTimespan(text string, now time.Time) (span, error) {
	first, second, pair := strings.Cut(strings.TrimSpace(text), "/")
	if !pair {
		if isDuration(first) {
			d, err := parseISODuration(first)
			if err != nil {
				return span{}, err
			}
			return span{from: d.before(now), to: now}, nil
		}
		from, err := parseInstant(first)
		return span{from: from}, err
	}
	switch {
	case isDuration(first) && isDuration(second):
		return span{}, fmt.Errorf("timespan %q has two durations", text)
	case isDuration(first):
		d, err := parseISODuration(first)
		if err != nil {
			return span{}, err
		}
		to, err := parseInstant(second)
		if err != nil {
			return span{}, err
		}
		return span{from: d.before(to), to: to}, nil
	}
	from, err := parseInstant(first)
	if err != nil {
		return span{}, err
	}
	var to time.Time
	if isDuration(second) {
		d, err := parseISODuration(second)
		if err != nil {
			return span{}, err
		}
		to = d.after(from)
	} else if to, err = parseInstant(second); err != nil {
		return span{}, err
	}
	if to.Before(from) {
		return span{}, fmt.Errorf("timespan %q ends before it begins", text)
	}
	return span{from: from, to: to}, nil
}

func parseInstant(text string) (time.Time, error) {
	v, ok := value.ParseDateTime(text)
	if !ok || v.IsNull() || len(text) < len("2006-01-02") {
		return time.Time{}, fmt.Errorf("%q is not an ISO 8601 time", text)
	}
	return v.Time(), nil
}

func isDuration(text string) bool {
	return strings.HasPrefix(text, "P") || strings.HasPrefix(text, "p")
}

// isoDuration is an ISO 8601 duration: calendar parts and exact ones.
type isoDuration struct {
	years, months, days int
	clock               time.Duration
}

func (d isoDuration) before(t time.Time) time.Time {
	return t.AddDate(-d.years, -d.months, -d.days).Add(-d.clock)
}

func (d isoDuration) after(t time.Time) time.Time {
	return t.AddDate(d.years, d.months, d.days).Add(d.clock)
}

// A duration's parts are bounded, so that arithmetic with them cannot overflow.
const (
	maxDurationParts = 8
	maxDurationDays  = 40_000                           // also of months and years
	maxDurationClock = maxDurationDays * 24 * time.Hour // of each part
)

// clockUnits are the units behind the T.
var clockUnits = map[byte]time.Duration{'H': time.Hour, 'M': time.Minute, 'S': time.Second}

// parseISODuration reads P[nY][nM][nW][nD][T[nH][nM][nS]].
func parseISODuration(text string) (isoDuration, error) {
	var d isoDuration
	bad := fmt.Errorf("%q is not an ISO 8601 duration such as P30D or PT12H", text)
	rest := strings.ToUpper(text)[1:]
	inClock, parts := false, 0
	for rest != "" {
		if rest[0] == 'T' && !inClock {
			inClock, rest = true, rest[1:]
			continue
		}
		digits := 0
		for digits < len(rest) && (rest[digits] >= '0' && rest[digits] <= '9' || rest[digits] == '.') {
			digits++
		}
		if digits == 0 || digits == len(rest) {
			return isoDuration{}, bad
		}
		n, err := strconv.ParseFloat(rest[:digits], 64)
		if err != nil || parts == maxDurationParts {
			return isoDuration{}, bad
		}
		unit := rest[digits]
		whole := n <= maxDurationDays && n == float64(int(n))
		switch {
		case inClock && clockUnits[unit] > 0 && n <= float64(maxDurationClock/clockUnits[unit]):
			d.clock += time.Duration(n * float64(clockUnits[unit]))
		case inClock || !whole:
			return isoDuration{}, bad
		case unit == 'Y':
			d.years += int(n)
		case unit == 'M':
			d.months += int(n)
		case unit == 'W':
			d.days += 7 * int(n)
		case unit == 'D':
			d.days += int(n)
		default:
			return isoDuration{}, bad
		}
		rest = rest[digits+1:]
		parts++
	}
	if parts == 0 {
		return isoDuration{}, bad
	}
	return d, nil
}
