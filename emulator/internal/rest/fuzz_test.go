package rest

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/tvmexport/tvmexport/emulator/internal/engine"
)

// FuzzReadRequest reads any body: a request with a text, or a refusal in the service's form.
func FuzzReadRequest(f *testing.F) {
	for _, s := range []string{
		`{"db":"d","csl":"T","properties":{"Options":{"notruncation":true},"Parameters":{"a":1}}}`,
		`{"csl":".show tables","properties":"{\"Options\":{\"servertimeout\":\"00:01:00\"},\"Parameters\":{\"a\":\"x\"}}"}`,
		`{"csl":null}`, `{"db":7,"csl":"T"}`, `{"csl":"T","properties":null}`, `{"csl":"T","properties":"{"}`, `[`, ``,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, body string) {
		for _, r := range []*http.Request{
			httptest.NewRequest(http.MethodPost, "/v1/rest/query", strings.NewReader(body)),
			{Method: http.MethodGet, URL: httptest.NewRequest(http.MethodGet, "/v2/rest/query", nil).URL},
		} {
			if r.Method == http.MethodGet {
				q := r.URL.Query()
				q.Set("csl", "T")
				q.Set("properties", body)
				r.URL.RawQuery = q.Encode()
			}
			q, err := readRequest(httptest.NewRecorder(), r)
			if e, ok := errors.AsType[*engine.Error](err); err != nil && (!ok || e.Status < 400 || e.Status > 499) {
				t.Errorf("%q: %v, want a refusal", body, err)
			}
			for name := range q.options {
				_ = q.option(name)
			}
		}
	})
}
