package engine

import (
	"time"

	"github.com/tvmexport/tvmexport"
)

// tellEvery is how often a run that waits for batches says so.
const tellEvery = time.Minute

// patient is a wait for batches.
type patient struct {
	began, told, deadline time.Time
}

func waitFor(most time.Duration) patient {
	now := time.Now()
	return patient{began: now, told: now, deadline: now.Add(most)}
}

// tell says what a run waits for, if it has not said so for a while.
func (p *patient) tell(h *tvmexport.Hooks, run tvmexport.Run, missing, of int, slow string) {
	now := time.Now()
	if h.Awaiting == nil || now.Sub(p.told) < tellEvery {
		return
	}
	p.told = now
	h.Awaiting(run, tvmexport.Awaited{Landed: of - missing, Of: of, For: now.Sub(p.began), Most: p.deadline.Sub(p.began), Slow: slow})
}
