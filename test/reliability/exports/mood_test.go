package exports_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"sync"

	"github.com/tvmexport/tvmexport/emulator"
	"github.com/tvmexport/tvmexport/emulator/faults"
)

// state is the digest of each table as the service has it at one time.
type state map[string]emulator.Digest

// mood is what happens to a run in addition to the faults of services.
type mood struct {
	snapshotAt int  // the n-th request to the source before which a snapshot is taken
	endAt      int  // the n-th request at which the process ends; 0: it ends by itself
	kill       bool // nothing more leaves the process; else a signal
	full       bool // the spool has no room
	notice     func(faults.Event)

	mu       sync.Mutex
	asked    int // requests to the source
	requests int // of all kinds
	ended    bool
}

// calm is the mood in which nothing happens.
func calm() *mood { return &mood{snapshotAt: math.MaxInt} }

func (w *world) mood() *mood {
	m := calm()
	switch w.IntN(6) {
	case 0, 1:
		m.snapshotAt = 1 + w.IntN(8)
	case 2:
		m.endAt, m.kill = 1+w.IntN(120), w.IntN(2) == 0
	case 3:
		m.full = w.IntN(2) == 0
	}
	return m
}

// reached is called with each request before it is served. snapshot lets a snapshot be
// taken, end ends the process.
func (m *mood) reached(e faults.Event, snapshot func(), end func(kill bool)) {
	if m.notice != nil {
		m.notice(e)
	}
	m.mu.Lock()
	m.requests++
	ends := m.requests == m.endAt
	m.ended = m.ended || ends
	takes := false
	if e.Endpoint == faults.Assessment || strings.Contains(e.Text, ofFiles) {
		m.asked++
		takes = m.asked == m.snapshotAt
	}
	m.mu.Unlock()
	if takes {
		snapshot()
	}
	if ends {
		end(m.kill)
	}
}

// hasEnded reports whether the process has ended early. Requests that it sent before its
// end may still be served.
func (m *mood) hasEnded() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.ended
}

// state is the source as it is now.
func (w *world) state(ctx context.Context) (state, error) {
	out := state{}
	for _, t := range w.tables {
		d, err := w.rig.Emulator.Truth(ctx, t.Truth)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", t.Name, err)
		}
		out[t.Name] = d
	}
	return out, nil
}

// live lets something happen at the source before a run: time passes, in which programs
// are patched and upgraded, devices change their group, join and leave, and what silent
// ones reported expires; or a device falls silent or is installed again under another id.
func (w *world) live(ctx context.Context) error {
	tenant := w.rig.Emulator.Tenant()
	if w.IntN(4) == 0 {
		id, err := w.anyDevice(ctx)
		switch {
		case err != nil:
			return err
		case id == "":
		case w.IntN(2) == 0:
			if _, err := tenant.Reinstall(id); err == nil { // else it was silent
				w.tally.struck("source: a device is installed again", 1)
			}
		default:
			if tenant.Silence(id) == nil {
				w.tally.struck("source: a device falls silent", 1)
			}
		}
	}
	if w.IntN(2) == 0 {
		c := tenant.AdvanceHours(6 * (1 + w.IntN(5)))
		w.tally.struck("source: devices change", c.Changed)
	}
	return nil
}

// anyDevice is the id of a device; "" if there is none.
func (w *world) anyDevice(ctx context.Context) (string, error) {
	a, err := w.rig.Emulator.State().Query(ctx, "TvmHardwareFirmware | distinct DeviceId | order by DeviceId asc")
	if err != nil || len(a.Rows) == 0 {
		return "", err
	}
	var id string
	err = json.Unmarshal(a.Rows[w.IntN(len(a.Rows))][0], &id)
	return id, err
}
