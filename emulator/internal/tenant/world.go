package tenant

import (
	"sync"
	"time"
)

// World is what all tenants know alike: programs and their releases, CVEs, browser
// extensions, recommended settings. Tenants that share a World share its memory. Its methods
// may be called from several goroutines at once.
type World struct {
	dice  dice
	start time.Time

	mu   sync.Mutex
	days []software // by day; never changed once they are here
}

// NewWorld makes the world of a seed. It begins at start with so many CVEs, LibrarySize if cves
// is not positive.
func NewWorld(seed uint64, start time.Time, cves int) *World {
	if cves <= 0 {
		cves = LibrarySize
	}
	d := dice(seed).at(ofTenant, 0, 0)
	return &World{dice: d, start: start.UTC(), days: []software{made.software(d, start.UTC(), cves)}}
}

// on is the world on a day. A day that has not been there yet is made from the one before.
func (w *World) on(day int) software {
	w.mu.Lock()
	defer w.mu.Unlock()
	for len(w.days) <= day {
		next := w.days[len(w.days)-1].clone()
		next.grow(w.dice, len(w.days))
		w.days = append(w.days, next)
	}
	return w.days[day]
}
