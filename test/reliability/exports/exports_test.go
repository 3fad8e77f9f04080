package exports_test

import (
	"context"
	"flag"
	"fmt"
	"runtime"
	"runtime/debug"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/tvmexport/tvmexport/assessment"
)

var (
	first   = flag.Uint64("seed", 1, "of the first world; the others follow")
	worlds  = flag.Int("worlds", 4, "to be exported")
	rounds  = flag.Int("rounds", 6, "disturbed runs in a world")
	counted = flag.String("figures", "", "file that the figures are written to")
	workers = flag.Int("workers", runtime.NumCPU(), "worlds side by side")
	each    = flag.Bool("each", false, "a line for each kind of fault")
)

func TestMain(m *testing.M) {
	debug.SetGCPercent(400) // tests have small heaps and much garbage
	goleak.VerifyTestMain(m)
}

// Readers see each row of one snapshot once, also if lists, files, pages, the destination
// and the exporter itself fail.
func TestExports(t *testing.T) {
	began, all := time.Now(), newTally()
	if testing.Short() {
		*worlds = min(*worlds, 2)
	}
	var next atomic.Int64
	t.Run("worlds", func(t *testing.T) {
		for i := range *workers {
			t.Run(fmt.Sprint(i), func(t *testing.T) {
				t.Parallel()
				for n := next.Add(1) - 1; n < int64(*worlds); n = next.Add(1) - 1 {
					happen(t, *first+uint64(n), all)
				}
			})
		}
	})
	all.print(*each, time.Since(began))
	if err := all.figures().Write(*counted); err != nil {
		t.Error(err)
	}
	if len(all.wrongly) > 0 {
		t.Errorf("%d differences, the first: %s", len(all.wrongly), all.wrongly[0])
	}
	if len(all.faults) == 0 || all.judged == 0 {
		t.Error("nothing was tested")
	}
}

// happen lets one world happen. A bubble panics when one of its goroutines stays behind.
func happen(t *testing.T, seed uint64, all *tally) {
	defer func() {
		if p := recover(); p != nil {
			stacks := make([]byte, 1<<20)
			all.fail(fmt.Sprintf("seed %d: %v\n%s", seed, p, stacks[:runtime.Stack(stacks, true)]))
		}
	}()
	synctest.Test(t, func(t *testing.T) {
		w, err := newWorld(t, seed, all)
		if err != nil {
			all.fail(fmt.Sprintf("seed %d: %v", seed, err))
			return
		}
		for range *rounds {
			if err := w.round(t.Context()); err != nil {
				w.fail("%v", err)
				return
			}
		}
		if err := w.undisturbed(t.Context()); err != nil {
			w.fail("%v", err)
		}
		all.ended()
	})
}

// round makes a disturbed run and compares what it exported.
func (w *world) round(ctx context.Context) error {
	if err := w.live(ctx); err != nil {
		return err
	}
	time.Sleep(2 * time.Minute) // a snapshot can be read a minute after its time
	if w.throttles && w.IntN(3) == 0 {
		if err := w.exhaust(ctx); err != nil {
			return err
		}
	}
	before, err := w.state(ctx)
	if err != nil {
		return err
	}
	settle, err := w.disturb()
	if err != nil {
		return err
	}
	results, err := w.run(ctx, w.mood())
	w.tally.ran(err)
	w.said("run %d: %v", w.runs, err)
	hidden := settle()
	now, err := w.state(ctx)
	if err != nil {
		return err
	}
	for _, t := range w.tables {
		switch r, ok := results[t.Name]; {
		case !ok || r.Err != nil:
		case hidden && t.Via(w.via) == assessment.Files: // the next run makes up for it
			if !noted(r) {
				w.fail("%s: files were empty, and no note says so: %q", t.Name, r.Notes)
			}
		default:
			w.judge(ctx, t, []state{before, now})
		}
	}
	return nil
}

// undisturbed makes one more run, which must succeed and leave nothing to be made up for.
func (w *world) undisturbed(ctx context.Context) error {
	w.rig.Emulator.Faults().Clear()
	for again := false; ; again = true {
		time.Sleep(2 * time.Hour) // quotas are free again, and leases have expired
		_, err := w.run(ctx, calm())
		if err == nil {
			break
		}
		if again { // the first run may have had to give up what cannot be finished
			return fmt.Errorf("without faults: %w", err)
		}
	}
	now, err := w.state(ctx)
	if err != nil {
		return err
	}
	for _, t := range w.tables {
		w.judge(ctx, t, []state{now})
		if w.adds {
			w.further(ctx, t)
		}
	}
	return nil
}
