package value

import (
	"strings"
	"time"
)

// Ticks in the units of time.
const (
	TicksPerMicrosecond int64 = 10
	TicksPerMillisecond       = 1000 * TicksPerMicrosecond
	TicksPerSecond            = 1000 * TicksPerMillisecond
	TicksPerMinute            = 60 * TicksPerSecond
	TicksPerHour              = 60 * TicksPerMinute
	TicksPerDay               = 24 * TicksPerHour
)

// MaxDateTimeTicks is 9999-12-31T23:59:59.9999999Z, the last datetime.
const MaxDateTimeTicks int64 = 3155378975999999999

// UnixEpochTicks is 1970-01-01T00:00:00Z.
const UnixEpochTicks = unixEpochSeconds * TicksPerSecond

const (
	unixEpochSeconds int64 = 62135596800 // from year 1 to 1970
	maxSeconds             = MaxDateTimeTicks / TicksPerSecond
)

// Time is the content of a DateTime in UTC; the zero time for null.
func (v Value) Time() time.Time {
	if v.nature().null {
		return time.Time{}
	}
	return time.Unix(v.n/TicksPerSecond-unixEpochSeconds, v.n%TicksPerSecond*100).UTC()
}

// AppendDateTime appends ticks as `2026-01-02T03:04:05.0000000Z`.
func AppendDateTime(b []byte, ticks int64) []byte {
	year, month, day := civil(ticks / TicksPerDay)
	t := ticks % TicksPerDay
	b = append(b, byte('0'+year/1000), byte('0'+year/100%10), byte('0'+year/10%10), byte('0'+year%10), '-')
	b = append(b, byte('0'+month/10), byte('0'+month%10), '-', byte('0'+day/10), byte('0'+day%10), 'T')
	b = appendClock(b, t)
	b = append(b, '.')
	b = appendFraction(b, t%TicksPerSecond)
	return append(b, 'Z')
}

// appendClock appends the time of day of t as hh:mm:ss.
func appendClock(b []byte, t int64) []byte {
	h, m, s := t/TicksPerHour, t/TicksPerMinute%60, t/TicksPerSecond%60
	return append(b, byte('0'+h/10), byte('0'+h%10), ':', byte('0'+m/10), byte('0'+m%10), ':', byte('0'+s/10), byte('0'+s%10))
}

// appendFraction appends the seven digits of a fraction of a second.
func appendFraction(b []byte, t int64) []byte {
	for unit := TicksPerSecond / 10; unit > 0; unit /= 10 {
		b = append(b, byte('0'+t/unit%10))
	}
	return b
}

// civil is the proleptic Gregorian date of a count of days since 0001-01-01.
func civil(days int64) (year, month, day int) {
	z := days + 306 // days since 0000-03-01
	era := z / 146097
	doe := z - era*146097
	yoe := (doe - doe/1460 + doe/36524 - doe/146096) / 365
	doy := doe - (365*yoe + yoe/4 - yoe/100)
	mp := (5*doy + 2) / 153
	day = int(doy - (153*mp+2)/5 + 1)
	month = int(mp + 3)
	year = int(yoe + era*400)
	if month > 12 {
		month -= 12
		year++
	}
	return year, month, day
}

// daysSinceYearOne is the inverse of civil, for a valid date.
func daysSinceYearOne(year, month, day int) int64 {
	y, m := int64(year), int64(month)
	if m <= 2 {
		y--
		m += 12
	}
	era := y / 400
	yoe := y - era*400
	doy := (153*(m-3)+2)/5 + int64(day) - 1
	doe := yoe*365 + yoe/4 - yoe/100 + doy
	return era*146097 + doe - 306
}

var monthDays = [...]int{1: 31, 2: 28, 3: 31, 4: 30, 5: 31, 6: 30, 7: 31, 8: 31, 9: 30, 10: 31, 11: 30, 12: 31}

// daysIn is the length of a month, 0 for a month that is none.
func daysIn(year, month int) int {
	if month < 1 || month > 12 {
		return 0
	}
	if month == 2 && year%4 == 0 && (year%100 != 0 || year%400 == 0) {
		return 29
	}
	return monthDays[month]
}

// DateTimeOf makes a DateTime of calendar parts and ticks of the day; null
// when they name no day or are outside the years 0001 to 9999.
func DateTimeOf(year, month, day int, ticksOfDay int64) Value {
	if year < 1 || year > 9999 || day < 1 || day > daysIn(year, month) || ticksOfDay < 0 || ticksOfDay >= TicksPerDay {
		return Null(DateTime)
	}
	return Value{of: &natures[DateTime][0][plain], n: daysSinceYearOne(year, month, day)*TicksPerDay + ticksOfDay}
}

// ParseDateTime reads a DateTime in one of the forms of
// https://learn.microsoft.com/kusto/query/scalar-data-types/datetime: ISO 8601
// with date or date and time, RFC 822, RFC 850 and the sortable forms. A
// fraction of more than seven digits is cut. Without an offset the time is UTC.
func ParseDateTime(text string) (Value, bool) {
	text = strings.TrimSpace(text)
	if v, ok := parseISO(text, false); ok {
		return v, true
	}
	if len(text) > maxOtherDateTime {
		return Value{}, false
	}
	for _, layout := range otherLayouts {
		if t, err := time.Parse(layout, text); err == nil {
			v := NewDateTime(t)
			return v, !v.nature().null
		}
	}
	return Value{}, false
}

// maxOtherDateTime bounds the text that is tried against layouts.
const maxOtherDateTime = 64

// otherLayouts are the documented forms other than ISO 8601, and further forms
// that .NET reads, with the month first where only numbers are given.
var otherLayouts = func() []string {
	var all []string
	for _, date := range []string{"Mon, 2 Jan 06", "Mon, 2 Jan 2006", "2 Jan 06", "2 Jan 2006", "Monday, 2-Jan-06", "Monday, 2-Jan-2006", "2-Jan-06", "2-Jan-2006", "1/2/2006", "1-2-2006", "1.2.2006", "2006/1/2", "Jan 2, 2006", "January 2, 2006", "2 January 2006"} {
		all = append(all, date)
		for _, clock := range []string{" 15:04:05 MST", " 15:04:05 -0700", " 15:04:05", " 15:04 MST", " 15:04"} {
			all = append(all, date+clock)
		}
	}
	return append(all, "1/2/2006 3:04:05 PM", "1/2/2006 3:04 PM", "20060102")
}()
