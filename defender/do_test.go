package defender

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tvmexport/tvmexport"
)

func TestWaitingIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fake{reply: func(int) answer { return answer{status: 429, header: http.Header{"Retry-After": {"7200"}}} }}
		err := s.caller(nil).fetch(t.Context())
		if tvmexport.CauseOf(err) != tvmexport.Quota || len(s.at) != 1 {
			t.Errorf("%d calls, %v", len(s.at), err)
		}
	})
}

func TestServerErrorsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fake{reply: func(int) answer { return answer{status: 500} }}
		err := s.caller(nil).fetch(t.Context())
		if tvmexport.ActionOf(err) != tvmexport.Stop || len(s.at) != 7 {
			t.Errorf("%d calls, %v", len(s.at), err)
		}
	})
}

func TestRefusedTokenIsTriedOnceMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fake{reply: func(n int) answer {
			return answer{status: 401, body: `{"error":{"code":"InvalidAuthenticationToken","message":"expired"}}`}
		}}
		err := s.caller(nil).fetch(t.Context())
		if tvmexport.CauseOf(err) != tvmexport.Permission || len(s.at) != 2 || s.tokens != 4 { // before the budget is asked, and after
			t.Errorf("%d calls, %d tokens, %v", len(s.at), s.tokens, err)
		}
		if strings.Contains(err.Error(), "secret") {
			t.Error("the token is in the error")
		}
	})
}

func TestCancelEndsTheWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fake{reply: func(int) answer { return answer{status: 429, header: http.Header{"Retry-After": {"600"}}} }}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		start := time.Now()
		err := s.caller(nil).fetch(ctx)
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != time.Minute {
			t.Errorf("%v after %s", err, time.Since(start))
		}
	})
}

func TestSilenceEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fake{reply: func(int) answer { return answer{silent: true} }}
		start := time.Now()
		err := s.caller(nil).fetch(t.Context())
		if tvmexport.ActionOf(err) != tvmexport.Retry || !errors.Is(err, errStalled) || time.Since(start) != longestPause {
			t.Errorf("after %s: %v", time.Since(start), err)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		s := &fake{reply: func(int) answer { return answer{hangs: true} }}
		start := time.Now()
		err := s.caller(nil).fetch(t.Context())
		if tvmexport.ActionOf(err) != tvmexport.Split || time.Since(start) != longestSilence {
			t.Errorf("after %s: %v", time.Since(start), err)
		}
	})
}

func TestStats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fake{reply: func(n int) answer {
			if n == 1 {
				return answer{status: 429, header: http.Header{"Retry-After": {"10"}}}
			}
			return answer{body: good}
		}}
		c := s.caller(nil)
		if err := c.fetch(t.Context()); err != nil {
			t.Fatal(err)
		}
		want := Stats{Calls: 2, Throttled: 1, Waited: 10*time.Second + margin, Bytes: int64(len(good))}
		if got := c.Stats(c.Budget); got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
	})
}

// A Retry-After in the past, or none, does not cause a storm of calls.
func TestThrottlesWithoutATimeBackOff(t *testing.T) {
	for _, header := range []string{"", "0", "-3", "soon", "Mon, 02 Jan 2006 15:04:05 GMT"} {
		for _, status := range []int{429, 503} {
			synctest.Test(t, func(t *testing.T) {
				s := &fake{reply: func(int) answer {
					return answer{status: status, header: http.Header{"Retry-After": {header}}}
				}}
				c := s.caller(func(o *setup) { o.MaxWait = 10 * time.Minute })
				start := time.Now()
				err := c.fetch(t.Context())
				if err == nil || errors.Is(err, errForeign) {
					t.Fatal(err)
				}
				early := 0
				for _, at := range s.at {
					if at.Sub(start) < 50*time.Second {
						early++
					}
				}
				if early > 7 || len(s.at) > 12 {
					t.Errorf("%d with Retry-After %q: %d calls in 50 seconds, %d in all", status, header, early, len(s.at))
				}
			})
		}
	}
}
