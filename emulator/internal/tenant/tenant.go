package tenant

import (
	"sync"
	"time"

	"github.com/tvmexport/tvmexport/emulator/internal/kql"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// The defaults of Options.
const (
	DefaultDevices       = 200
	DefaultRetentionDays = 30   // what advanced hunting keeps of event tables
	DefaultHistoryDays   = 20   // of events on day 0: the tenant was onboarded then, and nothing expires at once
	DefaultChangeRate    = 0.07 // between the 5 and 10 % a day that a real tenant shows
)

// Options describe a tenant. Two tenants with the same Devices, Seed, Start,
// RetentionDays, ChangeRate, CVEs and Expiry that went through the same calls of Advance,
// Move, Silence, Reinstall, Retire and Drift hold the same rows.
type Options struct {
	// Devices is how many devices the tenant starts with, in addition to three
	// that have an odd id; DefaultDevices if 0, none if negative.
	Devices int
	Seed    uint64
	// World is shared with other tenants, and day 0 begins at its start; one of Seed, Start and
	// CVEs if nil.
	World *World
	// Start is the moment of day 0; what Clock says if zero.
	Start time.Time
	// RetentionDays is how long events are kept; DefaultRetentionDays if not positive.
	RetentionDays int
	// HistoryDays is how many days of events there are on day 0, at most
	// RetentionDays; DefaultHistoryDays if not positive.
	HistoryDays int
	// ChangeRate is the share of devices, 0 to 1, that change on a day;
	// DefaultChangeRate if 0, none if negative. A twentieth of it is the
	// share of devices that are retired, and that are new.
	ChangeRate float64
	// CVEs is how many CVEs are known at the start; LibrarySize if not positive.
	CVEs int
	// TVMIngestionTime gives the rows of tables of current state a time of
	// ingestion, the moment at which the day began; otherwise it is null.
	TVMIngestionTime bool
	// Expiry makes devices that leave fall silent, so that their rows expire as
	// documented, and makes the others report every day. Some silent devices report again,
	// and some are there again under another id. Otherwise a device that leaves is gone at
	// once, and is last seen when it changed.
	Expiry bool
	// Clock is the time at which the tenant's time runs; time.Now if nil.
	Clock func() time.Time
}

// Tenant is a synthetic tenant. Its methods may be called from several
// goroutines at once.
type Tenant struct {
	options Options
	mu      sync.RWMutex
	state   *state // never changed, only replaced
	taken   []taken
	steps   []step
}

// Change says what Advance or Move has done.
type Change struct {
	Changed int // devices of which something changed, each counted once per day
	Added   int
	Retired int // devices that left or fell silent
}

// New makes a tenant on its day 0.
func New(o Options) *Tenant {
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.World != nil {
		o.Start = o.World.start
	}
	if o.Start.IsZero() {
		o.Start = o.Clock()
	}
	if o.Devices == 0 {
		o.Devices = DefaultDevices
	}
	if o.RetentionDays <= 0 {
		o.RetentionDays = DefaultRetentionDays
	}
	if o.HistoryDays <= 0 {
		o.HistoryDays = DefaultHistoryDays
	}
	if o.CVEs <= 0 {
		o.CVEs = LibrarySize
	}
	switch {
	case o.ChangeRate == 0:
		o.ChangeRate = DefaultChangeRate
	case !(o.ChangeRate > 0):
		o.ChangeRate = 0
	}
	o.ChangeRate = min(o.ChangeRate, 1)
	o.Start = o.Start.UTC()
	if o.World == nil {
		o.World = NewWorld(o.Seed, o.Start, o.CVEs)
	}
	t := &Tenant{options: o, state: newState(o)}
	t.settle(t.now())
	return t
}

// Now is the tenant's time: the clock's, moved on by the days and hours that Advance
// and AdvanceHours let pass.
func (t *Tenant) Now() time.Time {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.now()
}

func (t *Tenant) now() time.Time { return t.options.Clock().UTC().Add(t.ahead()) }

// Ahead is how far Now is ahead of the clock.
func (t *Tenant) Ahead() time.Duration {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.ahead()
}

func (t *Tenant) ahead() time.Duration {
	return time.Duration(t.state.day)*24*time.Hour + t.state.hours
}

// Edge is the end of the events: none has a Timestamp at or after it.
func (t *Tenant) Edge() time.Time {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return value.DateTimeFromTicks(t.state.edge(t.state.day)).Time()
}

// Advance lets days pass, one after the other: programs are patched, installed
// and removed, CVEs are published, devices join and leave, settings flip, and
// events happen and expire. It does nothing when days is not positive.
func (t *Tenant) Advance(days int) Change {
	t.mu.Lock()
	defer t.mu.Unlock()
	var c Change
	if days <= 0 {
		return c
	}
	for range days {
		t.tomorrow(t.options.ChangeRate, &c)
	}
	return c
}

// tomorrow lets a day pass. Its last snapshot shows what the day changed.
func (t *Tenant) tomorrow(rate float64, c *Change) {
	t.settle(t.now().Add(24*time.Hour - SnapshotEvery))
	next := t.state.clone()
	next.advance(rate, c)
	next.forget()
	t.state = next
	t.settle(t.now())
}

// AdvanceHours lets hours pass. Every six hours a quarter of what a day changes does;
// with the last hour of a day the day ends, as with Advance.
func (t *Tenant) AdvanceHours(hours int) Change {
	t.mu.Lock()
	defer t.mu.Unlock()
	var c Change
	quarter := t.options.ChangeRate / 4
	for range hours {
		if t.state.hours == 23*time.Hour {
			t.settle(t.now())
			next := t.state.clone()
			next.hours = 0
			next.advance(quarter, &c)
			next.forget()
			t.state = next
			t.settle(t.now())
			continue
		}
		t.settle(t.now())
		next := t.state.clone()
		if next.hours += time.Hour; next.hours%SnapshotEvery == 0 {
			next.reviseWithin(quarter, &c)
		}
		t.state = next
	}
	return c
}

// Move changes a share of the devices, 0 to 1, at once, as may happen while
// somebody reads the tables; one in twenty of them leaves, and as many join.
// Of each at least one when fraction is positive; otherwise Move does nothing.
func (t *Tenant) Move(fraction float64) Change {
	t.mu.Lock()
	defer t.mu.Unlock()
	var c Change
	if !(fraction > 0) {
		return c
	}
	t.settle(t.now())
	next := t.state.clone()
	next.move(min(fraction, 1), &c)
	t.state = next
	return c
}

// Catalog is the tables as they are now. What it answers does not change when
// the tenant does, so a query over it sees one state. It has no functions.
func (t *Tenant) Catalog() kql.Catalog {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return catalog{t.state}
}
