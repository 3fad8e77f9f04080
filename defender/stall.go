package defender

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"
)

// How long a call may make no progress. The service gives up on a query after
// 200 seconds at the latest
// (https://learn.microsoft.com/defender-endpoint/api/run-advanced-query-api),
// but clients have been left waiting for a quarter of an hour.
const (
	longestSilence = 4 * time.Minute // before the answer begins
	longestPause   = time.Minute     // within the answer
)

var errStalled = errors.New("the service stopped responding")

// stall ends a call that makes no progress.
type stall struct {
	timer  *time.Timer
	cancel context.CancelCauseFunc
}

// watch begins with the wait for an answer.
func watch(ctx context.Context) (context.Context, *stall) {
	ctx, cancel := context.WithCancelCause(ctx)
	return ctx, &stall{timer: time.AfterFunc(longestSilence, func() { cancel(errStalled) }), cancel: cancel}
}

func (s *stall) end() {
	s.timer.Stop()
	s.cancel(context.Canceled)
}

// explain names a stall as the reason for an error where it is.
func (s *stall) explain(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); errors.Is(cause, errStalled) && !errors.Is(err, errStalled) {
		return fmt.Errorf("%w: %w", cause, err)
	}
	return err
}

// guard watches over the reading of an answer that has begun.
func (s *stall) guard(r io.ReadCloser) io.ReadCloser {
	s.timer.Stop()
	return &guarded{r, s}
}

type guarded struct {
	io.ReadCloser
	stall *stall
}

func (g *guarded) Read(p []byte) (int, error) {
	g.stall.timer.Reset(longestPause)
	defer g.stall.timer.Stop()
	return g.ReadCloser.Read(p)
}
