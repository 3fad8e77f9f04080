package tenant

import (
	"slices"
	"time"

	"github.com/tvmexport/tvmexport/emulator/internal/kql"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// The export APIs read the newest snapshot, which the service makes every six hours, and
// tell changes of the last 14 days
// (https://learn.microsoft.com/defender-endpoint/api/get-assessment-software-vulnerabilities).
const (
	SnapshotEvery = 6 * time.Hour
	ChangesKept   = 14 * 24 * time.Hour
	snapshotTakes = time.Minute // from the mark until the snapshot can be read
)

// Snapshot is the state that the export APIs show at one time.
type Snapshot struct {
	Mark time.Time // a multiple of SnapshotEvery, in UTC
	Export
}

// Generated is when the snapshot was ready.
func (s Snapshot) Generated() time.Time { return s.Mark.Add(snapshotTakes) }

// taken is a snapshot as it is kept.
type taken struct {
	mark  time.Time
	state *state
}

// settle takes the snapshots that are due at a time and were not taken. They show the
// state as it is now; so it is called before the state changes.
func (t *Tenant) settle(at time.Time) {
	due := at.Add(-snapshotTakes).Truncate(SnapshotEvery)
	from := due
	if n := len(t.taken); n > 0 {
		from = t.taken[n-1].mark.Add(SnapshotEvery)
	}
	for mark := from; !mark.After(due); mark = mark.Add(SnapshotEvery) {
		next := taken{mark, t.state}
		if n := len(t.taken); n > 0 {
			t.remember(t.taken[n-1], next)
		}
		t.taken = append(t.taken, next)
	}
	// One more than the windows of the changes.
	if most := int(ChangesKept/SnapshotEvery) + 2; len(t.taken) > most {
		t.taken = append([]taken(nil), t.taken[len(t.taken)-most:]...)
	}
}

// Snapshots are those that are kept, the newest last. There is at least one.
func (t *Tenant) Snapshots() []Snapshot {
	var list []Snapshot
	for _, s := range t.kept() {
		list = append(list, Snapshot{s.mark, s.state.export()})
	}
	return list
}

// Generated is the snapshot that was ready at a time, if it is kept.
func (t *Tenant) Generated(at time.Time) (Snapshot, bool) {
	for _, s := range t.kept() {
		if s.mark.Add(snapshotTakes).Equal(at) {
			return Snapshot{s.mark, s.state.export()}, true
		}
	}
	return Snapshot{}, false
}

// Newest is the newest snapshot.
func (t *Tenant) Newest() Snapshot {
	list := t.kept()
	newest := list[len(list)-1]
	return Snapshot{newest.mark, newest.state.export()}
}

func (t *Tenant) kept() []taken {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.settle(t.now())
	return slices.Clone(t.taken)
}

// ExportCatalog is the data sets of the newest snapshot as tables, with the changes of
// all snapshots that are kept.
func (t *Tenant) ExportCatalog() kql.Catalog { return exportCatalog(t.kept()) }

// exportCatalog is made of the snapshots that are kept; kql.Catalog.
type exportCatalog []taken

// Table is the data set called name, in exactly that case.
func (c exportCatalog) Table(db, name string) (kql.Relation, bool) {
	if db != "" {
		return nil, false
	}
	if name == Changes {
		var t changeTable
		for i, s := range c[1:] {
			t = append(t, window{value.NewDateTime(s.mark).Ticks(), c[i].state.export(), s.state.export()})
		}
		return t, true
	}
	for _, s := range exports {
		if s.title() == name {
			r := &relation{source: s, state: c[len(c)-1].state.export().state}
			r.columns, r.hidden = s.schema()
			return r, true
		}
	}
	return nil, false
}

// Function finds nothing.
func (c exportCatalog) Function(string, string) (kql.Function, bool) { return kql.Function{}, false }

// Tables are the names of all data sets.
func (c exportCatalog) Tables(db string) []string {
	if db != "" {
		return nil
	}
	names := []string{Changes}
	for _, s := range exports {
		names = append(names, s.title())
	}
	return names
}
