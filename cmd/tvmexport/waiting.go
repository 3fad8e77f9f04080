package main

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/tvmexport/tvmexport"
)

// waiting notes what a command waits for, so that it can say so when its time has passed.
type waiting struct {
	mu     sync.Mutex
	reason string // "" before the first request
}

// instrument returns a client whose requests are noted.
func (w *waiting) instrument(_ string, c *http.Client) *http.Client {
	noted := *c
	next := c.Transport
	if next == nil {
		next = http.DefaultTransport
	}
	noted.Transport = roundTrip(func(r *http.Request) (*http.Response, error) {
		w.note("no answer has come from " + r.URL.Host)
		answer, err := next.RoundTrip(r)
		switch {
		case err != nil && r.Context().Err() == nil:
			w.note("the connection to " + r.URL.Host + " failed: " + oneLine(err.Error()))
		case err == nil && answer.StatusCode >= 400:
			w.note(fmt.Sprintf("the last answer of %s is %s", r.URL.Host, answer.Status))
		}
		return answer, err
	})
	return &noted
}

func (w *waiting) note(what string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.reason = what
}

// what is what the command waits for.
func (w *waiting) what() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.reason == "" {
		return "the sign-in has not ended"
	}
	return w.reason
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// within calls ask with a context that ends after limit. If that is why it fails, the
// error says what it waited for.
func within[T any](ctx context.Context, limit time.Duration, w *waiting, ask func(context.Context) (T, error)) (T, error) {
	short, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	out, err := ask(short)
	if err != nil && short.Err() != nil && ctx.Err() == nil {
		err = &tvmexport.Error{
			Op: "read the database", Action: tvmexport.Stop, Cause: tvmexport.Quota,
			Err:  fmt.Errorf("it was not read within %s; %s", limit, w.what()),
			Hint: "the cluster may be stopped, starting or busy; --wait waits longer, and tvmexport check says what is wrong",
		}
	}
	return out, err
}
