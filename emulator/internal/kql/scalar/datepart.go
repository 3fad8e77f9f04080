package scalar

import (
	"strings"
	"time"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// dateParts read parts of datetimes and make datetimes of parts.
var dateParts = []Function{
	timePart("getyear", value.Long, time.Time.Year), timePart("getmonth", value.Int, month),
	timePart("monthofyear", value.Long, month), timePart("dayofmonth", value.Int, time.Time.Day), timePart("dayofyear", value.Int, time.Time.YearDay),
	timePart("hourofday", value.Long, time.Time.Hour), timePart("weekofyear", value.Int, week), timePart("week_of_year", value.Int, week),
	fn("dayofweek", value.TimeSpan, params{isDateTime}, func(a []value.Value) value.Value {
		return value.NewTimeSpan(int64(a[0].Time().Weekday()) * value.TicksPerDay)
	}),
	fn("datetime_part", value.Long, params{isString, isDateTime}, datetimePart),
	fn("make_datetime", value.DateTime, params{isNumber | isString | isDateTime}, makeDateTime).arity(1, 7),
	fn("make_timespan", value.TimeSpan, params{isNumber}, makeTimeSpan).arity(2, 4),
}

func month(t time.Time) int { return int(t.Month()) }

func week(t time.Time) int { _, w := t.ISOWeek(); return w }

// timePart makes the function that reads one part. The kinds are those of
// recorded answers where there are any, and of the pages for the others.
func timePart(name string, k value.Kind, f func(time.Time) int) Function {
	return fn(name, k, params{isDateTime}, func(a []value.Value) value.Value {
		return Convert(value.NewLong(int64(f(a[0].Time()))), k)
	})
}

// datetimePart is datetime_part(part, datetime); an unknown part is null.
func datetimePart(a []value.Value) value.Value {
	t, ticks := a[1].Time(), a[1].Ticks()
	var n int64
	switch strings.ToLower(a[0].Text()) {
	case "year":
		n = int64(t.Year())
	case "quarter":
		n = int64(month(t)+2) / 3
	case "month":
		n = int64(month(t))
	case "week_of_year", "weekofyear", "week":
		n = int64(week(t))
	case "day":
		n = int64(t.Day())
	case "dayofyear":
		n = int64(t.YearDay())
	case "hour":
		n = int64(t.Hour())
	case "minute":
		n = int64(t.Minute())
	case "second":
		n = int64(t.Second())
	case "millisecond":
		n = ticks % value.TicksPerSecond / value.TicksPerMillisecond
	case "microsecond":
		n = ticks % value.TicksPerSecond / value.TicksPerMicrosecond
	case "nanosecond":
		n = ticks % value.TicksPerSecond * 100
	default:
		return nullLong
	}
	return value.NewLong(n)
}

// makeDateTime is make_datetime(year, month, day [, hour, minute [, second]]),
// or todatetime() of one argument.
func makeDateTime(a []value.Value) value.Value {
	if len(a) == 1 {
		return Convert(a[0], value.DateTime)
	}
	parts := [6]int64{1, 1, 1}
	for i := range min(len(a), 5) {
		n := toLong(a[i])
		if n.IsNull() {
			return nullTime
		}
		parts[i] = n.Int64()
	}
	var second float64
	if len(a) > 5 {
		second = toReal(a[5]).Real()
	}
	if parts[0] > 9999 || parts[1] > 12 || parts[2] > 31 || parts[3] < 0 || parts[3] > 23 || parts[4] < 0 || parts[4] > 59 || second < 0 || second >= 60 {
		return nullTime
	}
	ticks := parts[3]*value.TicksPerHour + parts[4]*value.TicksPerMinute + int64(second*float64(value.TicksPerSecond)+0.5)
	return value.DateTimeOf(int(parts[0]), int(parts[1]), int(parts[2]), ticks)
}

// makeTimeSpan is make_timespan([day,] hour, minute [, second]): with four
// arguments the first is days.
func makeTimeSpan(a []value.Value) value.Value {
	days, rest := int64(0), a
	if len(a) == 4 {
		days, rest = toLong(a[0]).Int64(), a[1:]
	}
	hours, minutes, seconds := toLong(rest[0]).Int64(), toLong(rest[1]).Int64(), 0.0
	if len(rest) == 3 {
		seconds = toReal(rest[2]).Real()
	}
	if days < 0 || days > 1<<23 || hours < 0 || hours > 23 || minutes < 0 || minutes > 59 || seconds < 0 || seconds >= 60 {
		return nullSpan
	}
	return value.NewTimeSpan(days*value.TicksPerDay + hours*value.TicksPerHour + minutes*value.TicksPerMinute +
		int64(seconds*float64(value.TicksPerSecond)+0.5))
}
