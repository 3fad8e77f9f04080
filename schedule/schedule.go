package schedule

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/robfig/cron/v3"
)

// Off as a schedule never fires.
const Off = "off"

// Schedule says when something is due. The zero value never is.
type Schedule struct {
	text string
	next cron.Schedule
}

// Parse reads five fields (minute, hour, day of month, month, day of week),
// a word such as @daily, an interval such as @every 90m, or off. Times are UTC
// unless the text begins with CRON_TZ=Area/City.
func Parse(text string) (Schedule, error) {
	text = strings.TrimSpace(text)
	if strings.EqualFold(text, Off) {
		return Schedule{text: Off}, nil
	}
	if zone, rest, _ := strings.Cut(text, " "); strings.HasPrefix(zone, "CRON_TZ=") || strings.HasPrefix(zone, "TZ=") {
		if rest = strings.TrimSpace(rest); rest == "" {
			return Schedule{}, mistake(text, errors.New("there is nothing behind the time zone"))
		}
	}
	next, err := cron.ParseStandard(text)
	if err != nil {
		return Schedule{}, mistake(text, err)
	}
	s := Schedule{text, next}
	if s.Next(time.Unix(0, 0)).IsZero() {
		return Schedule{}, mistake(text, errors.New("no day is like that"))
	}
	return s, nil
}

func mistake(text string, err error) error {
	return fmt.Errorf("%q is no schedule: %w; it must be five fields such as \"0 */6 * * *\", @daily, @every 90m, or off", text, err)
}

// String is the text of the schedule.
func (s Schedule) String() string {
	if s.next == nil {
		return Off
	}
	return s.text
}

// Next is the first fire behind t; zero if there is none.
func (s Schedule) Next(t time.Time) time.Time {
	if s.next == nil {
		return time.Time{}
	}
	return s.next.Next(t.UTC()).UTC().Truncate(0)
}

// longestBack bounds how far back fires are counted.
const longestBack = 366 * 24 * time.Hour

// Span is a number of fires in a row.
type Span struct {
	Count       int
	First, Last time.Time
}

// fired are the fires after from whose time, with their delay, has come.
func (t Timetable) fired(s Schedule, from, now time.Time) (passed Span, next time.Time) {
	if oldest := now.Add(-longestBack); from.Before(oldest) {
		from = oldest
	}
	for fire := s.Next(from); ; fire = s.Next(fire) {
		if fire.IsZero() {
			return passed, fire
		}
		if at := fire.Add(t.delay(s, fire)); at.After(now) {
			return passed, at
		}
		if passed.Count == 0 {
			passed.First = fire
		}
		passed.Count, passed.Last = passed.Count+1, fire
	}
}
