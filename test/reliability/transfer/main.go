// Transfer measures what a run fetches of the largest tables when few devices
// have changed since the last one, and when none has. Of the largest table of the export
// assessment APIs, all rows are read each time; it measures what is landed.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"time"

	"github.com/tvmexport/tvmexport/emulator"
	"github.com/tvmexport/tvmexport/engine"
	"github.com/tvmexport/tvmexport/test/reliability/rig"
)

func main() {
	devices := flag.Int("devices", 20_000, "of the emulated tenant")
	seed := flag.Uint64("seed", 1, "of the tenant")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	err := errors.Join(run(ctx, *devices, *seed), runExported(ctx, emulator.Options{Devices: *devices, Seed: *seed}))
	if err != nil {
		fmt.Fprintln(os.Stderr, "transfer:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, devices int, seed uint64) (err error) {
	r, err := rig.New(ctx, rig.Options{Emulator: emulator.Options{Devices: devices, Seed: seed}, Tables: largest})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	fmt.Printf("transfer: %d devices, seed %d, %s\n", devices, seed, time.Now().UTC().Format(time.DateOnly))
	full, err := timed(ctx, r, "full export")
	if err != nil {
		return err
	}
	c := r.Emulator.Tenant().Move(share)
	fmt.Printf("%d devices changed, %d joined, %d left\n", c.Changed, c.Added, c.Retired)
	after, err := timed(ctx, r, "after that")
	if err != nil {
		return err
	}
	still, err := timed(ctx, r, "nothing changed")
	if err != nil {
		return err
	}
	failed := excess(full, after)
	for name, v := range still.tables {
		if v.fetch > 0 || v.bytes > 0 {
			failed = append(failed, fmt.Sprintf("%s: %d rows though nothing has changed", name, v.fetch))
		}
	}
	for _, f := range failed {
		fmt.Println("  " + f)
	}
	if len(failed) > 0 {
		return fmt.Errorf("%d times more than may be", len(failed))
	}
	return nil
}

// timed measures a run and prints it.
func timed(ctx context.Context, r *rig.Rig, what string) (measured, error) {
	began := time.Now()
	m, err := measure(ctx, r, engine.Request{})
	if err != nil {
		return m, err
	}
	fmt.Printf("%s, %s\n", what, time.Since(began).Round(time.Second))
	for _, name := range largest {
		v := m.tables[name]
		fmt.Printf("  %-40s %8d of %8d rows, %8.1f MB, %4d calls for rows and %d for the plan, %d of %d parts\n",
			name, v.fetch, v.rows, float64(v.bytes)/1e6, v.calls, v.asked, v.moved, v.parts)
	}
	fmt.Printf("  the service served %s\n", served(m.served))
	return m, nil
}

func served(s emulator.HuntingStats) string {
	return fmt.Sprintf("%d rows, %.1f MB in %d calls, those of the plan included", s.Rows, float64(s.Bytes)/1e6, s.Calls)
}
