package server

import (
	"crypto/sha256"
	"crypto/subtle"
	"net"
	"net/http"
	"strings"
)

// guard controls read access. Browsers cannot send a bearer token; they send the
// token as the password of HTTP basic authentication, with any name.
type guard struct {
	token     [sha256.Size]byte
	asksToken bool
	asksCert  bool
	onlyLocal bool // no guard but the address: names of other hosts are refused
	next      http.Handler
}

func newGuard(o Options) *guard {
	return &guard{
		token: sha256.Sum256([]byte(o.Token)), asksToken: o.Token != "", asksCert: o.ClientCA != "",
		onlyLocal: o.Token == "" && o.ClientCA == "", next: o.Handler,
	}
}

// ServeHTTP implements http.Handler.
func (g *guard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "this page is read-only", http.StatusMethodNotAllowed)
	case g.onlyLocal && !loopback(hostOf(r)):
		// A web page elsewhere may have a name that leads to this machine.
		http.Error(w, "request this page as 127.0.0.1 or localhost", http.StatusMisdirectedRequest)
	case g.asksCert && !g.showsCertificate(r) && !(g.asksToken && g.showsToken(r)):
		http.Error(w, "a client certificate is required", http.StatusUnauthorized)
	case g.asksToken && !g.asksCert && !g.showsToken(r):
		w.Header().Add("WWW-Authenticate", `Bearer realm="tvmexport"`)
		w.Header().Add("WWW-Authenticate", `Basic realm="tvmexport: any name, the token as password", charset="UTF-8"`)
		http.Error(w, "a token is required", http.StatusUnauthorized)
	default:
		g.next.ServeHTTP(w, r)
	}
}

func (g *guard) showsCertificate(r *http.Request) bool {
	return r.TLS != nil && len(r.TLS.VerifiedChains) > 0
}

// showsToken compares in a time that does not depend on what was shown.
func (g *guard) showsToken(r *http.Request) bool {
	shown, ok := "", false
	if scheme, rest, found := strings.Cut(r.Header.Get("Authorization"), " "); found && strings.EqualFold(scheme, "Bearer") {
		shown, ok = strings.TrimSpace(rest), true
	} else if _, password, basic := r.BasicAuth(); basic {
		shown, ok = password, true
	}
	sum := sha256.Sum256([]byte(shown))
	return subtle.ConstantTimeCompare(sum[:], g.token[:]) == 1 && ok
}

// hostOf is the host that a request names, without its port.
func hostOf(r *http.Request) string {
	if host, _, err := net.SplitHostPort(r.Host); err == nil {
		return host
	}
	return strings.Trim(r.Host, "[]")
}

// policy is what browsers may do with what is served.
const policy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// headers adds what every answer has.
func headers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}
