package tenant

import (
	"slices"
	"sync"
	"time"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// state is the tenant at one moment. It is never changed once a Tenant has it.
type state struct {
	software
	world     *World
	dice      dice
	started   int64 // ticks of Start
	edge0     int64 // ticks of the edge on day 0
	retention int
	timed     bool // tables of current state have a time of ingestion
	history   int  // days of events on day 0
	day       int
	hours     time.Duration // of the day that have passed, by AdvanceHours
	moves     int           // Move calls so far
	joined    int           // devices that ever joined
	devices   []device
	drifted   map[string]view            // tables whose schema has changed, by name; replaced, never changed
	inserted  map[string][][]value.Value // by table; with the hidden columns
	counts    *sync.Map                  // rows of whole tables that were counted
	once      bool                       // no row is there twice
	expiry    bool                       // devices report every day, and fall silent when they leave
}

func newState(o Options) *state {
	root := dice(o.Seed).at(ofTenant, 0, 0)
	s := &state{
		software:  o.World.on(0),
		world:     o.World,
		dice:      root,
		started:   value.NewDateTime(o.Start).Ticks(),
		edge0:     value.NewDateTime(o.Start.Truncate(time.Hour).Add(-time.Hour)).Ticks(),
		retention: o.RetentionDays,
		timed:     o.TVMIngestionTime,
		history:   o.HistoryDays,
		expiry:    o.Expiry,
		counts:    new(sync.Map),
	}
	s.devices = make([]device, 0, max(0, o.Devices)+3)
	for range o.Devices {
		s.devices = append(s.devices, newDevice(root, s.joined, s.firstScan(s.joined)))
		s.joined++
	}
	for i, d := range oddDevices(root, s.firstScan(s.joined)) {
		// Not first and not last: rows come in no order of the id.
		s.devices = slices.Insert(s.devices, min(len(s.devices), 7*(i+1)), d)
	}
	return s
}

// firstScan is the revision with which a device of day 0 begins: up to six
// days before the start.
func (s *state) firstScan(ordinal int) revision {
	d := s.dice.at(ofTime, ordinal, 1)
	return revision{0, scanTime(d, s.started-int64(d.skewed(7))*value.TicksPerDay)}
}

// edge is the ticks at which the events of a day end.
func (s *state) edge(day int) int64 { return s.edge0 + int64(day)*value.TicksPerDay }

// now is the ticks of the moment at which the day begins.
func (s *state) now() int64 { return s.started + int64(s.day)*value.TicksPerDay }

func (s *state) clone() *state {
	c := *s
	c.devices = slices.Clone(s.devices)
	c.counts = new(sync.Map)
	return &c
}

// churn is the share of the devices that change of those that leave, and of
// those that join.
const churn = 20

// advance lets one day pass.
func (s *state) advance(rate float64, c *Change) {
	s.day++
	s.software = s.world.on(s.day)
	s.wake()
	roll := s.dice.at(ofDay, s.day, 0)
	s.revise(roll, rate, c, func(d dice) revision { return revision{int32(s.day), scanTime(d, s.now())} })
	s.replace(roll, s.share(roll, rate/churn), int32(s.day), c)
}

// move changes a fraction of the devices now. Devices that join have events
// from the next day on.
func (s *state) move(fraction float64, c *Change) {
	s.moves++
	roll := s.dice.at(ofMove, s.day, s.moves)
	// Within the last hour, after the scans of the day, and not in the future.
	at := s.now() - max(value.TicksPerMinute, value.TicksPerHour-int64(s.moves)*value.TicksPerMinute)
	s.revise(roll, fraction, c, func(d dice) revision {
		return revision{int32(s.day), roundTime(d, at+int64(d.n(int(value.TicksPerMinute))))}
	})
	s.replace(roll, max(1, s.share(roll, fraction/churn)), int32(s.day)+1, c)
}

// reviseWithin changes a share of the devices in the last hour.
func (s *state) reviseWithin(rate float64, c *Change) {
	roll := s.dice.at(ofDay, s.day, 8+int(s.hours/time.Hour))
	at := s.now() + int64(s.hours/100) - value.TicksPerHour
	s.revise(roll, rate, c, func(d dice) revision {
		return revision{int32(s.day), roundTime(d, at+int64(d.n(int(value.TicksPerHour))))}
	})
}

// precision is how finely a rate is rolled.
const precision = 1_000_000

// revise gives a share of the devices, and at least one if it is positive, a
// new revision.
func (s *state) revise(roll dice, rate float64, c *Change, next func(dice) revision) {
	if rate <= 0 {
		return
	}
	limit := int(rate * precision)
	lowest, at, changed := precision, -1, 0
	revise := func(i int) {
		d := &s.devices[i]
		d.revisions = append(d.revisions, next(roll.at(ofTime, i, 2)))
		changed++
	}
	for i := range s.devices {
		d := &s.devices[i]
		if d.retired || d.silent() {
			continue
		}
		n := dice(mix(uint64(d.dice ^ roll))).n(precision)
		if n < limit {
			revise(i)
		}
		if n < lowest {
			lowest, at = n, i
		}
	}
	if changed == 0 && at >= 0 {
		revise(at)
	}
	c.Changed += changed
}

// share is a share of the devices as a whole number, rounded by chance; from
// a hundred devices on at least 1 of a positive share.
func (s *state) share(roll dice, rate float64) int {
	if rate <= 0 {
		return 0
	}
	millionths := int(rate*precision) * len(s.devices)
	n := millionths / precision
	if roll.at(ofDay, 0, 2).n(precision) < millionths%precision {
		n++
	}
	if n == 0 && len(s.devices) >= 100 {
		return 1
	}
	return n
}

// replace lets n devices leave and n others join, which have events from a day on.
// Where rows expire, some of those that join are installed again.
func (s *state) replace(roll dice, n int, first int32, c *Change) {
	names := map[int]device{} // of the devices whose name is free
	for i := range n {
		at := roll.at(ofDay, i, 3).n(len(s.devices))
		for range s.devices {
			if d := &s.devices[at]; !d.retired && !d.odd && !d.silent() {
				if s.leave(d) {
					names[i] = *d
				}
				c.Retired++
				break
			}
			at = (at + 1) % len(s.devices)
		}
	}
	for i := range n {
		d := newDevice(s.dice, s.joined, revision{int32(s.day), scanTime(roll.at(ofDay, i, 4), s.now())})
		d.first = first
		if old, ok := names[i]; ok {
			d.reinstalled(&old)
		}
		s.joined++
		s.devices = append(s.devices, d)
		c.Added++
	}
}

// forget drops retired devices of which no event is left.
func (s *state) forget() {
	s.devices = slices.DeleteFunc(s.devices, func(d device) bool {
		return d.retired && int(d.last) <= s.day-s.retention
	})
}
