package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/tvmexport/tvmexport/test/reliability/figures"
)

// runner starts the programs and adds up their figures.
type runner struct {
	options
	bin    string // the program under test, an absolute path
	dir    string // where the built programs and the figures are
	number int    // of trials begun
	total  figures.Figures
}

// seedsOfATrial is how far the seeds of two trials are apart. No trial uses as many.
const seedsOfATrial = 100_000

// longest is how long one program may take until it counts as hanging.
const longest = 45 * time.Minute

// build builds the programs once, so that all trials are of the same state of the sources.
func (r *runner) build(ctx context.Context) error {
	for _, args := range [][]string{
		{"build", "-o", r.path("crash"), "./test/reliability/crash"},
		{"build", "-o", r.path("history"), "./test/reliability/history"},
		{"test", "-c", "-o", r.path("chaos"), "./test/reliability/chaos"},
		{"test", "-c", "-o", r.path("exports"), "./test/reliability/exports"},
	} {
		if out, err := exec.CommandContext(ctx, "go", args...).CombinedOutput(); err != nil {
			return fmt.Errorf("go %s: %w\n%s", strings.Join(args, " "), err, out)
		}
	}
	return nil
}

func (r *runner) path(name string) string { return filepath.Join(r.dir, name) }

// trial runs the program for a kind and gives its figures. What keeps it from
// giving any is a failure.
func (r *runner) trial(ctx context.Context, k kind, n int) figures.Figures {
	seed := r.seed + uint64(r.number)*seedsOfATrial
	r.number++
	args, repeat := r.command(k, n, seed)
	began := time.Now()
	fmt.Printf("soak: %s: %s\n", k, repeat)
	out := r.path("figures.json")
	_ = os.Remove(out) // of the trial before, if any
	ctx, cancel := context.WithTimeout(ctx, longest)
	defer cancel()
	c := exec.CommandContext(ctx, args[0], append(args[1:], "-figures", out)...)
	c.Stdout, c.Stderr = os.Stdout, os.Stderr
	c.Cancel = func() error { return c.Process.Signal(syscall.SIGTERM) }
	c.WaitDelay = 10 * time.Second
	err := c.Run()
	f, noFigures := figures.Read(out)
	if noFigures != nil || err != nil && len(f.Failures) == 0 {
		f.Failures = append(f.Failures, fmt.Sprintf("%s ends with %v, figures: %v", repeat, err, noFigures))
	}
	fmt.Printf("soak: %s took %s, failures: %d\n", k, time.Since(began).Round(time.Second), len(f.Failures))
	return f
}

// command is what is started, and what a person types to repeat it.
func (r *runner) command(k kind, n int, seed uint64) (args []string, repeat string) {
	number, first := strconv.Itoa(n), strconv.FormatUint(seed, 10)
	switch k {
	case faults:
		args = []string{r.path("chaos"), "-test.timeout", "0", "-faults", number, "-seed", first}
		return args, fmt.Sprintf("make chaos FAULTS=%s SEED=%s", number, first)
	case worlds:
		args = []string{r.path("exports"), "-test.timeout", "0", "-worlds", number, "-seed", first}
		return args, fmt.Sprintf("make exports WORLDS=%s SEED=%s", number, first)
	case histories:
		rest := []string{"-days", strconv.Itoa(r.days), "-devices", strconv.Itoa(r.devices), "-pairs", "10", "-seed", first}
		return append([]string{r.path("history")}, rest...), "go run ./test/reliability/history " + strings.Join(rest, " ")
	default:
		rest := []string{"-n", number, "-seed", first}
		if k == races {
			rest = append(rest, "-races")
		}
		return append([]string{r.path("crash"), "-bin", r.bin}, rest...), "go run ./test/reliability/crash " + strings.Join(rest, " ")
	}
}
