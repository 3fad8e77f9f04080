// Fleet exports many small tenants with one process of the program against an emulator in
// another one, within the documented quotas. Every tenant's database must equal its source, no tenant may be asked
// more often than its share of the quota allows, and the memory of the program is bounded. With -unwell, some
// tenants throttle for ever, some refuse the sign-in, and the clusters of some are down: nothing
// of that may harm the others, and the program must say so: run, and the status page of serve.
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
)

// options are what a trial is made from.
type options struct {
	bin     string
	tenants int
	devices string
	cves    int
	seed    uint64
	share   float64
	workers int
	more    int // exports after the first one
	unwell  int // tenants of each kind that are unwell
	maxWait time.Duration
	page    bool // check the status page of serve
	maxRSS  float64
	most    time.Duration
}

func main() {
	var o options
	flag.StringVar(&o.bin, "bin", "bin/tvmexport", "program under test")
	flag.IntVar(&o.tenants, "tenants", 1000, "tenants")
	flag.StringVar(&o.devices, "devices", "5-20", "devices of each tenant, MIN-MAX")
	flag.IntVar(&o.cves, "cves", emulator.DefaultCVEs, "known CVEs: with fewer, devices have fewer vulnerabilities")
	flag.Uint64Var(&o.seed, "seed", 1, "of the tenants")
	flag.Float64Var(&o.share, "share", 0.5, "of the quota of each tenant")
	flag.IntVar(&o.workers, "workers", 16, "tenants that are exported at the same time")
	flag.IntVar(&o.more, "more", 1, "further exports, each after rows have changed")
	flag.IntVar(&o.unwell, "unwell", 0, "tenants of each kind that cannot be exported")
	flag.DurationVar(&o.maxWait, "max-wait", time.Minute, "how long the program waits for a tenant that throttles for ever")
	flag.BoolVar(&o.page, "page", true, "at last, check that the status page of serve says who is unwell and why")
	flag.Float64Var(&o.maxRSS, "max-rss", 400, "most memory of the program in MB")
	flag.DurationVar(&o.most, "most", time.Hour, "longest time of all exports together")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := try(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "fleet:", err)
		os.Exit(1)
	}
}

// try makes one trial run and prints its figures. The error says what did not hold.
func try(ctx context.Context, o options) (err error) {
	fmt.Printf("fleet: %d tenants of %s devices, %d CVEs, share %v, %d workers, seed %d, %s\n",
		o.tenants, o.devices, o.cves, o.share, o.workers, o.seed, time.Now().UTC().Format(time.DateOnly))
	w, err := newWorld(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	setUp, err := w.run(ctx, "init", "--all-tenants")
	if err != nil {
		return err
	}
	fmt.Printf("  %-28s %s\n", "init", setUp)
	if setUp.code != 0 {
		return fmt.Errorf("init ends with %d: %s", setUp.code, setUp.tail())
	}
	sick, err := w.unwell()
	if err != nil {
		return err
	}
	var faults []error
	took := time.Duration(0)
	for i := range o.more + 1 {
		title := "first export"
		if i > 0 {
			title = fmt.Sprintf("export after change %d", i)
			// A day would not do: quotas follow the wall clock, and the program finds the calls
			// of the export before by the cluster's clock.
			if err := w.post("/move", map[string]float64{"share": 0.1}); err != nil {
				return err
			}
		}
		done, err := w.run(ctx, "run", "--max-wait", o.maxWait.String())
		if err != nil {
			return err
		}
		fmt.Printf("  %-28s %s\n  %-28s %s\n", title, done, "it says", done.lastLine())
		took += done.took
		if done.rss > o.maxRSS {
			faults = append(faults, fmt.Errorf("the program used %.0f MB, more than %.0f", done.rss, o.maxRSS))
		}
		faults = append(faults, sick.check(done, w.at)...)
		if err := w.compare(sick); err != nil {
			faults = append(faults, err)
		}
	}
	if o.page {
		if err := w.checkPage(ctx, sick); err != nil {
			faults = append(faults, err)
		}
	}
	if took > o.most {
		faults = append(faults, fmt.Errorf("the exports took %s, longer than %s", took, o.most))
	}
	if err := w.budgets(sick); err != nil {
		faults = append(faults, err)
	}
	return errors.Join(faults...)
}
