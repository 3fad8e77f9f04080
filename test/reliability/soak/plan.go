package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/tvmexport/tvmexport/test/reliability/figures"
)

// kind is a kind of trial.
type kind int

const (
	kills kind = iota
	races
	faults
	histories
	worlds
	kindsOfTrials
)

func (k kind) String() string {
	return [...]string{"kills", "races", "faults", "histories", "worlds"}[k]
}

// amounts count trials of each kind.
type amounts struct{ kills, races, faults, histories, worlds int }

func (a amounts) of(k kind) int {
	return [...]int{a.kills, a.races, a.faults, a.histories, a.worlds}[k]
}

func (a *amounts) add(f figures.Figures) {
	a.kills += f.Kills
	a.races += f.Races
	if f.Worlds == 0 { // those of worlds are counted as worlds
		a.faults += f.Injected()
	}
	a.histories += f.Histories
	a.worlds += f.Worlds
}

// portions are what is made of each kind at a time, a few minutes each, so that
// an early end has seen something of each kind.
func portions(required amounts) amounts {
	return amounts{min(required.kills, 60), min(required.races, 40), min(required.faults, 2000), min(required.histories, 1), min(required.worlds, 20)}
}

// plan decides which trials come next.
type plan struct {
	required, portions amounts
	done, begun        amounts
	turn               kind
}

// next returns the next kind of trials and their number; 0 ends the soak. Once
// the time has passed, it returns only trials that are required and not yet done
// or tried. A trial that did not count is not repeated.
func (p *plan) next(over bool) (kind, int) {
	for range kindsOfTrials {
		k := p.turn
		p.turn = (p.turn + 1) % kindsOfTrials
		n := p.portions.of(k)
		if over {
			n = min(n, p.required.of(k)-p.begun.of(k))
		}
		if n > 0 {
			p.begin(k, n)
			return k, n
		}
	}
	return 0, 0
}

func (p *plan) begin(k kind, n int) {
	*[...]*int{&p.begun.kills, &p.begun.races, &p.begun.faults, &p.begun.histories, &p.begun.worlds}[k] += n
}

// line is the one line of figures.
func line(took time.Duration, seed uint64, f figures.Figures) string {
	lost, duplicated, other := f.Sorted()
	return fmt.Sprintf("soak: %s, seed %d: %s kills, %s races, %s faults (%d kinds), %s runs, %s histories, %s worlds of the export APIs; %d lost, %d duplicated, %d other",
		minutes(took), seed, thousands(f.Kills), thousands(f.Races), thousands(f.Injected()), len(f.Faults), thousands(f.Runs), thousands(f.Histories), thousands(f.Worlds), lost, duplicated, other)
}

func minutes(d time.Duration) string {
	if d < 2*time.Minute {
		return fmt.Sprintf("%ds", int(d.Seconds()))
	}
	return fmt.Sprintf("%dm", int(d.Minutes()))
}

// thousands writes a number in groups of three digits.
func thousands(n int) string {
	text := strconv.Itoa(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// verdict is an error unless all that was required was done and nothing was wrong.
func verdict(ctx context.Context, p plan, f figures.Figures) error {
	var errs []error
	if ctx.Err() != nil {
		errs = append(errs, errors.New("interrupted before its time had passed"))
	}
	for k := range kindsOfTrials {
		if done, want := p.done.of(k), p.required.of(k); done < want {
			errs = append(errs, fmt.Errorf("%d %s, %d are required", done, k, want))
		}
	}
	if n := len(f.Failures); n > 0 {
		errs = append(errs, fmt.Errorf("%d failures, the first: %s", n, f.Failures[0]))
	}
	return errors.Join(errs...)
}
