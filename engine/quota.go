package engine

import (
	"context"
	"maps"

	"github.com/tvmexport/tvmexport"
)

// ShareQuota is for operations that call the source and are no Run, such as Plan and
// Verify. The source begins with what other invocations have called. record writes
// into the ledger what the source has called itself, so that the invocations that
// follow begin with it. Nothing is shared if no source is a Meter.
func (e *Exporter) ShareQuota(ctx context.Context) (record func(context.Context) error, err error) {
	nothing := func(context.Context) error { return nil }
	if !e.metered() {
		return nothing, nil
	}
	owner := e.Owner + " " + newID()
	others, err := e.Destination.QuotaUsage(ctx, owner)
	if err != nil {
		return nothing, err
	}
	e.beginQuota(others)
	return func(ctx context.Context) error {
		usage := e.quotaUsage()
		if len(usage.Calls) == 0 && len(usage.Endpoints) == 0 {
			return nil
		}
		_, err := e.Destination.Acquire(ctx, tvmexport.Lease{Owner: owner, Term: defaultTerm, QuotaUsage: usage})
		return err
	}, nil
}

// ownMeters are the Meters among the sources of single tables; one source of several
// tables is there as often.
func (e *Exporter) ownMeters() (out []tvmexport.Meter) {
	for _, s := range e.Sources {
		if m, ok := tvmexport.Ability[tvmexport.Meter](s); ok {
			out = append(out, m)
		}
	}
	return out
}

// metered returns whether a source is a Meter.
func (e *Exporter) metered() bool {
	_, ok := tvmexport.Ability[tvmexport.Meter](e.Source)
	return ok || len(e.ownMeters()) > 0
}

// beginQuota begins with what other invocations have called. Sources of single tables
// learn of Endpoints only: the other calls count against the quota of Source. Source
// is last, since a source of a table may be a wrapper of it.
func (e *Exporter) beginQuota(others []tvmexport.QuotaUsage) {
	var endpoints []tvmexport.QuotaUsage
	for _, u := range others {
		if len(u.Endpoints) > 0 {
			endpoints = append(endpoints, tvmexport.QuotaUsage{Endpoints: u.Endpoints})
		}
	}
	for _, m := range e.ownMeters() {
		m.Begin(endpoints)
	}
	if m, ok := tvmexport.Ability[tvmexport.Meter](e.Source); ok {
		m.Begin(others)
	}
}

// quotaUsage is what all sources have called: Source, and the Endpoints of all of them.
func (e *Exporter) quotaUsage() tvmexport.QuotaUsage {
	var out tvmexport.QuotaUsage
	if m, ok := tvmexport.Ability[tvmexport.Meter](e.Source); ok {
		out = m.QuotaUsage()
	}
	endpoints := maps.Clone(out.Endpoints)
	for _, m := range e.ownMeters() {
		for name, own := range m.QuotaUsage().Endpoints {
			if endpoints == nil {
				endpoints = map[string]tvmexport.QuotaUsage{}
			}
			endpoints[name] = own
		}
	}
	out.Endpoints = endpoints
	return out
}
