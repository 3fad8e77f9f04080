package conn

import (
	"net/http"
	"testing"
)

// connect is a connection to a fake. Its cluster is a loopback address,
// which the SDK trusts.
func connect(t *testing.T, service http.RoundTripper) *Conn {
	t.Helper()
	c, err := New(Options{Cluster: "https://127.0.0.1", Database: "security", HTTPClient: &http.Client{Transport: service}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}
