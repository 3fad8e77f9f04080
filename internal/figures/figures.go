// Package figures writes numbers for people.
package figures

import (
	"fmt"
	"strconv"
	"time"
)

// Count is n with its thousands set apart: 5,012,345.
func Count(n int64) string {
	s := strconv.FormatInt(n, 10)
	sign := ""
	if n < 0 {
		sign, s = "-", s[1:]
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return sign + s
}

// Changed says what a run has moved, and by how many rows its table has grown:
// "no change", "12 added", "7 removed", "120 fetched (+3)".
func Changed(rows, growth int64) string {
	return change(rows, growth, "added", "removed", "fetched")
}

// ToChange says the same of a run to come.
func ToChange(rows, growth int64) string {
	return change(rows, growth, "to add", "to remove", "to fetch")
}

func change(rows, growth int64, added, removed, fetched string) string {
	switch {
	case rows == 0 && growth == 0:
		return "no change"
	case rows == 0 && growth < 0:
		return Count(-growth) + " " + removed
	case rows == growth:
		return Count(rows) + " " + added
	case growth == 0:
		return Count(rows) + " " + fetched
	}
	sign := "+"
	if growth < 0 {
		sign = ""
	}
	return Count(rows) + " " + fetched + " (" + sign + Count(growth) + ")"
}

// Rows is "1 row", "530 rows".
func Rows(n int64) string {
	if n == 1 {
		return "1 row"
	}
	return Count(n) + " rows"
}

// Plural is "1 delta", "3 deltas".
func Plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return Count(int64(n)) + " " + noun + "s"
}

// FullSnapshot says how old the newest full snapshot is, and how many runs have added
// what changed since; -1 is not known.
func FullSnapshot(age time.Duration, deltas int) string {
	s := "last full snapshot " + Span(age.Truncate(time.Second)) + " ago"
	if deltas < 0 {
		return s
	}
	return s + ", " + Plural(deltas, "delta") + " since"
}

// Size is n bytes in decimal units: 12.3 MB.
func Size(n int64) string {
	const unit = 1000
	if n < unit {
		return fmt.Sprintf("%d B", n)
	}
	f, i := float64(n)/unit, 0
	for f >= unit && i < len("kMGTP")-1 {
		f /= unit
		i++
	}
	return fmt.Sprintf("%.1f %cB", f, "kMGTP"[i])
}

// Span is a length of time in its two largest units: 3d 4h, 2h 13m, 45s.
func Span(d time.Duration) string {
	if d < 0 {
		d = 0
	}
	day := 24 * time.Hour
	switch {
	case d < 10*time.Second:
		return strconv.FormatFloat(d.Truncate(100*time.Millisecond).Seconds(), 'f', -1, 64) + "s"
	case d < time.Minute:
		return fmt.Sprintf("%ds", d/time.Second)
	case d < time.Hour:
		return pair(d, time.Minute, "m", time.Second, "s")
	case d < day:
		return pair(d, time.Hour, "h", time.Minute, "m")
	}
	return pair(d, day, "d", time.Hour, "h")
}

func pair(d, large time.Duration, l string, small time.Duration, s string) string {
	if rest := d % large / small; rest > 0 {
		return fmt.Sprintf("%d%s %d%s", d/large, l, rest, s)
	}
	return fmt.Sprintf("%d%s", d/large, l)
}
