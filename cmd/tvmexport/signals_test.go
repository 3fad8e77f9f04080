package main

import (
	"context"
	"errors"
	"os"
	"slices"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// What signals do, and when: a copy of the first one is not a second one.
func TestSignals(t *testing.T) {
	type sent struct {
		after time.Duration
		what  syscall.Signal
	}
	const term, interrupt = syscall.SIGTERM, syscall.SIGINT
	for _, tt := range []struct {
		name  string
		sent  []sent
		cause syscall.Signal
		exits []int
	}{
		{"one", []sent{{0, term}}, term, nil},
		{"a copy at once", []sent{{0, term}, {0, term}}, term, nil},
		{"a copy after a second", []sent{{0, interrupt}, {time.Second, interrupt}}, interrupt, nil},
		{"many copies", []sent{{0, term}, {0, term}, {time.Second, term}, {999 * time.Millisecond, term}}, term, nil},
		{"a second one", []sent{{0, term}, {2 * time.Second, term}}, term, []int{143}},
		{"a copy and a second one", []sent{{0, term}, {0, term}, {5 * time.Second, term}}, term, []int{143}},
		{"another one at once", []sent{{0, term}, {0, interrupt}}, term, []int{130}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var exits []int
				incoming := make(chan os.Signal)
				ctx, stop := handleSignals(t.Context(), incoming, func(code int) { exits = append(exits, code) })
				for _, s := range tt.sent {
					time.Sleep(s.after)
					incoming <- s.what
				}
				synctest.Wait()
				var cause *signalled
				if !errors.As(context.Cause(ctx), &cause) || cause.signal != tt.cause || !slices.Equal(exits, tt.exits) {
					t.Errorf("ended by %v, exits %v; want %v, %v", context.Cause(ctx), exits, tt.cause, tt.exits)
				}
				stop()
			})
		})
	}
}
