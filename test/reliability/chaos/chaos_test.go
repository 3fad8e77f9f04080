package chaos_test

import (
	"flag"
	"fmt"
	"runtime"
	"runtime/debug"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

var (
	wanted  = flag.Int("faults", 60, "faults to inject at least")
	first   = flag.Uint64("seed", 1, "of the first world; the others follow")
	rounds  = flag.Int("rounds", 8, "disturbed runs in a world")
	one     = flag.Bool("one", false, "the world of the seed alone")
	each    = flag.Bool("each", false, "a line for each run")
	counted = flag.String("figures", "", "file that the figures are written to")
	workers = flag.Int("workers", runtime.NumCPU(), "worlds side by side")
)

func TestMain(m *testing.M) {
	debug.SetGCPercent(400) // tests have small heaps and much garbage
	goleak.VerifyTestMain(m)
}

// kept are the seeds of worlds in which something was once wrong, and what is
// special about them. They happen in each test.
var kept = []uint64{
	107,  // a delta run takes over a few parts of a partition with fewer rows than parts are left
	1155, // slow sign-ins let more calls through in a minute than are allowed
}

// earlyKinds are as many as there were when these worlds were found.
const earlyKinds = 76

func TestChaos(t *testing.T) {
	began, all := time.Now(), newTally()
	var worlds atomic.Uint64
	if *one {
		live(t, *first, all)
		worlds.Add(1)
		*wanted = 0
	}
	t.Run("kept", func(t *testing.T) {
		for _, seed := range kept {
			if *one {
				break
			}
			live(t, seed, all)
		}
	})
	t.Run("worlds", func(t *testing.T) {
		for i := range *workers {
			t.Run(fmt.Sprint(i), func(t *testing.T) {
				t.Parallel()
				for all.injected() < *wanted {
					live(t, *first+worlds.Add(1)-1, all)
				}
			})
		}
	})
	all.print(worlds.Load(), time.Since(began))
	if err := all.figures().Write(*counted); err != nil {
		t.Error(err)
	}
	if len(all.failed) > 0 {
		t.Errorf("%d differences", len(all.failed))
	}
}

// longest is how long one world may take by the clock on the wall.
const longest = 2 * time.Minute

// live lets one world happen. A bubble panics when one of its goroutines
// stays behind.
func live(t *testing.T, seed uint64, all *tally) {
	defer func() {
		if p := recover(); p != nil {
			stacks := make([]byte, 1<<20)
			all.fail(fmt.Sprintf("seed %d: %v\n%s", seed, p, stacks[:runtime.Stack(stacks, true)]))
		}
	}()
	slow := time.AfterFunc(longest, func() {
		debug.SetTraceback("all")
		panic(fmt.Sprintf("the world of seed %d does not end", seed))
	})
	defer slow.Stop()
	synctest.Test(t, func(t *testing.T) {
		w, err := newWorld(t, seed, all)
		if err == nil {
			err = w.live(t.Context())
		}
		if err != nil {
			all.fail(fmt.Sprintf("seed %d: %v", seed, err))
		}
	})
}
