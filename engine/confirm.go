package engine

import (
	"context"
	"fmt"
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

// ConfirmInput names the batches to wait for, and the failure that is known already.
type ConfirmInput struct {
	Run     tvmexport.Run
	Batches []tvmexport.BatchInfo
	Known   string // the last outcome's Why as text
}

// ConfirmOutcome names the batches that have not landed completely in the time
// allowed. If they never will, Why gives the reason.
type ConfirmOutcome struct {
	Missing []tvmexport.BatchID
	Why     error
}

// Confirm implements Steps: it counts, first often and then more rarely, until
// all batches have landed, the time has passed, or the destination reports that
// some have failed permanently.
func (e *engine) Confirm(ctx context.Context, in ConfirmInput) (ConfirmOutcome, error) {
	if len(in.Batches) == 0 {
		if e.hooks.Confirmed != nil {
			e.hooks.Confirmed(in.Run, 0, 0)
		}
		return ConfirmOutcome{}, nil
	}
	patient := waitFor(e.patience.landing())
	wait := time.Second
	for {
		delivery, err := e.destination.Landed(ctx, in.Run)
		if err != nil {
			return ConfirmOutcome{}, err
		}
		missing, err := missingBatches(in.Run, in.Batches, delivery.Batches)
		if err != nil {
			return ConfirmOutcome{}, err
		}
		if e.hooks.Confirmed != nil {
			e.hooks.Confirmed(in.Run, len(in.Batches)-len(missing), len(in.Batches))
		}
		why := delivery.Failed
		if why != nil && why.Error() == in.Known {
			why = nil // of an attempt that a later one repaired
		}
		if len(missing) == 0 || why != nil || !time.Now().Add(wait).Before(patient.deadline) {
			return ConfirmOutcome{Missing: missing, Why: why}, nil
		}
		patient.tell(e.hooks, in.Run, len(missing), len(in.Batches), delivery.Slow)
		if err := sleep(ctx, untilNextLook(time.Now(), wait)); err != nil {
			return ConfirmOutcome{}, err
		}
		wait = min(wait*3/2, 10*time.Second)
	}
}

// lookEvery is the shortest time between two looks of all tables together. What one look
// finds is published together, with eight requests for all tables that are ready: the
// more tables become ready between two looks, the fewer requests a run sends.
const lookEvery = 2 * time.Second

// untilNextLook is about the given wait. It ends at a multiple of two seconds, of longer
// waits at one of 4 or 8 seconds: tables that wait look at the same time, and share the
// request.
func untilNextLook(now time.Time, wait time.Duration) time.Duration {
	grid := lookEvery
	for grid*2 <= wait {
		grid *= 2
	}
	next := now.Add(wait).Truncate(grid)
	if next.Sub(now) < wait/2 {
		next = next.Add(grid)
	}
	return next.Sub(now)
}

// missingBatches lists the batches that have not landed completely. A batch that
// has all its lines but null records among them was corrupted in ingestion, and
// waiting does not repair it.
func missingBatches(run tvmexport.Run, batches []tvmexport.BatchInfo, landed []tvmexport.Landed) ([]tvmexport.BatchID, error) {
	have := make(map[tvmexport.BatchID]tvmexport.Landed, len(landed))
	for _, l := range landed {
		have[l.Batch] = l
	}
	var missing []tvmexport.BatchID
	for _, b := range batches {
		l := have[b.ID]
		switch {
		case b.Rows == 0:
		case l.Nulls > 0:
			return nil, &tvmexport.Error{
				Op: "confirm", Table: run.Table.Name, Action: tvmexport.Stop, Cause: tvmexport.Integrity,
				Err:  fmt.Errorf("%d records of batch %s landed as null in %s", l.Nulls, b.ID, run.Table.Landing()),
				Hint: "drop the landing table, whose mapping or columns were changed, and create it again", Code: tvmexport.LandingTableAltered,
			}
		case !l.Complete(b.Rows):
			missing = append(missing, b.ID)
		}
	}
	return missing, nil
}

// confirmAttempts is how often a batch that does not land is fetched again.
const confirmAttempts = 3

// confirm waits for the fetched batches, and fetches those again that never landed.
func confirm(ctx context.Context, f *fetcher, have landed) (landed, error) {
	known := ""
	for attempt := 1; ; attempt++ {
		out, err := f.steps.Confirm(ctx, ConfirmInput{Run: f.Run, Batches: have.fetched, Known: known})
		if err != nil {
			return have, err
		}
		if len(out.Missing) == 0 {
			break
		}
		if out.Why != nil {
			known = out.Why.Error()
		}
		if attempt == confirmAttempts {
			return have, neverLanded(f.Run.Table, out, len(have.fetched))
		}
		gone := make(map[tvmexport.BatchID]bool, len(out.Missing))
		for _, id := range out.Missing {
			gone[id] = true
		}
		rest, again := have.without(func(b tvmexport.BatchInfo) bool { return gone[b.ID] })
		if have, err = f.fetch(ctx, rest, unitList{}, again); err != nil {
			return have, err
		}
	}
	for _, b := range have.fetched {
		f.progress.Fetched += b.Rows
	}
	return have, nil
}

func neverLanded(t tvmexport.Table, out ConfirmOutcome, of int) error {
	if out.Why != nil {
		return out.Why
	}
	return &tvmexport.Error{
		Op: "confirm", Table: t.Name, Action: tvmexport.Stop, Cause: tvmexport.Integrity,
		Err:  fmt.Errorf("%d of %d batches have not landed after %d attempts, including %s", len(out.Missing), of, confirmAttempts, out.Missing[0]),
		Hint: "nothing was published; check .show ingestion failures for the table " + t.Landing(),
	}
}
