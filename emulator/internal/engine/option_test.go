package engine

import (
	"math"
	"testing"
	"time"
)

func TestSpan(t *testing.T) {
	const longest, otherwise = math.MaxInt64 / time.Second * time.Second, 7 * time.Minute
	for _, c := range []struct {
		given any
		want  time.Duration
	}{
		{"00:10:00", 10 * time.Minute},
		{"1.00:00:00", 24 * time.Hour},
		{"10m", 10 * time.Minute},
		{float64(30), 30 * time.Second},
		{"", otherwise},
		{"x", otherwise},
		{float64(-1), otherwise},
		{nil, otherwise},
		{"10000000.00:00:00", math.MaxInt64 / 100 * 100},
		{float64(1e15), longest},
	} {
		if got := span(c.given, otherwise); got != c.want {
			t.Errorf("span(%v) is %v, want %v", c.given, got, c.want)
		}
	}
}
