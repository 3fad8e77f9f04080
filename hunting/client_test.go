package hunting

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"regexp"
	"runtime/debug"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/defender"
	"github.com/tvmexport/tvmexport/internal/wire"
)

func TestMain(m *testing.M) {
	debug.SetGCPercent(400) // tests have small heaps and much garbage
	goleak.VerifyTestMain(m)
}

// answer is what a fake service says to one call.
type answer struct {
	status int
	header http.Header
	body   string
	err    error
	hangs  bool // never answers
	silent bool // never goes on after the header
}

// service is a RoundTripper that answers by a function and notes when.
type service struct {
	mu     sync.Mutex
	at     []time.Time
	reply  func(n int, query string) answer
	tokens int
}

var inNonce = regexp.MustCompile(`'([0-9a-f]{32}:)'`)

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
	switch {
	case a.err != nil:
		return nil, a.err
	case a.hangs:
		<-r.Context().Done()
		return nil, r.Context().Err()
	case a.silent:
		return &http.Response{StatusCode: 200, Header: http.Header{}, Body: silent{r.Context()}, Request: r}, nil
	}
	if m := inNonce.FindStringSubmatch(q.Query); m != nil {
		a.body = strings.ReplaceAll(strings.ReplaceAll(a.body, "NONCE:", m[1]), "NONCE", m[1][:32])
	}
	if a.status == 0 {
		a.status = 200
	}
	if a.header == nil {
		a.header = http.Header{}
	}
	return &http.Response{StatusCode: a.status, Header: a.header, Body: io.NopCloser(strings.NewReader(a.body)), Request: r}, nil
}

// openBody is the answer in a response.
func openBody(r *http.Response) (*body, error) {
	plain, err := defender.OpenBody(r)
	if err != nil {
		return nil, err
	}
	return &body{Stream: wire.NewStream(plain)}, nil
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

var slice = tvmexport.Slice{Table: inventory, Partitions: []tvmexport.Partition{tvmexport.AllPartitions}}

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

// An answer that breaks off after rows were written is returned to the caller,
// which starts over.
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

// A documented column that the tenant does not have yet is left out, and known
// to be missing from then on.
func TestAbsentColumnIsLeftOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &service{reply: func(_ int, query string) answer {
			if strings.Contains(query, "ExtensionVersion") {
				return answer{status: 400, body: `{"error":{"code":"BadRequest","message":"'extend' operator: Failed to resolve scalar expression named 'ExtensionVersion'. Fix semantic errors in your query."}}`}
			}
			return answer{body: `{"schema":[],"results":[{"BrowserName":"x","Other":"[{}]"},{"BrowserName":"NONCE:1"}]}`}
		}}
		table := knowledge
		table.Columns = append(table.Columns[:len(table.Columns):len(table.Columns)], tvmexport.Column{Name: "Other", Type: "dynamic"})
		c := s.client(t, nil)
		for range 2 {
			var rows rowsOf
			a, err := c.Fetch(t.Context(), tvmexport.Slice{Table: table, Partitions: []tvmexport.Partition{""}}, &rows)
			if err != nil || !a.Complete() || rows.rows[0] != `{"BrowserName":"x","Other":{}}` {
				t.Fatal(a, rows.rows, err)
			}
		}
		if len(s.at) != 3 {
			t.Errorf("%d calls, want 3", len(s.at))
		}
	})
}

func TestMissingTableIsNoReasonToFallBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &service{reply: func(int, string) answer {
			return answer{status: 400, body: `{"error":{"code":"BadRequest","message":"'where' operator: Failed to resolve table or column expression named 'DeviceTvmSoftwareInventory'. Fix semantic errors in your query."}}`}
		}}
		c := s.client(t, func(o *Options) {
			o.OnFallback = func(table, what string, _ error) { t.Errorf("fell back for %s: %s", table, what) }
		})
		_, fetched := c.Fetch(t.Context(), slice, discard{})
		_, counted := c.Count(t.Context(), tvmexport.CountQuery{Table: inventory, Depth: 1})
		for _, err := range []error{fetched, counted} {
			if tvmexport.CauseOf(err) != tvmexport.Rejected || !strings.Contains(err.Error(), "not licensed") {
				t.Error(err)
			}
		}
		if len(s.at) != 2 {
			t.Errorf("%d calls, want 2", len(s.at))
		}
	})
}

// full fails at its second row.
type full struct{ rows int }

var errFull = &tvmexport.Error{Op: "pack", Action: tvmexport.Retry, Err: errors.New("no more room")}

func (f *full) WriteRow(_, _ []byte) error {
	if f.rows++; f.rows == 2 {
		return errFull
	}
	return nil
}

// An error of the writer is not the service's: it ends the fetch as it is.
func TestErrorOfTheWriter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &service{reply: func(int, string) answer {
			return answer{body: `{"results":[{"DeviceId":"a"},{"DeviceId":"b"},{"DeviceId":"NONCE:2"}]}`}
		}}
		_, err := s.client(t, nil).Fetch(t.Context(), slice, &full{})
		if err != error(errFull) || len(s.at) != 1 {
			t.Errorf("%d calls, %v", len(s.at), err)
		}
	})
}

// silent is a body that never goes on.
type silent struct{ ctx context.Context }

func (s silent) Read([]byte) (int, error) { <-s.ctx.Done(); return 0, s.ctx.Err() }
func (silent) Close() error               { return nil }

func TestNamesThatAreNoneAreRefused(t *testing.T) {
	s := &service{}
	c := s.client(t, nil)
	for _, table := range []tvmexport.Table{{Name: "T | take 1; .drop table X"}, {Name: "T", Watermark: "A) or (1==1"}} {
		_, fetched := c.Fetch(t.Context(), tvmexport.Slice{Table: table}, discard{})
		_, counted := c.Count(t.Context(), tvmexport.CountQuery{Table: table, Depth: 1})
		for _, err := range []error{fetched, counted} {
			if tvmexport.CauseOf(err) != tvmexport.Usage || len(s.at) != 0 {
				t.Errorf("%d calls, %v", len(s.at), err)
			}
		}
	}
}

func TestColumns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var query string
		s := &service{reply: func(_ int, q string) answer {
			query = q
			return answer{body: `{"Schema":[{"Name":"TimeGenerated","Type":"DateTime"},{"Name":"Bag","Type":"Object"},{"Name":"ProofNONCE","Type":"String"}],"Results":[{"TimeGenerated":null,"Bag":null,"ProofNONCE":"NONCE:"}]}`}
		}}
		got, err := s.client(t, nil).Columns(t.Context(), "My_CL")
		want := []tvmexport.Column{{Name: "TimeGenerated", Type: "datetime"}, {Name: "Bag", Type: "dynamic"}}
		if d := cmp.Diff(want, got); err != nil || d != "" || !strings.HasPrefix(query, "union (My_CL\n| take 0), (print Proof") {
			t.Error(query, d, err)
		}
	})
}

// A table that is not there, or a service that refuses getschema, does not hide
// the schemas of the others.
func TestSchemasOneByOne(t *testing.T) {
	const missing = `Failed to resolve table or column expression named 'Missing'. Fix semantic errors in your query.`
	for message, calls := range map[string]int{missing: 2, "getschema is not supported. Fix semantic errors in your query.": 3} {
		synctest.Test(t, func(t *testing.T) {
			s := &service{reply: func(_ int, q string) answer {
				switch {
				case strings.Contains(q, "getschema"):
					return answer{status: 400, body: `{"error":{"code":"BadRequest","message":"` + message + `"}}`}
				case strings.Contains(q, "Missing"):
					return answer{status: 400, body: `{"error":{"code":"BadRequest","message":"` + missing + `"}}`}
				}
				return answer{body: `{"Schema":[{"Name":"A","Type":"Int64"},{"Name":"ProofNONCE","Type":"String"}],"Results":[{"A":null,"ProofNONCE":"NONCE:"}]}`}
			}}
			got, err := s.client(t, nil).Schemas(t.Context(), []string{"Missing", "There"})
			want := map[string][]tvmexport.Column{"There": {{Name: "A", Type: "long"}}}
			if d := cmp.Diff(want, got); err != nil || d != "" || len(s.at) != calls {
				t.Error(message, len(s.at), err, d)
			}
		})
	}
}
