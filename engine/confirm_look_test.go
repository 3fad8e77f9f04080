package engine

import (
	"testing"
	"time"
)

func TestUntilNextLook(t *testing.T) {
	base := time.Date(2026, 11, 23, 5, 0, 0, 0, time.UTC)
	for _, test := range []struct{ at, wait, want time.Duration }{
		{0, time.Second, 2 * time.Second},
		{300 * time.Millisecond, time.Second, 1700 * time.Millisecond},
		{1200 * time.Millisecond, time.Second, 800 * time.Millisecond},
		{1700 * time.Millisecond, time.Second, 2300 * time.Millisecond},
		{0, 1500 * time.Millisecond, 2 * time.Second},
		{900 * time.Millisecond, 1500 * time.Millisecond, 1100 * time.Millisecond},
		{time.Second, 2250 * time.Millisecond, 3 * time.Second},
		{3 * time.Second, 10 * time.Second, 5 * time.Second},
		{5 * time.Second, 10 * time.Second, 11 * time.Second},
	} {
		now := base.Add(test.at)
		got := untilNextLook(now, test.wait)
		if got != test.want {
			t.Errorf("at %s, a wait of %s is %s, want %s", test.at, test.wait, got, test.want)
		}
		if got < test.wait/2 || got > test.wait*2 && got > test.wait+lookEvery {
			t.Errorf("at %s, a wait of %s is %s", test.at, test.wait, got)
		}
	}
}
