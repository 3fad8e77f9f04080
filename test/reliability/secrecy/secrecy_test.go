package secrecy

import (
	"errors"
	"net/http"
	"strings"
	"testing"
)

func TestWatch(t *testing.T) {
	for _, c := range []struct{ text, what string }{
		{`level=INFO msg=fetched rows=12 request=7f00`, ""},
		{`Get "https://a.blob.core.windows.net/c/b.gz?sv=2024&sig=REDACTED": EOF`, ""},
		{`Get "https://a.blob.core.windows.net/c/b.gz?sv=2024&sig=abcdefghijkl%3D": EOF`, "a shared access signature"},
		{`Authorization: Bearer abcdefghijklmnopqrstuvwxyz`, "a bearer token"},
		{`token eyJhbGciOiJIUzI1NiJ9.eyJhdWQiOiJ4In0.c2ln`, "a JSON web token"},
		{`grant_type=client_credentials&client_secret=hunter2hunter2`, "a client secret in a form"},
		{`row: {"DeviceName":"pc-0001.contoso.example"}`, "a row"},
		{`a short one is not learned: x1`, ""},
		{`heard: opaque-token-of-no-shape`, "a token"},
		{`heard: MTIzNDU2Nzg5`, "a signature"},
	} {
		w := New()
		w.Learn("a row", "pc-0001.contoso.example")
		w.Learn("nothing", "x1")
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://host/?sig=MTIzNDU2Nzg5", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer opaque-token-of-no-shape")
		if _, err := w.Over(nowhere{}).RoundTrip(r); err == nil {
			t.Fatal("nowhere answers")
		}
		if n, err := w.Write([]byte(c.text)); n != len(c.text) || err != nil {
			t.Errorf("Write: %d, %v", n, err)
		}
		found, looked := w.Found()
		if looked != int64(len(c.text)) {
			t.Errorf("looked at %d bytes of %d", looked, len(c.text))
		}
		switch {
		case c.what == "" && len(found) > 0:
			t.Errorf("%q: found %q", c.text, found)
		case c.what != "" && (len(found) != 1 || !strings.HasPrefix(found[0], c.what+" was written: ")):
			t.Errorf("%q: found %q, want %s", c.text, found, c.what)
		}
	}
}

type nowhere struct{}

func (nowhere) RoundTrip(*http.Request) (*http.Response, error) { return nil, errors.New("nowhere") }
