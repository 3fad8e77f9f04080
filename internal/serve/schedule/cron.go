package schedule

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// fields are the five fields of a cron expression as sets of bits, and the time
// zone in which they are read. Of day of month and day of week both must fit
// where one of them is a star, else one of the two.
type fields struct {
	minute, hour, dom, month, dow uint64

	anyDom, anyDow bool // the field is a star
	zone           *time.Location
}

// bound is what a field may hold.
type bound struct {
	name     string
	min, max int
	names    []string // of the values from min on
}

var bounds = [5]bound{
	{"minute", 0, 59, nil},
	{"hour", 0, 23, nil},
	{"day of month", 1, 31, nil},
	{"month", 1, 12, []string{"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"}},
	{"day of week", 0, 7, []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat", "sun"}},
}

const everyHour = 1<<24 - 1

// words stand for five fields.
var words = map[string]string{
	"@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *", "@monthly": "0 0 1 * *", "@weekly": "0 0 * * 0",
	"@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@hourly": "0 * * * *",
}

// parseFields reads five fields.
func parseFields(text string, zone *time.Location) (*fields, error) {
	list := strings.Fields(text)
	if len(list) != len(bounds) {
		return nil, fmt.Errorf("there are %d fields, not five", len(list))
	}
	var sets [5]uint64
	var stars [5]bool
	for i, field := range list {
		var err error
		if sets[i], stars[i], err = bounds[i].parse(field); err != nil {
			return nil, fmt.Errorf("%s %q: %w", bounds[i].name, field, err)
		}
	}
	if sets[4]&(1<<7) != 0 { // Sunday has two numbers
		sets[4] |= 1
	}
	return &fields{
		minute: sets[0], hour: sets[1], dom: sets[2], month: sets[3], dow: sets[4],
		anyDom: stars[2], anyDow: stars[4], zone: zone,
	}, nil
}

// parse reads a list of ranges. star says that one of them is a star without a
// step.
func (b bound) parse(field string) (set uint64, star bool, err error) {
	for part := range strings.SplitSeq(field, ",") {
		if part == "" {
			continue
		}
		bits, isStar, err := b.parseRange(part)
		if err != nil {
			return 0, false, err
		}
		set, star = set|bits, star || isStar
	}
	if set == 0 {
		return 0, false, errors.New("it has no value")
	}
	return set, star, nil
}

// parseRange reads "*", "N", "N-M" or one of them with "/STEP". "N/STEP" goes on
// to the largest value.
func (b bound) parseRange(text string) (set uint64, star bool, err error) {
	span, stepText, stepped := strings.Cut(text, "/")
	step := 1
	if stepped {
		if step, err = number(stepText); err != nil {
			return 0, false, err
		}
		if step == 0 {
			return 0, false, errors.New("the step is 0")
		}
	}
	first, last, ranged := strings.Cut(span, "-")
	from, to := b.min, b.max
	if first == "*" || first == "?" {
		star = step == 1
		if b.max == 7 {
			to = 6
		}
	} else {
		if from, err = b.value(first); err != nil {
			return 0, false, err
		}
		switch {
		case ranged:
			if to, err = b.value(last); err != nil {
				return 0, false, err
			}
			if to == 0 && b.max == 7 {
				to = 7 // Sunday as the end of a week
			}
		case !stepped:
			to = from
		case b.max == 7:
			to = max(from, 6)
		}
	}
	switch {
	case from < b.min || to > b.max:
		return 0, false, fmt.Errorf("values range from %d to %d", b.min, b.max)
	case from > to:
		return 0, false, errors.New("the range ends before it starts")
	}
	for v := from; v <= to && v >= from; v += step {
		set |= 1 << v
	}
	return set, star, nil
}

// value reads a number or a name.
func (b bound) value(text string) (int, error) {
	for i, name := range b.names {
		if strings.EqualFold(text, name) {
			return b.min + i, nil
		}
	}
	return number(text)
}

func number(text string) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("%q is not a number", text)
	}
	return n, nil
}

// day says whether the date of a reading is named.
func (f *fields) day(r time.Time) bool {
	dom, dow := f.dom&(1<<r.Day()) != 0, f.dow&(1<<r.Weekday()) != 0
	switch {
	case f.month&(1<<r.Month()) == 0:
		return false
	case f.anyDom || f.anyDow:
		return dom && dow
	}
	return dom || dow
}

// clock says whether the hour and the minute of a reading are named.
func (f *fields) clock(r time.Time) bool {
	return f.hour&(1<<r.Hour()) != 0 && f.minute&(1<<r.Minute()) != 0
}

// searchYears bounds the search for a date: 29 February can be eight years away.
const searchYears = 9

// reading is the first one that is named, at or after r, which must be a whole
// minute. Zero: there is none.
func (f *fields) reading(r time.Time) time.Time {
	for last := r.AddDate(searchYears, 0, 0); !r.After(last); {
		y, m, d := r.Date()
		switch {
		case f.month&(1<<m) == 0:
			r = time.Date(y, m+1, 1, 0, 0, 0, 0, time.UTC)
		case !f.day(r):
			r = time.Date(y, m, d+1, 0, 0, 0, 0, time.UTC)
		case f.hour&(1<<r.Hour()) == 0:
			r = r.Truncate(time.Hour).Add(time.Hour)
		case f.minute&(1<<r.Minute()) == 0:
			r = r.Add(time.Minute)
		default:
			return r
		}
	}
	return time.Time{}
}
