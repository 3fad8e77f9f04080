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
	c, ok := x.(*syntax.Call)
	if ok && c.IsScoped() {
		c, ok = c.Args[0].X.(*syntax.Call)
	}
	if !ok || c.Name != "cluster" {
		return nil // also the name of an entity, which was checked with its group
	}
	name, err := b.nameOf(c, s, "")
	if err != nil {
		return err
	}
	own, named := b.env.Catalog.(interface{ OwnsCluster(host string) bool })
	if !isLocal(name) && (!named || !own.OwnsCluster(hostOf(name))) {
		f := unsupported(c.Pos(), "The cluster '%s' is not this one, and others are not supported here. "+
			"With the request property best_effort, union and macro-expand leave it out.", name)
		if f, ok := f.(*fault); ok {
			f.missing, f.down = "cluster('"+name+"')", true
		}
		return f
	}
	return nil
}

// hostOf is the host, in lower case, of a cluster's name, which may be a URI.
func hostOf(name string) string {
	_, host, ok := strings.Cut(name, "://")
	if !ok {
		host = name
	}
	host, _, _ = strings.Cut(host, "/")
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	return strings.ToLower(strings.Trim(host, "[]"))
}

func isLocal(name string) bool {
	host := hostOf(name)
	ip := net.ParseIP(host)
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || ip != nil && ip.IsLoopback()
}
