package contract

import (
	"context"
	"fmt"
	"slices"

	"github.com/tvmexport/tvmexport"
)

// SyncSchema implements tvmexport.Destination. The typed table is taken to be as the
// first call shows it.
func (d *Destination) SyncSchema(_ context.Context, t tvmexport.Table) (changes []string, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.init()
	d.Fitted = append(d.Fitted, t)
	have, made := d.typed[t.Name]
	for _, c := range t.Visible() {
		if i := slices.IndexFunc(have, func(h tvmexport.Column) bool { return h.Name == c.Name }); i >= 0 && have[i].Type != c.Type {
			c.Name += "_" + c.Type
		}
		if slices.Contains(have, c) {
			continue
		}
		have = append(slices.Clip(have), c)
		if made {
			changes = append(changes, fmt.Sprintf("column %s:%s was added to table %s", c.Name, c.Type, t.Typed()))
		}
	}
	d.typed[t.Name] = have
	return changes, nil
}

// Backfill implements tvmexport.Destination: here records are all there is, so
// that it only says of which runs they are there.
func (d *Destination) Backfill(_ context.Context, t tvmexport.Table) (tvmexport.Backfilled, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	out := tvmexport.Backfilled{Table: t}
	for _, c := range d.commits[t.Name] {
		rows := int64(0)
		for _, r := range d.published[t.Name] {
			if r.Run == c.Run.ID {
				rows++
			}
		}
		switch {
		case c.Rows == 0:
		case rows == c.Rows:
			out.Runs, out.Rows = out.Runs+1, out.Rows+rows
		default:
			out.Short++
		}
	}
	return out, nil
}

// Lose deletes the published records of a run.
func (d *Destination) Lose(table string, run tvmexport.RunID) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.published[table] = slices.DeleteFunc(d.published[table], func(r Published) bool { return r.Run == run })
}
