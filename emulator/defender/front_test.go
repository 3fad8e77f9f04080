package defender_test

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tvmexport/tvmexport/emulator/defender"
	"github.com/tvmexport/tvmexport/emulator/entra"
	"github.com/tvmexport/tvmexport/emulator/kql"
	"github.com/tvmexport/tvmexport/emulator/kql/value"
)

// noon is the tenant's now, and the wall clock unless a test says otherwise.
var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// table is a relation in memory, of rows that may be made while it is read.
type table struct {
	columns []value.Column
	n       int
	row     func(i int, row []value.Value)
}

func (t table) Columns() []value.Column { return t.columns }
func (t table) Hidden() []value.Column  { return nil }
func (t table) Scan(context.Context, kql.Request) iter.Seq2[[]value.Value, error] {
	return func(yield func([]value.Value, error) bool) {
		row := make([]value.Value, len(t.columns))
		for i := range t.n {
			t.row(i, row)
			if !yield(row, nil) {
				return
			}
		}
	}
}

// tables is a catalog.
type tables map[string]table

func (c tables) Table(db, name string) (kql.Relation, bool) {
	t, ok := c[name]
	return t, ok && db == ""
}
func (tables) Function(string, string) (kql.Function, bool) { return kql.Function{}, false }
func (c tables) Tables(string) []string {
	var names []string
	for name := range c {
		names = append(names, name)
	}
	return names
}

// numbers is a table of one long column N: 0, 1, 2, ...
func numbers(n int) table {
	return table{[]value.Column{{Name: "N", Kind: value.Long}}, n, func(i int, row []value.Value) {
		row[0] = value.NewLong(int64(i))
	}}
}

// events is a table with one event an hour, backwards from noon.
func events(n int) table {
	return table{[]value.Column{{Name: "Timestamp", Kind: value.DateTime}, {Name: "N", Kind: value.Int}}, n, func(i int, row []value.Value) {
		row[0] = value.NewDateTime(noon.Add(-time.Duration(i) * time.Hour))
		row[1] = value.NewInt(int32(i))
	}}
}

func catalog() tables {
	return tables{
		"DeviceNumbers":     numbers(1000),
		"DeviceEvents":      events(24 * 60),
		"DeviceTvmScans":    events(24 * 60),
		"EmailEvents":       events(3),
		"DeviceTvmSoftware": software,
	}
}

var software = table{
	[]value.Column{
		{Name: "DeviceId", Kind: value.String},
		{Name: "EndOfSupportDate", Kind: value.DateTime},
		{Name: "IsCompliant", Kind: value.Bool},
		{Name: "Score", Kind: value.Real},
		{Name: "ReportId", Kind: value.Long},
		{Name: "Context", Kind: value.Dynamic},
	}, 2, func(i int, row []value.Value) {
		if i == 0 {
			row[0], row[1], row[2] = value.NewString("dc18"), value.Null(value.DateTime), value.Null(value.Bool)
			row[3], row[4], row[5] = value.NewReal(10), value.NewLong(9007199254740993), value.DynamicJSON(`[{"a":1}]`)
			return
		}
		row[0], row[1], row[2] = value.NewString(""), value.NewDateTime(time.Date(2026, 7, 23, 18, 3, 20, 928e6, time.UTC)), value.NewBool(false)
		row[3], row[4], row[5] = value.Null(value.Real), value.Null(value.Long), value.DynamicJSON(`{"b":{"c":null}}`)
	},
}

// service is a Service whose tokens are the names of their audiences' fronts, with
// an optional list of roles behind a colon.
func service(t testing.TB, change func(*defender.Options)) *defender.Service {
	t.Helper()
	o := defender.Options{
		Catalog: func() kql.Catalog { return catalog() },
		Now:     func() time.Time { return noon },
		Dir:     t.TempDir(),
		Quota:   defender.Documented(),
		Verify: func(_ context.Context, token string, audiences ...string) (entra.Claims, error) {
			roles := []string{"ThreatHunting.Read.All", "AdvancedHunting.Read.All", "AdvancedQuery.Read.All"}
			switch token {
			case "good":
			case "poor":
				roles = []string{"Policy.Read.ConditionalAccess", "DeviceManagementManagedDevices.Read.All"}
			case "late":
				return entra.Claims{}, fmt.Errorf("%w at noon", entra.ErrExpired)
			case "elsewhere":
				return entra.Claims{}, entra.ErrWrongAudience
			default:
				return entra.Claims{}, entra.ErrSignature
			}
			return entra.Claims{AppID: "app", Audience: audiences[0], Roles: roles}, nil
		},
	}
	if change != nil {
		change(&o)
	}
	s, err := defender.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

const (
	graphPath = "/v1.0/security/runHuntingQuery"
	xdrPath   = "/api/advancedhunting/run"
	mdePath   = "/api/advancedqueries/run"
)

// handlers routes the three fronts by path.
func handlers(s *defender.Service) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/v1.0/", s.Graph())
	mux.Handle("/beta/", s.Graph())
	mux.Handle(xdrPath, s.XDR())
	mux.Handle(mdePath, s.MDE())
	return mux
}

func call(s *defender.Service, path, token, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest("POST", "https://service.example"+path, strings.NewReader(body))
	r.Header.Set("client-request-id", "11111111-2222-3333-4444-555555555555")
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	w := httptest.NewRecorder()
	handlers(s).ServeHTTP(w, r)
	return w
}

// ask sends a query with a good token.
func ask(s *defender.Service, path, query string) *httptest.ResponseRecorder {
	text, _ := json.Marshal(query)
	return call(s, path, "good", `{"Query":`+string(text)+`}`)
}

// requestID replaces what differs from call to call.
var requestID = regexp.MustCompile(`("request-id":"|"target":")[0-9a-f-]{36}"`)

func body(w *httptest.ResponseRecorder) string {
	return strings.TrimSuffix(requestID.ReplaceAllString(w.Body.String(), `$1*"`), "\n")
}

func TestAnswers(t *testing.T) {
	s := service(t, nil)
	for _, tt := range []struct{ path, contentType, want string }{
		{
			graphPath, "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8",
			`{"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#microsoft.graph.security.huntingQueryResults",` +
				`"schema":[{"name":"DeviceId","type":"String"},{"name":"EndOfSupportDate","type":"DateTime"},{"name":"IsCompliant","type":"SByte"},{"name":"Score","type":"Double"},{"name":"ReportId","type":"Int64"},{"name":"Context","type":"Object"}],` +
				`"results":[{"DeviceId":"dc18","EndOfSupportDate":{},"IsCompliant":{},"Score":10.0,"ReportId":9007199254740993,"Context@odata.type":"#Collection(String)","Context":["{\"a\":1}"]},` +
				`{"DeviceId":"","EndOfSupportDate":"2026-07-23T18:03:20.928Z","IsCompliant@odata.type":"#SByte","IsCompliant":0,"Score":{},"ReportId":{},"Context":{"@odata.type":"#microsoft.graph.security.dynamicColumnValue","b":{"@odata.type":"#microsoft.graph.security.dynamicColumnValue","c":{}}}}]}`,
		},
		{
			mdePath, "application/json; charset=utf-8",
			`{"Schema":[{"Name":"DeviceId","Type":"String"},{"Name":"EndOfSupportDate","Type":"DateTime"},{"Name":"IsCompliant","Type":"SByte"},{"Name":"Score","Type":"Double"},{"Name":"ReportId","Type":"Int64"},{"Name":"Context","Type":"Object"}],` +
				`"Results":[{"DeviceId":"dc18","EndOfSupportDate":null,"IsCompliant":null,"Score":10.0,"ReportId":9007199254740993,"Context":[{"a":1}]},` +
				`{"DeviceId":"","EndOfSupportDate":"2026-07-23T18:03:20.928Z","IsCompliant":0,"Score":null,"ReportId":null,"Context":{"b":{"c":null}}}]}`,
		},
	} {
		w := ask(s, tt.path, "DeviceTvmSoftware")
		if w.Code != 200 || w.Header().Get("Content-Type") != tt.contentType {
			t.Errorf("%s: %d, %v", tt.path, w.Code, w.Header())
		}
		if d := cmp.Diff(tt.want, w.Body.String()); d != "" {
			t.Errorf("%s: %s", tt.path, d)
		}
		if w.Header().Get("client-request-id") != "11111111-2222-3333-4444-555555555555" || len(w.Header().Get("request-id")) != 36 {
			t.Errorf("%s: %v", tt.path, w.Header())
		}
	}
}

func TestXDRAnswerHasStatistics(t *testing.T) {
	w := ask(service(t, nil), xdrPath, "DeviceNumbers | take 2")
	var got struct {
		Stats struct {
			ExecutionTime     float64
			DatasetStatistics []struct {
				Rows int64 `json:"table_row_count"`
				Size int64 `json:"table_size"`
			} `json:"dataset_statistics"`
		}
		Schema  []struct{ Name, Type string }
		Results []map[string]int
	}
	if !strings.HasPrefix(w.Body.String(), `{"Stats":{`) {
		t.Errorf("Stats is not the first member: %s", w.Body)
	}
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if len(got.Stats.DatasetStatistics) != 1 || got.Stats.DatasetStatistics[0].Rows != 2 || got.Stats.ExecutionTime <= 0 {
		t.Errorf("%+v", got.Stats)
	}
	if d := cmp.Diff([]map[string]int{{"N": 0}, {"N": 1}}, got.Results); d != "" {
		t.Error(d)
	}
}

const inner = `"innerError":{"date":"2026-11-23T12:00:00","request-id":"*","client-request-id":"11111111-2222-3333-4444-555555555555"}`

func TestErrorBodies(t *testing.T) {
	s := service(t, nil)
	for _, tt := range []struct {
		name, path, token, body string
		status                  int
		want                    string
	}{
		{
			"Graph: syntax", graphPath, "good", `{"Query":"DeviceNumbers | "}`, 400,
			`{"error":{"code":"BadRequest","message":"Query operator expected.. Fix syntax errors in your query.",` + inner + `}}`,
		},
		{
			"Graph: unknown table", graphPath, "good", `{"query":"NoSuchTable | where X == 1"}`, 400,
			`{"error":{"code":"BadRequest","message":"'where' operator: Failed to resolve table or column expression named 'NoSuchTable'. Fix semantic errors in your query.",` + inner + `}}`,
		},
		{
			"Graph: unknown column", graphPath, "good", `{"Query":"DeviceNumbers | summarize count() by IsInteetFacing"}`, 400,
			`{"error":{"code":"BadRequest","message":"'summarize' operator: Failed to resolve scalar expression named 'IsInteetFacing'. Fix semantic errors in your query.",` + inner + `}}`,
		},
		{
			"MDE: syntax", mdePath, "good", `{"Query":"DeviceNumbers | "}`, 400,
			`{"error":{"code":"BadRequest","message":"Query operator expected.. Fix syntax errors in your query.","target":"*"}}`,
		},
		{
			"MDE: a table of another product", mdePath, "good", `{"Query":"EmailEvents | where N == 1"}`, 400,
			`{"error":{"code":"BadRequest","message":"'where' operator: Failed to resolve table or column expression named 'EmailEvents'. Fix semantic errors in your query.","target":"*"}}`,
		},
		{
			"Graph: a command", graphPath, "good", `{"Query":"// what is there\n.show tables"}`, 400,
			`{"error":{"code":"BadRequest","message":"Unexpected control command. Fix semantic errors in your query.",` + inner + `}}`,
		},
		{
			"Graph: not JSON", graphPath, "good", `Query`, 400,
			`{"error":{"code":"BadRequest","message":"Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid JSON format.",` + inner + `}}`,
		},
		{
			"Graph: unknown parameter", graphPath, "good", `{"Query":"DeviceNumbers","Top":1}`, 400,
			`{"error":{"code":"BadRequest","message":"The parameter 'Top' in the request payload is not a valid parameter for the operation 'runHuntingQuery'.",` + inner + `}}`,
		},
		{
			"Graph: workspace", graphPath, "good", `{"Query":"DeviceNumbers","workspaceId":"mine"}`, 400,
			`{"error":{"code":"BadRequest","message":"Cannot convert the literal 'mine' to the expected type 'Edm.Guid'.",` + inner + `}}`,
		},
		{
			"Graph: timespan", graphPath, "good", `{"Query":"DeviceNumbers","Timespan":"30 days"}`, 400,
			`{"error":{"code":"BadRequest","message":"Invalid Timespan: \"30 days\" is not an ISO 8601 time.",` + inner + `}}`,
		},
		{
			"XDR: the parameter's case", xdrPath, "good", `{"query":"DeviceNumbers"}`, 400,
			`{"error":{"code":"MissingRequiredParameter","message":"Parameter Query is missing.","target":"*"}}`,
		},
		{
			"MDE: another parameter", mdePath, "good", `{"Query":"DeviceNumbers","Timespan":"P1D"}`, 400,
			`{"error":{"code":"InvalidRequestBody","message":"Request body is incorrect","target":"*"}}`,
		},
		{
			"XDR: a number for a query", xdrPath, "good", `{"Query":1}`, 400,
			`{"error":{"code":"InvalidRequestBody","message":"Request body is incorrect","target":"*"}}`,
		},
		{
			"Graph: no token", graphPath, "", `{}`, 401,
			`{"error":{"code":"InvalidAuthenticationToken","message":"Access token is empty.",` + inner + `}}`,
		},
		{
			"Graph: expired token", graphPath, "late", `{}`, 401,
			`{"error":{"code":"InvalidAuthenticationToken","message":"Lifetime validation failed, the token is expired.",` + inner + `}}`,
		},
		{
			"Graph: another API's token", graphPath, "elsewhere", `{}`, 401,
			`{"error":{"code":"InvalidAuthenticationToken","message":"Access token validation failure. Invalid audience.",` + inner + `}}`,
		},
		{
			"MDE: expired token", mdePath, "late", `{}`, 401,
			`{"error":{"code":"Unauthorized","message":"Unauthorized (invalid or expired authorization header).","target":"*"}}`,
		},
		{
			"Graph: permission", graphPath, "poor", `{}`, 403,
			`{"error":{"code":"Forbidden","message":"Missing application roles. API required roles: ThreatHunting.Read.All, application roles: Policy.Read.ConditionalAccess,DeviceManagementManagedDevices.Read.All",` + inner + `}}`,
		},
		{
			"MDE: permission", mdePath, "poor", `{}`, 403,
			`{"error":{"code":"Forbidden","message":"Missing application roles. API required roles: AdvancedQuery.Read.All","target":"*"}}`,
		},
		{
			"Graph: a large request", graphPath, "good", `{"Query":"` + strings.Repeat(" ", 1<<20) + `"}`, 413,
			"<html>\r\n<head><title>413 Request Entity Too Large</title></head>\r\n<body>\r\n<center><h1>413 Request Entity Too Large</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r",
		},
		{
			"Graph: another operation", "/v1.0/security/alerts_v2", "good", `{}`, 400,
			`{"error":{"code":"BadRequest","message":"Resource not found for the segment 'alerts_v2'.",` + inner + `}}`,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := call(s, tt.path, tt.token, tt.body)
			if w.Code != tt.status {
				t.Errorf("status %d, want %d", w.Code, tt.status)
			}
			if d := cmp.Diff(tt.want, body(w)); d != "" {
				t.Error(d)
			}
		})
	}
}

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

func TestCompressedAnswers(t *testing.T) {
	read := func(w *httptest.ResponseRecorder, raw bool) (string, error) {
		var in io.Reader
		var err error
		switch w.Header().Get("Content-Encoding") {
		case "gzip":
			in, err = gzip.NewReader(w.Body)
		case "deflate":
			if raw {
				in = flate.NewReader(w.Body)
			} else {
				in, err = zlib.NewReader(w.Body)
			}
		default:
			in = w.Body
		}
		if err != nil {
			return "", err
		}
		b, err := io.ReadAll(in)
		return string(b), err
	}
	for _, raw := range []bool{false, true} {
		s := service(t, func(o *defender.Options) { o.Wire.RawDeflate = raw })
		want := ask(s, mdePath, "DeviceNumbers").Body.String()
		for accepted, coding := range map[string]string{"gzip": "gzip", "deflate": "deflate", "gzip, deflate": "deflate", "br": ""} {
			r := httptest.NewRequest("POST", mdePath, bytes.NewBufferString(`{"Query":"DeviceNumbers"}`))
			r.Header.Set("Authorization", "Bearer good")
			r.Header.Set("Accept-Encoding", accepted)
			w := httptest.NewRecorder()
			handlers(s).ServeHTTP(w, r)
			if got := w.Header().Get("Content-Encoding"); got != coding {
				t.Errorf("%s: got the coding %q, want %q", accepted, got, coding)
			}
			if got, err := read(w, raw); err != nil || got != want {
				t.Errorf("%s: %d bytes, want %d; %v", accepted, len(got), len(want), err)
			}
		}
	}
}

func TestStats(t *testing.T) {
	var recorded []string
	s := service(t, func(o *defender.Options) {
		o.Record = func(front, query string) { recorded = append(recorded, front+": "+query) }
	})
	w := ask(s, graphPath, "DeviceNumbers | where N < 3")
	ask(s, graphPath, "Nothing")
	call(s, graphPath, "poor", `{}`)
	want := map[string]defender.Stats{
		"graph": {Calls: 3, Answers: 1, Failures: 2, Rows: 3, Bytes: int64(w.Body.Len()), RowsScanned: 1000, Throttles: map[string]int64{}},
		"xdr":   {Throttles: map[string]int64{}},
		"mde":   {Throttles: map[string]int64{}},
	}
	if d := cmp.Diff(want, s.Stats()); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"graph: DeviceNumbers | where N < 3", "graph: Nothing"}, recorded); d != "" {
		t.Error(d)
	}
}

// No body makes a front panic or answer with anything but its error shape.
func FuzzRequestBody(f *testing.F) {
	s := service(f, func(o *defender.Options) { o.Quota = defender.Off() })
	for _, text := range []string{`{"Query":"print 1"}`, `{"query":"print 1","Timespan":"P1D","workspaceId":"11111111-2222-3333-4444-555555555555"}`, `{"Query":null}`, `[`, `{"Query":"\ud800"}`} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, path := range []string{graphPath, xdrPath, mdePath} {
			w := call(s, path, "good", text)
			var document map[string]any
			if err := json.Unmarshal(w.Body.Bytes(), &document); err != nil {
				t.Fatalf("%s: %d %q: %v", path, w.Code, w.Body, err)
			}
			if _, failed := document["error"]; failed != (w.Code != 200) {
				t.Errorf("%s: %d %s", path, w.Code, w.Body)
			}
		}
	})
}
