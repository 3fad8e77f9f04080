package hunting

import (
	"bytes"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/klauspost/compress/gzip"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/internal/wire"
)

func zipped(text string) string {
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	_, _ = z.Write([]byte(text))
	_ = z.Close()
	return out.String()
}

// An answer that is not the service's is asked for twice, then named: with its
// status, its type, the service's words or a page's title, and the likely cause.
func TestForeignAnswersAreAskedForTwice(t *testing.T) {
	const page = `<!DOCTYPE html><html><head><title>Sign in to the guest network</title></head></html>`
	for name, tt := range map[string]struct {
		answer answer
		says   []string
	}{
		"a page":                   {answer{body: page, header: http.Header{"Content-Type": {"text/html; charset=utf-8"}}}, []string{"HTTP 200 OK with Content-Type text/html: it is an HTML page titled \"Sign in to the guest network\"", "a proxy"}},
		"a page, compressed":       {answer{body: zipped(page), header: http.Header{"Content-Encoding": {"gzip"}}}, []string{"Sign in to the guest network", "a proxy"}},
		"XML":                      {answer{body: `<?xml version="1.0"?><Error><Code>x</Code></Error>`}, []string{"an XML document", "a proxy"}},
		"an empty body":            {answer{}, []string{"HTTP 200 OK with no Content-Type: its body is empty", "a proxy"}},
		"an error object":          {answer{body: `{"error":{"code":"Oops","message":"The moon is full."}}`}, []string{"HTTP 200 with an error object: Oops: The moon is full."}},
		"null results":             {answer{body: `{"schema":[],"results":null}`}, []string{"results are null"}},
		"no results":               {answer{body: `{"schema":[]}`}, []string{"without results"}},
		"another shape":            {answer{body: `{"value":[{"a":1}]}`}, []string{"neither a schema nor results"}},
		"a list":                   {answer{body: `[{"a":1}]`}, []string{"it is not JSON"}},
		"text":                     {answer{body: `all is well`}, []string{"neither a JSON object nor a JSON array"}},
		"compressed twice":         {answer{body: zipped(zipped(page)), header: http.Header{"Content-Encoding": {"gzip"}}}, []string{"compressed more than once"}},
		"compressed, not said":     {answer{body: zipped(page)}, []string{"compressed more than once"}},
		"said to be compressed":    {answer{body: good, header: http.Header{"Content-Encoding": {"gzip"}}}, []string{"the body is not compressed"}},
		"an encoding not asked":    {answer{body: good, header: http.Header{"Content-Encoding": {"br"}}}, []string{`Content-Encoding "br"`}},
		"UTF-16":                   {answer{body: "\xff\xfe{\x00}\x00"}, []string{"UTF-16"}},
		"a malformed row":          {answer{body: strings.Replace(good, `"a"`, `"a"b`, 1)}, []string{"it is not JSON", "twice"}},
		"a redirect to a stranger": {answer{status: 302, header: http.Header{"Location": {"https://portal.example/login"}}}, []string{"redirects to another host, https://portal.example; it is not followed"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &service{reply: func(int, string) answer { return tt.answer }}
				c := s.client(t, nil)
				var err error
				for range 2 { // what begins to hand on rows comes back to the caller, who asks again
					if _, err = c.Fetch(t.Context(), slice, discard{}); tvmexport.ActionOf(err) != tvmexport.Retry {
						break
					}
				}
				if tvmexport.ActionOf(err) != tvmexport.Stop || len(s.at) > 2 {
					t.Errorf("%d calls: %v", len(s.at), err)
				}
				for _, w := range tt.says {
					if !strings.Contains(err.Error(), w) {
						t.Errorf("%q does not say %q", err, w)
					}
				}
			})
		})
	}
}

// What is only unusual is read.
func TestUnusualAnswersAreRead(t *testing.T) {
	for name, a := range map[string]answer{
		"a byte order mark":          {body: "\xef\xbb\xbf" + good},
		"a byte order mark, as text": {body: "\xef\xbb\xbf" + good, header: http.Header{"Content-Type": {"text/plain"}}},
		"no schema":                  {body: `{"results":[{"DeviceId":"a"},{"DeviceId":"NONCE:1"}]}`},
		"another type":               {body: good, header: http.Header{"Content-Type": {"text/html"}}},
		"blanks before it":           {body: "\r\n\r\n " + good},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := &service{reply: func(int, string) answer { return a }}
			answer, err := s.client(t, nil).Fetch(t.Context(), slice, discard{})
			if err != nil || answer.Rows != 1 || !answer.Complete() || len(s.at) != 1 {
				t.Errorf("%s: %+v, %v", name, answer, err)
			}
		})
	}
	// An answer without rows may leave its results out.
	b := &body{Stream: wire.NewStream(strings.NewReader(`{"@odata.context":"x","schema":[{"name":"DeviceId","type":"String"}]}`))}
	schemas := 0
	err := b.envelope(func([]byte) error { schemas++; return nil }, func([]byte) (int, error) { return 0, wire.ErrInvalid })
	if err != nil || schemas != 1 || b.results != 0 {
		t.Errorf("%d schemas, %d results, %v", schemas, b.results, err)
	}
}

// An error object with a success says what to do as it does with its own status.
func TestErrorObjectWithSuccessIsSorted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &service{reply: func(int, string) answer {
			return answer{body: `{"error":{"code":"BadRequest","message":"Query execution has exceeded the allowed result size."}}`}
		}}
		_, err := s.client(t, nil).Fetch(t.Context(), slice, discard{})
		if tvmexport.ActionOf(err) != tvmexport.Split || len(s.at) != 1 {
			t.Errorf("%d calls: %v", len(s.at), err)
		}
	})
}

// A single foreign answer costs one call, regardless of the next answer.
func TestOneForeignAnswerIsSurvived(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &service{reply: func(n int, _ string) answer {
			if n%2 == 1 {
				return answer{body: "<html>"}
			}
			return answer{body: good}
		}}
		c := s.client(t, nil)
		for range 3 {
			if _, err := c.Fetch(t.Context(), slice, discard{}); err != nil {
				t.Fatal(err)
			}
		}
	})
}
