package tenant

import (
	"slices"
	"time"
)

// pair is a device in two states, one after the other; nil where it is not shown.
type pair struct{ before, after *device }

// pairs are the devices that have other rows in the export of a state than in that of
// an earlier one, apart from the time at which they were seen last. Those that the later state
// shows come first.
func pairs(before, after *state) []pair {
	var changed, gone []pair
	i := 0
	skip := func() {
		if d := &before.devices[i]; before.shown(d) {
			gone = append(gone, pair{before: d})
		}
		i++
	}
	for j := range after.devices {
		now := &after.devices[j]
		// Devices join at the end and leave anywhere, so both lists have the same order.
		for i < len(before.devices) && before.devices[i].dice != now.dice {
			skip()
		}
		var p pair
		if i < len(before.devices) {
			if p.before = &before.devices[i]; !before.shown(p.before) {
				p.before = nil
			}
			i++
		}
		if p.after = now; !after.shown(now) {
			p.after = nil
		}
		switch {
		case p.before == nil && p.after == nil:
		case p.after == nil:
			gone = append(gone, p)
		case p.before == nil || len(p.before.revisions) != len(now.revisions) || before.expired(p.before) != after.expired(now):
			changed = append(changed, p)
		}
	}
	for i < len(before.devices) {
		skip()
	}
	return append(changed, gone...)
}

// step is what leads from one snapshot to the next one. It holds the devices that differ,
// not the states, so that many steps can be kept.
type step struct {
	mark          time.Time // of the later snapshot
	before, after instant
	pairs         []pair
}

// instant is the time of a state.
type instant struct {
	day   int
	hours time.Duration
}

// stepsKept is how many steps are kept: those of a hundred days.
const stepsKept = 400

// remember adds the step between two snapshots, if anything differs.
func (t *Tenant) remember(before, after taken) {
	if before.state == after.state {
		return
	}
	changed := pairs(before.state, after.state)
	if len(changed) == 0 {
		return
	}
	for i, p := range changed {
		changed[i] = pair{p.before.copied(), p.after.copied()}
	}
	if len(t.steps) >= stepsKept {
		t.steps = slices.Delete(slices.Clone(t.steps), 0, len(t.steps)+1-stepsKept)
	}
	t.steps = append(t.steps, step{after.mark, instantOf(before.state), instantOf(after.state), changed})
}

func instantOf(s *state) instant { return instant{s.day, s.hours} }

// copied is the device without the list that it is in.
func (d *device) copied() *device {
	if d == nil {
		return nil
	}
	c := *d
	return &c
}

// alone is what the export APIs show of one device at a time. Programs and CVEs of a later
// state do no harm: the rows of a device depend on the time at which it was scanned.
func (d *device) alone(s *state, at instant) *state {
	one := *s
	one.once, one.day, one.hours = true, at.day, at.hours
	one.devices = nil
	if d != nil {
		one.devices = []device{*d}
	}
	return &one
}
