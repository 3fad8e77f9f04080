// History lets a tenant live for days, exports it on each, and at the end holds
// every day that can still be asked for against what the source held on it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"runtime/debug"
	"time"

	"github.com/tvmexport/tvmexport/emulator"
	"github.com/tvmexport/tvmexport/test/reliability/figures"
	"github.com/tvmexport/tvmexport/test/reliability/rig"
)

type options struct {
	days    int
	devices int
	seed    uint64
	pairs   int
	flavor  string
	figures string
	tables  []string
	memory  int64
}

func main() {
	var o options
	flag.IntVar(&o.days, "days", 30, "to live through, a run on each")
	flag.IntVar(&o.devices, "devices", 2000, "of the emulated tenant")
	flag.Uint64Var(&o.seed, "seed", 1, "of the tenant and the pairs")
	flag.IntVar(&o.pairs, "pairs", 30, "of days that do not follow each other, for Changes")
	flag.StringVar(&o.flavor, "flavor", "adx", "kind of cluster: adx or eventhouse")
	flag.StringVar(&o.figures, "figures", "", "file that the figures are written to")
	flag.Func("table", "the only one that is exported and compared, may be repeated; all of the catalogue by default", func(name string) error {
		o.tables = append(o.tables, name)
		return nil
	})
	flag.Int64Var(&o.memory, "memory", 14, "soft limit of memory in GB; below it, garbage is collected late")
	flag.Parse()
	debug.SetGCPercent(400)
	debug.SetMemoryLimit(o.memory << 30)
	if o.flavor != "adx" && o.flavor != "eventhouse" {
		fmt.Fprintf(os.Stderr, "history: -flavor is %q; it must be adx or eventhouse\n", o.flavor)
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "history:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) (err error) {
	began := time.Now()
	r, err := rig.New(ctx, rig.Options{Tables: o.tables, Emulator: emulator.Options{Devices: o.devices, Seed: o.seed, Eventhouse: o.flavor == "eventhouse"}})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	fmt.Printf("history: %d days, %d devices, seed %d, %d tables, %s\n", o.days, o.devices, o.seed, len(r.Tables), began.UTC().Format(time.DateOnly))
	c := &chronicle{rig: r}
	if err := c.live(ctx, o.days, nil, report); err != nil {
		return err
	}
	type check struct {
		what string
		do   func(context.Context, *findings) error
	}
	checks := []check{
		{"the current functions against the source of the last day", c.checkNow},
		{"AsOf each commit against the source of its day", c.checkDays},
		{"AsOf moments next to commits against the day that they belong to", c.checkBetween},
	}
	dice := rand.New(rand.NewPCG(o.seed, 1))
	for _, t := range r.Tables {
		checks = append(checks, check{t.Name + "Changes of days that follow each other, and of pairs at random, against the difference of the sources", func(ctx context.Context, f *findings) error {
			return c.checkChanges(ctx, t, f, o.pairs, dice)
		}})
	}
	counted := figures.Figures{Histories: 1}
	for _, check := range checks {
		f, began := &findings{}, time.Now()
		if err := check.do(ctx, f); err != nil {
			return fmt.Errorf("%s: %w", check.what, err)
		}
		fmt.Printf("%s: %d compared, %d differ, %s\n", check.what, f.looked, len(f.differ), time.Since(began).Round(time.Second))
		for _, d := range f.differ {
			fmt.Println("  " + d)
		}
		for _, d := range f.differ {
			counted.Failures = append(counted.Failures, fmt.Sprintf("history, seed %d: %s", o.seed, d))
		}
	}
	fmt.Printf("took %s\n", time.Since(began).Round(time.Second))
	if n := len(counted.Failures); n > 0 {
		return errors.Join(fmt.Errorf("%d differences", n), counted.Write(o.figures))
	}
	return counted.Write(o.figures)
}

// report prints a line of a day's runs.
func report(e entry, took time.Duration) {
	var rows, fetched, bytes int64
	var calls, whole int
	for name, r := range e.results {
		rows += e.truth[name].Rows
		fetched += r.Fetched
		bytes += r.Bytes
		calls += r.Calls
		if r.FullReason != "" {
			whole++
		}
	}
	fmt.Printf("day %2d: %8d rows at the source, %8d fetched (%5.1f MB) by %d calls, %d tables whole, %s\n",
		e.day, rows, fetched, float64(bytes)/1e6, calls, whole, took.Round(100*time.Millisecond))
}
