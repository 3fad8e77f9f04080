package storage

import (
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// location is what a URL addresses: a resource, and what follows its name in
// the path, such as the name of a blob.
type location struct {
	Resource
	rest string
}

// KindOf is the service that a request is for, "" if it is for none of them.
func (s *Storage) KindOf(r *http.Request) Kind {
	at, err := s.locate(r.Host, r.URL.Path)
	if err != nil {
		return ""
	}
	return at.Kind
}

// locate finds the resource of a host and a path.
func (s *Storage) locate(host, path string) (location, error) {
	path = strings.TrimPrefix(path, "/")
	all := s.resources()
	if account, kind, ok := accountOfHost(host); ok {
		name, rest := splitName(path, kind)
		r := Resource{Kind: kind, Account: account, Name: name}
		if kind == Table && name == "" {
			r = onlyTable(all, account)
		}
		if slices.Contains(all, r) {
			return location{r, rest}, nil
		}
		return location{Resource: r}, errNoResource(kind)
	}
	if account, inner, ok := strings.Cut(path, "/"); ok || path != "" {
		for _, r := range all {
			if name, rest := splitName(inner, r.Kind); r.Account == account && r.Name == name {
				return location{r, rest}, nil
			}
		}
		for _, r := range all {
			if name, rest := splitName(path, r.Kind); r.Name == name {
				return location{r, rest}, nil
			}
		}
	}
	return location{}, errNoResource("")
}

// resources are those of all services.
func (s *Storage) resources() []Resource {
	return slices.Concat(s.blobs.resources(), s.queues.resources(), s.tables.resources())
}

// onlyTable is the table of an account that a URL without a name means.
func onlyTable(all []Resource, account string) Resource {
	for _, r := range all {
		if r.Kind == Table && r.Account == account {
			return r
		}
	}
	return Resource{}
}

// accountOfHost reads ACCOUNT.KIND.NAME.
func accountOfHost(host string) (account string, kind Kind, ok bool) {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	parts := strings.SplitN(strings.ToLower(host), ".", 3)
	if len(parts) < 3 {
		return "", "", false
	}
	switch k := Kind(parts[1]); k {
	case Blob, Queue, Table:
		return parts[0], k, true
	}
	return "", "", false
}

// splitName takes the resource's name off a path. A table's name ends at a
// bracket too.
func splitName(path string, kind Kind) (name, rest string) {
	if kind == Table {
		if i := strings.IndexByte(path, '('); i >= 0 {
			return path[:i], path[i:]
		}
	}
	name, rest, _ = strings.Cut(path, "/")
	return name, rest
}

// URL is the address of a resource with a shared access signature. base is
// scheme, host and port; with hostForm the account and kind are put in front of
// the host, otherwise in the path. A zero time is left out.
func (s *Storage) URL(base string, hostForm bool, r Resource, g Grant) string {
	u, err := url.Parse(base)
	if err != nil {
		return ""
	}
	u.Path = "/" + r.Account + "/" + r.Name
	if hostForm {
		u.Host = r.Account + "." + string(r.Kind) + "." + u.Host
		u.Path = "/" + r.Name
	}
	u.RawQuery = s.sign(r, g).Encode()
	return u.String()
}
