package emulator

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// controlGuard keeps web pages away from the control API, which asks for no
// token: those whose name leads to this machine (DNS rebinding), and those that
// send requests here from elsewhere.
type controlGuard struct {
	names []string // further than loopback ones: hosts, and domains below which all hosts are ours
	next  http.Handler
}

// ownNames are the hosts of an emulator that are not loopback ones.
func ownNames(r Ready, storageHost string) []string {
	names := storageNames(storageHost)
	for _, address := range []string{r.Graph, r.XDR, r.MDE, r.Authority, r.Kusto, r.Ingest, r.Control} {
		if u, err := url.Parse(address); err == nil && u.Hostname() != "" {
			names = append(names, u.Hostname())
		}
	}
	return names
}

// ServeHTTP implements http.Handler.
func (g controlGuard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch origins := r.Header.Values("Origin"); {
	case !g.own(r.Host):
		replyError(w, http.StatusMisdirectedRequest, "the control API is not called "+quoted(r.Host)+"; ask for it as localhost or 127.0.0.1")
	case len(origins) > 0 && !g.ownOrigins(origins):
		replyError(w, http.StatusForbidden, "the control API takes no requests from web pages of "+quoted(strings.Join(origins, ", ")))
	case len(origins) == 0 && r.Header.Get("Sec-Fetch-Site") == "cross-site":
		replyError(w, http.StatusForbidden, "the control API takes no requests from web pages of other sites")
	default:
		g.next.ServeHTTP(w, r)
	}
}

func (g controlGuard) ownOrigins(origins []string) bool {
	for _, o := range origins {
		u, err := url.Parse(o)
		if err != nil || u.Host == "" || !g.own(u.Host) {
			return false
		}
	}
	return true
}

// own says whether a host, perhaps with a port, is one of the emulator's.
func (g controlGuard) own(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.TrimSuffix(strings.ToLower(strings.Trim(host, "[]")), ".")
	if a, err := netip.ParseAddr(host); err == nil {
		return a.Unmap().IsLoopback()
	}
	if host == "" {
		return false
	}
	for _, name := range append([]string{"localhost"}, g.names...) {
		if name = strings.ToLower(name); host == name || strings.HasSuffix(host, "."+name) {
			return true
		}
	}
	return false
}

// quoted is a header's value as an answer shows it.
func quoted(s string) string {
	const most = 100
	return `"` + strings.ToValidUTF8(s[:min(len(s), most)], "?") + `"`
}
