//go:build !noemulator

package main

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"
)

// cmdProxy starts a proxy that leads every host to the emulator's cluster, as a
// private endpoint does.
func cmdProxy(ts *testscript.TestScript, _ bool, _ []string) {
	cluster, err := url.Parse(emulators.get(ts).Ready.Kusto)
	ts.Check(err)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodConnect {
			http.Error(w, "only CONNECT", http.StatusMethodNotAllowed)
			return
		}
		there, err := net.Dial("tcp", cluster.Host)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		// The server reads ahead: the client must send nothing before the connection is taken over.
		here, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			_ = there.Close()
			return
		}
		if _, err := io.WriteString(here, "HTTP/1.1 200 Connection established\r\n\r\n"); err != nil {
			_ = here.Close()
			_ = there.Close()
			return
		}
		tunnel(here, there)
	}))
	ts.Defer(server.Close)
	ts.Setenv("PROXY", server.URL)
}

// tunnel carries bytes both ways until one side ends.
func tunnel(a, b net.Conn) {
	var both sync.WaitGroup
	for _, pair := range [][2]net.Conn{{a, b}, {b, a}} {
		both.Go(func() {
			_, _ = io.Copy(pair[0], pair[1])
			_ = pair[0].Close()
		})
	}
	both.Wait()
}
