package emulator

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/tvmexport/tvmexport/emulator/entra"
	"github.com/tvmexport/tvmexport/emulator/faults"
	"github.com/tvmexport/tvmexport/emulator/internal/assessment"
	"github.com/tvmexport/tvmexport/emulator/internal/tenant"
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
		if u, err := url.Parse(address); err == nil {
			hosts[u.Host] = handler
		}
	}
	return transport{handler: func(host string) http.Handler {
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
func (e *Emulator) routeDefender() http.Handler {
	var control http.Handler = controlGuard{names: ownNames(e.ready, e.o.StorageHost), next: (&control{
		advance: func(days, hours int) error {
			e.tenant.Advance(days)
			e.tenant.AdvanceHours(hours)
			return nil
		},
		move:   func(share float64) (tenant.Change, error) { return e.tenant.Move(share), nil },
		drift:  e.tenant.Drift,
		insert: e.tenant.Insert,
		stats:  func() any { return e.Stats() },
		truth:  func(ctx context.Context, query string) (result, error) { return e.State().run(ctx, query) },
		landed: e.landed,
		faults: e.faults,

		silence:   e.tenant.Silence,
		reinstall: e.tenant.Reinstall,
		retire:    e.tenant.Retire,
		vanished: func(ctx context.Context, name string, from, to time.Time) (result, error) {
			return vanished(ctx, e.tenant, name, from, to)
		},
	}).handler(controlPath)}
	graph, xdr, mde := e.hunting.Graph(), e.hunting.XDR(), e.hunting.MDE()
	services := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch defenderEndpoint(r) {
		case faults.Graph:
			graph.ServeHTTP(w, r)
		case faults.XDR:
			xdr.ServeHTTP(w, r)
		case faults.MDE:
			mde.ServeHTTP(w, r)
		case faults.Assessment:
			e.assessment.ServeHTTP(w, r)
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
