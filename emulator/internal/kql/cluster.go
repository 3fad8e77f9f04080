package kql

import (
	"net"
	"strings"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/syntax"
)

// checkCluster refuses cluster("c").database("d") where c is not this cluster,
// which is called by a name of this machine: localhost, a name below it, or a
// loopback address.
func (b *binder) checkCluster(x syntax.Expr, s *scope) error {
	c := clusterOf(x)
	if c == nil {
		return nil // also the name of an entity, which was checked with its group
	}
	name, err := b.nameOf(c, s, "")
	if err != nil {
		return err
	}
	if on, ok := b.env.Catalog.(Federation); ok {
		switch _, down, ok := on.Address(portedHost(name)); {
		case ok && down:
			return &fault{
				kind: Semantic, code: codeOther, message: "The cluster '" + name + "' does not answer.", offset: c.Pos(), token: name,
				missing: "cluster('" + name + "')", down: true,
			}
		case ok:
			return nil
		}
	}
	own, named := b.env.Catalog.(interface{ OwnsCluster(host string) bool })
	if isLocal(name) || named && own.OwnsCluster(hostOf(name)) {
		return nil
	}
	return &fault{
		kind: Unsupported, code: codeOther, offset: c.Pos(), missing: "cluster('" + name + "')", down: true,
		message: "The cluster '" + name + "' is not this one, and others are not supported here. With the request property best_effort, union and macro-expand leave it out.",
	}
}

// clusterOf is the call of cluster() that an entity is or begins with, nil for none.
func clusterOf(x syntax.Expr) *syntax.Call {
	c, ok := x.(*syntax.Call)
	if ok && c.IsScoped() {
		c, ok = c.Args[0].X.(*syntax.Call)
	}
	if !ok || c.Name != "cluster" {
		return nil
	}
	return c
}

// portedHost is the host, in lower case, of a cluster's name, with its port if it has one.
func portedHost(name string) string {
	_, host, ok := strings.Cut(name, "://")
	if !ok {
		host = name
	}
	host, _, _ = strings.Cut(host, "/")
	return strings.ToLower(host)
}

// hostOf is the host, in lower case, of a cluster's name, which may be a URI.
func hostOf(name string) string {
	host := portedHost(name)
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	return strings.Trim(host, "[]")
}

func isLocal(name string) bool {
	host := hostOf(name)
	ip := net.ParseIP(host)
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || ip != nil && ip.IsLoopback()
}
