package kql

import (
	"net"
	"strings"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/syntax"
)

// checkCluster refuses cluster("c").database("d") where c is not this cluster,
// which is called by a name of this machine: localhost, a name below it, or a
// loopback address.
func (b *binder) checkCluster(x syntax.Expr) error {
	scoped, ok := x.(*syntax.Call)
	if !ok || !scoped.IsScoped() {
		return nil
	}
	cluster, ok := scoped.Args[0].X.(*syntax.Call)
	if !ok || cluster.Name != "cluster" {
		return nil
	}
	name, err := constantName(cluster)
	if err != nil {
		return err
	}
	own, named := b.env.Catalog.(interface{ OwnsCluster(host string) bool })
	if !isLocal(name) && (!named || !own.OwnsCluster(hostOf(name))) {
		return unsupported(cluster.Pos(), "The cluster '%s' is not this one, and others are not supported here.", name)
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
