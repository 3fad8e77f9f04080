package emulatortest

import "github.com/tvmexport/tvmexport/emulator/faults"

type (
	// Fault selects requests and says what happens to them. Its Endpoint is "graph",
	// "xdr", "mde", "token", "kusto-query", "kusto-mgmt", "ingest-mgmt", "blob", "queue",
	// "delivery" or another constant of package faults.
	Fault = faults.Rule
	// Duration is a time.Duration in a Fault.
	Duration = faults.Duration
	// Event is a request that Observe reports.
	Event = faults.Event
)

// Injection is an active fault.
type Injection struct {
	rules *faults.Set
	id    int
}

// Inject activates a fault. If several faults match a request, the oldest one applies.
// The error says which field is wrong.
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

// Remove deactivates the fault. A second call does nothing.
func (i *Injection) Remove() { i.rules.Remove(i.id) }

// Observe calls f with each request that a service handles from now on: before that, and
// again with Done after it, before the client has the complete answer. nil stops it.
// Requests that a fault answers in place of the service are not reported. The request
// waits for f, so that a test can stop or kill a client at an exact moment. Several
// goroutines may call f at once.
func (e *Emulator) Observe(f func(Event)) { e.services.Faults().Observe(f) }
