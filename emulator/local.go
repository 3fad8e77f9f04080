package emulator

import (
	"net/http"
	"net/url"
)

// Local reaches the cluster of a Server from within its process, without TLS
// and without being observed by anybody's rules for sockets.
func (s *Server) Local() http.RoundTripper {
	u, err := url.Parse(s.Ready.Kusto)
	return transport{handler: func(host string) http.Handler {
		if err == nil && host == u.Host {
			return s.Kusto()
		}
		return nil
	}}
}
