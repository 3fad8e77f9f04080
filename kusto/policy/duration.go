package policy

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Days is a duration as commands take it, in the largest unit that holds it.
func Days(d time.Duration) string {
	for _, u := range []struct {
		of   time.Duration
		name string
	}{{24 * time.Hour, "d"}, {time.Hour, "h"}, {time.Minute, "m"}} {
		if d%u.of == 0 {
			return fmt.Sprintf("%d%s", d/u.of, u.name)
		}
	}
	return fmt.Sprintf("%ds", d/time.Second)
}

// Dotted is a duration as policies show it: 14.00:00:00.
func Dotted(d time.Duration) string {
	return fmt.Sprintf("%d.%02d:%02d:%02d", d/(24*time.Hour), d/time.Hour%24, d/time.Minute%60, d/time.Second%60)
}

// Unlimited is how long rows are kept where no policy says so
// (https://learn.microsoft.com/kusto/management/retention-policy).
const Unlimited = 36500 * 24 * time.Hour

// Span reads a duration as policies show it: 365.00:00:00, 01:00:00.
func Span(text string) (time.Duration, bool) {
	days, clock, ok := strings.Cut(text, ".")
	if !ok || strings.Contains(days, ":") {
		days, clock = "0", text
	}
	parts := strings.Split(clock, ":")
	if len(parts) != 3 {
		return 0, false
	}
	out := time.Duration(0)
	for i, part := range []string{days, parts[0], parts[1], strings.Split(parts[2], ".")[0]} {
		n, err := strconv.ParseUint(part, 10, 16)
		if err != nil {
			return 0, false
		}
		out += time.Duration(n) * []time.Duration{24 * time.Hour, time.Hour, time.Minute, time.Second}[i]
	}
	return out, true
}
