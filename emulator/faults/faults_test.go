package faults_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tvmexport/tvmexport/emulator/faults"
)

func parse(t testing.TB, text string) *faults.Set {
	t.Helper()
	rules, err := faults.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	s := &faults.Set{}
	if _, err := s.Add(rules...); err != nil {
		t.Fatal(err)
	}
	return s
}

// mount puts the set before a handler that answers 200 with body.
func mount(s *faults.Set, at faults.Endpoint, body string) http.Handler {
	return s.Middleware(func(*http.Request) faults.Endpoint { return at },
		http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if _, err := io.Copy(io.Discard, r.Body); err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
				return
			}
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, body)
		}))
}

func TestWhichRequestsAreHit(t *testing.T) {
	for _, tt := range []struct {
		name, rule string
		want       string // one letter a request: . passes, # is hit
	}{
		{"all", `{"endpoint":"graph","status":500}`, "######"},
		{"after", `{"endpoint":"graph","status":500,"after":2}`, "..####"},
		{"count", `{"endpoint":"graph","status":500,"count":1}`, "#....."},
		{"after and count", `{"endpoint":"graph","status":500,"after":1,"count":2}`, ".##..."},
		{"every", `{"endpoint":"graph","status":500,"every":3}`, "..#..#"},
		{"after, every, count", `{"endpoint":"graph","status":500,"after":1,"every":2,"count":1}`, "..#..."},
		{"never by chance", `{"endpoint":"graph","status":500,"probability":1e-300}`, "......"},
		{"always by chance", `{"endpoint":"graph","status":500,"probability":1}`, "######"},
		{"elsewhere", `{"endpoint":"xdr","status":500}`, "......"},
		{"two rules", `[{"endpoint":"graph","status":500,"count":1},{"endpoint":"graph","status":503,"after":3}]`, "#..###"},
		{"none", `[]`, "......"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := mount(parse(t, tt.rule), faults.Graph, "{}")
			got := ""
			for range tt.want {
				w := httptest.NewRecorder()
				h.ServeHTTP(w, httptest.NewRequest("POST", "/v1.0/security/runHuntingQuery", strings.NewReader("{}")))
				if w.Code == 200 {
					got += "."
				} else {
					got += "#"
				}
			}
			if got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestChanceIsRepeatable(t *testing.T) {
	draw := func(seed string) string {
		h := mount(parse(t, `{"endpoint":"graph","status":500,"probability":0.5,"seed":`+seed+`}`), faults.Graph, "{}")
		got := ""
		for range 64 {
			w := httptest.NewRecorder()
			h.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
			got += w.Result().Status[:1]
		}
		return got
	}
	first, again := draw("1"), draw("1")
	if first != again {
		t.Error("the same seed gives other faults")
	}
	if first == draw("2") {
		t.Error("another seed gives the same faults")
	}
}

func TestMatchLooksInto(t *testing.T) {
	for _, tt := range []struct {
		name, match  string
		at           faults.Endpoint
		target, body string
		hit          bool
	}{
		{"Graph's query", `T | where X == "a"`, faults.Graph, "/v1.0", `{"Query":"T | where X == \"a\" | take 1"}`, true},
		{"the query in another case", "DeviceInfo", faults.Graph, "/v1.0", `{"query":"DeviceInfo"}`, true},
		{"a command", ".set-or-append", faults.KustoMgmt, "/v1/rest/mgmt", `{"db":"d","csl":".set-or-append T <| U"}`, true},
		{"the path", "/mgmt", faults.KustoMgmt, "/v1/rest/mgmt", `{}`, true},
		{"the URL's query", "comp=block", faults.Blob, "/c/b?comp=blocklist", ``, true},
		{"an escaped path", "a b", faults.Blob, "/c/a%20b", ``, true},
		{"a form", "client_credentials", faults.Token, "/t/oauth2/token", "grant_type=client_credentials", true},
		{"not a blob's data", "secret", faults.Blob, "/c/b", "secret", false},
		{"something else", "DeviceInfo", faults.Graph, "/v1.0", `{"Query":"DeviceTvm"}`, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			rule, err := json.Marshal(faults.Rule{Endpoint: tt.at, Match: tt.match, Status: 503})
			if err != nil {
				t.Fatal(err)
			}
			w := httptest.NewRecorder()
			mount(parse(t, string(rule)), tt.at, "{}").ServeHTTP(w, httptest.NewRequest("POST", tt.target, strings.NewReader(tt.body)))
			if hit := w.Code == 503; hit != tt.hit {
				t.Errorf("status %d, want a hit: %v", w.Code, tt.hit)
			}
		})
	}
}

func TestTheHandlerStillReadsTheBody(t *testing.T) {
	s := parse(t, `{"endpoint":"graph","match":"no such text","status":500}`)
	var got string
	h := s.Middleware(func(*http.Request) faults.Endpoint { return faults.Graph },
		http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			b, err := io.ReadAll(r.Body)
			if err != nil {
				t.Error(err)
			}
			got = string(b)
		}))
	const body = `{"Query":"DeviceInfo"}`
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("POST", "/", strings.NewReader(body)))
	if got != body {
		t.Errorf("got %q", got)
	}
}

func TestAnswers(t *testing.T) {
	for _, tt := range []struct {
		name, rule string
		at         faults.Endpoint
		status     int
		header     http.Header // some of them
		body       string
		served     bool // whether the handler ran
	}{
		{
			"a throttle with a header", `{"endpoint":"graph","status":429,"headers":{"Retry-After":"7"}}`, faults.Graph, 429,
			http.Header{"Retry-After": {"7"}, "Content-Type": {"application/json; charset=utf-8"}},
			`{"error":{"code":"TooManyRequests","innerError":{"code":"429","message":"Please retry after","status":"429"},"message":"Please retry again later."}}`, false,
		},
		{
			"an own body", `{"endpoint":"graph","status":400,"body":"{\"error\":{}}"}`, faults.Graph, 400, nil, `{"error":{}}`, false,
		},
		{
			"Graph's 504", `{"endpoint":"graph","status":504}`, faults.Graph, 504, nil,
			`{"error":{"code":"UnknownError","message":"","innerError":{}}}`, false,
		},
		{
			"a proxy's 502", `{"endpoint":"graph","status":502}`, faults.Graph, 502,
			http.Header{"Content-Type": {"text/html"}},
			"<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n", false,
		},
		{
			"apply, then 504", `{"endpoint":"kusto-mgmt","status":504,"apply":true}`, faults.KustoMgmt, 504, nil,
			`{"error":{"code":"General_InternalServerError","message":"Request is invalid and cannot be executed.","@type":"Kusto.Data.Exceptions.KustoServiceException","@message":"Gateway Timeout","@context":{},"@permanent":false}}`, true,
		},
		{
			"storage is busy", `{"endpoint":"queue","status":503}`, faults.Queue, 503,
			http.Header{"Content-Type": {"application/xml"}},
			`<?xml version="1.0" encoding="utf-8"?><Error><Code>ServerBusy</Code><Message>Service Unavailable</Message></Error>`, false,
		},
		{
			"headers alone", `{"endpoint":"graph","headers":{"X-Test":"1"}}`, faults.Graph, 200, http.Header{"X-Test": {"1"}}, "served", true,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			served := false
			h := parse(t, tt.rule).Middleware(func(*http.Request) faults.Endpoint { return tt.at },
				http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
					served = true
					_, _ = io.WriteString(w, "served")
				}))
			w := httptest.NewRecorder()
			h.ServeHTTP(w, httptest.NewRequest("POST", "/", strings.NewReader("{}")))
			if w.Code != tt.status || w.Body.String() != tt.body || served != tt.served {
				t.Errorf("status %d, served %v, body %s", w.Code, served, w.Body)
			}
			for name, want := range tt.header {
				if d := cmp.Diff(want, w.Result().Header[name]); d != "" {
					t.Errorf("%s: %s", name, d)
				}
			}
		})
	}
}

func TestCutBreaksTheConnection(t *testing.T) {
	server := httptest.NewServer(mount(parse(t, `{"endpoint":"graph","cutAfter":1000}`), faults.Graph, strings.Repeat("x", 5000)))
	defer server.Close()
	resp, err := server.Client().Post(server.URL, "application/json", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil {
		t.Error("the body ends as if it were complete")
	}
	if len(body) != 1000 {
		t.Errorf("%d bytes came, want 1000", len(body))
	}
}

func TestTruncatedBodyLooksComplete(t *testing.T) {
	for _, tt := range []struct{ size, want int }{{5000, 5000 - 64}, {65, 1}, {64, 32}, {1, 0}} {
		server := httptest.NewServer(parse(t, `{"endpoint":"graph","truncateJSON":true}`).Middleware(
			func(*http.Request) faults.Endpoint { return faults.Graph },
			http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Header.Get("Accept-Encoding") != "" {
					t.Error("the handler may compress an answer that a fault truncates")
				}
				for range tt.size { // byte by byte: what is held back must not depend on the writes
					_, _ = io.WriteString(w, "x")
				}
			})))
		resp, err := server.Client().Post(server.URL, "application/json", strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		if err != nil || len(body) != tt.want {
			t.Errorf("of %d bytes %d came, want %d; error %v", tt.size, len(body), tt.want, err)
		}
		if err := resp.Body.Close(); err != nil {
			t.Error(err)
		}
		server.Close()
	}
}

func TestDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := mount(parse(t, `{"endpoint":"graph","delay":"90s"}`), faults.Graph, "{}")
		start := time.Now()
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
		if d := time.Since(start); d != 90*time.Second || w.Code != 200 {
			t.Errorf("answered %d after %v", w.Code, d)
		}
	})
}

func TestExpiredTokenAndSAS(t *testing.T) {
	var expired bool
	var se string
	record := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		expired = faults.TokenExpired(r.Context())
		se = r.URL.Query().Get("se")
	})
	h := parse(t, `{"endpoint":"graph","expireToken":true}`).Middleware(func(*http.Request) faults.Endpoint { return faults.Graph }, record)
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
	if !expired {
		t.Error("the token is not taken for expired")
	}
	h = parse(t, `{"endpoint":"blob","expireSAS":true}`).Middleware(func(*http.Request) faults.Endpoint { return faults.Blob }, record)
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/c/b?se=2030-01-01T00%3A00%3A00Z&sig=x", nil))
	if se != "2000-01-01T00:00:00Z" {
		t.Errorf("se is %q", se)
	}
}

func TestDeliver(t *testing.T) {
	s := parse(t, `[
		{"endpoint":"delivery","delivery":"lost","match":"TableA","count":1},
		{"endpoint":"delivery","delivery":"late:30s","match":"TableB"},
		{"endpoint":"delivery","delivery":"duplicate","match":"TableC"},
		{"endpoint":"delivery","delivery":"transient","match":"TableD"}]`)
	for _, tt := range []struct {
		message string
		want    faults.Outcome
		ok      bool
	}{
		{`{"TableName":"TableA"}`, faults.Outcome{Fate: faults.Lost}, true},
		{`{"TableName":"TableA"}`, faults.Outcome{}, false},
		{`{"TableName":"TableB"}`, faults.Outcome{Fate: faults.Late, Delay: 30 * time.Second}, true},
		{`{"TableName":"TableC"}`, faults.Outcome{Fate: faults.Duplicate}, true},
		{`{"TableName":"TableD"}`, faults.Outcome{Fate: faults.Transient}, true},
		{`{"TableName":"TableE"}`, faults.Outcome{}, false},
	} {
		if got, ok := s.Deliver("d", tt.message); got != tt.want || ok != tt.ok {
			t.Errorf("%s: got %v %v, want %v %v", tt.message, got, ok, tt.want, tt.ok)
		}
	}
}

func TestRefusedRules(t *testing.T) {
	for _, tt := range []struct{ rule, want string }{
		{`{"endpoint":"graph","status":429,"retryAfter":3}`, `unknown field "retryAfter"`},
		{`[{"endpoint":"graph","status":429},{"endpoint":"grahp","status":429}]`, `rule 2: endpoint "grahp" is not known; it is one of [graph xdr`},
		{`{"status":429}`, `endpoint "" is not known`},
		{`{"endpoint":"graph"}`, "it says nothing to do"},
		{`{"endpoint":"graph","status":99}`, "status is 99"},
		{`{"endpoint":"graph","body":"x"}`, "need a status"},
		{`{"endpoint":"graph","cutAfter":-1}`, "cutAfter is -1"},
		{`{"endpoint":"graph","status":500,"probability":1.5}`, "probability is 1.5"},
		{`{"endpoint":"graph","delay":"soon"}`, `"soon" is not a duration`},
		{`{"endpoint":"graph","delay":"-1s"}`, `"-1s" is negative`},
		{`{"endpoint":"graph","expireSAS":true}`, "expireSAS needs endpoint blob, queue or table"},
		{`{"endpoint":"blob","expireToken":true}`, "expireToken needs an endpoint that takes a bearer token"},
		{`{"endpoint":"graph","delivery":"lost"}`, `needs endpoint "delivery"`},
		{`{"endpoint":"delivery","status":500}`, `delivery "" is not known`},
		{`{"endpoint":"delivery","delivery":"late"}`, `delivery "late" is not known`},
		{`{"endpoint":"delivery","delivery":"late:0s"}`, "needs a positive duration"},
		{`{"endpoint":"delivery","delivery":"lost","status":500}`, "takes only the action delivery"},
		{`{"endpoint":"graph","status":500} {}`, "something follows"},
		{``, "read the rules"},
	} {
		if _, err := faults.Parse([]byte(tt.rule)); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q in it", tt.rule, err, tt.want)
		}
	}
}

func TestControl(t *testing.T) {
	s := &faults.Set{}
	call := func(method, target, body string) (int, string) {
		w := httptest.NewRecorder()
		s.ServeHTTP(w, httptest.NewRequest(method, target, strings.NewReader(body)))
		return w.Code, strings.TrimSpace(w.Body.String())
	}
	for _, tt := range []struct {
		method, target, body string
		status               int
		want                 string
	}{
		{"GET", "/faults", "", 200, `[]`},
		{"POST", "/faults", `{"endpoint":"graph","status":429,"delay":"2s"}`, 200, `{"ids":[1]}`},
		{"POST", "/faults", `[{"endpoint":"delivery","delivery":"lost"},{"endpoint":"xdr","status":500}]`, 200, `{"ids":[2,3]}`},
		{"POST", "/faults", `{"endpoint":"graph","stat":429}`, 400, `{"error":"read the rules: json: unknown field \"stat\""}`},
		{"DELETE", "/faults?id=2", "", 200, `{}`},
		{"DELETE", "/faults?id=2", "", 404, `{"error":"no rule has the id \"2\""}`},
		{"GET", "/faults", "", 200, `[{"id":1,"seen":0,"hits":0,"endpoint":"graph","status":429,"delay":"2s"},{"id":3,"seen":0,"hits":0,"endpoint":"xdr","status":500}]`},
		{"DELETE", "/faults", "", 200, `{}`},
		{"GET", "/faults", "", 200, `[]`},
		{"PUT", "/faults", "", 405, `{"error":"use GET, POST or DELETE"}`},
	} {
		if status, body := call(tt.method, tt.target, tt.body); status != tt.status || body != tt.want {
			t.Errorf("%s %s: %d %s, want %d %s", tt.method, tt.target, status, body, tt.status, tt.want)
		}
	}
}

// What Parse accepts is valid and reads back as itself.
func FuzzParse(f *testing.F) {
	f.Add(`{"endpoint":"graph","match":"x","after":1,"count":2,"every":3,"probability":0.5,"seed":4,"status":429,"body":"b","headers":{"a":"b"},"delay":"2s","cutAfter":1,"truncateJSON":true,"apply":true,"expireToken":true}`)
	f.Add(`[{"endpoint":"delivery","delivery":"late:30s"},{"endpoint":"blob","expireSAS":true}]`)
	f.Add(`[`)
	f.Fuzz(func(t *testing.T, text string) {
		rules, err := faults.Parse([]byte(text))
		if err != nil {
			return
		}
		again, err := json.Marshal(rules)
		if err != nil {
			t.Fatal(err)
		}
		got, err := faults.Parse(again)
		if err != nil {
			t.Fatalf("%s: %v", again, err)
		}
		// nil and empty say the same.
		twice, err := json.Marshal(got)
		if err != nil || string(twice) != string(again) {
			t.Errorf("%s became %s: %v", again, twice, err)
		}
	})
}
