package value

import (
	"math"
	"strconv"
	"strings"
)

// AppendTimeSpan appends ticks as `d.hh:mm:ss.fffffff`, without the days when
// there are none and without the fraction when it is zero.
func AppendTimeSpan(b []byte, ticks int64) []byte {
	t := uint64(ticks)
	if ticks < 0 {
		b = append(b, '-')
		t = -t
	}
	if days := t / uint64(TicksPerDay); days > 0 {
		b = strconv.AppendUint(b, days, 10)
		b = append(b, '.')
	}
	rest := int64(t % uint64(TicksPerDay))
	b = appendClock(b, rest)
	if fraction := rest % TicksPerSecond; fraction > 0 {
		b = append(b, '.')
		b = appendFraction(b, fraction)
	}
	return b
}

// TimeSpanUnit is the length in ticks of a unit of a timespan literal, such as
// `h` or `millisecond`; for nanoseconds it is a fraction.
func TimeSpanUnit(name string) (ticks float64, ok bool) {
	switch name {
	case "d", "day", "days":
		return float64(TicksPerDay), true
	case "h", "hr", "hrs", "hour", "hours":
		return float64(TicksPerHour), true
	case "m", "min", "minute", "minutes":
		return float64(TicksPerMinute), true
	case "s", "sec", "second", "seconds":
		return float64(TicksPerSecond), true
	case "ms", "milli", "millis", "millisecond", "milliseconds":
		return float64(TicksPerMillisecond), true
	case "micro", "micros", "microsecond", "microseconds":
		return float64(TicksPerMicrosecond), true
	case "nano", "nanos", "nanosecond", "nanoseconds":
		return 0.01, true
	case "tick", "ticks":
		return 1, true
	}
	return 0, false
}

// ParseTimeSpan reads `[-][d.]hh:mm[:ss[.fffffff]]`, a literal such as `1d`,
// `2.5h` or `15 seconds`, or a bare number of days
// (https://learn.microsoft.com/kusto/query/scalar-data-types/timespan).
func ParseTimeSpan(text string) (Value, bool) {
	text = strings.TrimSpace(text)
	negative := strings.HasPrefix(text, "-")
	body := text
	if negative {
		body = text[1:]
	}
	if body == "" || body[0] < '0' && body[0] != '.' || body[0] > '9' {
		return Value{}, false
	}
	var ticks int64
	var ok bool
	if strings.IndexByte(body, ':') >= 0 {
		ticks, ok = parseClockSpan(body)
	} else {
		ticks, ok = parseUnitSpan(body)
	}
	if !ok {
		return Value{}, false
	}
	if negative {
		ticks = -ticks
	}
	return NewTimeSpan(ticks), true
}

// parseUnitSpan reads a number and a unit; without a unit the number must be
// whole and counts days.
func parseUnitSpan(s string) (int64, bool) {
	end := 0
	for end < len(s) && (s[end] >= '0' && s[end] <= '9' || s[end] == '.') {
		end++
	}
	number, unit := s[:end], strings.TrimLeft(s[end:], " ")
	if unit == "" {
		days, err := strconv.ParseInt(number, 10, 64)
		if err != nil || days > math.MaxInt64/TicksPerDay {
			return 0, false
		}
		return days * TicksPerDay, true
	}
	per, ok := TimeSpanUnit(unit)
	if !ok {
		return 0, false
	}
	if whole, err := strconv.ParseInt(number, 10, 64); err == nil && per >= 1 {
		if whole > math.MaxInt64/int64(per) {
			return 0, false
		}
		return whole * int64(per), true
	}
	f, err := strconv.ParseFloat(number, 64)
	if err != nil {
		return 0, false
	}
	f = math.Round(f * per)
	if f >= math.MaxInt64 {
		return 0, false
	}
	return int64(f), true
}

// parseClockSpan reads [d.]hh:mm[:ss[.fffffff]], and d:hh:mm:ss as .NET does.
func parseClockSpan(s string) (int64, bool) {
	r := isoReader{s: s}
	first, count, ok := r.digits(1, 8)
	if !ok {
		return 0, false
	}
	var days, hours int
	switch {
	case r.take('.'):
		days = first
		if hours, _, ok = r.digits(1, 2); !ok || !r.take(':') {
			return 0, false
		}
	case r.take(':'):
		if strings.Count(s, ":") == 3 {
			days = first
			if hours, _, ok = r.digits(1, 2); !ok || !r.take(':') {
				return 0, false
			}
			break
		}
		if count > 2 {
			return 0, false
		}
		hours = first
	default:
		return 0, false
	}
	minutes, _, ok := r.digits(1, 2)
	if !ok || hours > 23 || minutes > 59 || int64(days) > math.MaxInt64/TicksPerDay {
		return 0, false
	}
	ticks := int64(days)*TicksPerDay + int64(hours)*TicksPerHour + int64(minutes)*TicksPerMinute
	if r.end() {
		return ticks, ticks >= 0 // overflow turns it negative
	}
	if !r.take(':') {
		return 0, false
	}
	seconds, _, ok := r.digits(1, 2)
	if !ok || seconds > 59 {
		return 0, false
	}
	ticks += int64(seconds) * TicksPerSecond
	if r.end() {
		return ticks, ticks >= 0
	}
	if !r.take('.') {
		return 0, false
	}
	fraction, count, ok := r.digits(1, 7)
	if !ok || !r.end() {
		return 0, false
	}
	for ; count < 7; count++ {
		fraction *= 10
	}
	ticks += int64(fraction)
	return ticks, ticks >= 0
}
