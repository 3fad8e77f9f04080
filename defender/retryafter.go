package defender

import (
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
)

var inSeconds = regexp.MustCompile(`in (\d+) seconds`)

// aMinute is in what the service says of its calls per minute
// ("API calls quota exceeded! maximum allowed 45 per 00:01:00").
const aMinute = "per 00:01:00"

// longestHint is the longest wait that is believed.
const longestHint = 24 * time.Hour

// retryAfter is how long the service asks to wait: the header in seconds or as
// a date, else the time in the message; 0 if there is neither. A time in the past
// is ignored: the caller backs off by itself.
func retryAfter(header, message string, now time.Time) time.Duration {
	if s, err := strconv.Atoi(strings.TrimSpace(header)); err == nil && s > 0 {
		return min(time.Duration(min(s, 1e6))*time.Second, longestHint)
	}
	if at, err := http.ParseTime(header); err == nil && at.After(now) {
		return min(max(at.Sub(now), time.Second), longestHint)
	}
	if m := inSeconds.FindStringSubmatch(message); m != nil {
		if s, err := strconv.Atoi(m[1]); err == nil {
			return min(time.Duration(min(s, 1e6))*time.Second, longestHint)
		}
	}
	if strings.Contains(message, aMinute) {
		return time.Minute
	}
	return 0
}
