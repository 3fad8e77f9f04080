package scalar

import (
	"math"
	"strings"
	"time"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// dateArithmetic moves datetimes and measures between them.
var dateArithmetic = []Function{
	startOf("startofday", dayStart), startOf("startofweek", weekStart),
	startOf("startofmonth", monthStart), startOf("startofyear", yearStart),
	endOf("endofday", dayStart, 0, 0, 1), endOf("endofweek", weekStart, 0, 0, 7),
	endOf("endofmonth", monthStart, 0, 1, 0), endOf("endofyear", yearStart, 1, 0, 0),
	fn("datetime_add", value.DateTime, params{isString, isInteger, isDateTime}, func(a []value.Value) value.Value {
		return addPeriod(strings.ToLower(a[0].Text()), a[1].Int64(), a[2])
	}),
	fn("datetime_diff", value.Long, params{isString, isDateTime, isDateTime}, datetimeDiff),
}

type truncation func(t time.Time, offset int) time.Time

func dayStart(t time.Time, n int) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day()+n, 0, 0, 0, 0, time.UTC)
}

// weekStart is the Sunday that begins the week.
func weekStart(t time.Time, n int) time.Time { return dayStart(t, 7*n-int(t.Weekday())) }

func monthStart(t time.Time, n int) time.Time {
	return time.Date(t.Year(), t.Month()+time.Month(n), 1, 0, 0, 0, 0, time.UTC)
}

func yearStart(t time.Time, n int) time.Time {
	return time.Date(t.Year()+n, 1, 1, 0, 0, 0, 0, time.UTC)
}

// maxOffset limits offsets in whole periods; beyond it, the result is always null.
const maxOffset = 1 << 22

// periodOffset reads the optional second argument.
func periodOffset(a []value.Value) (int, bool) {
	if len(a) < 2 {
		return 0, true
	}
	n := a[1].Int64()
	return int(n), n >= -maxOffset && n <= maxOffset
}

// startOf makes the functions startof*(date [, offset]).
func startOf(name string, f truncation) Function {
	return fn(name, value.DateTime, params{isDateTime, isInteger}, func(a []value.Value) value.Value {
		n, ok := periodOffset(a)
		if !ok {
			return nullTime
		}
		return value.NewDateTime(f(a[0].Time(), n))
	}).arity(1, 2)
}

// endOf makes the functions endof*(date [, offset]): the last tick before the
// next period begins.
func endOf(name string, f truncation, years, months, days int) Function {
	return fn(name, value.DateTime, params{isDateTime, isInteger}, func(a []value.Value) value.Value {
		n, ok := periodOffset(a)
		if !ok {
			return nullTime
		}
		start := f(a[0].Time(), n)
		return value.NewDateTime(start.AddDate(years, months, days).Add(-100 * time.Nanosecond))
	}).arity(1, 2)
}

// periodTicks is the length of a period of fixed length.
func periodTicks(period string) (int64, bool) {
	switch period {
	case "week":
		return 7 * value.TicksPerDay, true
	case "day":
		return value.TicksPerDay, true
	case "hour":
		return value.TicksPerHour, true
	case "minute":
		return value.TicksPerMinute, true
	case "second":
		return value.TicksPerSecond, true
	case "millisecond":
		return value.TicksPerMillisecond, true
	case "microsecond":
		return value.TicksPerMicrosecond, true
	}
	return 0, false
}

// periodMonths is the length of a calendar period.
func periodMonths(period string) (int64, bool) {
	switch period {
	case "year":
		return 12, true
	case "quarter":
		return 3, true
	case "month":
		return 1, true
	}
	return 0, false
}

// addPeriod adds n periods. A month later is the same day, or the last one of
// a shorter month.
func addPeriod(period string, n int64, date value.Value) value.Value {
	if months, ok := periodMonths(period); ok {
		if n < -maxOffset || n > maxOffset {
			return nullTime
		}
		t := date.Time()
		total := int64(t.Year())*12 + int64(t.Month()) - 1 + n*months
		year, monthOfYear := int(total/12), int(total%12)+1
		if total < 12 || year > 9999 {
			return nullTime
		}
		last := time.Date(year, time.Month(monthOfYear)+1, 0, 0, 0, 0, 0, time.UTC).Day()
		return value.DateTimeOf(year, monthOfYear, min(t.Day(), last), date.Ticks()%value.TicksPerDay)
	}
	if period == "nanosecond" {
		return shift(date.Ticks(), n/100)
	}
	ticks, ok := periodTicks(period)
	if !ok || n > math.MaxInt64/ticks || n < math.MinInt64/ticks {
		return nullTime
	}
	return shift(date.Ticks(), n*ticks)
}

// datetimeDiff counts the boundaries of the period between the dates, as
// https://learn.microsoft.com/kusto/query/datetime-diff-function shows it;
// weeks begin on Sunday.
func datetimeDiff(a []value.Value) value.Value {
	x, y := a[1].Ticks(), a[2].Ticks()
	period := strings.ToLower(a[0].Text())
	if months, ok := periodMonths(period); ok {
		count := func(t time.Time) int64 { return (int64(t.Year())*12 + int64(t.Month()) - 1) / months }
		return value.NewLong(count(a[1].Time()) - count(a[2].Time()))
	}
	if period == "nanosecond" {
		return value.NewLong((x - y) * 100)
	}
	ticks, ok := periodTicks(period)
	if !ok {
		return nullLong
	}
	if period == "week" {
		x, y = x+value.TicksPerDay, y+value.TicksPerDay // 0001-01-01 was a Monday
	}
	return value.NewLong(x/ticks - y/ticks)
}

// epochs read datetimes from counts since 1970-01-01.
var epochs = []Function{
	fromUnix("unixtime_seconds_todatetime", float64(value.TicksPerSecond)),
	fromUnix("unixtime_milliseconds_todatetime", float64(value.TicksPerMillisecond)),
	fromUnix("unixtime_microseconds_todatetime", float64(value.TicksPerMicrosecond)),
	fromUnix("unixtime_nanoseconds_todatetime", 0.01),
}

func fromUnix(name string, unit float64) Function {
	return fn(name, value.DateTime, params{isNumber}, func(a []value.Value) value.Value {
		if a[0].Kind().IsInteger() && unit >= 1 {
			n, ticks := a[0].Int64(), int64(unit)
			if n > math.MaxInt64/ticks || n < math.MinInt64/ticks {
				return nullTime
			}
			return shift(value.UnixEpochTicks, n*ticks)
		}
		if a[0].Kind().IsInteger() {
			return shift(value.UnixEpochTicks, a[0].Int64()/100)
		}
		ticks := truncated(math.Round(a[0].Real() * unit))
		if ticks.IsNull() {
			return nullTime
		}
		return shift(value.UnixEpochTicks, ticks.Int64())
	})
}
