package wait_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tvmexport/tvmexport/internal/wait"
)

func TestForOr(t *testing.T) {
	ended := errors.New("ended")
	for name, c := range map[string]struct {
		early  time.Duration // when the channel is closed; 0: never
		cancel time.Duration // when the context ends; 0: never
		passes time.Duration
		want   error
	}{
		"the whole pause":       {passes: time.Minute},
		"ended early":           {early: time.Second, passes: time.Second},
		"the context ends":      {cancel: time.Second, passes: time.Second, want: ended},
		"early before its end":  {early: time.Second, cancel: 2 * time.Second, passes: time.Second},
		"both after the pause":  {early: time.Hour, cancel: time.Hour, passes: time.Minute},
		"the context before it": {early: 2 * time.Second, cancel: time.Second, passes: time.Second, want: ended},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancelCause(t.Context())
				defer cancel(nil)
				early := make(chan struct{})
				if c.early > 0 {
					defer time.AfterFunc(c.early, func() { close(early) }).Stop()
				}
				if c.cancel > 0 {
					defer time.AfterFunc(c.cancel, func() { cancel(ended) }).Stop()
				}
				began := time.Now()
				err := wait.ForOr(ctx, time.Minute, early)
				if took := time.Since(began); took != c.passes || !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
					t.Errorf("waited %s with %v, want %s and %v", took, err, c.passes, c.want)
				}
			})
		})
	}
}

func TestFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		if err := wait.For(t.Context(), time.Hour); err != nil || time.Since(began) != time.Hour {
			t.Errorf("waited %s with %v, want an hour", time.Since(began), err)
		}
	})
}

func TestBackoff(t *testing.T) {
	for name, c := range map[string]struct {
		b    wait.Backoff
		want []time.Duration // before the random factor
	}{
		"limited":   {wait.Backoff{First: time.Second, Longest: 16 * time.Second, Low: 1, High: 1.25}, []time.Duration{time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second, 16 * time.Second, 16 * time.Second, 16 * time.Second}},
		"unlimited": {wait.Backoff{First: time.Second, Low: 0.5, High: 1.5}, []time.Duration{time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second, 16 * time.Second, 32 * time.Second}},
		"a limit between two steps": {wait.Backoff{First: 30 * time.Second, Longest: 15 * time.Minute, Low: 1, High: 1.1}, []time.Duration{
			30 * time.Second, time.Minute, 2 * time.Minute, 4 * time.Minute, 8 * time.Minute, 15 * time.Minute, 15 * time.Minute,
		}},
		"exact": {wait.Backoff{First: time.Second, Low: 1, High: 1}, []time.Duration{time.Second, 2 * time.Second, 4 * time.Second}},
	} {
		t.Run(name, func(t *testing.T) {
			for i, base := range c.want {
				low, high := time.Duration(float64(base)*c.b.Low), time.Duration(float64(base)*c.b.High)
				least, most := high, low
				for range 1000 {
					d := c.b.After(i + 1)
					if d < low || d > high {
						t.Fatalf("after %d failures: %s, want %s to %s", i+1, d, low, high)
					}
					least, most = min(least, d), max(most, d)
				}
				if spread := high - low; most-least < spread/2 {
					t.Errorf("after %d failures the pauses are between %s and %s only, of %s to %s", i+1, least, most, low, high)
				}
			}
		})
	}
}

// TestManyFailures keeps the pause from overflowing.
func TestManyFailures(t *testing.T) {
	b := wait.Backoff{First: time.Second, Low: 1, High: 1}
	for _, failures := range []int{40, 64, 1000} {
		if d := b.After(failures); d < 24*time.Hour {
			t.Errorf("after %d failures: %s", failures, d)
		}
	}
}
