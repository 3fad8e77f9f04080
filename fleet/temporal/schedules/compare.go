package schedules

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
)

// Kind is what is done about a schedule.
type Kind string

// The kinds of changes.
const (
	Keep   Kind = "keep"
	Create Kind = "create"
	Alter  Kind = "change"
	Pause  Kind = "pause"
	Resume Kind = "resume"
)

// Change is what is done about the schedule of one tenant.
type Change struct {
	Tenant string
	Kind   Kind
	What   []string // what becomes of which value, of a change; why, of the others
	To     Schedule // as it is then
}

// Compare returns what makes the schedules that were found those that are wanted, by
// tenant. Schedules of tenants that are not wanted are paused if they are gone, and
// never deleted. What somebody else has paused stays paused.
func Compare(wanted, found []Schedule, gone func(tenant string) bool) []Change {
	existing := map[string]Schedule{}
	for _, f := range found {
		existing[f.Tenant] = f
	}
	var out []Change
	for _, w := range wanted {
		if f, ok := existing[w.Tenant]; ok {
			out = append(out, adapt(f, w))
			delete(existing, w.Tenant)
			continue
		}
		c := Change{Tenant: w.Tenant, Kind: Create, What: []string{w.When()}, To: w}
		if w.never() { // a schedule that never runs need not exist
			c.Kind, c.What = Keep, []string{"the schedule of the tenant is off"}
		}
		out = append(out, c)
	}
	for _, f := range existing {
		if gone(f.Tenant) {
			out = append(out, leave(f))
		}
	}
	slices.SortFunc(out, func(a, b Change) int { return cmp.Compare(a.Tenant, b.Tenant) })
	return out
}

// adapt makes the schedule f of a tenant the wanted one.
func adapt(f, w Schedule) Change {
	c := Change{Tenant: w.Tenant, Kind: Keep, To: w}
	if w.never() { // its times stay: it runs at none of them
		w = f
		w.Paused, w.Note = true, noteOff
		if f.foreign() {
			w.Note = f.Note
		}
		c.To = w
	} else if f.foreign() {
		c.To.Paused, c.To.Note = true, f.Note
		c.What = append(c.What, "stays paused by somebody else: "+f.Note)
	}
	if differences := differing(f, c.To); len(differences) > 0 {
		c.Kind, c.What = Alter, append(differences, c.What...)
	}
	switch {
	case f.Paused && !c.To.Paused && c.Kind == Keep:
		c.Kind, c.What = Resume, []string{"the tenant is in the configuration again"}
	case f.Paused && !c.To.Paused:
		c.What = append(c.What, "paused → runs again")
	case !f.Paused && c.To.Paused:
		c.Kind, c.What = Pause, []string{"the schedule of the tenant is off"}
	}
	return c
}

// leave pauses the schedule of a tenant that is gone.
func leave(f Schedule) Change {
	c := Change{Tenant: f.Tenant, Kind: Pause, What: []string{"the tenant is not in the configuration"}, To: f}
	if f.Paused {
		c.Kind = Keep
		return c
	}
	c.To.Paused, c.To.Note = true, noteGone
	return c
}

// differing lists what a change alters, apart from the pause.
func differing(f, w Schedule) []string {
	var out []string
	note := func(name string, old, wanted any) {
		if !reflect.DeepEqual(old, wanted) {
			out = append(out, fmt.Sprintf("%s: %v → %v", name, old, wanted))
		}
	}
	note("times", f.When(), w.When())
	note("jitter", f.Jitter, w.Jitter)
	note("catch-up window", f.CatchUp, w.CatchUp)
	note("overlap", f.Overlap, w.Overlap)
	note("workflow", f.Starts.Workflow, w.Starts.Workflow)
	note("task queue", f.Starts.Queue, w.Starts.Queue)
	if !reflect.DeepEqual(f.Starts.Order, w.Starts.Order) {
		out = append(out, "the input of the workflow was changed on the cluster")
	}
	if f.Extra != w.Extra {
		out = append(out, "changed on the cluster: "+f.Extra)
	}
	return out
}
