package exports_test

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/tvmexport/tvmexport/engine"
	"github.com/tvmexport/tvmexport/test/reliability/exports"
)

// judge compares what readers see of a table that was exported with the states that the
// source had since the run began.
func (w *world) judge(ctx context.Context, t exports.Table, states []state) {
	seen, err := w.rig.Emulator.Landed(ctx, "", t.Readers)
	if err != nil {
		w.fail("%s: %v", t.Name, err)
		return
	}
	w.tally.held()
	if slices.ContainsFunc(states, func(s state) bool { return s[t.Name] == seen }) {
		return
	}
	w.fail("%s: readers see %d rows that are no snapshot; the first has %d, the last %d; %s",
		t.Name, seen.Rows, states[0][t.Name].Rows, states[len(states)-1][t.Name].Rows, w.difference(ctx, t))
}

// difference compares readers with the source as it is now, row by row. Its text has the
// words lost and duplicated where rows are.
func (w *world) difference(ctx context.Context, t exports.Table) string {
	source := map[string]int{}
	for row, err := range w.rig.Emulator.State().Rows(ctx, t.Truth) {
		if err != nil {
			return err.Error()
		}
		source[string(row)]++
	}
	lost, twice, foreign := 0, 0, 0
	example := ""
	readers := map[string]int{}
	for row, err := range w.rig.Emulator.LandedRows(ctx, "", t.Readers) {
		if err != nil {
			return err.Error()
		}
		readers[string(row)]++
	}
	for row, n := range readers {
		switch {
		case source[row] == 0:
			foreign++
			example = row
		case n > source[row]:
			twice++
		}
	}
	for row, n := range source {
		if readers[row] < n {
			lost++
		}
	}
	var parts []string
	for _, p := range []struct {
		n    int
		what string
	}{{lost, "rows are lost"}, {twice, "rows are duplicated"}, {foreign, "rows are of no device as it is now, such as " + example}} {
		if p.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", p.n, p.what))
		}
	}
	return strings.Join(parts, ", ")
}

// further checks that each row that readers see has the members that the catalogue does
// not know.
func (w *world) further(ctx context.Context, t exports.Table) {
	d, err := w.rig.Emulator.Landed(ctx, "", t.Name+` | where column_ifexists("LaterText", "") != "t" or isnull(column_ifexists("LaterBag", dynamic(null)))`)
	if err != nil || d.Rows > 0 {
		w.fail("%s: %d rows lack the members that the catalogue does not know: %v", t.Name, d.Rows, err)
	}
}

// noted says whether a run tells that files were empty.
func noted(r engine.Result) bool {
	return slices.ContainsFunc(r.Notes, func(n string) bool { return strings.Contains(n, "files without rows") })
}
