package contract

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/tvmexport/tvmexport"
)

// lease is what an invocation has ever held.
type lease struct {
	tables   []string
	expires  time.Time
	released bool
}

// spent is what an invocation has noted of the source's quota, and when.
type spent struct {
	tvmexport.Spending
	at time.Time
}

// Spent implements tvmexport.Destination.
func (d *Destination) Spent(_ context.Context, owner string) ([]tvmexport.Spending, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var out []tvmexport.Spending
	for by, s := range d.spent {
		if by != owner && time.Since(s.at) < time.Hour {
			out = append(out, s.Spending)
		}
	}
	return out, nil
}

var errInterrupted = errors.New("the run was interrupted")

// Unaudited implements tvmexport.Destination.
func (d *Destination) Unaudited(_ context.Context, owner string) ([]tvmexport.Closing, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var out []tvmexport.Closing
	for _, by := range slices.Sorted(maps.Keys(d.leases)) {
		l := d.leases[by]
		if by == owner || d.audited[by] || !l.released && l.expires.After(time.Now()) {
			continue
		}
		c := tvmexport.Closing{Owner: by}
		for _, name := range l.tables {
			c.Outcomes = append(c.Outcomes, d.outcome(by, name))
		}
		if len(c.Outcomes) > 0 {
			out = append(out, c)
		}
	}
	return out, nil
}

// outcome is what the ledger says of a table of an invocation: what it said
// itself at its end, else whether it has committed.
func (d *Destination) outcome(owner, table string) tvmexport.Outcome {
	o := tvmexport.Outcome{Table: table, Err: errInterrupted}
	for _, said := range d.ended[owner] {
		if said.Table == table {
			o = said
		}
	}
	o.Rows = 0
	for _, c := range d.commits[table] {
		if c.Owner == owner {
			o.Run, o.Rows = c.Run.ID, o.Rows+c.Rows
			if errors.Is(o.Err, errInterrupted) {
				o.Err = nil
			}
		}
	}
	return o
}
