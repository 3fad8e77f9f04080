package hunting

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/internal/answers"
	"github.com/tvmexport/tvmexport/internal/wait"
)

// question is a query to be posted.
type question struct {
	op, table string
	text      string
	handsOn   bool // rows go on as they come: an answer that breaks off cannot be taken again
	divisible bool // less can be asked for at a time: what takes too long is not repeated
}

// How often a call is made that fails in a way that may pass by itself; the
// most take about a minute.
const (
	mostAttempts    = 7
	gatewayAttempts = 3 // at a call that may take minutes to fail
)

// ask posts a question until it is answered, and lets read take the answer. It
// is the one place where calls are repeated: after a wait that the service asks
// for, and after what passes by itself.
func (c *Client) ask(ctx context.Context, q question, read func(*body) error) (tvmexport.Answer, error) {
	var a tvmexport.Answer
	p := patience{left: c.o.MaxWait}
	attempt, preempted, unauthorized := 1, false, false
	for {
		began := time.Now()
		err := c.repeated.stopSecond(q.table, c.once(ctx, q, &a, &p, read))
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
			return a, &tvmexport.Error{Op: q.op, Table: q.table, Action: tvmexport.Stop, Err: err}
		}
		switch {
		case errors.Is(err, errUnauthorized) && !unauthorized:
			unauthorized = true // the token was dropped; one new one is tried
			continue
		case errors.Is(err, errPreempted) && preempted:
			e.Action = tvmexport.Split
			return a, err
		case errors.Is(err, errPreempted):
			// What is pre-empted often passes half a minute later.
			preempted = true
			err = c.pauseRetry(ctx, q, 30*time.Second, err)
		case e.Action == tvmexport.Wait:
			c.budget.hold(began, e.After)
			continue
		case e.Action == tvmexport.Retry && errors.Is(err, errBroken) && q.handsOn: // rows may have gone on
			return a, err
		case errors.Is(err, errGateway) && c.budget.broke():
			e.Action, e.Err = tvmexport.Stop, fmt.Errorf("%w; gateways have failed %d times in a row, over all calls", e.Err, mostGateway)
			e.Hint = "the service is unavailable, or unreachable through the proxy; run again later"
			return a, err
		case (errors.Is(err, errGateway) || e.Action == tvmexport.Split && e.Cause == tvmexport.Unknown && !q.handsOn) && attempt < gatewayAttempts && !q.divisible:
			// A gateway's failure may pass. If it does not, less may be asked for at a time.
			err = c.pauseRetry(ctx, q, backoff.After(attempt), err)
			attempt++
		case errors.Is(err, errUnproven) && attempt >= unprovenAttempts:
			e.Action, e.Err = tvmexport.Stop, fmt.Errorf("%w; %d consecutive answers had this error", e.Err, attempt)
			return a, err
		case e.Action == tvmexport.Retry && attempt < mostAttempts:
			err = c.pauseRetry(ctx, q, backoff.After(attempt), err)
			attempt++
		case e.Action == tvmexport.Retry:
			e.Action, e.Err = tvmexport.Stop, fmt.Errorf("%w, %d times in a row", e.Err, attempt)
			return a, err
		default:
			return a, err
		}
		if err != nil {
			return a, err
		}
	}
}

// pauseRetry waits before a call is repeated that failed because of why.
func (c *Client) pauseRetry(ctx context.Context, q question, d time.Duration, why error) error {
	if c.o.OnRetry != nil {
		c.o.OnRetry(q.table, q.op, d, why)
	}
	return wait.For(ctx, d)
}

// backoff is half a second to a second and a half, and twice as long each time.
var backoff = wait.Backoff{First: time.Second, Low: 0.5, High: 1.5}

// once makes one call, when the budget lets it.
func (c *Client) once(ctx context.Context, q question, a *tvmexport.Answer, p *patience, read func(*body) error) error {
	fail := failure{op: q.op, table: q.table, api: c.o.API}
	// A slow sign-in waits here: a call is made when the budget admits it, not
	// some time later, together with others.
	if _, err := c.token(ctx); err != nil {
		return fail.signIn(err)
	}
	if err := c.budget.enter(ctx, p); err != nil {
		return fail.budget(err)
	}
	result := unknown
	defer func() { c.budget.leave(result) }()
	err := c.post(ctx, q, fail, a, read)
	switch action := tvmexport.ActionOf(err); {
	case err == nil:
		result = bearable
	case action == tvmexport.Wait, action == tvmexport.Split, errors.Is(err, errPreempted):
		result = strained
	}
	return err
}

// refuser is a credential that replaces a token which a service has refused, by
// one with the claims of the challenge.
type refuser interface{ Refused(token, claims string) }

// token is one for the service, which the credential keeps while it is valid.
func (c *Client) token(ctx context.Context) (string, error) {
	t, err := c.o.Credential.GetToken(ctx, policy.TokenRequestOptions{Scopes: []string{c.scope}})
	return t.Token, err
}

func (c *Client) post(ctx context.Context, q question, fail failure, a *tvmexport.Answer, read func(*body) error) error {
	token, err := c.token(ctx) // again, because the budget may have delayed the call
	if err != nil {
		return fail.signIn(err)
	}
	ctx, stall := watch(ctx)
	defer stall.end()
	request, err := c.request(ctx, q.text, token)
	if err != nil {
		return err
	}
	start := time.Now()
	a.Calls++
	c.calls.Add(1)
	response, err := c.o.HTTPClient.Do(request)
	if err != nil {
		return fail.transport(stall.explain(ctx, err))
	}
	defer response.Body.Close()
	response.Body = stall.guard(response.Body)
	a.Request = requestID(response)
	if response.StatusCode != http.StatusOK {
		err := fail.status(response)
		if r, ok := c.o.Credential.(refuser); ok && errors.Is(err, errUnauthorized) {
			r.Refused(token, answers.Claims(response.Header))
		}
		c.o.Logger.Debug("refused", "op", q.op, "table", q.table, "error", err, "query", q.text)
		return err
	}
	b, err := openBody(response)
	if err != nil {
		return fail.broken(err)
	}
	defer b.close()
	if err = b.recognise(response); err == nil {
		err = read(b)
	}
	a.Bytes, a.Took = b.Read(), time.Since(start)
	c.bytes.Add(a.Bytes)
	c.answered.Add(1)
	c.took.Add(int64(a.Took))
	var handed *handedOn
	switch {
	case err == nil:
		c.o.Logger.Debug("answered", "op", q.op, "table", q.table, "bytes", a.Bytes, "took", a.Took, "request", a.Request)
		return nil
	case errors.As(err, &handed):
		return err
	case errors.Is(err, errUnproven):
		return fail.unproven(err)
	case errors.Is(err, errTooMany):
		return fail.make(tvmexport.Split, tvmexport.Integrity, "", err)
	}
	return fail.broken(stall.explain(ctx, err))
}

// requestID is the service's id of a call. The legacy APIs send it in error
// bodies only.
func requestID(r *http.Response) string { return r.Header.Get("request-id") }

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
