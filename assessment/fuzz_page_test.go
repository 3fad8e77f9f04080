package assessment

import (
	"bytes"
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"github.com/tvmexport/tvmexport/internal/wire"
)

// What is read as a page is valid JSON with as many rows.
func FuzzPage(f *testing.F) {
	for _, text := range []string{`{"@odata.context":"x","value":[` + pageRow + `],"@odata.nextLink":"https://a/b"}`, `{"value":[{"a":1},{}]}`, `{"VALUE":[],"error":{}}`} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var got taken
		r := newTestRows(t, tableOf(t, "TvmSoftwareVulnerabilities"), &got)
		p, err := readPage(wire.NewStreamSize(bytes.NewReader(text), 16), true, r.row)
		if err != nil || p.failed != nil {
			return
		}
		if !json.Valid(text) || int64(len(got.rows)) != p.rows {
			t.Errorf("%q is a page with %d rows, and %d were written", text, p.rows, len(got.rows))
		}
	})
}

// Addresses of lists of files stay on storage of the cloud, and names have no signature.
func FuzzListing(f *testing.F) {
	f.Add(`{"exportFiles":["https://a.blob.core.windows.net/c/1.gz?sig=s"],"generatedTime":"2026-11-20T06:01:00Z"}`)
	f.Add(`{"exportFiles":["https://a.blob.core.windows.net@evil/c/1.gz"],"generatedTime":"2026-11-20T06:01:00Z"}`)
	endpoint := &url.URL{Scheme: "https", Host: "api.security.microsoft.com"}
	f.Fuzz(func(t *testing.T, text string) {
		l, err := readListing(wire.NewStream(strings.NewReader(text)), endpoint, Cloud{}.Storage())
		if err != nil {
			return
		}
		for _, unit := range l.Units {
			u, err := url.Parse(string(unit.Link))
			if err != nil || u.Scheme != "https" || !strings.HasSuffix(strings.ToLower(u.Host), publicStorage) && !strings.EqualFold(u.Host, endpoint.Host) || strings.Contains(unit.ID, "?") {
				t.Errorf("%q has the unit %q at %q", text, unit.ID, string(unit.Link))
			}
		}
	})
}
