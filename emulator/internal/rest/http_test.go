package rest_test

import (
	"compress/flate"
	"compress/gzip"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tvmexport/tvmexport/emulator/internal/rest"
)

// exchange sends a request as the administrator and reads the answer as it comes.
func (s *stack) exchange(t *testing.T, method, address, body string, headers ...string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer admin")
	r.Header.Set("Accept-Encoding", "identity")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	answer, err := s.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := answer.Body.Close(); err != nil {
			t.Error(err)
		}
	}()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer, string(text)
}

func TestMetadata(t *testing.T) {
	s := newStack(t)
	answer, text := s.exchange(t, http.MethodGet, s.kusto+"/v1/rest/auth/metadata", "", "Authorization", "")
	const want = `{"AzureAD":{"LoginEndpoint":"https://login.microsoftonline.com","LoginMfaRequired":false,` +
		`"KustoClientAppId":"db662dc1-0cfe-4e1c-a843-19a68e65be58","KustoClientRedirectUri":"https://microsoft/kustoclient",` +
		`"KustoServiceResourceId":"https://kusto.kusto.windows.net",` +
		`"FirstPartyAuthorityUrl":"https://login.microsoftonline.com/f8cdef31-a31e-4b4a-93e4-5f571e91255a"}}`
	if answer.StatusCode != http.StatusOK || text != want {
		t.Errorf("metadata = %d %s, want 200 %s", answer.StatusCode, text, want)
	}
	filled := rest.New(rest.Options{Metadata: rest.Metadata{LoginEndpoint: "https://127.0.0.1:1"}})
	w := &recorder{header: http.Header{}}
	filled.ServeHTTP(w, must(http.NewRequestWithContext(t.Context(), http.MethodGet, "https://k/v1/rest/auth/metadata", nil)))
	if !strings.Contains(w.text.String(), `"LoginEndpoint":"https://127.0.0.1:1"`) {
		t.Errorf("metadata = %s, want the given endpoint", w.text.String())
	}
}

func must(r *http.Request, err error) *http.Request {
	if err != nil {
		panic(err)
	}
	return r
}

type recorder struct {
	header http.Header
	text   strings.Builder
}

func (r *recorder) Header() http.Header         { return r.header }
func (r *recorder) WriteHeader(int)             {}
func (r *recorder) Write(p []byte) (int, error) { return r.text.Write(p) }

// Requests that are not as documented are refused in the service's shape.
func TestRefusedRequests(t *testing.T) {
	s := newStack(t)
	tests := map[string]struct {
		method, address, body string
		headers               []string
		status                int
		message               string // part of the error's @message
	}{
		"no JSON":           {"POST", s.kusto + "/v1/rest/mgmt", "x", nil, 400, "not the JSON object"},
		"no csl":            {"POST", s.kusto + "/v1/rest/mgmt", "{}", nil, 400, "no csl"},
		"properties":        {"POST", s.kusto + "/v1/rest/mgmt", `{"csl":".show tables","properties":"{"}`, nil, 400, "properties"},
		"no token":          {"POST", s.kusto + "/v1/rest/mgmt", "{}", []string{"Authorization", ""}, 401, "not authenticated"},
		"syntax":            {"POST", s.kusto + "/v1/rest/mgmt", `{"db":"db","csl":".show tabels"}`, nil, 400, ""},
		"command as query":  {"POST", s.kusto + "/v1/rest/query", `{"db":"db","csl":".show tables"}`, nil, 400, "query endpoint"},
		"query of ingest":   {"POST", s.ingest + "/v2/rest/query", `{"db":"db","csl":"print 1"}`, nil, 400, "ingestion service"},
		"command of ingest": {"POST", s.ingest + "/v1/rest/mgmt", `{"db":"db","csl":".show tables"}`, nil, 400, "ingestion service"},
		"stream to ingest":  {"POST", s.ingest + "/v1/rest/ingest/db/T?streamFormat=Csv", "1", nil, 400, "without 'ingest-'"},
		"no stream format":  {"POST", s.kusto + "/v1/rest/ingest/db/T", "1", nil, 400, "streamFormat"},
		"stream encoding":   {"POST", s.kusto + "/v1/rest/ingest/db/T?streamFormat=Csv", "1", []string{"Content-Encoding", "br"}, 415, "br"},
		"unknown path":      {"POST", s.kusto + "/v1/rest/ingestion/queued/db/T", "{}", nil, 404, "/v1/rest/ingestion/queued/db/T"},
		"stream to nowhere": {"POST", s.kusto + "/v1/rest/ingest/db/Nope?streamFormat=Csv", "1", nil, 400, "'Nope'"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			answer, text := s.exchange(t, tt.method, tt.address, tt.body, append(tt.headers, "x-ms-client-request-id", "me;1")...)
			var body struct {
				Error struct {
					Code, Message string
					FullMessage   string                                       `json:"@message"`
					Permanent     bool                                         `json:"@permanent"`
					Context       struct{ ClientRequestID, ActivityID string } `json:"@context"`
				}
			}
			if err := json.Unmarshal([]byte(text), &body); err != nil {
				t.Fatalf("answer %s: %v", text, err)
			}
			e := body.Error
			if answer.StatusCode != tt.status || !strings.Contains(e.FullMessage, tt.message) || e.Code == "" || e.Message == "" || !e.Permanent {
				t.Errorf("answer = %d %s, want %d with %q", answer.StatusCode, text, tt.status, tt.message)
			}
			if answer.Header.Get("x-ms-client-request-id") != "me;1" || e.Context.ClientRequestID != "me;1" ||
				answer.Header.Get("x-ms-activity-id") != e.Context.ActivityID || e.Context.ActivityID == "" {
				t.Errorf("ids = %v and %+v, want those of the request", answer.Header, e.Context)
			}
		})
	}
}

// The words are those of the service, which answers this in plain text.
func TestCommandInV2(t *testing.T) {
	s := newStack(t)
	answer, text := s.exchange(t, http.MethodPost, s.kusto+"/v2/rest/query", `{"db":"db","csl":" .show tables"}`)
	const want = "Bad request: Control commands (starting with a dot '.') do not support api_version=v2\nError details:\nClientRequestId='"
	if answer.StatusCode != http.StatusBadRequest || !strings.HasPrefix(text, want) {
		t.Errorf("answer = %d %s, want 400 %s", answer.StatusCode, text, want)
	}
}

// Properties come as an object or as text, the request by POST or by GET.
func TestForms(t *testing.T) {
	s := newStack(t)
	s.manage(t, ".create table T (a: long)")
	for name, body := range map[string]string{
		"properties as object": `{"db":"db","csl":".show tables","properties":{"Options":{"servertimeout":"00:01:00"},"Parameters":null}}`,
		"properties as text":   `{"db":"db","csl":".show tables","properties":"{\"Options\":{},\"Parameters\":{\"a\":1}}"}`,
		"empty properties":     `{"db":"db","csl":".show tables","properties":""}`,
		"null properties":      `{"db":"db","csl":".show tables","properties":null}`,
	} {
		answer, text := s.exchange(t, http.MethodPost, s.kusto+"/v1/rest/mgmt", body)
		if answer.StatusCode != http.StatusOK || !strings.Contains(text, `["T","db"`) {
			t.Errorf("%s: answer = %d %s, want the table", name, answer.StatusCode, text)
		}
	}
	answer, text := s.exchange(t, http.MethodGet, s.kusto+"/v1/rest/query?db=db&csl="+url.QueryEscape(".show tables"), "")
	if answer.StatusCode != http.StatusBadRequest || !strings.Contains(text, "query endpoint") {
		t.Errorf("GET: answer = %d %s, want that of the query endpoint", answer.StatusCode, text)
	}
}

func TestEncodings(t *testing.T) {
	s := newStack(t)
	const body = `{"db":"db","csl":".show version"}`
	_, plain := s.exchange(t, http.MethodPost, s.kusto+"/v1/rest/mgmt", body)
	for accepted, want := range map[string]string{
		"gzip, deflate": "gzip", "deflate": "deflate", "gzip;q=0, deflate": "deflate", "br": "", "": "",
	} {
		answer, text := s.exchange(t, http.MethodPost, s.kusto+"/v1/rest/mgmt", body, "Accept-Encoding", accepted)
		if got := answer.Header.Get("Content-Encoding"); got != want {
			t.Errorf("Accept-Encoding %q: encoding = %q, want %q", accepted, got, want)
		}
		var r io.Reader = strings.NewReader(text)
		switch want {
		case "gzip":
			z, err := gzip.NewReader(r)
			if err != nil {
				t.Fatal(err)
			}
			r = z
		case "deflate":
			r = flate.NewReader(r)
		}
		got, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(plain, string(got)); d != "" {
			t.Errorf("Accept-Encoding %q (-want +got)\n%s", accepted, d)
		}
	}
}

// The commands of the ingestion service work at both addresses, its version at
// its own.
func TestIngestionCommands(t *testing.T) {
	s := newStack(t)
	for _, uri := range []string{s.kusto, s.ingest} {
		_, text := s.exchange(t, http.MethodPost, uri+"/v1/rest/mgmt", `{"db":"NetDefaultDB","csl":".get ingestion resources"}`)
		for _, want := range []string{`"ColumnName":"ResourceTypeName"`, `"ColumnName":"StorageRoot"`, `["TempStorage","https://127.0.0.1:`, `["IngestionsStatusTable","https://`} {
			if !strings.Contains(text, want) {
				t.Errorf("resources at %s = %s, want %s", uri, text, want)
			}
		}
	}
	_, text := s.exchange(t, http.MethodPost, s.ingest+"/v1/rest/mgmt",
		`{"db":"NetDefaultDB","csl":".get ingestion resources | where ResourceTypeName == 'TempStorage' | count"}`)
	if !strings.Contains(text, `"Rows":[[2]]`) {
		t.Errorf("piped resources = %s, want a count of 2", text)
	}
	_, text = s.exchange(t, http.MethodPost, s.ingest+"/v1/rest/mgmt",
		`{"db":"NetDefaultDB","csl":".get ingestion resources; let t = 'TempStorage'; $command_results | where ResourceTypeName == t | count"}`)
	if !strings.Contains(text, `"Rows":[[2]]`) {
		t.Errorf("queried resources = %s, want a count of 2", text)
	}
	_, text = s.exchange(t, http.MethodPost, s.ingest+"/v1/rest/mgmt", `{"db":"NetDefaultDB","csl":".show export containers"}`)
	if !strings.Contains(text, `"ColumnName":"StorageRoot"`) || strings.Count(text, `["https://127.0.0.1:`) != 2 || !strings.Contains(text, "/exportresults?") {
		t.Errorf("export containers = %s, want two addresses", text)
	}
	for uri, want := range map[string]string{s.kusto: `"Engine"`, s.ingest: `"DataManagement"`} {
		if _, text := s.exchange(t, http.MethodPost, uri+"/v1/rest/mgmt", `{"db":"db","csl":".show version"}`); !strings.Contains(text, want) {
			t.Errorf("version at %s = %s, want %s", uri, text, want)
		}
	}
}
