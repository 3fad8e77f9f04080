package engine

import (
	"context"
	"fmt"

	"github.com/tvmexport/tvmexport"
)

// Backfill rebuilds the typed rows of tables from their records. It fills columns
// that were not shown when a run was published, if the records still exist.
// Readers see each run before or after the rebuild, never in between.
func (e *Exporter) Backfill(ctx context.Context, tables []string) ([]tvmexport.Backfilled, error) {
	typed, ok := tvmexport.Ability[tvmexport.Backfiller](e.Destination)
	if !ok {
		return nil, unsupported("refill", "", "does not keep records and typed rows apart", "export the whole tables again with a full run")
	}
	orders, err := e.orders(ctx)
	if err != nil {
		return nil, err
	}
	if orders, err = choose(orders, tables); err != nil {
		return nil, err
	}
	v := &invocation{exporter: e, owner: e.Owner + " " + newID(), orders: orders, results: make([]Result, len(orders))}
	for i, o := range orders {
		v.results[i].Table, v.results[i].Err = v.exporter.table(ctx, o)
	}
	v.fail(checkTables(ctx, v.exporter.Destination, v.healthy()))
	v.fail(v.acquire(ctx))
	v.leased = v.healthy()
	if err := v.newer(); err != nil {
		return nil, err
	}
	out := make([]tvmexport.Backfilled, len(orders))
	if len(v.leased) > 0 {
		held, stop := keepLease(ctx, v.exporter.Destination, v.lease, v.term())
		history, err := v.exporter.Destination.History(held, v.leased)
		v.fail(nil, err)
		for i := range v.results {
			if r := &v.results[i]; r.Err == nil {
				out[i], r.Err = v.refill(held, typed, r.Table, history[r.Table.Name])
			}
		}
		stop()
		err = v.giveBack(ctx)
		v.fail(nil, err)
	}
	for i, r := range v.results {
		out[i].Table, out[i].Err = r.Table, r.Err
	}
	return out, nil
}

func (v *invocation) refill(ctx context.Context, typed tvmexport.Backfiller, t tvmexport.Table, h tvmexport.History) (tvmexport.Backfilled, error) {
	fail := func(code tvmexport.Code, hint, format string, args ...any) (tvmexport.Backfilled, error) {
		return tvmexport.Backfilled{}, &tvmexport.Error{Op: "refill", Table: t.Name, Action: tvmexport.Stop, Cause: tvmexport.Rejected, Err: fmt.Errorf(format, args...), Hint: hint, Code: code}
	}
	switch {
	case t.Layout != "" && t.Layout != tvmexport.Both:
		return fail("", "set layout to both", "the layout is %s: refill requires both typed rows and records", t.Layout)
	case h.Last == nil:
		return fail(tvmexport.NoCommittedRun, "export the table first", "the ledger has no committed run")
	case h.Publishing != nil:
		return fail(tvmexport.UnfinishedPublication, "the next run finishes it", "the publication of run %s has not finished", h.Publishing.Run.ID)
	}
	t = shapeOf(h.Last, t)
	if t.Drift == tvmexport.Evolve || t.Drift == "" {
		t.Shown = nil // show columns that only the records have
	}
	if _, err := syncSchema(ctx, v.exporter.Destination, t); err != nil {
		return tvmexport.Backfilled{}, err
	}
	return typed.Backfill(ctx, t)
}

// giveBack ends an invocation that made no run.
func (v *invocation) giveBack(ctx context.Context) error {
	if err := v.newer(); err != nil {
		return err
	}
	ctx, cancel := v.grace.context(ctx)
	defer cancel()
	return v.exporter.Destination.EndInvocation(ctx, tvmexport.InvocationEnd{Owner: v.owner, Tables: v.leased})
}
