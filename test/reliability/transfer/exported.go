package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/assessment"
	"github.com/tvmexport/tvmexport/emulator"
	"github.com/tvmexport/tvmexport/engine"
	"github.com/tvmexport/tvmexport/spool"
	"github.com/tvmexport/tvmexport/test/reliability/exports"
	"github.com/tvmexport/tvmexport/test/reliability/rig"
)

// ofExports is the table of the export assessment APIs with most rows.
const ofExports = "TvmSoftwareVulnerabilities"

// mostLanded is how many rows are landed after a change, as a share of the table.
const mostLanded = 0.03

// landing is what one run landed.
type landing struct {
	rows   int64 // of the table
	landed int64
	calls  int
}

// runExported makes three runs and prints them.
func runExported(ctx context.Context, o emulator.Options) error {
	fmt.Println(ofExports)
	runs, c, err := exported(ctx, o)
	if err != nil {
		return err
	}
	for i, what := range []string{"full export", fmt.Sprintf("%d devices changed, %d joined, %d left", c.Changed, c.Added, c.Retired), "nothing changed"} {
		fmt.Printf("  %-50s %8d of %8d rows landed, %d calls\n", what, runs[i].landed, runs[i].rows, runs[i].calls)
	}
	return tooMuch(runs)
}

// tooMuch says in which way runs landed more than they may.
func tooMuch(runs [3]landing) error {
	switch changed, still := runs[1], runs[2]; {
	case float64(changed.landed) > mostLanded*float64(changed.rows):
		return fmt.Errorf("%s: %d rows of %d were landed, more than %.0f %%", ofExports, changed.landed, changed.rows, 100*mostLanded)
	case still.landed > 0:
		return fmt.Errorf("%s: %d rows were landed though nothing has changed", ofExports, still.landed)
	}
	return nil
}

// exported makes a full run, one after a share of the devices has changed, and one after
// nothing has.
func exported(ctx context.Context, o emulator.Options) (runs [3]landing, c emulator.Change, err error) {
	o.ChangeRate = 1e-9 // no device changes until the next snapshot but those that are moved
	r, err := rig.New(ctx, rig.Options{Emulator: o, Tables: []string{ofExports}})
	if err != nil {
		return runs, c, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	source, err := r.Exports(assessment.Options{}, spool.Options{})
	if err != nil {
		return runs, c, err
	}
	defer source.Close()
	r.Exporter.Sources = map[string]tvmexport.Source{ofExports: source}
	for i := range runs {
		if i == 1 {
			c = r.Emulator.Tenant().Move(share)
			r.Emulator.Tenant().AdvanceHours(untilSnapshot)
		}
		if runs[i], err = land(ctx, r); err != nil {
			return runs, c, err
		}
	}
	return runs, c, nil
}

// untilSnapshot are hours in which a snapshot is taken and can be read: there is one every
// six hours.
const untilSnapshot = 7

// land makes a run and compares what readers see with the source.
func land(ctx context.Context, r *rig.Rig) (landing, error) {
	results, err := r.Run(ctx, engine.Request{})
	if err != nil {
		return landing{}, err
	}
	t, _ := exports.Lookup(ofExports)
	truth, err := r.Emulator.Truth(ctx, t.Truth)
	if err != nil {
		return landing{}, err
	}
	seen, err := r.Emulator.Landed(ctx, "", t.Readers)
	if err != nil {
		return landing{}, err
	}
	if truth != seen {
		return landing{}, fmt.Errorf("%s: readers see %d rows, the source has %d, and they are not the same", ofExports, seen.Rows, truth.Rows)
	}
	return landing{truth.Rows, results[ofExports].Fetched, results[ofExports].Calls}, nil
}
