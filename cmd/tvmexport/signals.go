package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// signalled is why a context ended: a signal.
type signalled struct{ signal syscall.Signal }

func (s *signalled) Error() string { return "stopped by " + s.signal.String() }

// sameSignal is how long after the first one the same signal is a copy of it:
// timeout and shells send one to the process and once more to its group.
const sameSignal = 2 * time.Second

// signals ends the context at the first SIGINT or SIGTERM, and the process at
// the second.
func (p process) signals(ctx context.Context) (context.Context, func()) {
	incoming := make(chan os.Signal, 2)
	signal.Notify(incoming, os.Interrupt, syscall.SIGTERM)
	ctx, stop := handleSignals(ctx, incoming, os.Exit)
	return ctx, func() {
		signal.Stop(incoming)
		stop()
	}
}

// handleSignals ends the context at the first signal, and calls exit at the second one.
// A copy of the first is not a second one.
func handleSignals(ctx context.Context, incoming <-chan os.Signal, exit func(code int)) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	done := make(chan struct{})
	go func() {
		var first os.Signal
		var at time.Time
		for {
			select {
			case <-done:
				return
			case s := <-incoming:
				number, _ := s.(syscall.Signal)
				switch {
				case first == nil:
					first, at = s, time.Now()
					cancel(&signalled{number})
				case s != first || time.Since(at) >= sameSignal:
					exit(128 + int(number))
				}
			}
		}
	}()
	return ctx, func() {
		close(done)
		cancel(nil)
	}
}
