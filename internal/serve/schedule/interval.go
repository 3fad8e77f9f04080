package schedule

import (
	"errors"
	"fmt"
	"iter"
	"time"
)

// interval fires so long after the fire before, on whole seconds.
type interval time.Duration

func parseInterval(text string) (times, error) {
	d, err := time.ParseDuration(text)
	switch {
	case err != nil:
		return nil, fmt.Errorf("the interval is not a duration: %w", err)
	case d <= 0:
		return nil, errors.New("the interval must be above 0")
	}
	return interval(max(d.Truncate(time.Second), time.Second)), nil
}

func (i interval) next(t time.Time) time.Time {
	return t.Truncate(time.Second).Add(time.Duration(i))
}

func (i interval) elapsed(from, to time.Time) iter.Seq[time.Time] {
	return func(yield func(time.Time) bool) {
		start := from.Truncate(time.Second)
		for n := range int64(to.Sub(start) / time.Duration(i)) {
			if !yield(start.Add(time.Duration(i) * time.Duration(n+1))) {
				return
			}
		}
	}
}
