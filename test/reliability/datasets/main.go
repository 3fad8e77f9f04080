// Datasets exports all tables of Defender's export assessment APIs into an empty database,
// by files and then by pages, within the documented quotas, and compares what readers see
// with the source. It prints a line for each table and way.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"time"

	"github.com/tvmexport/tvmexport/assessment"
	"github.com/tvmexport/tvmexport/emulator"
)

func main() {
	devices := flag.Int("devices", 200, "of the emulated tenant")
	seed := flag.Uint64("seed", 1, "of the tenant")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, emulator.Options{Devices: *devices, Seed: *seed}); err != nil {
		fmt.Fprintln(os.Stderr, "datasets:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o emulator.Options) error {
	fmt.Printf("datasets: %d devices, seed %d, documented quotas, %s\n", o.Devices, o.Seed, time.Now().UTC().Format(time.DateOnly))
	var errs []error
	for _, via := range []assessment.Via{assessment.Files, assessment.Pages} {
		began := time.Now()
		list, err := export(ctx, o, via)
		if err != nil {
			return fmt.Errorf("by %s: %w", via, err)
		}
		for _, c := range list {
			fmt.Println(c)
			errs = append(errs, c.wrong())
		}
		fmt.Printf("by %s: %s\n", via, time.Since(began).Round(time.Second))
	}
	return errors.Join(errs...)
}
