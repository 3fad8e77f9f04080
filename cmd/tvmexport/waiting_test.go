package main

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestWithin(t *testing.T) {
	const limit = 5 * time.Second
	hangs := func(r *http.Request) (*http.Response, error) {
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
	answers := func(status int, text string) func(*http.Request) (*http.Response, error) {
		return func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: status, Status: text, Body: io.NopCloser(strings.NewReader(""))}, nil
		}
	}
	for _, tt := range []struct {
		name      string
		transport func(*http.Request) (*http.Response, error) // nil: no request is made
		repeats   bool                                        // the request, until it succeeds
		err       string                                      // contained in the error; "" for success
		took      time.Duration
	}{
		{name: "an answer", transport: answers(200, "200 OK")},
		{name: "no answer", transport: hangs, err: "it was not read within 5s; no answer has come from adx.example", took: limit},
		{name: "refused for now", transport: answers(503, "503 Service Unavailable"), repeats: true, err: "the last answer of adx.example is 503 Service Unavailable", took: limit},
		{name: "no connection", transport: func(*http.Request) (*http.Response, error) { return nil, errors.New("no such host") }, repeats: true, err: "the connection to adx.example failed: no such host", took: limit},
		{name: "no request", err: "the sign-in has not ended", took: limit},
		{name: "refused for good", transport: answers(403, "403 Forbidden"), err: "403"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var w waiting
				client := w.instrument("kusto", &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) { return tt.transport(r) })})
				began := time.Now()
				_, err := within(t.Context(), limit, &w, func(ctx context.Context) (int, error) {
					for {
						if tt.transport == nil {
							<-ctx.Done()
							return 0, ctx.Err()
						}
						r, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://adx.example/v2/rest/query", nil)
						if err != nil {
							return 0, err
						}
						answer, err := client.Do(r)
						if err == nil {
							_ = answer.Body.Close()
							if answer.StatusCode == http.StatusOK {
								return 1, nil
							}
							err = errors.New(answer.Status)
						}
						if !tt.repeats {
							return 0, err
						}
						select {
						case <-ctx.Done():
							return 0, ctx.Err()
						case <-time.After(700 * time.Millisecond):
						}
					}
				})
				if (err != nil) != (tt.err != "") || err != nil && !strings.Contains(err.Error(), tt.err) {
					t.Errorf("%v, want %q", err, tt.err)
				}
				if took := time.Since(began); took != tt.took {
					t.Errorf("it took %s, want %s", took, tt.took)
				}
			})
		})
	}
}

// An end of the caller's own context is not an end of the time.
func TestWithinACancelledContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := within(ctx, time.Second, &waiting{}, func(ctx context.Context) (int, error) { return 0, ctx.Err() })
	if !errors.Is(err, context.Canceled) || strings.Contains(err.Error(), "within") {
		t.Error(err)
	}
}
