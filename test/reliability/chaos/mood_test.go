package chaos_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tvmexport/tvmexport/emulator/faults"
	"github.com/tvmexport/tvmexport/test/reliability/faulttable"
)

// dice decide what happens in a world.
type dice struct{ faulttable.Dice }

// mood is what happens to a run in addition to the faults of services: the source
// changes at some of its calls, or its process is ended.
type mood struct {
	moves map[int]func() // before the n-th hunting call
	endAt int            // the n-th request; 0: not ended
	kill  bool           // nothing more leaves the process; else a signal
	acts  map[int]func() // before the n-th request, while others go on
	undo  func() error   // after the run
	crowd bool           // three processes run at once
	took  string         // table of which published rows were taken away in its midst

	mu     sync.Mutex
	calls  int
	states []state // of the source, the first before the run
	end    time.Time
	ended  atomic.Bool
}

func (w *world) mood(ctx context.Context) (*mood, error) {
	m, err := w.calm(ctx)
	if err != nil {
		return nil, err
	}
	moods := 4
	if !w.early {
		moods = 8
	}
	switch w.IntN(moods) {
	case 0:
		m.moves = map[int]func(){}
		for range 1 + w.IntN(3) {
			change := w.change()
			m.moves[1+w.IntN(12)] = func() {
				w.tally.struck(change.name, 1)
				err := change.do()
				s, stateErr := w.oracle.state(context.WithoutCancel(ctx))
				if err != nil || stateErr != nil {
					w.fail("the source cannot move: %v, %v", err, stateErr)
				}
				m.states = append(m.states, s)
			}
		}
	case 1:
		m.endAt, m.kill = 1+w.IntN(90), w.IntN(2) == 0
	case 4, 5:
		w.handed(ctx, m)
	case 6:
		w.clocked(m)
	case 7:
		m.crowd = true
	}
	return m, nil
}

// handed lets an administrator do something in the midst of the run.
func (w *world) handed(ctx context.Context, m *mood) {
	h, t := hands[w.IntN(len(hands))], w.tables[w.IntN(len(w.tables))]
	ctx = context.WithoutCancel(ctx)
	done := false
	act := func() {
		if err := h.do(ctx, w, t); err != nil {
			w.fail("%s: %v", h.name, err)
		}
		w.tally.struck(h.name, 1)
		if *each {
			fmt.Printf("seed %d: %s, %s\n", w.seed, h.name, t.Name)
		}
		m.mu.Lock()
		done = true
		if h.takes {
			m.took, w.taken = t.Name, true
		}
		m.mu.Unlock()
	}
	at := 1 + w.IntN(70)
	if h.takes && w.IntN(2) == 0 { // what has begun is left to the next run
		m.endAt, m.kill = at+w.IntN(20), w.IntN(2) == 0
	}
	m.acts = map[int]func(){at: act}
	m.undo = func() error {
		if !done || h.undo == nil {
			return nil
		}
		return h.undo(ctx, w, t)
	}
}

// clocked lets the exporter's clock jump against that of the services, back or
// forth. Time in a bubble does not go back: the services' clock goes ahead instead.
func (w *world) clocked(m *mood) {
	back := w.IntN(2) == 0
	by := time.Duration(w.Between(time.Second, 3*time.Hour))
	m.acts = map[int]func(){1 + w.IntN(70): func() {
		if back {
			w.tally.struck("world: the clock goes back", 1)
			w.clock.move(by)
			return
		}
		w.tally.struck("world: the clock jumps ahead", 1)
		w.clock.freeze(by)
	}}
}

// calm returns the mood in which nothing happens to a run.
func (w *world) calm(ctx context.Context) (*mood, error) {
	s, err := w.oracle.state(ctx)
	return &mood{states: []state{s}}, err
}

// reached is called with each request and its number before the request is served.
func (m *mood) reached(n int, e faults.Event, end func(kill bool)) {
	m.mu.Lock()
	act := m.acts[n]
	delete(m.acts, n)
	m.mu.Unlock()
	if act != nil {
		act() // time may pass, which it does not while somebody waits for a mutex
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if e.Endpoint == faults.Graph {
		m.calls++
		if move := m.moves[m.calls]; move != nil {
			delete(m.moves, m.calls)
			move()
		}
	}
	if n == m.endAt {
		m.end = time.Now()
		m.ended.Store(true)
		end(m.kill)
	}
}

// change is a movement of the source.
type change struct {
	name string
	do   func() error
}

func (w *world) change() change {
	tenant := w.emulator.Tenant()
	share := 0.1 + 0.5*w.Float64()
	own := dice{faulttable.Dice{Rand: rand.New(rand.NewPCG(w.Uint64(), 0))}} // for when it happens
	return []change{
		{"source: moved in mid-run", func() error { tenant.Move(share); return nil }},
		{"source: a day passes in mid-run", func() error {
			if w.young() {
				tenant.Advance(1)
			}
			return nil
		}},
		{"source: odd rows of events in mid-run", func() error { return w.insert(own) }},
	}[w.IntN(3)]
}

// oddRows puts events into the tables that come late, share their time at the
// edge of an hour, are there twice, or have no time.
func (w *world) oddRows() error {
	w.tally.struck("source: odd rows of events", 1)
	return w.insert(w.dice)
}

func (w *world) insert(d dice) error {
	rows := d.odd(w.emulator.Tenant().Now())
	for _, t := range w.tables {
		if !t.Events {
			continue
		}
		if err := w.emulator.Tenant().Insert(t.Name, rows...); err != nil {
			return err
		}
	}
	return nil
}

func (d dice) odd(now time.Time) (rows []json.RawMessage) {
	for range 1 + d.IntN(6) {
		// Not before what is counted again, not within the lag.
		at := now.Add(-lag - time.Minute - time.Duration(d.Int64N(int64(40*time.Hour))))
		switch d.IntN(4) {
		case 0:
			at = at.Truncate(time.Hour)
		case 1:
			at = at.Truncate(time.Hour).Add(-100 * time.Nanosecond)
		}
		stamp := fmt.Sprintf(`"Timestamp": %q, `, at.UTC().Format(time.RFC3339Nano))
		if d.IntN(4) == 0 {
			stamp = ""
		}
		row := json.RawMessage(fmt.Sprintf(`{%s"DeviceId": "%040x", "ReportId": %d}`, stamp, d.Uint64(), d.IntN(1000)))
		for range 1 + d.IntN(3)/2 {
			rows = append(rows, row)
		}
	}
	return rows
}
