package defender_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tvmexport/tvmexport/emulator/internal/defender"
	"github.com/tvmexport/tvmexport/emulator/internal/kql"
)

func TestRowsAreCutSilently(t *testing.T) {
	s := service(t, func(o *defender.Options) { o.Quota.Rows = 10 })
	for query, want := range map[string]int{
		"DeviceNumbers | where N < 9": 9, "DeviceNumbers | where N < 10": 10, "DeviceNumbers | where N < 11": 10, "DeviceNumbers": 10,
	} {
		w := ask(s, graphPath, query)
		if got := strings.Count(w.Body.String(), `"N":`); w.Code != 200 || got != want {
			t.Errorf("%s: status %d, %d rows, want %d", query, w.Code, got, want)
		}
	}
}

func TestResultSize(t *testing.T) {
	for _, old := range []bool{false, true} {
		s := service(t, func(o *defender.Options) { o.Quota.Bytes = 5000; o.Wire.OldResultSizeText = old })
		if w := ask(s, mdePath, "DeviceNumbers | take 400"); w.Code != 200 { // 10 x 8 + 90 x 9 + ... bytes
			t.Errorf("a small result: %d %s", w.Code, w.Body)
		}
		w := ask(s, mdePath, "DeviceNumbers")
		want := `{"error":{"code":"BadRequest","message":"Query execution has exceeded the allowed result size. Optimize your query by limiting the amount of results and try again.","target":"*"}}`
		if old {
			want = strings.Replace(want, "amount", "number", 1)
		}
		if d := cmp.Diff(want, body(w)); w.Code != 400 || d != "" {
			t.Errorf("%d: %s", w.Code, d)
		}
	}
}

func TestCallQuotas(t *testing.T) {
	now := noon
	s := service(t, func(o *defender.Options) {
		o.Now = func() time.Time { return now }
		o.Quota.CallsPerMinute, o.Quota.CallsPerHour = 45, 1500
	})
	for i := range 45 {
		if w := ask(s, mdePath, "print 1"); w.Code != 200 {
			t.Fatalf("call %d: %d %s", i+1, w.Code, w.Body)
		}
	}
	now = now.Add(20 * time.Second)
	w := ask(s, mdePath, "print 1")
	const want = `{"error":{"code":"429","message":"API calls quota exceeded! maximum allowed 45 per 00:01:00","target":"*"}}`
	if d := cmp.Diff(want, body(w)); w.Code != 429 || w.Header().Get("Retry-After") != "40" || d != "" {
		t.Errorf("%d %v %s", w.Code, w.Header(), d)
	}
	for range 45 { // another front has its own count
		ask(s, xdrPath, "print 1")
	}
	if w := ask(s, xdrPath, "print 1"); w.Code != 429 || w.Header().Get("Retry-After") != "" || body(w) != want {
		t.Errorf("XDR: %d %v %s", w.Code, w.Header(), w.Body)
	}
	for range 45 {
		ask(s, graphPath, "print 1")
	}
	w = ask(s, graphPath, "print 1")
	const wantGraph = `{"error":{"code":"TooManyRequests","message":"Please retry again later.","innerError":{"code":"429","date":"2026-11-23T12:00:20","message":"Please retry after","request-id":"*","client-request-id":"11111111-2222-3333-4444-555555555555","status":"429"}}}`
	if d := cmp.Diff(wantGraph, body(w)); w.Code != 429 || w.Header().Get("Retry-After") != "" || d != "" {
		t.Errorf("Graph: %d %v %s", w.Code, w.Header(), d)
	}
	now = now.Add(40 * time.Second)
	if w := ask(s, mdePath, "print 1"); w.Code != 200 {
		t.Errorf("after Retry-After: %d %s", w.Code, w.Body)
	}
	if got := s.Stats()["mde"]; got.Calls != 47 || got.Answers != 46 || got.Throttles["minute"] != 1 {
		t.Errorf("%+v", got)
	}
}

func TestHourlyQuota(t *testing.T) {
	now := noon
	s := service(t, func(o *defender.Options) { o.Now = func() time.Time { return now } })
	for i := range 1500 {
		if i%45 == 0 {
			now = now.Add(time.Minute)
		}
		if w := call(s, mdePath, "good", `{}`); w.Code != 400 {
			t.Fatalf("call %d: %d", i+1, w.Code)
		}
	}
	now = now.Add(time.Minute)
	w := call(s, mdePath, "good", `{}`)
	const want = `{"error":{"code":"429","message":"API calls quota exceeded! maximum allowed 1500 per 01:00:00","target":"*"}}`
	if d := cmp.Diff(want, body(w)); w.Code != 429 || d != "" {
		t.Errorf("%d %s", w.Code, d)
	}
	if seconds, err := strconv.Atoi(w.Header().Get("Retry-After")); err != nil || seconds != 60*26 {
		t.Errorf("Retry-After %q, want the 26 minutes until the first call, of 12:01, is an hour old at 12:35", w.Header().Get("Retry-After"))
	}
}

func TestCPUQuotaIsShared(t *testing.T) {
	now := noon
	s := service(t, func(o *defender.Options) {
		o.Now = func() time.Time { return now }
		o.Quota.CPU = 25 * time.Millisecond
	})
	if w := ask(s, mdePath, "print 1"); w.Code != 200 { // each costs a little more than 10 ms
		t.Fatal(w.Body)
	}
	for range 2 {
		ask(s, xdrPath, "print 1")
	}
	now = now.Add(14 * time.Minute)
	w := ask(s, graphPath, "print 1")
	const want = `{"error":{"code":"CpuQuotaExceeded","message":"You have exceeded processing resources allocated to this tenant. You can run queries again in 60 seconds",` +
		`"innerError":{"date":"2026-11-23T12:14:00","request-id":"*","client-request-id":"11111111-2222-3333-4444-555555555555"}}}`
	if d := cmp.Diff(want, body(w)); w.Code != 429 || d != "" {
		t.Errorf("%d %s", w.Code, d)
	}
	now = now.Add(time.Minute)
	if w := ask(s, graphPath, "print 1"); w.Code != 200 {
		t.Errorf("in the next cycle: %d %s", w.Code, w.Body)
	}
}

func TestLimitsOfOneRequest(t *testing.T) {
	big := func(o *defender.Options) {
		o.Catalog = func() kql.Catalog { return tables{"DeviceNumbers": numbers(200_000)} } // 40 ms and a start-up share
		o.Quota.RequestTime = 0
	}
	timeout := service(t, func(o *defender.Options) { big(o); o.Quota.RequestTime = 20 * time.Millisecond })
	w := ask(timeout, graphPath, "DeviceNumbers | summarize count() by N % 7")
	if d := cmp.Diff(`{"error":{"code":"UnknownError","message":"",`+inner+`}}`, body(w)); w.Code != 504 || d != "" {
		t.Errorf("%d %s", w.Code, d)
	}
	if scanned := timeout.Stats()["graph"].RowsScanned; scanned < 50_000 || scanned > 60_000 {
		t.Errorf("scanned %d rows, want the 50,000 of 10 ms and then the end", scanned)
	}
	preempted := service(t, func(o *defender.Options) { big(o); o.Quota.RequestCPU = 20 * time.Millisecond })
	w = ask(preempted, graphPath, "DeviceNumbers | summarize count() by N % 7")
	want := `{"error":{"code":"BadRequest","message":"Query execution has exceeded the allowed limits. The query execution was preempted. This could possibly be due to high CPU and/or memory resource consumption. Optimize your query by following best practices and try again.",` + inner + `}}`
	if d := cmp.Diff(want, body(w)); w.Code != 400 || d != "" {
		t.Errorf("%d %s", w.Code, d)
	}
}

func TestRangesOfTime(t *testing.T) {
	s := service(t, nil)
	for _, tt := range []struct {
		name, path, body string
		want             string
	}{
		{"events go back 30 days, by whole days", mdePath, `{"Query":"DeviceEvents | summarize Count=count(), First=max(N)"}`, `{"Count":757,"First":756}`},
		{"state has no age", mdePath, `{"Query":"DeviceTvmScans | summarize Count=count(), First=max(N)"}`, `{"Count":1440,"First":1439}`},
		{"a timespan", graphPath, `{"Query":"DeviceEvents | summarize Count=count()","Timespan":"P1D"}`, `{"Count":25}`},
		{"a timespan on state", graphPath, `{"Query":"DeviceTvmScans | summarize Count=count()","Timespan":"P1D"}`, `{"Count":25}`},
		{"the query's own range is shorter", graphPath, `{"Query":"DeviceEvents | where Timestamp > ago(1h) | summarize Count=count()","Timespan":"P1D"}`, `{"Count":1}`},
		{"a timespan with an end", graphPath, `{"Query":"DeviceEvents | summarize Count=count()","Timespan":"PT2H/2026-11-23T11:30:00Z"}`, `{"Count":2}`},
		{"a table without a time column", graphPath, `{"Query":"DeviceNumbers | summarize Count=count()","Timespan":"P1D"}`, `{"Count":1000}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := call(s, tt.path, "good", tt.body)
			_, rows, _ := strings.Cut(strings.ToLower(w.Body.String()), `"results":[`)
			if want := strings.ToLower(tt.want) + "]}"; rows != want {
				t.Errorf("%d: got %s, want %s", w.Code, w.Body, want)
			}
		})
	}
}
