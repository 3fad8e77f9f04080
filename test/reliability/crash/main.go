// Crash kills running exporters at random moments and at every named step, lets
// a clean run follow, and compares what readers see with the source. With -races
// it runs two exporters on one table instead.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/tvmexport/tvmexport/test/reliability/figures"
)

type options struct {
	bin     string
	older   string // revision whose program runs next to today's; "": none
	old     string // the program of that revision
	count   int
	seed    uint64
	devices int
	workers int
	races   bool
	flavor  string
	verbose bool
	figures string
}

func main() {
	var o options
	flag.StringVar(&o.bin, "bin", "bin/tvmexport", "the program under test")
	flag.StringVar(&o.older, "older", older, "revision whose program is one in three of those that are killed or race; empty: none")
	flag.IntVar(&o.count, "n", 300, "kills, or races")
	flag.Uint64Var(&o.seed, "seed", 1, "of the dice")
	flag.IntVar(&o.devices, "devices", 12, "of the emulated tenants")
	flag.IntVar(&o.workers, "workers", runtime.NumCPU(), "emulators side by side")
	flag.BoolVar(&o.races, "races", false, "two exporters at once instead of kills")
	flag.StringVar(&o.flavor, "flavor", "adx", "kind of cluster: adx or eventhouse")
	flag.BoolVar(&o.verbose, "v", false, "a line for each kill")
	flag.StringVar(&o.figures, "figures", "", "file that the figures are written to")
	flag.Parse()
	if o.flavor != "adx" && o.flavor != "eventhouse" {
		fmt.Fprintf(os.Stderr, "crash: -flavor is %q; it must be adx or eventhouse\n", o.flavor)
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "crash:", err)
		os.Exit(1)
	}
}

// tally is what all workers have seen.
type tally struct {
	mu     sync.Mutex
	events map[string]int // kills by step, or races by outcome
	rows   int64          // taken over from dead runs
	past   int            // states that were asked for again
	failed []string
}

func (t *tally) add(event string, resumed int64, failures []string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.events[event]++
	t.rows += resumed
	t.failed = append(t.failed, failures...)
}

func run(ctx context.Context, o options) error {
	if o.older != "" {
		dir, err := os.MkdirTemp("", "tvmexport-older-*")
		if err != nil {
			return err
		}
		defer func() { _ = os.RemoveAll(dir) }() // a folder for temporary files
		var why string
		if o.old, why, err = buildOlder(ctx, o.older, dir); err != nil {
			return err
		}
		if why != "" {
			fmt.Println("no older program is tried:", why)
		}
	}
	began := time.Now()
	t := &tally{events: map[string]int{}}
	var wg sync.WaitGroup
	errs := make([]error, o.workers)
	for i := range o.workers {
		n := o.count / o.workers
		if i < o.count%o.workers {
			n++
		}
		wg.Go(func() {
			errs[i] = work(ctx, o, o.seed+uint64(i), n, t)
		})
	}
	wg.Wait()
	if err := t.figures(o.races, errs).Write(o.figures); err != nil {
		return err
	}
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	t.print(o, time.Since(began))
	if len(t.failed) > 0 {
		return fmt.Errorf("%d differences", len(t.failed))
	}
	return nil
}

// figures are what was counted. What ended a worker counts as a failure.
func (t *tally) figures(races bool, errs []error) figures.Figures {
	f := figures.Figures{Failures: slices.Clone(t.failed)}
	for _, err := range errs {
		if err != nil {
			f.Failures = append(f.Failures, err.Error())
		}
	}
	for _, n := range t.events {
		if races {
			f.Races += n
		} else {
			f.Kills += n
		}
	}
	return f
}

// work lets n kills or races happen in one world.
func work(ctx context.Context, o options, seed uint64, n int, t *tally) error {
	w, err := newWorld(o, seed)
	if err != nil {
		return err
	}
	defer w.close()
	each := crash
	if o.races {
		each = race
	}
	for i := range n {
		event, resumed, failures, err := each(ctx, w)
		if err != nil {
			return fmt.Errorf("seed %d, number %d, %s: %w", seed, i, event, err)
		}
		for j := range failures {
			failures[j] = fmt.Sprintf("seed %d, number %d, %s: %s", seed, i, event, failures[j])
			fmt.Fprintln(os.Stderr, failures[j])
		}
		if o.verbose {
			fmt.Printf("seed %d, number %d: %s, %d rows taken over\n", seed, i, event, resumed)
		}
		t.add(event, resumed, failures)
	}
	w.lookBack(ctx, t)
	return nil
}

func (t *tally) print(o options, took time.Duration) {
	kind := map[bool]string{false: "kills", true: "races"}[o.races]
	fmt.Printf("%s: %d, seeds %d to %d, %s, %s\n", kind, o.count, o.seed, o.seed+uint64(o.workers)-1, time.Now().UTC().Format(time.DateOnly), took.Round(time.Second))
	names := make([]string, 0, len(t.events))
	for name := range t.events {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		fmt.Printf("  %4d %s\n", t.events[name], name)
	}
	lost, duplicated := 0, 0
	for _, f := range t.failed {
		if strings.Contains(f, "lost") {
			lost++
		}
		if strings.Contains(f, "duplicated") {
			duplicated++
		}
	}
	fmt.Printf("rows taken over from dead runs: %d\npast states compared: %d\ncases with lost rows: %d\ncases with duplicated rows: %d\nother differences: %d\n", t.rows, t.past, lost, duplicated, len(t.failed)-lost-duplicated)
}
