package emulator

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"syscall"

	"github.com/tvmexport/tvmexport/emulator/entra"
	"github.com/tvmexport/tvmexport/emulator/faults"
)

// ownCluster is a cluster address and an ingestion address that belong to one tenant. Behind them
// is the engine of all, so that a query can reach all databases.
type ownCluster struct {
	kusto, ingest string // URIs
	down          atomic.Bool
	listen        func(up bool) error // opens and closes the listeners; nil without sockets
}

// openClusters gives tenants the clusters of the addresses.
func (all *organisations) openClusters(at addresses) {
	for _, o := range all.list {
		if own, ok := at.own[o.Name]; ok {
			o.cluster = &ownCluster{kusto: own[0], ingest: own[1]}
		}
	}
}

// ownHosts are the public addresses of the tenants' own clusters.
func (a addresses) ownHosts(o Options) addresses {
	a.own = map[string][2]string{}
	for _, t := range o.Tenants {
		if t.OwnCluster {
			host := strings.ToLower(t.Name) + ".kusto.windows.net"
			a.own[t.Name] = [2]string{"https://" + host, "https://ingest-" + host}
		}
	}
	return a
}

// SetClusterDown takes the cluster of its own that a tenant has down, or brings it back. While it
// is down, connections to it and to its ingestion are refused.
func (e *Emulator) SetClusterDown(tenant string, down bool) error {
	o, err := e.tenants.named(tenant)
	if err != nil {
		return err
	}
	if o.cluster == nil {
		return fmt.Errorf("tenant %s has no cluster of its own; see OwnCluster in the options, and --own-cluster", o.Name)
	}
	if o.cluster.down.Swap(down) == down || o.cluster.listen == nil {
		return nil
	}
	if err := o.cluster.listen(!down); err != nil {
		o.cluster.down.Store(!down)
		return err
	}
	return nil
}

// address finds the own cluster of a tenant by the host of its address, for queries over several clusters.
func (all *organisations) address(host string) (uri string, down, ok bool) {
	for _, o := range all.list {
		if o.cluster != nil && strings.EqualFold(hostOf(o.cluster.kusto), host) {
			return o.cluster.kusto, o.cluster.down.Load(), true
		}
	}
	return "", false, false
}

// connectionRefused is the error of a connection to a host where nobody listens.
func connectionRefused() error {
	return &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
}

// hostOf is the host of a URL, with the port if it has one.
func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Host
}

// whose is the key under which the context of a request has the tenant whose cluster was asked.
type whose struct{}

// handler is a handler of the cluster or of the ingestion service for the own address of a tenant.
func (o *organisation) handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), whose{}, o)))
	})
}

// knows says whether a tenant has that name.
func (all *organisations) knows(name string) bool {
	_, ok := all.byName[strings.ToLower(name)]
	return ok
}

// tenantOf names the tenant that a request is about: by its token, by the path of the sign-in
// endpoint, by the address of a cluster of its own, or by the database.
func tenantOf(e *Emulator, at faults.Endpoint, r *http.Request, database string) string {
	var o *organisation
	switch at {
	case faults.Graph, faults.XDR, faults.MDE, faults.Assessment:
		o = e.tenants.asked(r)
	case faults.Token, faults.Discovery:
		if r.URL.Path == entra.IMDSPath || r.URL.Path == entra.AppServicePath {
			o = e.tenants.home()
			break
		}
		segment, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
		o = e.tenants.byID[e.entra.Tenants().ID(segment)]
	default:
		if r != nil {
			o, _ = r.Context().Value(whose{}).(*organisation)
		}
		if o == nil {
			o = e.tenants.byBase[strings.ToLower(database)]
		}
	}
	if o == nil {
		return ""
	}
	return o.Name
}

// asked is the tenant that a request to Defender is about: that of its token, whose signature
// nobody has checked yet. A token that is of no tenant here is refused by the first one.
func (all *organisations) asked(r *http.Request) *organisation {
	if len(all.list) == 1 {
		return all.home()
	}
	token, err := entra.Bearer(r)
	if err != nil {
		return all.home()
	}
	if o, ok := all.byID[entra.ClaimedTenant(token)]; ok {
		return o
	}
	return all.home()
}
