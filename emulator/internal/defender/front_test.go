package defender_test

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"encoding/json"
	"io"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tvmexport/tvmexport/emulator/internal/defender"
)

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
		"graph": {Calls: 3, Answers: 1, Failures: 2, Rows: 3, Bytes: int64(w.Body.Len()), RowsScanned: 1000, Throttles: map[string]int64{}, BusiestMinute: 3, BusiestHour: 3},
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

// The official Graph SDKs call the action by its qualified name.
func TestGraphQualifiedAction(t *testing.T) {
	s := service(t, nil)
	for _, path := range []string{"/v1.0/security/microsoft.graph.security.runHuntingQuery", "/beta/security/microsoft.graph.security.runHuntingQuery"} {
		if w := ask(s, path, "print a = 1"); w.Code != 200 || !strings.Contains(w.Body.String(), `"a":1`) {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	if w := ask(s, "/v1.0/security/microsoft.graph.security.other", "print a = 1"); w.Code == 200 {
		t.Errorf("another action: %d", w.Code)
	}
}
