package main

import (
	"context"
	"fmt"

	"github.com/tvmexport/tvmexport/emulator/faults"
)

// firstTables are the tables of the first versions' story: those versions knew neither
// typed tables nor an import.
var firstTables = []string{claimed, landed, arriving, failing}

// first is the story for the first versions of the program: two exports, and processes that are killed. They need
// nothing of the program that came later.
func (w *world) first(ctx context.Context) error {
	args := []string{"init"}
	for _, t := range firstTables {
		args = append(args, "--table", t)
	}
	if _, err := w.exits(0, args...); err != nil {
		return err
	}
	for day := range 2 {
		if day > 0 {
			w.advance()
		}
		if _, err := w.exits(0, "run", "--json"); err != nil {
			return err
		}
	}
	w.advance()
	claim := []string{".set-or-append ExportRuns", `State = "publishing"`}
	for _, d := range []struct {
		table string
		at    moment
	}{
		{claimed, moment{at: faults.KustoMgmt, has: claim, after: true}},
		{landed, moment{at: faults.KustoMgmt, has: claim}},
		{arriving, moment{at: faults.Queue, has: []string{"messages"}, nth: 1, after: true}},
	} {
		if err := w.killed(d.table, d.at); err != nil {
			return err
		}
	}
	return w.lookFirst(ctx)
}

// lookFirst keeps what the source holds and what readers see.
func (w *world) lookFirst(ctx context.Context) error {
	if err := w.ended(ctx, claimed, landed, arriving); err != nil {
		return err
	}
	for _, t := range firstTables {
		var err error
		if w.record.Source[t], err = w.server.Truth(ctx, t); err != nil {
			return err
		}
		for _, query := range []string{
			t,
			fmt.Sprintf("%sRaw | summarize Rows = count() by RunId", t),
			fmt.Sprintf("%sLanding | extend Records = parse_json(tostring(Records))", t),
		} {
			if w.record.Queries[query], err = w.server.Landed(ctx, "", query); err != nil {
				return err
			}
		}
	}
	return nil
}
