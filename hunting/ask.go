package hunting

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/tvmexport/tvmexport"
)

// requestTime bounds one call, reading its answer included: the service gives
// up after 200 seconds at the most, and a stalled connection must not hold a
// run for ever.
const requestTime = 10 * time.Minute

// errRestart: the call must be begun anew by the caller.
var errRestart = errors.New("the answer broke off")

// ask posts a query until it is answered, and lets read take the answer. It is
// the one place where calls are repeated: after a wait that the service asks
// for, and after what passes by itself.
func (c *Client) ask(ctx context.Context, op, table, query string, read func(*body) error) (tvmexport.Answer, error) {
	var a tvmexport.Answer
	var broke error
	preempted, unauthorized := 0, 0
	for attempt := 1; ; {
		err := c.once(ctx, op, table, query, &a, read)
		if err == nil {
			return a, nil
		}
		if errors.Is(err, errRestart) {
			return a, broke
		}
		if ctx.Err() != nil {
			return a, context.Cause(ctx)
		}
		var e *tvmexport.Error
		if !errors.As(err, &e) {
			return a, &tvmexport.Error{Op: op, Table: table, Err: err}
		}
		switch {
		case errors.Is(err, errUnauthorized) && unauthorized == 0:
			unauthorized++ // a token may expire on the way
		case errors.Is(err, errPreempted) && preempted == 0:
			preempted++
			if err := c.pause(ctx, 30*time.Second); err != nil {
				return a, err
			}
		case errors.Is(err, errPreempted):
			e.Action = tvmexport.Split
			return a, err
		case e.Action == tvmexport.Wait:
			if err := c.budget.hold(e.After); err != nil {
				return a, &tvmexport.Error{
					Op: op, Table: table, Cause: tvmexport.Quota, Err: fmt.Errorf("%w; %w", err, e.Err),
					Hint: "run again later, raise --max-wait, or lower what else uses the tenant's hunting quota",
				}
			}
		case e.Action == tvmexport.Retry && attempt < c.attempts:
			broke = err
			if err := c.pause(ctx, backoff(attempt)); err != nil {
				return a, err
			}
			attempt++
		default:
			return a, err
		}
	}
}

// backoff grows from about a second, with jitter.
func backoff(attempt int) time.Duration {
	d := time.Second << min(attempt-1, 5)
	return d/2 + rand.N(d)
}

func (c *Client) pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// once makes one call.
func (c *Client) once(ctx context.Context, op, table, query string, a *tvmexport.Answer, read func(*body) error) error {
	if err := c.budget.enter(ctx); err != nil {
		return err
	}
	good := false
	defer func() { c.budget.leave(good) }()
	ctx, cancel := context.WithTimeoutCause(ctx, requestTime, errors.New("no answer within ten minutes"))
	defer cancel()
	fail := failure{op: op, table: table, api: c.o.API}

	token, err := c.o.Credential.GetToken(ctx, policy.TokenRequestOptions{Scopes: []string{c.scope}})
	if err != nil {
		return fail.signIn(err)
	}
	request, err := c.request(ctx, query, token.Token)
	if err != nil {
		return err
	}
	start := time.Now()
	a.Calls++
	c.calls.Add(1)
	response, err := c.o.HTTPClient.Do(request)
	if err != nil {
		return fail.transport(err)
	}
	defer response.Body.Close()
	a.Request = response.Header.Get("request-id")
	if response.StatusCode != http.StatusOK {
		return fail.status(response)
	}
	b, err := openBody(response)
	if err != nil {
		return fail.broken(err)
	}
	defer b.close()
	err = read(b)
	a.Bytes, a.Took = b.bytes(), time.Since(start)
	good = err == nil
	switch {
	case err == nil:
		c.o.Logger.Debug("answered", "op", op, "table", table, "bytes", a.Bytes, "took", a.Took, "request", a.Request)
		return nil
	case errors.Is(err, errRestart):
		return err
	}
	var e *tvmexport.Error
	if errors.As(err, &e) { // the writer's own
		return err
	}
	return fail.broken(err)
}

func (c *Client) request(ctx context.Context, query, token string) (*http.Request, error) {
	text, err := json.Marshal(struct{ Query string }{query})
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/json; charset=utf-8")
	r.Header.Set("Accept", "application/json")
	r.Header.Set("Accept-Encoding", "gzip")
	r.Header.Set("User-Agent", "tvmexport")
	return r, nil
}

// drain reads a little of what is left, so that the connection can be used again.
func drain(r io.Reader) { _, _ = io.CopyN(io.Discard, r, 64<<10) }
