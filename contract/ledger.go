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
	tvmexport.QuotaUsage
	at time.Time
}

// understoodShape is the highest number of a stored shape that the fake understands.
const understoodShape = 1

// understands is an error if another program has written a higher number.
func understands(stored func() tvmexport.StoredShape, op, table string) error {
	if stored == nil {
		return nil
	}
	return stored().Beyond(op, table, understoodShape)
}

// QuotaUsage implements tvmexport.Destination.
func (d *Destination) QuotaUsage(_ context.Context, owner string) ([]tvmexport.QuotaUsage, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := understands(d.OnShape, "read ledger", ""); err != nil {
		return nil, err
	}
	var out []tvmexport.QuotaUsage
	for by, s := range d.spent {
		if by != owner && time.Since(s.at) < time.Hour {
			out = append(out, s.QuotaUsage)
		}
	}
	return out, nil
}

var errInterrupted = errors.New("the run was interrupted")

// PendingAudits implements tvmexport.Destination.
func (d *Destination) PendingAudits(_ context.Context, owner string) ([]tvmexport.InvocationEnd, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var out []tvmexport.InvocationEnd
	for _, by := range slices.Sorted(maps.Keys(d.leases)) {
		l := d.leases[by]
		if by == owner || d.audited[by] || !l.released && l.expires.After(time.Now()) {
			continue
		}
		c := tvmexport.InvocationEnd{Owner: by}
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
