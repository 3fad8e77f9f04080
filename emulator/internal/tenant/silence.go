package tenant

import (
	"fmt"
	"slices"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// absence is a time in which a device does not report.
type absence struct {
	last     int64 // ticks of the last report before it
	from, to int32 // days without events, from included; to is forever while the device is silent
	returns  int32 // the day on which the device reports again, forever for never
}

// expiry is how much of what a device reported last has expired.
type expiry uint8

// What expires when a device is silent
// (https://learn.microsoft.com/defender-vulnerability-management/defender-vulnerability-management-retention).
const (
	nothingExpired         expiry = iota
	userScopeExpired              // 7 days: extensions, certificates, what is installed for a user
	vulnerabilitiesExpired        // 30 days: vulnerabilities are not shown
	allExpired                    // 31 days: the rest
)

// expiries are the days of silence after which each begins.
var expiries = [...]int64{userScopeExpired: 7, vulnerabilitiesExpired: 30, allExpired: 31}

// silent says whether the device does not report at present.
func (d *device) silent() bool {
	n := len(d.away)
	return n > 0 && d.away[n-1].to == forever
}

// awayOn says whether the device has no events on a day because it was silent.
func (d *device) awayOn(day int) bool {
	return slices.ContainsFunc(d.away, func(a absence) bool { return day >= int(a.from) && day < int(a.to) })
}

// moment is the ticks of the state's time.
func (s *state) moment() int64 { return s.now() + int64(s.hours/100) }

// expired is what of a device has expired.
func (s *state) expired(d *device) expiry {
	if !d.silent() {
		return nothingExpired
	}
	days := (s.moment() - d.away[len(d.away)-1].last) / value.TicksPerDay
	for e := allExpired; e > nothingExpired; e-- {
		if days >= expiries[e] {
			return e
		}
	}
	return nothingExpired
}

// shown says whether the device is in tables of current state.
func (s *state) shown(d *device) bool { return !d.retired && s.expired(d) < allExpired }

// lastSeen is the ticks of the device's last report. Without expiry a device reports
// only when it changes.
func (s *state) lastSeen(d *device) int64 {
	switch {
	case d.silent():
		return d.away[len(d.away)-1].last
	case s.expiry:
		return max(d.seen().ticks, scanTime(d.dice.at(ofSilence, s.day, 0), s.now()))
	default:
		return d.seen().ticks
	}
}

// The chance, of a thousand, that a silent device reports again, and after how many days.
const (
	returnChance = 300
	returnLeast  = 3
	returnSpread = 22
)

// silence makes a device silent from the next day on.
func (s *state) silence(d *device) {
	last := max(s.lastSeen(d), scanTime(d.dice.at(ofSilence, s.day, 3), s.moment()))
	a := absence{last: last, from: int32(s.day) + 1, to: forever, returns: forever}
	d.away = append(slices.Clone(d.away), a)
}

// wake lets devices report again whose time has come, and retires those of which nothing
// is shown any more.
func (s *state) wake() {
	for i := range s.devices {
		d := &s.devices[i]
		if d.retired || !d.silent() {
			continue
		}
		a := d.away[len(d.away)-1]
		switch {
		case int32(s.day) >= a.returns:
			d.away = slices.Clone(d.away)
			d.away[len(d.away)-1].to = int32(s.day)
			d.revisions = append(d.revisions, revision{int32(s.day), scanTime(d.dice.at(ofSilence, s.day, 1), s.now())})
		case s.expired(d) == allExpired:
			d.retired, d.last = true, a.from-1
		}
	}
}

// leave makes a device leave on a day: it falls silent where rows expire, and is gone
// otherwise. It says whether its name is free for a device that was installed again.
func (s *state) leave(d *device) (free bool) {
	if !s.expiry {
		d.retired, d.last = true, int32(s.day)
		return false
	}
	s.silence(d)
	roll := d.dice.at(ofSilence, len(d.away), 2)
	if roll.permille(returnChance) {
		d.away[len(d.away)-1].returns = int32(s.day + returnLeast + roll.at(ofSilence, 0, 0).n(returnSpread))
		return false
	}
	return roll.at(ofSilence, 1, 0).permille(500)
}

// reinstalled makes a device that joins the one that was old: the same machine with a
// new id.
func (d *device) reinstalled(old *device) {
	d.name, d.platform, d.arch = old.name, old.platform, old.arch
	if d.platform.family == linux {
		d.aadID = ""
	}
}

// reporting is the device with an id that is shown and not silent.
func reporting(s *state, id string) (*device, error) {
	for i := range s.devices {
		d := &s.devices[i]
		if d.id != id || !s.shown(d) {
			continue
		}
		if d.silent() {
			return nil, fmt.Errorf("the device %q is silent already", id)
		}
		return d, nil
	}
	return nil, fmt.Errorf("there is no device %q", id)
}

// Silence makes a device stop reporting. What it reported expires: what belongs to a user
// after 7 days, its vulnerabilities after 30 days, and the rest after 31 days.
func (t *Tenant) Silence(deviceID string) error {
	return t.change(func(s *state) error {
		d, err := reporting(s, deviceID)
		if err == nil {
			s.silence(d)
		}
		return err
	})
}

// Reinstall makes a device stop reporting, as Silence does, and lets another with the
// same name join. It returns the id of the other, which has events from the next day on.
func (t *Tenant) Reinstall(deviceID string) (newID string, err error) {
	err = t.change(func(s *state) error {
		d, err := reporting(s, deviceID)
		if err != nil {
			return err
		}
		s.silence(d)
		joins := newDevice(s.dice, s.joined, revision{int32(s.day), s.moment()})
		joins.first = int32(s.day) + 1
		joins.reinstalled(d)
		s.joined++
		s.devices = append(s.devices, joins)
		newID = joins.id
		return nil
	})
	return newID, err
}

// Retire makes a device leave at once, as one that is excluded does: nothing of it is
// shown any more.
func (t *Tenant) Retire(deviceID string) error {
	return t.change(func(s *state) error {
		d, err := reporting(s, deviceID)
		if err == nil {
			d.retired, d.last = true, int32(s.day)
		}
		return err
	})
}

// change replaces the state by a changed one, or by none if do fails.
func (t *Tenant) change(do func(*state) error) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.settle(t.now())
	next := t.state.clone()
	if err := do(next); err != nil {
		return err
	}
	t.state = next
	return nil
}
