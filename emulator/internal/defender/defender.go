// Package defender emulates the advanced hunting APIs of Microsoft Defender XDR:
// Microsoft Graph's runHuntingQuery and the two older ones that it replaces, as
// http.Handlers over a catalog of tables.
//
//	Graph  POST /v1.0/security/runHuntingQuery   (also /beta, also by its qualified name)
//	XDR    POST /api/advancedhunting/run
//	MDE    POST /api/advancedqueries/run
//
// See https://learn.microsoft.com/graph/api/security-security-runhuntingquery,
// https://learn.microsoft.com/defender-xdr/api-advanced-hunting and
// https://learn.microsoft.com/defender-endpoint/api/run-advanced-query-api.
//
// Each front has its own casing, envelope, row form and error shape. An answer is
// spooled before its first byte is sent, since the service reports a result that
// is too large with a status. Rows beyond the row quota are cut silently, as in
// the service.
package defender

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/tvmexport/tvmexport/emulator/entra"
	"github.com/tvmexport/tvmexport/emulator/internal/callquota"
	"github.com/tvmexport/tvmexport/emulator/internal/disk"
	"github.com/tvmexport/tvmexport/emulator/internal/kql"
)

// Options says what a Service answers from. Catalog and Verify are required.
type Options struct {
	// Catalog is the tenant's tables as they are now. It is asked once per query,
	// so that a query sees one state.
	Catalog func() kql.Catalog
	// Verify checks a bearer token for one of the audiences.
	Verify func(ctx context.Context, token string, audiences ...string) (entra.Claims, error)
	// TenantNow is the clock of the data, of now() in a query; nil means Now.
	TenantNow func() time.Time
	// Now is the wall clock, of quotas and error bodies; nil means time.Now.
	Now func() time.Time

	Quota Quota
	Wire  Wire
	// Disk is where large answers are spooled.
	Disk disk.Folder
	// Hidden is how many rows of each table are hidden from the request with a
	// context, the first that a scan yields; nil hides none.
	Hidden func(ctx context.Context) int
	// Record receives every query that was accepted for compiling; nil is allowed.
	Record func(front, query string)
}

// Wire holds what was seen both ways, or never, on the real services. The zero
// Wire is what the captures show.
type Wire struct {
	Int64Sidecars     bool // Graph: "X@odata.type":"#Int64" next to every long column
	NullAsNull        bool // Graph: null where captures have {}
	GraphRetryAfter   bool // Graph: Retry-After with a 429; the documentation does not promise it
	RawDeflate        bool // Content-Encoding: deflate without the zlib frame, as some .NET services send it
	OldResultSizeText bool // "limiting the number of results" for "limiting the amount of results"
}

// Service is the advanced hunting of one tenant. Its fronts share quotas and
// counters and are safe for concurrent use.
type Service struct {
	o      Options
	calls  map[string]*callquota.Windows
	cpu    cpuCycle
	counts map[string]*counters
}

// New makes a Service.
func New(o Options) (*Service, error) {
	if o.Catalog == nil || o.Verify == nil {
		return nil, fmt.Errorf("defender: Options.Catalog and Options.Verify are required")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.TenantNow == nil {
		o.TenantNow = o.Now
	}
	s := &Service{o: o, calls: map[string]*callquota.Windows{}, counts: map[string]*counters{}}
	s.cpu = cpuCycle{budget: o.Quota.CPU, length: o.Quota.CPUCycle}
	for _, f := range []dialect{graphDialect{}, xdrDialect{}, mdeDialect{}} {
		name := f.traits().name
		s.calls[name] = newCallWindows(o.Quota, f.traits().hourly)
		s.counts[name] = &counters{}
	}
	return s, nil
}

// Graph is the front at https://graph.microsoft.com.
func (s *Service) Graph() http.Handler { return &front{s, graphDialect{s.o.Wire}} }

// XDR is the front at https://api.security.microsoft.com.
func (s *Service) XDR() http.Handler { return &front{s, xdrDialect{}} }

// MDE is the front at https://api.securitycenter.microsoft.com, which serves the
// tables of Defender for Endpoint only.
func (s *Service) MDE() http.Handler { return &front{s, mdeDialect{}} }

// Stats are the counters per front: graph, xdr and mde.
func (s *Service) Stats() map[string]Stats {
	all := make(map[string]Stats, len(s.counts))
	for name, c := range s.counts {
		all[name] = c.stats()
	}
	return all
}
