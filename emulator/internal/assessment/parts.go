package assessment

import (
	"slices"
	"sync"
	"time"

	"github.com/tvmexport/tvmexport/emulator/internal/tenant"
)

// keptParts is how many snapshots a partsCache keeps. Parts share the rows' sources with
// the tenant, so that a snapshot costs as much as its list of devices.
const keptParts = 4

// partsCache keeps the parts of the snapshots that were asked for last, the newest
// request first. Walks through several snapshots at once divide each of them once.
type partsCache struct {
	mu   sync.Mutex
	kept []divided
}

// divided is a snapshot in parts.
type divided struct {
	mark  time.Time
	parts []tenant.Export
}

// of are the parts of a snapshot, each of at most a number of devices.
func (c *partsCache) of(s tenant.Snapshot, devices int) []tenant.Export {
	c.mu.Lock()
	defer c.mu.Unlock()
	at := slices.IndexFunc(c.kept, func(d divided) bool { return d.mark.Equal(s.Mark) })
	var found divided
	if at >= 0 {
		found = c.kept[at]
		c.kept = slices.Delete(c.kept, at, at+1)
	} else {
		found = divided{s.Mark, s.Parts(devices)}
	}
	c.kept = slices.Insert(c.kept, 0, found)
	if len(c.kept) > keptParts {
		clear(c.kept[keptParts:])
		c.kept = c.kept[:keptParts]
	}
	return found.parts
}
