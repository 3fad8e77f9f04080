package defender

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/internal/answers"
)

// once makes one attempt, when the budget lets it.
func (s *Service) once(ctx context.Context, c *Call, a *Result, p *patience) error {
	fail := failure{Call: c, section: s.o.Section}
	// A slow sign-in waits here: a call is made when the budget admits it, not
	// some time later, together with others.
	if _, err := s.token(ctx, c); err != nil {
		return fail.signIn(err)
	}
	made, err := c.Budget.enter(ctx, p)
	if err != nil {
		return fail.budget(err)
	}
	result := unknown
	defer func() { c.Budget.leave(result) }()
	err = s.send(ctx, fail, a, made)
	switch action := tvmexport.ActionOf(err); {
	case err == nil:
		result = bearable
	case action == tvmexport.Wait, action == tvmexport.Split, errors.Is(err, ErrPreempted):
		result = strained
	}
	return err
}

// refuser is a credential that replaces a token which a service has refused, by
// one with the claims of the challenge.
type refuser interface{ Refused(token, claims string) }

// token is one for the service, which the credential keeps while it is valid; ""
// for a call that carries none.
func (s *Service) token(ctx context.Context, c *Call) (string, error) {
	if c.Anonymous {
		return "", nil
	}
	t, err := s.o.Credential.GetToken(ctx, policy.TokenRequestOptions{Scopes: []string{s.o.Scope}})
	return t.Token, err
}

// send sends the request of a call once and lets the call read the answer. The budget counts the
// call since made.
func (s *Service) send(ctx context.Context, fail failure, a *Result, made time.Time) error {
	c := fail.Call
	token, err := s.token(ctx, c) // again, because the budget may have delayed the call
	if err != nil {
		return fail.signIn(err)
	}
	ctx, stall := watch(ctx)
	defer stall.end()
	request, err := c.request(ctx, token)
	if err != nil {
		return err
	}
	start := time.Now()
	a.Calls++
	s.calls.Add(1)
	response, err := s.o.HTTPClient.Do(request)
	c.Budget.arrived(made)
	if err != nil {
		return fail.transport(stall.explain(ctx, err))
	}
	defer response.Body.Close()
	response.Body = stall.guard(response.Body)
	a.Request = requestID(response)
	if response.StatusCode != http.StatusOK {
		err := fail.status(response)
		if r, ok := s.o.Credential.(refuser); ok && token != "" && errors.Is(err, errUnauthorized) {
			r.Refused(token, answers.Claims(response.Header))
		}
		s.o.Logger.Debug("refused", "op", c.Op, "table", c.Table, "error", err, c.Asked)
		return err
	}
	b, err := OpenBody(response)
	if err != nil {
		return fail.broken(err)
	}
	defer b.Close()
	err = c.Read(b)
	a.Bytes, a.Took = b.read, time.Since(start)
	s.bytes.Add(a.Bytes)
	s.answered.Add(1)
	s.took.Add(int64(a.Took))
	var handed *handedOn
	var own *tvmexport.Error
	switch {
	case err == nil:
		s.o.Logger.Debug("answered", "op", c.Op, "table", c.Table, "bytes", a.Bytes, "took", a.Took, "request", a.Request)
		return nil
	case errors.As(err, &handed):
		return err
	case errors.As(err, &own):
		return fail.named(own)
	case errors.Is(err, ErrUnproven):
		return fail.unproven(err)
	}
	return fail.broken(stall.explain(ctx, err))
}

// requestID is the service's id of a call. The legacy APIs send it in error
// bodies only.
func requestID(r *http.Response) string { return r.Header.Get("request-id") }

// request is the request of a call with what all of them carry.
func (c *Call) request(ctx context.Context, token string) (*http.Request, error) {
	r, err := c.Request(ctx)
	if err != nil {
		return nil, err
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	r.Header.Set("Accept-Encoding", "gzip")
	r.Header.Set("User-Agent", "tvmexport")
	return r, nil
}
