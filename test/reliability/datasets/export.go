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

// compared is a table that was exported.
type compared struct {
	table  string
	via    assessment.Via
	calls  int
	source emulator.Digest
	seen   emulator.Digest // by readers
}

func (c compared) String() string {
	verdict := "equal"
	if c.source != c.seen {
		verdict = fmt.Sprintf("DIFFERENT: the source has %d", c.source.Rows)
	}
	return fmt.Sprintf("%-32s %-5s %9d rows %4d calls  %s", c.table, c.via, c.seen.Rows, c.calls, verdict)
}

// wrong says what is wrong with what readers see; nil if nothing is.
func (c compared) wrong() error {
	switch {
	case c.source != c.seen:
		return fmt.Errorf("%s by %s: readers see %d rows, the source has %d, and they are not the same", c.table, c.via, c.seen.Rows, c.source.Rows)
	case c.seen.Rows == 0:
		return fmt.Errorf("%s by %s: there are no rows to compare", c.table, c.via)
	}
	return nil
}

// export exports all tables of a tenant in one way, where a table has it, and compares
// them. A day has passed at the source, so that there are changes.
func export(ctx context.Context, o emulator.Options, via assessment.Via) (out []compared, err error) {
	quota := emulator.DocumentedQuota()
	o.Quota = &quota
	tables := exports.Tables()
	var names []string
	for _, t := range tables {
		names = append(names, t.Name)
	}
	r, err := rig.New(ctx, rig.Options{Emulator: o, Tables: names})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	r.Emulator.Tenant().Advance(1)
	source, err := r.Exports(assessment.Options{Via: via}, spool.Options{})
	if err != nil {
		return nil, err
	}
	defer source.Close()
	r.Exporter.Lag = 0 // the newest changes too
	r.Exporter.Sources = map[string]tvmexport.Source{}
	for _, t := range tables {
		r.Exporter.Sources[t.Name] = source
	}
	results, err := r.Run(ctx, engine.Request{})
	if err != nil {
		return nil, err
	}
	for _, t := range tables {
		c := compared{table: t.Name, via: t.Via(via), calls: results[t.Name].Calls}
		if c.source, err = r.Emulator.Truth(ctx, t.Truth); err != nil {
			return nil, err
		}
		if c.seen, err = r.Emulator.Landed(ctx, "", t.Readers); err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, nil
}
