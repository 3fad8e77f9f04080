package chaos_test

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tvmexport/tvmexport/test/reliability/figures"
)

// tally is what all worlds have seen.
type tally struct {
	mu       sync.Mutex
	faults   map[string]int // that were injected, by kind
	outcomes map[string]int // of tables' runs
	runs     int
	checked  int           // runs after which readers were compared with the source
	pasts    int           // states of the past that were compared
	resumed  int64         // rows taken over from runs that ended early
	slowest  time.Duration // run, by its own clock
	written  int64         // bytes of logs, errors, ledgers and audits that were looked through
	busiest  int           // hunting calls of one process in a minute
	failed   []string
}

func newTally() *tally { return &tally{faults: map[string]int{}, outcomes: map[string]int{}} }

func (t *tally) injected() (n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, hits := range t.faults {
		n += hits
	}
	return n
}

func (t *tally) struck(kind string, hits int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.faults[kind] += hits
}

func (t *tally) fail(what string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.failed = append(t.failed, what)
	fmt.Fprintln(os.Stderr, what)
}

// ran notes how a run ended.
func (t *tally) ran(took time.Duration, calls int, outcomes []string, resumed int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.runs++
	t.slowest, t.busiest, t.resumed = max(t.slowest, took), max(t.busiest, calls), t.resumed+resumed
	for _, o := range outcomes {
		t.outcomes[o]++
	}
}

func (t *tally) held() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.checked++
}

func (t *tally) looked(pasts int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.pasts += pasts
}

func (t *tally) read(written int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.written += written
}

func (t *tally) print(worlds uint64, took time.Duration) {
	total := t.injected()
	t.mu.Lock()
	defer t.mu.Unlock()
	fmt.Printf("faults: %d of %d kinds, in %d runs of %d worlds, seeds %d to %d, %s, %s\n",
		total, len(t.faults), t.runs, worlds, *first, *first+worlds-1, time.Now().UTC().Format(time.DateOnly), took.Round(time.Second))
	list(t.faults)
	fmt.Println("tables' runs by outcome:")
	list(t.outcomes)
	lost, duplicated := 0, 0
	for _, f := range t.failed {
		if strings.Contains(f, "lost") {
			lost++
		}
		if strings.Contains(f, "duplicated") {
			duplicated++
		}
	}
	other := 0
	for _, f := range t.failed {
		if !strings.Contains(f, "lost") && !strings.Contains(f, "duplicated") {
			other++
		}
	}
	fmt.Printf("runs after which readers were compared with the source: %d\nstates of the past compared: %d\nrows taken over from runs that ended early: %d\n", t.checked, t.pasts, t.resumed)
	fmt.Printf("longest run: %s of its own time\nmost calls of one process in a minute: %d\n", t.slowest.Round(time.Second), t.busiest)
	fmt.Printf("looked for secrets and rows in what was written: %d kB\n", t.written>>10)
	fmt.Printf("cases with lost rows: %d\ncases with duplicated rows: %d\nother differences: %d\n", lost, duplicated, other)
}

// figures are what was counted, for the program that started the test.
func (t *tally) figures() figures.Figures {
	t.mu.Lock()
	defer t.mu.Unlock()
	return figures.Figures{Faults: t.faults, Runs: t.runs, Failures: t.failed}
}

// list prints counts, the largest first.
func list(counts map[string]int) {
	names := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	})
	for _, n := range names {
		fmt.Printf("  %6d %s\n", counts[n], n)
	}
}
