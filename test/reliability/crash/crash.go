package main

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"syscall"
	"time"

	"github.com/tvmexport/tvmexport/emulator/faults"
)

// crash lets some time pass at the source, kills a run, now and then also the
// one that takes it up, and holds the state after a clean run against the source.
func crash(ctx context.Context, w *world) (event string, resumed int64, failures []string, err error) {
	// Only what has changed is fetched: without change there is nothing to interrupt.
	if w.dice.IntN(4) == 0 {
		w.server.Tenant().Advance(1)
	} else {
		w.server.Tenant().Move(w.dice.Float64())
	}
	if err := w.disturb(); err != nil {
		return "", 0, nil, err
	}
	event, err = w.kill()
	if err != nil {
		return event, 0, nil, err
	}
	if w.dice.IntN(5) == 0 {
		time.Sleep(term + 200*time.Millisecond) // or the dead run would hold the tables
		more, err := w.kill()
		if err != nil {
			return event, 0, nil, err
		}
		event += ", then " + more
	}
	w.server.Faults().Clear()
	p, err := w.clean(ctx)
	if err != nil {
		return event, 0, nil, err
	}
	return event, p.resumed(), w.differences(ctx), nil
}

// disturb makes deliveries late or double, and some calls too large, so that a
// table comes in several batches.
func (w *world) disturb() error {
	rules := []faults.Rule{{Endpoint: faults.Graph, Match: "union (answer", Probability: 0.4, Seed: w.dice.Uint64(), Status: http.StatusRequestEntityTooLarge}}
	switch w.dice.IntN(4) {
	case 0:
		rules = append(rules, faults.Rule{Endpoint: faults.Delivery, Probability: 0.3, Seed: w.dice.Uint64(), Delivery: "late:3s"})
	case 1:
		rules = append(rules, faults.Rule{Endpoint: faults.Delivery, Probability: 0.3, Seed: w.dice.Uint64(), Delivery: "duplicate"})
	}
	_, err := w.server.Faults().Add(rules...)
	return err
}

// kill starts a run and ends it, at a random moment or at a named step.
func (w *world) kill() (event string, err error) {
	if w.dice.IntN(3) == 0 {
		return w.killAtRandom()
	}
	s := steps[w.dice.IntN(len(steps))]
	after := w.dice.IntN(2) == 0
	nth := 1 + w.dice.IntN(3)
	how := syscall.SIGKILL
	if w.dice.IntN(6) == 0 {
		how = syscall.SIGTERM
	}
	event = fmt.Sprintf("%s %s", map[bool]string{true: "after", false: "before"}[after], s.name)
	if how == syscall.SIGTERM {
		event = "SIGTERM " + event
	}
	p := make(chan *exporter, 1)
	var once sync.Once
	w.watch(func(e faults.Event) {
		if e.Done != after || !s.is(e) {
			return
		}
		if nth--; nth > 0 {
			return
		}
		hit := false
		once.Do(func() {
			hit = true
			victim := <-p
			victim.signal(how)
			if how == syscall.SIGKILL {
				<-victim.done
			}
		})
		if hit && !after && how == syscall.SIGKILL {
			panic(http.ErrAbortHandler) // it was never asked for
		}
	})
	defer w.watch(nil)
	bin, mark := w.any()
	event += mark
	victim, err := w.startProgram(bin, "run", "--json")
	if err != nil {
		return event, err
	}
	p <- victim
	return event, w.over(victim, how)
}

func (w *world) killAtRandom() (string, error) {
	bin, mark := w.any()
	p, err := w.startProgram(bin, "run", "--json")
	if err != nil {
		return "", err
	}
	p.ended(time.Duration(w.dice.Int64N(int64(4 * time.Second))))
	p.signal(syscall.SIGKILL)
	return "at random" + mark, w.over(p, syscall.SIGKILL)
}

// over waits for the end of a run that may have been killed; it may also have
// ended before its step came.
func (w *world) over(p *exporter, how syscall.Signal) error {
	if !p.ended(2 * time.Minute) {
		p.signal(syscall.SIGKILL)
		return fmt.Errorf("the run hangs: %s", &p.log)
	}
	switch code := p.wait(); code {
	case 0, 128 + int(syscall.SIGKILL):
		return nil
	case 128 + int(syscall.SIGTERM):
		return nil
	default:
		if how == syscall.SIGTERM && code == 3 {
			return nil
		}
		return fmt.Errorf("the run ends with %d: %s%s", code, &p.log, &p.out)
	}
}

// clean makes a run from an empty folder, once the lease of the dead run has expired.
func (w *world) clean(ctx context.Context) (*exporter, error) {
	for range 20 {
		select {
		case <-time.After(term + 200*time.Millisecond):
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
		p, err := w.start("run", "--json")
		if err != nil {
			return nil, err
		}
		if !p.ended(3 * time.Minute) {
			p.signal(syscall.SIGKILL)
			return nil, fmt.Errorf("a clean run hangs: %s", &p.log)
		}
		switch code := p.wait(); code {
		case 0:
			return p, w.book.Note(ctx, func(string) bool { return true }) // each run exports all tables
		case 11, 3: // held: the lease of a run that died just now
			if code == 3 && !onlyHeld(p.out.String()) {
				return nil, fmt.Errorf("a clean run ends with %d: %s%s", code, &p.log, &p.out)
			}
		default:
			return nil, fmt.Errorf("a clean run ends with %d: %s%s", code, &p.log, &p.out)
		}
	}
	return nil, fmt.Errorf("the tables stay held")
}
