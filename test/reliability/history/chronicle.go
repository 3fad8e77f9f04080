package main

import (
	"context"
	"fmt"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/emulator"
	"github.com/tvmexport/tvmexport/engine"
	"github.com/tvmexport/tvmexport/test/reliability/past"
	"github.com/tvmexport/tvmexport/test/reliability/rig"
)

// entry is a day of a tenant's life: what the source held, and when the runs
// that copied it were committed.
type entry struct {
	day     int
	state   emulator.State
	truth   map[string]emulator.Digest
	columns map[string][]tvmexport.Column
	at      map[string]time.Time // of the commit, by the destination's clock
	results map[string]engine.Result
}

// chronicle is a tenant's life as it was exported, a run a day.
type chronicle struct {
	rig     *rig.Rig
	entries []entry
	frozen  bool // columns that appear at the source are not shown
}

// live lets days pass, one run on each. before is called ahead of each run but
// the first.
func (c *chronicle) live(ctx context.Context, days int, before func(day int) error, log func(e entry, took time.Duration)) error {
	for day := range days {
		if day > 0 {
			c.rig.Emulator.Tenant().Advance(1)
			if before != nil {
				if err := before(day); err != nil {
					return err
				}
			}
		}
		began := time.Now()
		results, err := c.rig.Run(ctx, engine.Request{})
		if err != nil {
			return fmt.Errorf("day %d: %w", day, err)
		}
		took := time.Since(began)
		e, err := c.enter(ctx, day, results)
		if err != nil {
			return fmt.Errorf("day %d: %w", day, err)
		}
		c.entries = append(c.entries, e)
		log(e, took)
	}
	return nil
}

// enter records the source as it is, and the newest commits.
func (c *chronicle) enter(ctx context.Context, day int, results map[string]engine.Result) (entry, error) {
	e := entry{
		day: day, state: c.rig.Emulator.State(), results: results,
		truth: map[string]emulator.Digest{}, columns: map[string][]tvmexport.Column{},
	}
	for _, t := range c.rig.Tables {
		var err error
		if e.truth[t.Name], err = e.state.Truth(ctx, t.Name); err != nil {
			return e, err
		}
		if e.columns[t.Name], err = schema(e.state.Rows(ctx, t.Name+" | getschema")); err != nil {
			return e, err
		}
	}
	var err error
	e.at, err = past.Commits(ctx, c.rig.Emulator)
	return e, err
}
