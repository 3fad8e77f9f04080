package preflight

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tvmexport/tvmexport"
)

// Place is an address that must be reached.
type Place struct {
	Name    string // that other checks need it under
	Setting string // that names it in the configuration
	URL     string

	Unresolved string // what to do if there is no such host; "" is to correct Setting
}

func (p Place) host() string {
	u, err := url.Parse(p.URL)
	if err != nil {
		return p.URL
	}
	return u.Host
}

// dialTime bounds one attempt at a place.
const dialTime = 20 * time.Second

// Reach checks that each place answers; any answer counts. Places that fail
// for the same cause with the same fix share one finding.
func Reach(ctx context.Context, hc *http.Client, places []Place) []Finding {
	errs, clocks := make([]error, len(places)), make([]clock, len(places))
	var g errgroup.Group
	g.SetLimit(8)
	for i, p := range places {
		g.Go(func() error {
			clocks[i], errs[i] = dial(ctx, hc, p.URL)
			return nil
		})
	}
	_ = g.Wait() // errors are in the list
	var out []Finding
	at := map[string]int{} // findings of what is broken, by kind
	for i, p := range places {
		if errs[i] == nil {
			out = append(out, Good(p.host(), "%s answers%s", p.Setting, through(p.URL)))
			continue
		}
		kind, f := unreached(p, errs[i])
		if j, ok := at[kind]; ok && kind != "" {
			if !strings.Contains(", "+out[j].About+",", ", "+p.host()+",") {
				out[j].About += ", " + p.host()
			}
			out[j].Affects = append(out[j].Affects, p.Name)
			continue
		}
		at[kind] = len(out)
		out = append(out, f)
	}
	return append(out, wrongClock(places, clocks)...)
}

// through names the proxy on the way to an address; "" if there is none.
func through(address string) string {
	r, err := http.NewRequest(http.MethodGet, address, nil)
	if err != nil {
		return ""
	}
	proxy, err := http.ProxyFromEnvironment(r)
	if err != nil || proxy == nil {
		return ""
	}
	return " through the proxy " + proxy.Host
}

func dial(ctx context.Context, hc *http.Client, address string) (clock, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTime)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return clock{}, err
	}
	sent := time.Now()
	answer, err := hc.Do(r)
	if err != nil {
		return clock{}, err
	}
	read := readClock(answer.Header.Get("Date"), sent, time.Now())
	_, _ = io.CopyN(io.Discard, answer.Body, 64<<10) // so that the connection can be used again
	return read, answer.Body.Close()
}

// unreached is the finding about a place that does not answer, and the kind of
// failure; "" where no other place can fail for the same cause.
func unreached(p Place, err error) (kind string, f Finding) {
	f = Finding{About: p.host(), Status: Broken, Affects: []string{p.Name}}
	var (
		dns       *net.DNSError
		untrusted x509.UnknownAuthorityError
		verify    *tls.CertificateVerificationError
		op        *net.OpError
		invalid   x509.CertificateInvalidError
	)
	if u, perr := url.Parse(p.URL); perr != nil || u.Host == "" {
		f.Cause, f.Text, f.Fix = tvmexport.Usage, fmt.Sprintf("%s is %q, which is not a URL", p.Setting, p.URL), "correct "+p.Setting
		return "", f
	}
	switch {
	case errors.As(err, &dns) && dns.IsNotFound:
		f.Cause, f.Text = tvmexport.Usage, fmt.Sprintf("%s: there is no host %s", p.Setting, dns.Name)
		f.Fix = cmp.Or(p.Unresolved, "correct "+p.Setting+": copy the address from the portal; a stopped or deleted service has no address either, and a private name resolves only on its own network")
	case errors.As(err, &dns):
		kind = "dns"
		f.Text, f.Fix = fmt.Sprintf("%s: look up %s: %s", p.Setting, dns.Name, dns.Err), "check this machine's name servers"
	case errors.As(err, &untrusted):
		kind = "authority"
		f.Cause, f.Text = tvmexport.Usage, "the certificate is signed by an authority that this machine does not trust"+issuer(untrusted.Cert)
		f.Fix = "save the authority's certificate as a PEM file and set ca_file (TVMEXPORT_CA_FILE) to its path"
	case errors.As(err, &verify) && errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		f.Cause, f.Text = tvmexport.Usage, fmt.Sprintf("%s: %v", p.Setting, verify.Err)
		f.Fix = "check this machine's clock; if it is right, the certificate of " + p.host() + " must be renewed"
	case errors.As(err, &verify):
		f.Cause, f.Text, f.Fix = tvmexport.Usage, fmt.Sprintf("%s: %v", p.Setting, verify.Err), "correct "+p.Setting+", or have the certificate replaced"
	case errors.As(err, &op) && op.Op == "proxyconnect":
		kind = "proxy"
		f.Cause, f.Text, f.Fix = tvmexport.Usage, fmt.Sprintf("the proxy refuses the connection: %v", op.Err), "check HTTPS_PROXY and NO_PROXY"
	case errors.Is(err, context.DeadlineExceeded):
		f.Text = fmt.Sprintf("%s: no answer within %s", p.Setting, dialTime)
		f.Fix = "allow this machine to connect to " + p.host() + " (port 443), or set HTTPS_PROXY"
	default:
		f.Text = fmt.Sprintf("%s: %v", p.Setting, last(err))
		f.Fix = "correct " + p.Setting + " if the address is wrong; otherwise allow this machine to connect to " + p.host() + ", or set HTTPS_PROXY"
	}
	return kind, f
}

func issuer(c *x509.Certificate) string {
	if c == nil {
		return ""
	}
	return " (" + c.Issuer.String() + ")"
}

// last is the innermost reason.
func last(err error) error {
	for {
		next := errors.Unwrap(err)
		if next == nil {
			return err
		}
		err = next
	}
}
