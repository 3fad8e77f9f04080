package emulator_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/tvmexport/tvmexport/emulator"
)

// The control API answers under its own names alone, and no page of others.
func TestControlRefusesForeignHostsAndOrigins(t *testing.T) {
	e, err := emulator.New(emulator.Options{Devices: 1, Dir: t.TempDir(), StorageHost: "{account}.{kind}.storage.test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	const refusedHost, refusedOrigin = http.StatusMisdirectedRequest, http.StatusForbidden
	for _, tt := range []struct {
		host, origin, fetch string
		want                int
	}{
		{"127.0.0.1:4711", "", "", 200},
		{"127.9.8.7", "", "", 200},
		{"[::1]:4711", "", "", 200},
		{"localhost:4711", "", "", 200},
		{"LOCALHOST.:1", "", "", 200},
		{"control.localhost", "", "", 200},
		{"storage.test:4711", "", "", 200},
		{"a.blob.storage.test", "", "", 200},
		{"evil.example", "", "", refusedHost},
		{"evil.example:4711", "", "", refusedHost},
		{"localhost.evil.example", "", "", refusedHost},
		{"evillocalhost", "", "", refusedHost},
		{"127.0.0.1.evil.example", "", "", refusedHost},
		{"10.0.0.1:4711", "", "", refusedHost},
		{"0.0.0.0", "", "", refusedHost},
		{"notstorage.test", "", "", refusedHost},
		{"", "", "", refusedHost},
		{"127.0.0.1:4711", "https://127.0.0.1:4711", "", 200},
		{"127.0.0.1:4711", "http://localhost:3000", "cross-site", 200},
		{"127.0.0.1:4711", "https://evil.example", "", refusedOrigin},
		{"127.0.0.1:4711", "https://127.0.0.1.evil.example", "", refusedOrigin},
		{"127.0.0.1:4711", "null", "", refusedOrigin},
		{"127.0.0.1:4711", "", "cross-site", refusedOrigin},
		{"127.0.0.1:4711", "", "none", 200},
		{"evil.example", "http://evil.example", "same-origin", refusedHost},
	} {
		for _, call := range []struct{ method, path string }{{"GET", "/control/stats"}, {"DELETE", "/control/faults"}} {
			r := httptest.NewRequest(call.method, call.path, nil)
			r.Host = tt.host
			if tt.origin != "" {
				r.Header.Set("Origin", tt.origin)
			}
			if tt.fetch != "" {
				r.Header.Set("Sec-Fetch-Site", tt.fetch)
			}
			w := httptest.NewRecorder()
			e.Defender().ServeHTTP(w, r)
			if ok := w.Code < 300; ok != (tt.want == 200) || !ok && w.Code != tt.want {
				t.Errorf("%s %s, host %q, origin %q, %q: %d %s, want %d", call.method, call.path, tt.host, tt.origin, tt.fetch, w.Code, w.Body, tt.want)
			}
		}
	}
}
