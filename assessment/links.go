package assessment

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tvmexport/tvmexport"
)

// Errors about addresses in answers name hosts at most: the rest of an address may be a
// secret.
var (
	errLink = errors.New("the answer has an address that is not used")
	errURL  = errors.New("it cannot be read")
)

// names are the parts of the query of an address.
const (
	skipToken = "$skiptoken"
	pageSize  = "pageSize"
	sinceTime = "sinceTime"
)

// checkNext checks the address of a next page against the one that was asked, before a
// request or a token goes there, and returns it with a number of rows. The answer's
// token is what makes it another page. The host may be another one of the cloud's API.
func checkNext(cloud Cloud, asked *url.URL, next string, rows int) (*url.URL, error) {
	u, err := url.Parse(next)
	if err != nil {
		return nil, fmt.Errorf("%w: the next page: %w", errLink, errURL)
	}
	switch {
	case u.Scheme != asked.Scheme && u.Scheme != "https":
		return nil, fmt.Errorf("%w: the next page is at %s without encryption", errLink, hostName(u))
	case !cloud.sameAPI(u.Host, asked.Host) || u.User != nil:
		return nil, fmt.Errorf("%w: the next page is at the host %s, but %s was asked", errLink, hostName(u), asked.Host)
	case !strings.EqualFold(u.Path, asked.Path):
		return nil, fmt.Errorf("%w: the next page has another path than the one that was asked", errLink)
	case tokenOf(u) == "":
		return nil, fmt.Errorf("%w: the next page has no %s, and would be the first one again", errLink, skipToken)
	case tokenOf(u) == tokenOf(asked):
		return nil, fmt.Errorf("%w: the next page is the one that was asked", errLink)
	}
	u.Fragment, u.Scheme = "", asked.Scheme
	return withRows(u, rows), nil
}

// withRows is the address of a page with a number of rows. The service writes names of
// parameters in lower case in the addresses that it makes.
func withRows(u *url.URL, rows int) *url.URL {
	q := u.Query()
	for name := range q {
		if strings.EqualFold(name, pageSize) {
			delete(q, name)
		}
	}
	q.Set(pageSize, strconv.Itoa(rows))
	out := *u
	// Names of OData begin with a dollar sign, which need not be escaped.
	out.RawQuery = strings.ReplaceAll(q.Encode(), "%24", "$")
	return &out
}

func tokenOf(u *url.URL) string { return parameter(u, skipToken) }

// parameter is a part of a query, regardless of case; "" if it is not there.
func parameter(u *url.URL, name string) string {
	for k, v := range u.Query() {
		if strings.EqualFold(k, name) && len(v) > 0 {
			return v[len(v)-1]
		}
	}
	return ""
}

// checkFile checks the address of a file: storage of the cloud, or the host of the
// endpoint itself.
func checkFile(endpoint *url.URL, suffixes []string, address string) (*url.URL, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("%w: a file: %w", errLink, errURL)
	}
	storage := func(suffix string) bool {
		return u.Port() == "" && strings.HasSuffix(strings.ToLower(u.Hostname()), suffix)
	}
	switch {
	case u.Scheme != "https" && (u.Scheme != "http" || endpoint.Scheme != "http"):
		return nil, fmt.Errorf("%w: a file is at %s without encryption", errLink, hostName(u))
	case u.User != nil || !ofEndpoint(endpoint, u) && !slices.ContainsFunc(suffixes, storage):
		return nil, fmt.Errorf("%w: a file is at the host %s, which is not storage of this cloud (*%s)", errLink, hostName(u), strings.Join(suffixes, ", *"))
	case strings.Count(strings.Trim(u.Path, "/"), "/") < 1:
		return nil, fmt.Errorf("%w: a file at %s has no path", errLink, hostName(u))
	}
	u.Fragment = ""
	return u, nil
}

// ofEndpoint says whether an address is at the host of the endpoint. On this machine,
// where the services of an emulator differ by their ports, any port is.
func ofEndpoint(endpoint, u *url.URL) bool {
	if ip, err := netip.ParseAddr(endpoint.Hostname()); err == nil && ip.IsLoopback() || endpoint.Hostname() == "localhost" {
		return strings.EqualFold(u.Hostname(), endpoint.Hostname())
	}
	return strings.EqualFold(u.Host, endpoint.Host)
}

// hostName is the host of an address as a message shows it.
func hostName(u *url.URL) string {
	if len(u.Host) > 200 {
		return strconv.Quote(u.Host[:200])
	}
	return strconv.Quote(u.Host)
}

// fileUnit is the unit of a file. Its name is the path, without the signature. se is
// the end of the signature's validity.
func fileUnit(version string, u *url.URL) tvmexport.Unit {
	unit := tvmexport.Unit{
		Version: version, ID: strings.TrimPrefix(u.EscapedPath(), "/"), Rows: tvmexport.Missing,
		Link: tvmexport.Link(u.String()),
	}
	if until, err := time.Parse(time.RFC3339, u.Query().Get("se")); err == nil {
		unit.Expires = until.UTC()
	}
	return unit
}
