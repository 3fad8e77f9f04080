package conntest

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"

	"github.com/tvmexport/tvmexport/kusto/kql"
)

// Fake is the service reduced to its wire form: the shapes that the SDK reads,
// filled by a function. It is a transport, so that it works without sockets
// and in a bubble of synctest.
type Fake struct {
	Answer func(text string) Reply // nil: every text gets an empty table

	mu       sync.Mutex
	texts    []string
	Blobs    map[string][]byte
	Messages []map[string]any
	Upload   func(n int) int // status of the n-th PUT; nil: 201
	puts     int
	Metadata string // body of the sign-in metadata; "" is the SDK's default
}

// Reply is an answer to a text: a table, or a status with a body.
type Reply struct {
	Columns []kql.Column
	Rows    [][]any
	Status  int
	Body    string
	Cut     bool // the connection ends in the middle
}

// RoundTrip implements http.RoundTripper.
func (f *Fake) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
		_ = r.Body.Close()
	}
	r = r.Clone(r.Context())
	r.Body = io.NopCloser(bytes.NewReader(body))
	w := httptest.NewRecorder()
	f.ServeHTTP(w, r)
	out := w.Result()
	out.Request = r
	if w.Header().Get("X-Cut") != "" {
		out.Body = io.NopCloser(io.MultiReader(out.Body, BrokenReader{}))
	}
	return out, nil
}

// BrokenReader is a body whose connection ends.
type BrokenReader struct{}

// Read implements io.Reader.
func (BrokenReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// ServeHTTP implements http.Handler.
func (f *Fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	switch {
	case r.URL.Path == "/v1/rest/auth/metadata":
		_, _ = io.WriteString(w, f.Metadata)
	case r.URL.Path == "/v1/rest/mgmt", r.URL.Path == "/v2/rest/query":
		f.statement(w, body, r.URL.Path == "/v2/rest/query")
	case r.Method == http.MethodPut:
		f.put(w, r, body)
	case strings.HasSuffix(r.URL.Path, "/messages"):
		f.enqueue(w, body)
	default:
		http.Error(w, "no such thing: "+r.Method+" "+r.URL.Path, http.StatusNotFound)
	}
}

func (f *Fake) statement(w http.ResponseWriter, body []byte, isQuery bool) {
	var sent struct{ DB, CSL string }
	_ = json.Unmarshal(body, &sent)
	var out Reply
	switch {
	case sent.CSL == ".get kusto identity token" && f.Answer == nil:
		out = Reply{Columns: []kql.Column{{Name: "AuthorizationContext", Kind: "string"}}, Rows: [][]any{{"IDENTITY"}}}
	case sent.CSL == ".get ingestion resources":
		out = Reply{Columns: []kql.Column{{Name: "ResourceTypeName", Kind: "string"}, {Name: "StorageRoot", Kind: "string"}}, Rows: [][]any{
			{"TempStorage", "https://store.example/temp?sv=1&sig=SECRETB"},
			{"SecuredReadyForAggregationQueue", "https://store.example/ready?sv=1&sig=SECRETQ"},
		}}
	default:
		f.mu.Lock()
		f.texts = append(f.texts, sent.CSL)
		f.mu.Unlock()
		if f.Answer != nil {
			out = f.Answer(sent.CSL)
		}
	}
	if out.Cut {
		w.Header().Set("X-Cut", "1")
		_, _ = io.WriteString(w, `{"Tables":[{"TableName":"T","Colu`)
		return
	}
	if out.Status != 0 {
		w.WriteHeader(out.Status)
		_, _ = io.WriteString(w, out.Body)
		return
	}
	if out.Body != "" {
		_, _ = io.WriteString(w, out.Body)
		return
	}
	if isQuery {
		WriteV2(w, out)
	} else {
		writeV1(w, out)
	}
}

type wireColumn struct{ ColumnName, ColumnType string }

func wire(columns []kql.Column) []wireColumn {
	out := []wireColumn{}
	for _, c := range columns {
		out = append(out, wireColumn{c.Name, c.Kind})
	}
	return out
}

// Marshal is v as JSON. It panics where v has none.
func Marshal(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}

func writeV1(w io.Writer, r Reply) {
	rows := r.Rows
	if rows == nil {
		rows = [][]any{}
	}
	fmt.Fprintf(w, `{"Tables":[{"TableName":"Table_0","Columns":%s,"Rows":%s}]}`, Marshal(wire(r.Columns)), Marshal(rows))
}

// WriteV2 writes the table of a reply as an answer to a query.
func WriteV2(w io.Writer, r Reply) {
	rows := r.Rows
	if rows == nil {
		rows = [][]any{}
	}
	columns := r.Columns
	if columns == nil {
		columns = []kql.Column{{Name: "print_0", Kind: "long"}}
	}
	fmt.Fprintf(w, `[{"FrameType":"DataSetHeader","IsProgressive":false,"Version":"v2.0","IsFragmented":true,"ErrorReportingPlacement":"EndOfTable"}
,{"FrameType":"DataTable","TableId":0,"TableKind":"QueryProperties","TableName":"@ExtendedProperties","Columns":[{"ColumnName":"TableId","ColumnType":"int"}],"Rows":[]}
,{"FrameType":"TableHeader","TableId":1,"TableKind":"PrimaryResult","TableName":"PrimaryResult","Columns":%s}
,{"FrameType":"TableFragment","TableFragmentType":"DataAppend","TableId":1,"Rows":%s}
,{"FrameType":"TableCompletion","TableId":1,"RowCount":%d}
,{"FrameType":"DataTable","TableId":2,"TableKind":"QueryCompletionInformation","TableName":"QueryCompletionInformation","Columns":[{"ColumnName":"Level","ColumnType":"int"}],"Rows":[]}
,{"FrameType":"DataSetCompletion","HasErrors":false,"Cancelled":false}
]
`, Marshal(wire(columns)), Marshal(rows), len(rows))
}

func (f *Fake) put(w http.ResponseWriter, r *http.Request, body []byte) {
	f.mu.Lock()
	f.puts++
	n := f.puts
	f.mu.Unlock()
	status := http.StatusCreated
	if f.Upload != nil {
		status = f.Upload(n)
	}
	if status == http.StatusCreated {
		f.mu.Lock()
		if f.Blobs == nil {
			f.Blobs = map[string][]byte{}
		}
		f.Blobs[r.URL.Path] = body
		f.mu.Unlock()
		w.Header().Set("ETag", `"1"`)
		w.Header().Set("Last-Modified", "Mon, 23 Nov 2026 05:19:55 GMT")
	}
	w.WriteHeader(status)
}

func (f *Fake) enqueue(w http.ResponseWriter, body []byte) {
	var m struct{ MessageText string }
	_ = xml.Unmarshal(body, &m)
	text, _ := base64.StdEncoding.DecodeString(m.MessageText)
	var message map[string]any
	_ = json.Unmarshal(text, &message)
	f.mu.Lock()
	f.Messages = append(f.Messages, message)
	f.mu.Unlock()
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(http.StatusCreated)
	const when = "Mon, 23 Nov 2026 05:19:55 GMT"
	fmt.Fprintf(w, `<?xml version="1.0" encoding="utf-8"?><QueueMessagesList><QueueMessage><MessageId>m</MessageId><InsertionTime>%s</InsertionTime><ExpirationTime>%s</ExpirationTime><PopReceipt>x</PopReceipt><TimeNextVisible>%s</TimeNextVisible></QueueMessage></QueueMessagesList>`, when, when, when)
}

// Sent returns the texts that have come so far.
func (f *Fake) Sent() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]string{}, f.texts...)
}

// Refusal is the error body of the service.
func Refusal(status int, code, message string, permanent bool) Reply {
	return Reply{Status: status, Body: Marshal(map[string]any{"error": map[string]any{
		"code": code, "message": "Request is invalid and cannot be executed.", "@type": "Kusto.Data.Exceptions.X",
		"@message": message, "@permanent": permanent,
	}})}
}
