package emulator

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/tvmexport/tvmexport/emulator/entra"
	"github.com/tvmexport/tvmexport/emulator/faults"
	"github.com/tvmexport/tvmexport/emulator/internal/assessment"
)

// Defender is the handler of the Defender side: the three hunting fronts, the export
// assessment APIs, the token endpoints and the control API, which differ by their paths.
func (e *Emulator) Defender() http.Handler { return e.defenders }

// Kusto is the handler of the cluster URI.
func (e *Emulator) Kusto() http.Handler { return e.kusto.engine }

// Ingest is the handler of the ingestion URI.
func (e *Emulator) Ingest() http.Handler { return e.kusto.ingest }

// Storage is the handler of the storage accounts that queued ingestion goes through.
func (e *Emulator) Storage() http.Handler { return e.kusto.storage }

// Transport reaches all services without sockets, at the hosts of Endpoints and
// of the storage URLs that ingestion hands out.
func (e *Emulator) Transport() http.RoundTripper {
	hosts := map[string]http.Handler{}
	for address, handler := range map[string]http.Handler{
		e.ready.Graph: e.defenders, e.ready.XDR: e.defenders, e.ready.MDE: e.defenders,
		e.ready.Authority: e.defenders, e.ready.IMDS: e.defenders, e.ready.Control: e.defenders,
		e.ready.Kusto: e.Kusto(), e.ready.Ingest: e.Ingest(),
	} {
		if host := hostOf(address); host != "" {
			hosts[host] = handler
		}
	}
	clusters := map[string]*ownCluster{}
	for _, o := range e.tenants.list {
		if o.cluster != nil {
			kusto, ingest := hostOf(o.cluster.kusto), hostOf(o.cluster.ingest)
			hosts[kusto], hosts[ingest] = o.handler(e.Kusto()), o.handler(e.Ingest())
			clusters[kusto], clusters[ingest] = o.cluster, o.cluster
		}
	}
	refused := func(host string) bool { c, own := clusters[host]; return own && c.down.Load() }
	return transport{refused: refused, handler: func(host string) http.Handler {
		if h, ok := hosts[host]; ok {
			return h
		}
		if strings.HasSuffix(host, "."+publicStorage) {
			return e.Storage()
		}
		return nil
	}}
}

// routeDefender builds the handler of the Defender side.
func routeDefender(e *Emulator) http.Handler {
	var control http.Handler = controlGuard{names: ownNames(e.ready, e.o.StorageHost), next: newControl(e).handler(controlPath)}
	services := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch defenderEndpoint(r) {
		case faults.Graph:
			e.tenants.asked(r).hunting.Graph().ServeHTTP(w, r)
		case faults.XDR:
			e.tenants.asked(r).hunting.XDR().ServeHTTP(w, r)
		case faults.MDE:
			e.tenants.asked(r).hunting.MDE().ServeHTTP(w, r)
		case faults.Assessment:
			e.tenants.asked(r).assessment.ServeHTTP(w, r)
		default:
			e.entra.ServeHTTP(w, r)
		}
	})
	disturbed := e.faults.Middleware(defenderEndpoint, services)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == controlPath || strings.HasPrefix(r.URL.Path, controlPath+"/") {
			control.ServeHTTP(w, r)
			return
		}
		disturbed.ServeHTTP(w, r)
	})
}

// newControl is the control API of an emulator.
func newControl(e *Emulator) *control {
	c := &control{
		stats:  func() any { return e.Stats() },
		landed: e.landed,
		faults: e.faults,
		list:   func() any { return readyTenants(e) },
	}
	for _, o := range e.tenants.list {
		c.tenants = append(c.tenants, &tenantControl{
			name: o.Name, database: o.Database,
			stats:   func() any { return o.stats() },
			advance: func(days, hours int) { e.tenants.advance(o, days, hours) },
			move:    o.data.Move,
			drift:   o.data.Drift,
			insert:  o.data.Insert,
			truth:   func(ctx context.Context, query string) (result, error) { return o.state().run(ctx, query) },

			silence:   o.data.Silence,
			reinstall: o.data.Reinstall,
			retire:    o.data.Retire,
			vanished: func(ctx context.Context, name string, from, to time.Time) (result, error) {
				return vanished(ctx, o.data, name, from, to)
			},
			consent: func(c entra.Consent) error { return e.Consent(o.Name, c) },
			down:    func(down bool) error { return e.SetClusterDown(o.Name, down) },
		})
	}
	return c
}

// defenderEndpoint says which service of the Defender side a request is for.
func defenderEndpoint(r *http.Request) faults.Endpoint {
	path := r.URL.Path
	switch {
	case strings.HasPrefix(path, "/v1.0/"), strings.HasPrefix(path, "/beta/"):
		return faults.Graph
	case strings.HasPrefix(path, "/api/advancedqueries"):
		return faults.MDE
	case assessment.Serves(path):
		return faults.Assessment
	case strings.HasPrefix(path, "/api/"):
		return faults.XDR
	case r.Method == http.MethodPost && strings.HasSuffix(path, "/token"), path == entra.IMDSPath, path == entra.AppServicePath:
		return faults.Token
	case strings.HasSuffix(path, "/.well-known/openid-configuration"), strings.HasSuffix(path, "/discovery/instance"):
		return faults.Discovery
	}
	return ""
}
