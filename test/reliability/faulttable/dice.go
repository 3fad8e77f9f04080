package faulttable

import (
	"math/rand/v2"
	"sync"
	"time"

	"github.com/tvmexport/tvmexport/emulator/faults"
)

// Dice decide what happens in a world.
type Dice struct{ *rand.Rand }

// Between is from least to most.
func (d Dice) Between(least, most time.Duration) faults.Duration {
	return faults.Duration(least + time.Duration(d.Int64N(int64(most-least)+1)))
}

// Sometimes makes a rule apply at random, after a few requests that pass, and
// often only to a few requests.
func (d Dice) Sometimes(r faults.Rule) faults.Rule {
	r.Seed = d.Uint64()
	r.Probability = []float64{0.1, 0.3, 0.6}[d.IntN(3)]
	r.After = d.IntN(4)
	if d.IntN(3) > 0 {
		r.Count = 1 + d.IntN(8)
	}
	return r
}

// Drawn is a fault that was drawn for a request.
type Drawn struct {
	Name string
	Rule faults.Rule
}

// Draw throws the dice for a fault: one in three is a wide one, the others are for
// a single kind of request.
func Draw(d Dice) Drawn {
	if d.IntN(3) == 0 {
		return Wide(d, d.IntN(wideFaults))
	}
	cells := narrow()
	c := cells[d.IntN(len(cells))]
	rule := c.fault.Make(d)
	rule.Endpoint, rule.Match = c.request.Endpoint, c.request.Match
	return Drawn{c.request.Name + ", " + string(c.fault.Way) + ": " + c.fault.Name, rule}
}

// Wide draws the n-th wide fault.
func Wide(d Dice, n int) Drawn {
	f := wideOnce()[n]
	return Drawn{f.Name, f.Make(d)}
}

// The lists do not change.
var (
	wideOnce   = sync.OnceValue(wide)
	narrow     = sync.OnceValue(pairs)
	wideFaults = len(wide())
)

// cell is a fault with the request that it is drawn for.
type cell struct {
	request Request
	fault   Fault
}

// pairs are all faults of one kind of request that can be drawn.
func pairs() (out []cell) {
	for _, r := range Requests() {
		for _, f := range Faults() {
			if !f.Wide && r.Rare == "" && f.Covers(r) {
				out = append(out, cell{r, f})
			}
		}
	}
	return out
}
