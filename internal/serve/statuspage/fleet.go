package statuspage

import (
	"cmp"
	"context"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// Fleet is the boards of many tenants. It is safe for concurrent use.
type Fleet struct {
	setup   FleetSetup
	changes signal

	mu       sync.RWMutex
	tenants  map[string]*tenant
	stopping bool
	reload   Reload
}

// FleetSetup is what does not change while the program runs.
type FleetSetup struct {
	Host, Version string
	Began         time.Time
	Workers       func() Workers // nil: they are not shown
}

// Workers are those that export the tenants.
type Workers struct {
	All, Busy int
	Waiting   int // tenants that are due and wait for a worker
}

// Reader reads from the ledger of a tenant what its board does not keep.
type Reader struct {
	// Runs reads the newest runs of each table, newest first.
	Runs func(ctx context.Context) (map[string][]Run, error)
	// Record reads all that the ledger holds of one run; empty if nothing.
	Record func(ctx context.Context, table, run string) (Record, error)
}

// tenant is a board with what belongs to it.
type tenant struct {
	name   string
	board  *Board
	reader Reader
}

// NewFleet makes a fleet without tenants.
func NewFleet(s FleetSetup) *Fleet {
	return &Fleet{setup: s, tenants: map[string]*tenant{}}
}

// Board adds a tenant, whose configuration was read, or changes its setup and its
// reader. What its board shows stays.
func (f *Fleet) Board(name string, s Setup, r Reader) *Board {
	f.mu.Lock()
	defer f.mu.Unlock()
	t := f.tenant(name)
	t.reader = r
	t.board.change(func(p *Page) {
		s.Tenant = cmp.Or(s.Tenant, p.Tenant)
		p.Setup, p.Unreadable = f.common(s), nil
	})
	return t.board
}

// Unreadable shows why the configuration of a tenant cannot be read. The tenant is
// added if the fleet has not had it.
func (f *Fleet) Unreadable(name string, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.tenant(name).board.change(func(p *Page) {
		p.Setup, p.Unreadable = f.common(p.Setup), ProblemOf(err, time.Now())
	})
}

// Remove drops a tenant with its pages.
func (f *Fleet) Remove(name string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.tenants, name)
	f.changes.fire()
}

// Stopping tells that the program is about to end.
func (f *Fleet) Stopping() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.stopping = true
	for _, t := range f.tenants {
		t.board.Stopping()
	}
	f.changes.fire()
}

// Reloaded tells how reading the configuration of the fleet again went.
func (f *Fleet) Reloaded(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.reload = Reload{At: time.Now()}
	if err != nil {
		f.reload.Err = err.Error()
	}
	f.changes.fire()
}

// tenant is that of a name, which is added where it is new. The caller holds the lock.
func (f *Fleet) tenant(name string) *tenant {
	t := f.tenants[name]
	if t == nil {
		t = &tenant{name: name, board: NewBoard(Setup{})}
		t.board.above = f.changes.fire
		f.tenants[name] = t
	}
	return t
}

func (f *Fleet) common(s Setup) Setup {
	s.Host, s.Version, s.Began = f.setup.Host, f.setup.Version, f.setup.Began
	return s
}

// find is a tenant of the fleet; false: it has none of that name.
func (f *Fleet) find(name string) (tenant, bool) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	t := f.tenants[name]
	if t == nil {
		return tenant{}, false
	}
	return *t, true
}

// Counts are the tenants by state, with those of which there are none.
func (f *Fleet) Counts() map[string]int {
	by := map[string]int{}
	for _, s := range tenantStates {
		by[string(s)] = 0
	}
	for _, t := range f.assess(time.Now()) {
		by[string(t.State)]++
	}
	return by
}

// assess looks at all tenants, one after the other: no board waits for another.
func (f *Fleet) assess(now time.Time) []Tenant {
	f.mu.RLock()
	boards := make([]*tenant, 0, len(f.tenants))
	for _, t := range f.tenants {
		boards = append(boards, t)
	}
	f.mu.RUnlock()
	list := make([]Tenant, 0, len(boards))
	var scratch []Table
	for _, t := range boards {
		b := t.board
		b.mu.Lock()
		p := b.shown(scratch, now)
		row := assess(p)
		row.askQuota = b.quota
		b.mu.Unlock()
		scratch = p.Tables
		row.Name, row.root = t.name, rootOf(t.name)
		list = append(list, row)
	}
	slices.SortFunc(list, worstFirst)
	return list
}

// worstFirst sorts by state; those with trouble by how long ago they were committed.
func worstFirst(a, b Tenant) int {
	byAge := 0
	if a.State.Troubled() {
		byAge = a.longestOut.Compare(b.longestOut)
	}
	return cmp.Or(cmp.Compare(ranks[a.State], ranks[b.State]), byAge, strings.Compare(a.Name, b.Name))
}

// rootOf is the path of a tenant's own pages.
func rootOf(name string) string { return "/tenants/" + url.PathEscape(name) }
