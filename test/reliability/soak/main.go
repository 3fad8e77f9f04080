// Soak runs the programs that try the exporter's reliability one after the other,
// with new seeds each time, until an hour has passed: kills, races, injected faults,
// histories, worlds of the export assessment APIs. It makes at least the required number
// of each, even where that takes longer. It ends with one line of figures, and with exit
// code 1 if anything was lost, duplicated or otherwise wrong.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

type options struct {
	bin      string
	span     time.Duration
	seed     uint64
	required amounts
	days     int
	devices  int
}

func main() {
	var o options
	flag.StringVar(&o.bin, "bin", "bin/tvmexport", "the program under test")
	flag.DurationVar(&o.span, "for", time.Hour, "how long new trials are begun; those that are required are made in any case")
	flag.Uint64Var(&o.seed, "seed", 0, "of the first trials, to repeat a soak; 0: from the clock")
	flag.IntVar(&o.required.kills, "kills", 300, "kills at least")
	flag.IntVar(&o.required.races, "races", 200, "races at least")
	flag.IntVar(&o.required.faults, "faults", 10_000, "injected faults at least")
	flag.IntVar(&o.required.histories, "histories", 2, "histories at least")
	flag.IntVar(&o.required.worlds, "worlds", 40, "worlds of the export assessment APIs at least")
	flag.IntVar(&o.days, "days", 10, "of a history")
	flag.IntVar(&o.devices, "devices", 200, "of a history's tenant")
	flag.Parse()
	if o.seed == 0 {
		o.seed = uint64(time.Now().Unix()) // positive until year 2262
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "soak:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) (err error) {
	bin, err := filepath.Abs(o.bin)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "tvmexport-soak-*")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	began := time.Now()
	fmt.Printf("soak: seed %d, for %s\n", o.seed, o.span)
	r := &runner{options: o, bin: bin, dir: dir}
	if err := r.build(ctx); err != nil {
		return err
	}
	p := plan{required: o.required, portions: portions(o.required)}
	for {
		kind, n := p.next(time.Since(began) >= o.span)
		if n == 0 || ctx.Err() != nil {
			break
		}
		f := r.trial(ctx, kind, n)
		p.done.add(f)
		r.total.Add(f)
	}
	fmt.Println(line(time.Since(began), o.seed, r.total))
	return verdict(ctx, p, r.total)
}
