package faults_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"testing"

	"github.com/tvmexport/tvmexport/emulator/faults"
)

const (
	wholeV2 = `[{"FrameType":"DataSetHeader"},{"FrameType":"DataTable","TableKind":"QueryProperties","Rows":[[1]]},` +
		`{"FrameType":"DataTable","TableKind":"PrimaryResult","Rows":[[1,"ab"],[2,null]]},{"FrameType":"DataSetCompletion"}]`
	fragmentsV2 = `[{"FrameType":"TableHeader","TableKind":"PrimaryResult"},{"FrameType":"TableFragment","Rows":[[1],[2]]},` +
		`{"FrameType":"TableFragment","Rows":[[3]]},{"FrameType":"TableCompletion","RowCount":3}]`
	tablesV1 = `{"Tables":[{"TableName":"Table_0","Columns":[],"Rows":[[1,true],[2,false]]},{"TableName":"Table_1","Rows":[[9]]}]}`
)

func TestRowsOfAnswers(t *testing.T) {
	for _, c := range []struct{ rule, body, want string }{
		{`{"endpoint":"kusto-query","dropRows":1}`, wholeV2, `[{"FrameType":"DataSetHeader"},{"FrameType":"DataTable","TableKind":"QueryProperties","Rows":[[1]]},` +
			`{"FrameType":"DataTable","TableKind":"PrimaryResult","Rows":[[1,"ab"]]},{"FrameType":"DataSetCompletion"}]` + "\n"},
		{`{"endpoint":"kusto-query","dropRows":2}`, fragmentsV2, `[{"FrameType":"TableHeader","TableKind":"PrimaryResult"},{"FrameType":"TableFragment","Rows":[[1]]},` +
			`{"FrameType":"TableFragment","Rows":[]},{"FrameType":"TableCompletion","RowCount":3}]` + "\n"},
		{`{"endpoint":"kusto-mgmt","dropRows":9}`, tablesV1, `{"Tables":[{"TableName":"Table_0","Columns":[],"Rows":[]},{"TableName":"Table_1","Rows":[[9]]}]}`},
		{`{"endpoint":"graph","repeatRows":1}`, `{"results":[{"a":1},{"a":2}]}`, `{"results":[{"a":1},{"a":2},{"a":2}]}`},
		{`{"endpoint":"kusto-mgmt","values":"null"}`, tablesV1, `{"Tables":[{"TableName":"Table_0","Columns":[],"Rows":[[null,null],[null,null]]},{"TableName":"Table_1","Rows":[[9]]}]}`},
		{`{"endpoint":"kusto-query","values":"retyped"}`, wholeV2, `[{"FrameType":"DataSetHeader"},{"FrameType":"DataTable","TableKind":"QueryProperties","Rows":[[1]]},` +
			`{"FrameType":"DataTable","TableKind":"PrimaryResult","Rows":[["1",2],["2",null]]},{"FrameType":"DataSetCompletion"}]` + "\n"},
		{`{"endpoint":"graph","values":"null"}`, `{"schema":[],"results":[{"a@odata.type":"#Int64","a":1}]}`, `{"schema":[],"results":[{"a@odata.type":"#Int64","a":null}]}`},
		{`{"endpoint":"graph","values":"retyped"}`, `{"results":[{"a":"xyz","b":{"c":1}}]}`, `{"results":[{"a":3,"b":"{\"c\":1}"}]}`},
		{`{"endpoint":"graph","set":{"a":12345678901234567890.10,"none":1},"rows":1}`, `{"results":[{"a":1,"b":2},{"a":3}]}`, `{"results":[{"a":12345678901234567890.10,"b":2},{"a":3}]}`},
		{`{"endpoint":"xdr","set":{"a":"INF"}}`, `{"Results":[{"a":1},{"b":3},{"a":{}}]}`, `{"Results":[{"a":"INF"},{"b":3},{"a":"INF"}]}`},
		{`{"endpoint":"kusto-query","values":"null"}`, `{"error":{}}`, `{"error":{}}`},
	} {
		s := parse(t, c.rule)
		at := s.List()[0].Endpoint
		if got := ask(mount(s, at, c.body), "{}").Body.String(); got != c.want {
			t.Errorf("%s: %s becomes\n%s, want\n%s", c.rule, c.body, got, c.want)
		}
	}
}

// A replayed answer is that of the first request with the same text; others pass.
func TestReplay(t *testing.T) {
	s := parse(t, `{"endpoint":"kusto-query","replay":true,"count":2}`)
	n := 0
	h := s.Middleware(func(*http.Request) faults.Endpoint { return faults.KustoQuery }, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		n++
		_, _ = fmt.Fprintf(w, "answer %d", n)
	}))
	for i, c := range []struct{ ask, want string }{
		{`{"csl":"A"}`, "answer 1"}, {`{"csl":"A"}`, "answer 1"}, {`{"csl":"B"}`, "answer 2"}, {`{"csl":"B"}`, "answer 2"}, {`{"csl":"A"}`, "answer 3"},
	} {
		if got := ask(h, c.ask).Body.String(); got != c.want {
			t.Errorf("request %d: %q, want %q", i, got, c.want)
		}
	}
	if r := s.List()[0]; r.Hits != 2 {
		t.Errorf("%d hits, want 2", r.Hits)
	}
}

// What was an error is not replayed.
func TestReplayKeepsGoodAnswersOnly(t *testing.T) {
	s := parse(t, `{"endpoint":"kusto-mgmt","replay":true}`)
	n := 0
	h := s.Middleware(func(*http.Request) faults.Endpoint { return faults.KustoMgmt }, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if n++; n == 1 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	for i, want := range []int{http.StatusServiceUnavailable, http.StatusOK, http.StatusOK} {
		if got := ask(h, `{"csl":"A"}`).Code; got != want {
			t.Errorf("request %d: %d, want %d", i, got, want)
		}
	}
	if n != 2 {
		t.Errorf("%d requests were served, want 2", n)
	}
}

func TestHideRows(t *testing.T) {
	s := parse(t, `{"endpoint":"graph","hideRows":3}`)
	var got int
	h := s.Middleware(func(*http.Request) faults.Endpoint { return faults.Graph }, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		got = faults.Hidden(r.Context())
	}))
	ask(h, "{}")
	if got != 3 || faults.Hidden(context.Background()) != 0 {
		t.Errorf("%d rows are hidden, want 3", got)
	}
}

// The connection breaks before the service has seen the request.
func TestResetAfter(t *testing.T) {
	s := parse(t, `{"endpoint":"blob","resetAfter":2}`)
	h := s.Middleware(func(*http.Request) faults.Endpoint { return faults.Blob }, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		t.Error("the request is served")
	}))
	defer func() {
		if p := recover(); p != http.ErrAbortHandler {
			t.Errorf("it ends with %v", p)
		}
	}()
	ask(h, "rows")
}

func TestRulesAboutRowsNeedAnswersWithRows(t *testing.T) {
	for _, text := range []string{
		`{"endpoint":"blob","dropRows":1}`, `{"endpoint":"token","values":"null"}`, `{"endpoint":"graph","values":"odd"}`,
		`{"endpoint":"kusto-query","hideRows":1}`, `{"endpoint":"queue","replay":true}`, `{"endpoint":"graph","hideRows":-1}`,
	} {
		if _, err := faults.Parse([]byte(text)); err == nil {
			t.Errorf("%s is accepted", text)
		}
	}
}

func FuzzRowsOfAnswers(f *testing.F) {
	for _, body := range []string{wholeV2, fragmentsV2, tablesV1, `{"results":[{"a":1}]}`, `[]`, `{"Tables":[]}`, `{"results":7}`} {
		f.Add(body, 1)
	}
	f.Fuzz(func(t *testing.T, body string, drop int) {
		if drop < 1 || len(body) == 0 {
			return
		}
		s := &faults.Set{}
		if _, err := s.Add(faults.Rule{Endpoint: faults.KustoQuery, DropRows: drop, Values: "retyped"}); err != nil {
			t.Fatal(err)
		}
		got := ask(mount(s, faults.KustoQuery, body), "{}").Body.Bytes()
		if json.Valid([]byte(body)) && !json.Valid(got) {
			t.Errorf("%s becomes %s", body, got)
		}
	})
}
