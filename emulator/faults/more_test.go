package faults_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tvmexport/tvmexport/emulator/faults"
)

func ask(h http.Handler, body string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/x", strings.NewReader(body)))
	return w
}

func TestDropRows(t *testing.T) {
	for _, c := range []struct{ body, want string }{
		{`{"schema":[1],"results":[{"a":1},{"a":[2]},{"a":3}],"z":0}`, `{"schema":[1],"results":[{"a":1}],"z":0}`},
		{`{"Results":[{"a":1}]}`, `{"Results":[]}`},
		{`{"Results":[]}`, `{"Results":[]}`},
		{`{"error":{}}`, `{"error":{}}`},
		{`no JSON`, `no JSON`},
	} {
		s := parse(t, `{"endpoint":"graph","dropRows":2}`)
		if got := ask(mount(s, faults.Graph, c.body), "{}").Body.String(); got != c.want {
			t.Errorf("%s becomes %s, want %s", c.body, got, c.want)
		}
	}
}

func TestLieGzip(t *testing.T) {
	s := parse(t, `{"endpoint":"graph","lieGzip":true}`)
	w := ask(mount(s, faults.Graph, `{"results":[]}`), "{}")
	if w.Header().Get("Content-Encoding") != "gzip" {
		t.Errorf("headers %v", w.Header())
	}
	if _, err := gzip.NewReader(bytes.NewReader(w.Body.Bytes())); err == nil {
		t.Error("the body is compressed after all")
	}
}

// A command is answered at once and carried out when nobody waits for it any more.
func TestLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := parse(t, `{"endpoint":"kusto-mgmt","status":504,"late":"30s"}`)
		got := make(chan string, 2)
		h := s.Middleware(func(*http.Request) faults.Endpoint { return faults.KustoMgmt }, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			got <- string(body)
		}))
		if w := ask(h, "first"); w.Code != http.StatusGatewayTimeout || len(got) != 0 {
			t.Fatalf("answered %d, carried out %d commands", w.Code, len(got))
		}
		time.Sleep(31 * time.Second)
		synctest.Wait()
		if len(got) != 1 {
			t.Fatalf("carried out %d commands", len(got))
		}
		if first := <-got; first != "first" {
			t.Errorf("carried out %q", first)
		}
		ask(h, "second")
		if err := s.Close(); err != nil || len(got) != 0 {
			t.Errorf("after Close: %d commands, %v", len(got), err)
		}
	})
}

func TestDeliveryForms(t *testing.T) {
	for text, want := range map[string]faults.Outcome{
		"duplicate:2h":  {Fate: faults.Duplicate, Delay: 2 * time.Hour},
		"partial:3":     {Fate: faults.Partial, Records: 3},
		"partial:3:30s": {Fate: faults.Partial, Records: 3, Delay: 30 * time.Second},
	} {
		s := parse(t, `{"endpoint":"delivery","delivery":"`+text+`"}`)
		if got, ok := s.Deliver("d", "m"); !ok || got != want {
			t.Errorf("%s is %+v, want %+v", text, got, want)
		}
	}
	for _, text := range []string{"partial", "partial:0", "partial:x:3s", "partial:3:0s", "duplicate:", "late", "lost:3s"} {
		if _, err := faults.Parse([]byte(`{"endpoint":"delivery","delivery":"` + text + `"}`)); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
}
