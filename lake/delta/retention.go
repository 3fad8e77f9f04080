package delta

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Properties of a table, in the configuration of its Metadata.
const (
	// DeletedFileRetention is how long a removed file stays at least.
	DeletedFileRetention = "delta.deletedFileRetentionDuration"
	// LogRetention is how long commits stay at least.
	LogRetention = "delta.logRetentionDuration"
)

const (
	deletedFileRetention = 7 * 24 * time.Hour
	logRetention         = 30 * 24 * time.Hour
)

// Interval is a duration as properties of a table have it. Parts of a second are
// rounded up.
func Interval(d time.Duration) string {
	day := 24 * time.Hour
	if d%day == 0 {
		return fmt.Sprintf("interval %d days", d/day)
	}
	return fmt.Sprintf("interval %d seconds", (d+time.Second-1)/time.Second)
}

// units are the units of intervals. Delta refuses months and years.
var units = map[string]time.Duration{
	"microsecond": time.Microsecond, "millisecond": time.Millisecond, "second": time.Second, "minute": time.Minute,
	"hour": time.Hour, "day": 24 * time.Hour, "week": 7 * 24 * time.Hour,
}

// parseInterval reads a duration in a property, such as "interval 30 days".
func parseInterval(text string) (time.Duration, error) {
	words := strings.Fields(strings.ToLower(text))
	if len(words) > 0 && words[0] == "interval" {
		words = words[1:]
	}
	if len(words) == 0 || len(words)%2 != 0 {
		return 0, fmt.Errorf("%q is not an interval such as \"interval 30 days\"", text)
	}
	var sum time.Duration
	for i := 0; i < len(words); i += 2 {
		n, err := strconv.ParseInt(words[i], 10, 64)
		unit := units[strings.TrimSuffix(words[i+1], "s")]
		if err != nil || unit == 0 || n < 0 || n > int64((1<<63-1-sum)/unit) {
			return 0, fmt.Errorf("%q is not an interval such as \"interval 30 days\"", text)
		}
		sum += time.Duration(n) * unit
	}
	return sum, nil
}

// retention is a property of a table; at least the default, if the property
// cannot be read.
func (m *Metadata) retention(property string, standard time.Duration) (time.Duration, error) {
	text, ok := m.Configuration[property]
	if !ok {
		return standard, nil
	}
	d, err := parseInterval(text)
	if err != nil {
		return 0, fmt.Errorf("the property %s of the table: %w", property, err)
	}
	return d, nil
}
