package engine

import (
	"context"
	"errors"
	"fmt"

	"github.com/tvmexport/tvmexport"
)

// unsupported is the error of an operation that needs an ability which the
// destination does not have. It wraps errors.ErrUnsupported.
func unsupported(op, table, lacks, hint string) error {
	return &tvmexport.Error{
		Op: op, Table: table, Action: tvmexport.Stop, Cause: tvmexport.Usage,
		Err: fmt.Errorf("the destination %s: %w", lacks, errors.ErrUnsupported), Hint: hint,
	}
}

// unsupportedSource is unsupported for an ability of a table's source.
func unsupportedSource(op, table, lacks, hint string) error {
	return &tvmexport.Error{
		Op: op, Table: table, Action: tvmexport.Stop, Cause: tvmexport.Usage,
		Err: fmt.Errorf("the source of the table %s: %w", lacks, errors.ErrUnsupported), Hint: hint,
	}
}

// checkObjects is checkTables for a run, which checks what rows need on their way only
// before it lands any (see checkLanding).
func checkObjects(ctx context.Context, d tvmexport.Destination, tables []tvmexport.Table) (map[string]error, error) {
	if c, ok := tvmexport.Ability[tvmexport.LandingChecker](d); ok {
		return c.CheckObjects(ctx, tables)
	}
	return checkTables(ctx, d, tables)
}

// checkTables checks what the destination needs for the tables. A destination
// that is no TableChecker creates it itself.
func checkTables(ctx context.Context, d tvmexport.Destination, tables []tvmexport.Table) (map[string]error, error) {
	c, ok := tvmexport.Ability[tvmexport.TableChecker](d)
	if !ok {
		return nil, nil
	}
	return c.CheckTables(ctx, tables)
}

// checkLanding checks what a destination that is a LandingChecker has not checked with
// the tables. It is called before the first row of a run lands.
func checkLanding(ctx context.Context, d tvmexport.Destination, t tvmexport.Table) error {
	c, ok := tvmexport.Ability[tvmexport.LandingChecker](d)
	if !ok {
		return nil
	}
	return c.CheckLanding(ctx, t)
}

// syncSchema adapts what readers use to the table's columns. A destination that
// is no SchemaSyncer takes the columns from each publication.
func syncSchema(ctx context.Context, d any, t tvmexport.Table) (changes []string, err error) {
	s, ok := tvmexport.Ability[tvmexport.SchemaSyncer](d)
	if !ok {
		return nil, nil
	}
	return s.SyncSchema(ctx, t)
}

func hourlyCounts(ctx context.Context, d any, t tvmexport.Table, w tvmexport.Window) ([]tvmexport.Count, error) {
	c, ok := tvmexport.Ability[tvmexport.LateRowCounter](d)
	if !ok {
		return nil, noLateRows(t)
	}
	return c.HourlyCounts(ctx, t, w)
}

func countMissing(ctx context.Context, d any, run tvmexport.Run, late []tvmexport.BatchInfo) (map[tvmexport.BatchID]int64, error) {
	c, ok := tvmexport.Ability[tvmexport.LateRowCounter](d)
	if !ok {
		return nil, noLateRows(run.Table)
	}
	return c.CountMissing(ctx, run, late)
}

// noLateRows is the error of a run that has to export published windows again,
// into a destination that is no LateRowCounter: their rows would be there twice.
func noLateRows(t tvmexport.Table) error {
	return unsupported("plan", t.Name, "cannot compare landed rows with published ones, so published windows cannot be exported again", "export the whole table again with a full run")
}

// withoutLateRows prepares a plan for a destination that is no LateRowCounter.
// Published hours are not counted again, which a note says. A plan that has to
// export published windows again is an error.
func (p *Plan) withoutLateRows() error {
	if p.Run.Kind == tvmexport.FullRun || p.Run.Table.LoadType == tvmexport.Snapshot {
		return nil
	}
	if len(p.Again) > 0 || p.Reconciles {
		return noLateRows(p.Run.Table)
	}
	if p.Recount > 0 {
		p.Recount = 0
		p.note("the destination cannot compare landed rows with published ones: rows that reached the source late are not exported")
	}
	return nil
}
