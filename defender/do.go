package defender

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/internal/wait"
)

// How often a call is made that fails in a way that may pass by itself; the
// most take about a minute.
const (
	mostAttempts     = 7
	gatewayAttempts  = 3 // at a call that may take minutes to fail
	unprovenAttempts = 3 // at a call whose answer proves nothing
)

// Do makes a call until it is answered. It is the one place where calls are
// repeated: after a wait that the service asks for, and after what passes by itself.
func (s *Service) Do(ctx context.Context, c Call) (Result, error) {
	var a Result
	p := patience{left: s.o.MaxWait}
	attempt, preempted, unauthorized := 1, false, false
	for {
		began := time.Now()
		err := s.repeated.stopSecond(c.Table, s.once(ctx, &c, &a, &p))
		if err == nil {
			return a, nil
		}
		var handed *handedOn
		if errors.As(err, &handed) {
			return a, handed.err
		}
		if ctx.Err() != nil {
			return a, context.Cause(ctx)
		}
		var e *tvmexport.Error
		if !errors.As(err, &e) {
			return a, &tvmexport.Error{Op: c.Op, Table: c.Table, Action: tvmexport.Stop, Err: err}
		}
		switch {
		case errors.Is(err, errUnauthorized) && !unauthorized:
			unauthorized = true // the token was dropped; one new one is tried
			continue
		case errors.Is(err, ErrPreempted) && preempted:
			e.Action = tvmexport.Split
			return a, err
		case errors.Is(err, ErrPreempted):
			// What is pre-empted often passes half a minute later.
			preempted = true
			err = s.pauseRetry(ctx, &c, 30*time.Second, err)
		case e.Action == tvmexport.Wait:
			c.Budget.hold(began, e.After)
			continue
		case e.Action == tvmexport.Retry && errors.Is(err, errBroken) && c.HandsOn: // rows may have gone on
			return a, err
		case errors.Is(err, errGateway) && c.Budget.broke():
			e.Action, e.Err = tvmexport.Stop, fmt.Errorf("%w; gateways have failed %d times in a row, over all calls", e.Err, mostGateway)
			e.Hint = "the service is unavailable, or unreachable through the proxy; run again later"
			return a, err
		case (errors.Is(err, errGateway) || e.Action == tvmexport.Split && e.Cause == tvmexport.Unknown && !c.HandsOn) && attempt < gatewayAttempts && !c.Divisible:
			// A gateway's failure may pass. If it does not, less may be asked for at a time.
			err = s.pauseRetry(ctx, &c, backoff.After(attempt), err)
			attempt++
		case errors.Is(err, ErrUnproven) && attempt >= unprovenAttempts:
			e.Action, e.Err = tvmexport.Stop, fmt.Errorf("%w; %d consecutive answers had this error", e.Err, attempt)
			return a, err
		case e.Action == tvmexport.Retry && attempt < mostAttempts:
			err = s.pauseRetry(ctx, &c, backoff.After(attempt), err)
			attempt++
		case e.Action == tvmexport.Retry:
			e.Action, e.Err = tvmexport.Stop, fmt.Errorf("%w, %d times in a row", e.Err, attempt)
			return a, err
		default:
			c.sortWhole(e, attempt)
			return a, err
		}
		if err != nil {
			return a, err
		}
	}
}

// sortWhole says what follows from an error after which less would be asked for, if that
// is not possible. Only one layer repeats a call: what was repeated here is final.
func (c *Call) sortWhole(e *tvmexport.Error, attempts int) {
	switch {
	case !c.Whole || e.Action != tvmexport.Split:
	case attempts >= gatewayAttempts:
		e.Action, e.Err = tvmexport.Stop, fmt.Errorf("%w, %d times in a row", e.Err, attempts)
	case e.Cause == tvmexport.Rejected:
		e.Action = tvmexport.Stop
	default:
		e.Action = tvmexport.Retry
	}
}

// pauseRetry waits before a call is repeated that failed because of why.
func (s *Service) pauseRetry(ctx context.Context, c *Call, d time.Duration, why error) error {
	if s.o.OnRetry != nil {
		s.o.OnRetry(c.Table, c.Op, d, why)
	}
	return wait.For(ctx, d)
}

// backoff is half a second to a second and a half, and twice as long each time.
var backoff = wait.Backoff{First: time.Second, Low: 0.5, High: 1.5}
