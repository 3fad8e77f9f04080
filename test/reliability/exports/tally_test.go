package exports_test

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/tvmexport/tvmexport/test/reliability/figures"
)

// tally is what all worlds have seen.
type tally struct {
	mu      sync.Mutex
	faults  map[string]int // that were injected, by kind
	worlds  int
	runs    int
	failed  int      // runs that ended with an error
	judged  int      // tables that were compared after a success
	wrongly []string // failures
}

func newTally() *tally { return &tally{faults: map[string]int{}} }

func (t *tally) struck(kind string, hits int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if hits > 0 {
		t.faults[kind] += hits
	}
}

func (t *tally) fail(what string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.wrongly = append(t.wrongly, what)
	fmt.Fprintln(os.Stderr, what)
}

func (t *tally) ran(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.runs++
	if err != nil {
		t.failed++
	}
}

func (t *tally) held() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.judged++
}

func (t *tally) ended() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.worlds++
}

// figures are what was counted, for the program that started the test.
func (t *tally) figures() figures.Figures {
	t.mu.Lock()
	defer t.mu.Unlock()
	return figures.Figures{Worlds: t.worlds, Faults: maps.Clone(t.faults), Runs: t.runs, Failures: slices.Clone(t.wrongly)}
}

// print prints the figures, with a line for each kind of fault if all is true.
func (t *tally) print(all bool, took time.Duration) {
	f := t.figures()
	lost, duplicated, other := f.Sorted()
	if all {
		for _, kind := range slices.SortedFunc(maps.Keys(f.Faults), func(a, b string) int {
			return cmp.Or(cmp.Compare(f.Faults[b], f.Faults[a]), cmp.Compare(a, b))
		}) {
			fmt.Printf("  %6d %s\n", f.Faults[kind], kind)
		}
	}
	fmt.Printf("exports: %d worlds from seed %d, %s, %s: %d faults of %d kinds, %d runs of which %d failed, %d tables compared; %d lost, %d duplicated, %d other\n",
		f.Worlds, *first, time.Now().UTC().Format(time.DateOnly), took.Round(time.Second), f.Injected(), len(f.Faults), f.Runs, t.failed, t.judged, lost, duplicated, other)
}
