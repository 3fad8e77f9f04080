package engine

import (
	"context"

	"github.com/tvmexport/tvmexport"
)

// ShareQuota is for operations that call the source and are no Run, such as Plan and
// Verify. The source begins with what other invocations have called. record writes
// into the ledger what the source has called itself, so that the invocations that
// follow begin with it. Nothing is shared if the source is not a Meter.
func (e *Exporter) ShareQuota(ctx context.Context) (record func(context.Context) error, err error) {
	nothing := func(context.Context) error { return nil }
	m, ok := tvmexport.Ability[tvmexport.Meter](e.Source)
	if !ok {
		return nothing, nil
	}
	owner := e.Owner + " " + newID()
	others, err := e.Destination.QuotaUsage(ctx, owner)
	if err != nil {
		return nothing, err
	}
	m.Begin(others)
	return func(ctx context.Context) error {
		usage := m.QuotaUsage()
		if len(usage.Calls) == 0 {
			return nil
		}
		_, err := e.Destination.Acquire(ctx, tvmexport.Lease{Owner: owner, Term: defaultTerm, QuotaUsage: usage})
		return err
	}, nil
}
