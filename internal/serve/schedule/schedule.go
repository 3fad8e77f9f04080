package schedule

import (
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"
)

// Off as a schedule never fires.
const Off = "off"

// Schedule says when something is due. The zero value never is.
type Schedule struct {
	text  string
	times times
}

// times are the fires of a schedule, found in two ways that share no search.
type times interface {
	next(t time.Time) time.Time
	elapsed(from, to time.Time) iter.Seq[time.Time]
}

// Parse reads five fields (minute, hour, day of month, month, day of week),
// a word such as @daily, an interval such as @every 90m, or off. Times are UTC
// unless the text begins with CRON_TZ=Area/City.
func Parse(text string) (Schedule, error) {
	text = strings.TrimSpace(text)
	if strings.EqualFold(text, Off) {
		return Schedule{text: Off}, nil
	}
	times, err := parse(text)
	if err != nil {
		return Schedule{}, fmt.Errorf("%q is not a schedule: %w; use five fields such as \"0 */6 * * *\", @daily, @every 90m, or off", text, err)
	}
	return Schedule{text, times}, nil
}

func parse(text string) (times, error) {
	zone, fields := time.UTC, text
	if first, rest, _ := strings.Cut(text, " "); strings.HasPrefix(first, "CRON_TZ=") || strings.HasPrefix(first, "TZ=") {
		if fields = strings.TrimSpace(rest); fields == "" {
			return nil, errors.New("the expression after the time zone is missing")
		}
		_, name, _ := strings.Cut(first, "=")
		var err error
		if zone, err = time.LoadLocation(name); err != nil {
			return nil, fmt.Errorf("the time zone %q is unknown: %w", name, err)
		}
	}
	if strings.HasPrefix(fields, "@") {
		word, rest, _ := strings.Cut(fields, " ")
		if strings.EqualFold(word, "@every") {
			return parseInterval(strings.TrimSpace(rest))
		}
		five, ok := words[strings.ToLower(fields)]
		if !ok {
			return nil, fmt.Errorf("%s is not a known word", fields)
		}
		fields = five
	}
	f, err := parseFields(fields, zone)
	if err != nil {
		return nil, err
	}
	if f.next(time.Unix(0, 0)).IsZero() {
		return nil, errors.New("no date matches it")
	}
	return f, nil
}

// String is the text of the schedule.
func (s Schedule) String() string {
	if s.times == nil {
		return Off
	}
	return s.text
}

// Next is the first fire after t; zero if there is none.
func (s Schedule) Next(t time.Time) time.Time {
	if s.times == nil {
		return time.Time{}
	}
	return s.times.next(t.UTC().Round(0)) // without the monotonic clock
}
