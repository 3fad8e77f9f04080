package main

import (
	"context"
	"fmt"
	"sync"
	"syscall"
	"time"

	"github.com/tvmexport/tvmexport/emulator"
	"github.com/tvmexport/tvmexport/emulator/faults"
)

// raced is the table of races.
const raced = "DeviceTvmSoftwareInventory"

// race stops one exporter at a step behind its fetches, for longer than its
// lease, changes the source, and lets another exporter run. The request at which
// the first one stopped is executed late, and it continues late. In every case
// readers see one of the two states or the one before.
func race(ctx context.Context, w *world) (event string, _ int64, failures []string, err error) {
	before, err := w.server.Landed(ctx, "", raced)
	if err != nil {
		return "", 0, nil, err
	}
	first, err := w.server.Truth(ctx, raced)
	if err != nil {
		return "", 0, nil, err
	}
	s := steps[6+w.dice.IntN(len(steps)-6)] // from confirm on: the fetches are done
	held, asleep := w.dice.Int64N(3000), w.dice.Int64N(4000)
	after := w.dice.IntN(2) == 0
	event = s.name
	one, mark := w.any()
	two, secondMark := w.any()
	event += mark + secondMark

	second := make(chan outcome, 1)
	p := make(chan *exporter, 1)
	var once sync.Once
	w.watch(func(e faults.Event) {
		if e.Done != after || !s.is(e) {
			return
		}
		once.Do(func() {
			a := <-p
			a.signal(syscall.SIGSTOP)
			w.server.Tenant().Move(0.3)
			go func() { second <- w.other(ctx, two) }()
			go func() {
				time.Sleep(term + time.Duration(asleep)*time.Millisecond)
				a.signal(syscall.SIGCONT)
			}()
			time.Sleep(term + time.Duration(held)*time.Millisecond)
		})
	})
	a, err := w.startProgram(one, "run", "--json", "--table", raced)
	if err != nil {
		return event, 0, nil, err
	}
	p <- a
	if !a.ended(4 * time.Minute) {
		a.signal(syscall.SIGKILL)
		return event, 0, nil, fmt.Errorf("the first run hangs: %s", &a.log)
	}
	w.watch(nil)
	codes := fmt.Sprint(a.wait())
	var b outcome
	reached := false
	once.Do(func() { second <- w.other(ctx, two) }) // the step never came
	if b = <-second; b.err != nil {
		return event, 0, nil, b.err
	}
	reached = b.state != (emulator.Digest{})
	codes += "/" + fmt.Sprint(b.code)
	event += ", exit codes " + codes
	for _, code := range []int{a.wait(), b.code} {
		switch code {
		case 0, 1, 3, 11:
		default:
			failures = append(failures, fmt.Sprintf("exit codes %s: %s", codes, &a.log))
		}
	}
	now, err := w.server.Landed(ctx, "", raced)
	if err != nil {
		return event, 0, failures, err
	}
	if now != before && now != first && (!reached || now != b.state) {
		failures = append(failures, fmt.Sprintf("readers see %d rows, which is none of the states: before %d, first %d, second %d (lost or duplicated)", now.Rows, before.Rows, first.Rows, b.state.Rows))
	}
	clean, err := w.clean(ctx)
	if err != nil {
		return event, 0, failures, err
	}
	return event, clean.resumed(), append(failures, w.differences(ctx)...), nil
}

// outcome is how the second exporter ended, and what the source held then.
type outcome struct {
	code  int
	state emulator.Digest
	err   error
}

// other runs the second exporter, once the lease of the first one has expired.
func (w *world) other(ctx context.Context, bin string) (o outcome) {
	if o.state, o.err = w.server.Truth(ctx, raced); o.err != nil {
		return o
	}
	time.Sleep(term + 100*time.Millisecond)
	p, err := w.startProgram(bin, "run", "--json", "--table", raced)
	if err != nil {
		o.err = err
		return o
	}
	if !p.ended(4 * time.Minute) {
		p.signal(syscall.SIGKILL)
		o.err = fmt.Errorf("the second run hangs: %s", &p.log)
		return o
	}
	o.code = p.wait()
	return o
}
