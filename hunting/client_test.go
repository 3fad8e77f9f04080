package hunting

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"go.uber.org/goleak"

	"github.com/tvmexport/tvmexport"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// answer is what a fake service says to one call.
type answer struct {
	status int
	header http.Header
	body   string
	err    error
}

// service is a RoundTripper that answers by a function and notes when.
type service struct {
	mu     sync.Mutex
	at     []time.Time
	reply  func(n int, query string) answer
	tokens int
}

var inNonce = regexp.MustCompile(`strcat\('([0-9a-f]{32}:)'`)

func (s *service) RoundTrip(r *http.Request) (*http.Response, error) {
	var q struct{ Query string }
	if err := json.NewDecoder(r.Body).Decode(&q); err != nil {
		return nil, err
	}
	s.mu.Lock()
	s.at = append(s.at, time.Now())
	n := len(s.at)
	s.mu.Unlock()
	a := s.reply(n, q.Query)
	if a.err != nil {
		return nil, a.err
	}
	if m := inNonce.FindStringSubmatch(q.Query); m != nil {
		a.body = strings.ReplaceAll(a.body, "NONCE:", m[1])
	}
	if a.status == 0 {
		a.status = 200
	}
	if a.header == nil {
		a.header = http.Header{}
	}
	return &http.Response{StatusCode: a.status, Header: a.header, Body: io.NopCloser(strings.NewReader(a.body)), Request: r}, nil
}

func (s *service) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tokens++
	return azcore.AccessToken{Token: "secret"}, nil
}

func (s *service) client(t *testing.T, change func(*Options)) *Client {
	t.Helper()
	cloud, err := LookupCloud("commercial")
	if err != nil {
		t.Fatal(err)
	}
	o := Options{API: Graph, Cloud: cloud, Credential: s, HTTPClient: &http.Client{Transport: s}, Share: 1}
	if change != nil {
		change(&o)
	}
	c, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

const good = `{"schema":[{"name":"DeviceId","type":"String"}],"results":[{"DeviceId":"a"},{"DeviceId":"NONCE:1"}]}`

var slice = tvmexport.Slice{Table: inventory, Partitions: []tvmexport.Partition{tvmexport.Whole}}

func TestFetchWaitsAsTold(t *testing.T) {
	tests := []struct {
		name        string
		first       answer
		least, most time.Duration
	}{
		{"seconds in the header", answer{status: 429, header: http.Header{"Retry-After": {"40"}}}, 40 * time.Second, 42 * time.Second},
		{"seconds in the text", answer{status: 429, body: `{"error":{"code":"CpuQuotaExceeded","message":"You can run queries again in 1200 seconds"}}`}, 20 * time.Minute, 20*time.Minute + 2*time.Second},
		{"no hint", answer{status: 429}, 30 * time.Second, 35 * time.Second},
		{"pre-empted", answer{status: 400, body: `{"error":{"message":"Query execution has exceeded the allowed limits. The query execution was preempted."}}`}, 30 * time.Second, 31 * time.Second},
		{"a server's error", answer{status: 500}, 0, 3 * time.Second},
		{"a cut connection", answer{err: errors.New("connection reset by peer")}, 0, 3 * time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &service{reply: func(n int, _ string) answer {
					if n == 1 {
						return tt.first
					}
					return answer{body: good}
				}}
				a, err := s.client(t, nil).Fetch(t.Context(), slice, discard{})
				if err != nil {
					t.Fatal(err)
				}
				if !a.Complete() || a.Rows != 1 || a.Calls != 2 {
					t.Errorf("%+v", a)
				}
				if waited := s.at[1].Sub(s.at[0]); waited < tt.least || waited > tt.most {
					t.Errorf("waited %s, want %s to %s", waited, tt.least, tt.most)
				}
			})
		})
	}
}

func TestWaitingIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &service{reply: func(int, string) answer { return answer{status: 429, header: http.Header{"Retry-After": {"7200"}}} }}
		_, err := s.client(t, nil).Fetch(t.Context(), slice, discard{})
		if tvmexport.CauseOf(err) != tvmexport.Quota || len(s.at) != 1 {
			t.Errorf("%d calls, %v", len(s.at), err)
		}
	})
}

func TestPreemptedTwiceIsSplit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &service{reply: func(int, string) answer {
			return answer{status: 400, body: `{"error":{"message":"Query execution has exceeded the allowed limits. The query execution was preempted."}}`}
		}}
		_, err := s.client(t, nil).Fetch(t.Context(), slice, discard{})
		if tvmexport.ActionOf(err) != tvmexport.Split || len(s.at) != 2 {
			t.Errorf("%d calls, %v", len(s.at), err)
		}
	})
}

func TestServerErrorsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &service{reply: func(int, string) answer { return answer{status: 500} }}
		_, err := s.client(t, nil).Fetch(t.Context(), slice, discard{})
		if tvmexport.ActionOf(err) != tvmexport.Stop || len(s.at) != 7 {
			t.Errorf("%d calls, %v", len(s.at), err)
		}
	})
}

func TestRefusedTokenIsTriedOnceMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &service{reply: func(n int, _ string) answer {
			return answer{status: 401, body: `{"error":{"code":"InvalidAuthenticationToken","message":"expired"}}`}
		}}
		_, err := s.client(t, nil).Fetch(t.Context(), slice, discard{})
		if tvmexport.CauseOf(err) != tvmexport.Permission || len(s.at) != 2 || s.tokens != 2 {
			t.Errorf("%d calls, %d tokens, %v", len(s.at), s.tokens, err)
		}
		if strings.Contains(err.Error(), "secret") {
			t.Error("the token is in the error")
		}
	})
}

// An answer that breaks off after rows were written is the caller's to begin anew.
func TestBrokenAnswerIsHandedBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &service{reply: func(int, string) answer { return answer{body: good[:len(good)-10]} }}
		var rows rowsOf
		_, err := s.client(t, nil).Fetch(t.Context(), slice, &rows)
		if tvmexport.ActionOf(err) != tvmexport.Retry || len(rows.rows) != 1 {
			t.Errorf("%d rows, %v", len(rows.rows), err)
		}
	})
}

func TestRefusedTextOfDynamicsFallsBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &service{reply: func(_ int, query string) answer {
			if strings.Contains(query, "pack_array") {
				return answer{status: 400, body: `{"error":{"code":"BadRequest","message":"Unknown function: 'pack_array'. Fix semantic errors in your query."}}`}
			}
			return answer{body: `{"schema":[],"results":[{"BrowserName":"x","ExtensionVersion":["1"]},{"BrowserName":"NONCE:1"}]}`}
		}}
		said := 0
		c := s.client(t, func(o *Options) { o.OnFallback = func(string, string, error) { said++ } })
		for range 2 {
			a, err := c.Fetch(t.Context(), tvmexport.Slice{Table: knowledge, Partitions: []tvmexport.Partition{""}}, discard{})
			if err != nil || !a.Complete() {
				t.Fatal(a, err)
			}
		}
		if len(s.at) != 3 || said != 1 {
			t.Errorf("%d calls, said %d times; the second fetch should know", len(s.at), said)
		}
	})
}

func TestCountFallsBackToTheWhole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &service{reply: func(_ int, query string) answer {
			if strings.Contains(query, "substring") {
				return answer{status: 400, body: `{"error":{"message":"substring is not supported. Fix semantic errors in your query."}}`}
			}
			return answer{body: `{"schema":[],"results":[{"Rows":7,"Now":"2026-11-23T12:00:00Z"}]}`}
		}}
		got, err := s.client(t, nil).Count(t.Context(), tvmexport.CountQuery{Table: inventory, Within: "3", Depth: 1})
		if err != nil {
			t.Fatal(err)
		}
		if len(got.Parts) != 16 || got.Calls != 2 {
			t.Fatalf("%+v", got)
		}
		want := tvmexport.Partition("30")
		var rows int64
		for _, p := range got.Parts {
			rows += p.Rows
		}
		if got.Parts[0].Partition != want || got.Parts[0].Rows != 1 || rows != 7 {
			t.Errorf("%+v", got.Parts)
		}
	})
}

func TestCountFoldsUnexpectedKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &service{reply: func(int, string) answer {
			return answer{body: `{"schema":[],"results":[
				{"Part":"3f","Low":"3fa","High":"3fb","Rows":5,"Now":"2026-11-23T12:00:00.1234567Z"},
				{"Part":"","Low":"","High":"","Rows":2,"Now":"2026-11-23T12:00:00.1234567Z"},
				{"Part":"3F","Low":"3FA","High":"3FA","Rows":1,"Now":"2026-11-23T12:00:00.1234567Z"},
				{"Part":"X-","Low":"X-1","High":"X-1","Rows":4,"Now":"2026-11-23T12:00:00.1234567Z"}]}`}
		}}
		got, err := s.client(t, nil).Count(t.Context(), tvmexport.CountQuery{Table: inventory, Depth: 2})
		if err != nil {
			t.Fatal(err)
		}
		want := fmt.Sprint([]tvmexport.Count{{Partition: "3f", Rows: 5}, {Partition: "~", Rows: 6}, {Partition: "3~", Rows: 1, OneKey: true}})
		if fmt.Sprint(got.Parts) != want {
			t.Errorf("got %v\nwant %v", got.Parts, want)
		}
		if !got.Now.Equal(time.Date(2026, 11, 23, 12, 0, 0, 123_456_700, time.UTC)) {
			t.Errorf("now %s", got.Now)
		}
	})
}

// In no minute and no hour are more calls made than the quota allows.
func TestBudgetHoldsInEveryWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &service{reply: func(int, string) answer { time.Sleep(300 * time.Millisecond); return answer{body: good} }}
		var waits int
		var mu sync.Mutex
		c := s.client(t, func(o *Options) {
			o.Quota = Quota{PerMinute: 20, PerHour: 100}
			o.Share = 0.5
			o.OnWait = func(string, time.Time) { mu.Lock(); waits++; mu.Unlock() }
		})
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for range 30 {
					if _, err := c.Fetch(t.Context(), slice, discard{}); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		for i := range s.at {
			for span, most := range map[time.Duration]int{time.Minute: 10, time.Hour: 50} {
				n := 0
				for _, at := range s.at[i:] {
					if at.Sub(s.at[i]) < span {
						n++
					}
				}
				if n > most {
					t.Fatalf("%d calls within %s of call %d, %d allowed", n, span, i, most)
				}
			}
		}
		if took := s.at[len(s.at)-1].Sub(s.at[0]); took > 3*time.Hour || waits == 0 {
			t.Errorf("120 calls took %s with %d waits; the quota is hardly used", took, waits)
		}
	})
}

func TestCancelEndsTheWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &service{reply: func(int, string) answer { return answer{status: 429, header: http.Header{"Retry-After": {"600"}}} }}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		start := time.Now()
		_, err := s.client(t, nil).Fetch(ctx, slice, discard{})
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != time.Minute {
			t.Errorf("%v after %s", err, time.Since(start))
		}
	})
}
