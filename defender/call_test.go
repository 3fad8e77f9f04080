package defender

import (
	"errors"
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tvmexport/tvmexport"
)

// A call with a right of its own signs in nowhere and shows no token.
func TestAnonymousCallsCarryNoToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, anonymous := range []bool{false, true} {
			s := &fake{reply: func(int) answer { return answer{body: good} }}
			c := s.caller(nil)
			call := c.call()
			call.Anonymous = anonymous
			if _, err := c.Do(t.Context(), call); err != nil {
				t.Fatal(err)
			}
			said := s.sent[0].Header.Get("Authorization")
			if anonymous != (said == "") || anonymous != (s.tokens == 0) {
				t.Errorf("anonymous %t: %q, %d tokens", anonymous, said, s.tokens)
			}
		}
	})
}

// What an API means by a refusal comes first, except that throttling is throttling.
func TestMeaningOfAnAPI(t *testing.T) {
	expired := errors.New("the link has expired")
	for status, calls := range map[int]int{400: 1, 403: 1, 404: 1, 500: 1, 429: 2} {
		synctest.Test(t, func(t *testing.T) {
			s := &fake{reply: func(n int) answer {
				if n == 1 {
					return answer{status: status, body: `<Error><Code>AuthenticationFailed</Code></Error>`}
				}
				return answer{body: good}
			}}
			c := s.caller(nil)
			call := c.call()
			var got Refusal
			call.Meaning = func(r Refusal) *tvmexport.Error {
				got = r
				return &tvmexport.Error{Action: tvmexport.Stop, Err: expired}
			}
			result, err := c.Do(t.Context(), call)
			if result.Calls != calls || errors.Is(err, expired) != (calls == 1) {
				t.Fatalf("%d: %d calls, %v", status, result.Calls, err)
			}
			if calls > 1 {
				return
			}
			if got.Status != status || string(got.Text) != `<Error><Code>AuthenticationFailed</Code></Error>` || err.Error() != "fetch DeviceInfo: the link has expired" {
				t.Errorf("%d: %+v, %v", status, got, err)
			}
		})
	}
}

// A call that cannot ask for less fails permanently if it was repeated, and says that it may be
// repeated if it was not.
func TestCallsForAWhole(t *testing.T) {
	for _, tt := range []struct {
		status int
		whole  bool
		calls  int
		action tvmexport.Action
	}{
		{502, false, 3, tvmexport.Split},
		{502, true, 3, tvmexport.Stop},
		{504, true, 3, tvmexport.Stop},
		{413, false, 1, tvmexport.Split},
		{413, true, 1, tvmexport.Stop},
		{500, true, 7, tvmexport.Stop},
		{0, false, 1, tvmexport.Split}, // it stalls
		{0, true, 1, tvmexport.Retry},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := &fake{reply: func(int) answer { return answer{status: tt.status, body: `{}`} }}
			c := s.caller(nil)
			call := c.call()
			call.Whole, call.HandsOn = tt.whole, true
			if tt.status == 0 {
				call.Read = func(*Body) error {
					return &tvmexport.Error{Action: tvmexport.Split, Cause: tvmexport.Unknown, Err: errStalled}
				}
			}
			result, err := c.Do(t.Context(), call)
			if err == nil || result.Calls != tt.calls || tvmexport.ActionOf(err) != tt.action {
				t.Errorf("%d, whole %t: %d calls, action %d, want %d and %d: %v", tt.status, tt.whole, result.Calls, tvmexport.ActionOf(err), tt.calls, tt.action, err)
			}
		})
	}
}

// Errors of the reader that say themselves what to do are not repeated for another reason.
func TestErrorsOfTheReader(t *testing.T) {
	full := errors.New("the disk is full")
	for name, tt := range map[string]struct {
		err   error
		calls int
		want  string
	}{
		"the writer's":   {HandedOn(full), 1, "the disk is full"},
		"sorted":         {&tvmexport.Error{Action: tvmexport.Split, Err: full}, 1, "fetch DeviceInfo: the disk is full"},
		"not proven":     {fmt.Errorf("%w: short", ErrUnproven), 3, "fetch DeviceInfo: the answer does not prove its completeness: short; 3 consecutive answers had this error (the answer was not used; if this repeats, check for a proxy that changes or caches answers)"},
		"not Defender's": {Foreign("HTTP 200 with a list"), 2, "fetch DeviceInfo: HTTP 200 with a list, twice with the same text (a proxy, a captive portal or a gateway seems to answer instead of the service: check HTTPS_PROXY, NO_PROXY and defender.endpoint)"},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := &fake{reply: func(int) answer { return answer{body: good} }}
			c := s.caller(nil)
			call := c.call()
			call.Read = func(*Body) error { return tt.err }
			result, err := c.Do(t.Context(), call)
			if err == nil || err.Error() != tt.want || result.Calls != tt.calls {
				t.Errorf("%s: %d calls, %v", name, result.Calls, err)
			}
		})
	}
}

// A budget without a quota only limits the calls at once, and rests when the service
// throttles.
func TestBudgetWithoutQuota(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fake{reply: func(n int) answer {
			if n == 1000 {
				return answer{status: http.StatusTooManyRequests, header: http.Header{"Retry-After": {"7"}}}
			}
			return answer{body: good}
		}}
		c := s.caller(func(o *setup) { o.quota = Quota{} })
		start := time.Now()
		for range 5000 {
			if err := c.fetch(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(start); took != 7*time.Second+margin {
			t.Errorf("took %s", took)
		}
	})
}
