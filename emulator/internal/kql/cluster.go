package kql

import (
	"net"
	"strings"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/syntax"
)

// checkCluster refuses cluster("c").database("d") where c is not this cluster,
// which is called by a name of this machine: localhost, a name below it, or a
// loopback address.
func checkCluster(x syntax.Expr) error {
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
	if !isLocal(name) {
		return unsupported(cluster.Pos(), "The cluster '%s' is not this one, and others are not supported here.", name)
	}
	return nil
}

func isLocal(name string) bool {
	_, host, ok := strings.Cut(name, "://")
	if !ok {
		host = name
	}
	host, _, _ = strings.Cut(host, "/")
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	host = strings.ToLower(strings.Trim(host, "[]"))
	ip := net.ParseIP(host)
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || ip != nil && ip.IsLoopback()
}
