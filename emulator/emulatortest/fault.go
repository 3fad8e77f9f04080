package emulatortest

import (
	"github.com/tvmexport/tvmexport/emulator/faults"
)

// What faults are made of. Package faults documents the fields, and has constants for
// the endpoints: "graph", "token", "kusto-query", "blob", "delivery" and so on.
type (
	Fault    = faults.Rule     // which requests, and what happens to them
	Duration = faults.Duration // time.Duration in a Fault
	Event    = faults.Event    // a request that Observe reports
)

// Injection is a fault in force.
type Injection struct {
	rules *faults.Set
	id    int
}

// Inject puts a fault in force, behind those that are. Of several that match a
// request, the first one applies. The error says which field is wrong.
func (e *Emulator) Inject(f Fault) (*Injection, error) {
	rules := e.services.Faults()
	ids, err := rules.Add(f)
	if err != nil {
		return nil, err
	}
	return &Injection{rules, ids[0]}, nil
}

// Hits is how many requests the fault has hit; 0 after Remove.
func (i *Injection) Hits() int {
	for _, r := range i.rules.List() {
		if r.ID == i.id {
			return r.Hits
		}
	}
	return 0
}

// Remove ends the fault. A second call does nothing.
func (i *Injection) Remove() { i.rules.Remove(i.id) }

// Observe calls f with each request that a service handles, before that, and again
// with Done after it, before the client has the whole answer. Requests that a fault
// answers in place of the service are not reported. The request waits for f, so a test can
// stop or kill a client at an exact moment. nil ends that. Several goroutines may call
// f at once.
func (e *Emulator) Observe(f func(Event)) { e.services.Faults().Observe(f) }
