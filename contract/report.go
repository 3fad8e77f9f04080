package contract

import (
	"fmt"
	"maps"
	"slices"
	"testing"
)

// caseReport counts the cases that an implementation ran, by method.
type caseReport struct {
	of     any // the implementation
	ran    map[string]int
	failed map[string]int
	left   map[string]int // skipped
}

// note counts a case when it ends.
func (r *caseReport) note(t *testing.T, method string) {
	if r.ran == nil {
		r.ran, r.failed, r.left = map[string]int{}, map[string]int{}, map[string]int{}
	}
	switch {
	case t.Failed():
		r.failed[method]++
	case t.Skipped():
		r.left[method]++
		return
	}
	r.ran[method]++
}

// print logs a line for each method: `go test -v` shows it.
func (r *caseReport) print(t *testing.T) {
	t.Helper()
	names := slices.Concat(slices.Collect(maps.Keys(r.ran)), slices.Collect(maps.Keys(r.left)))
	slices.Sort(names)
	for _, m := range slices.Compact(names) {
		line := fmt.Sprintf("contract of %T (%s): %s: %d cases", r.of, t.Name(), m, r.ran[m])
		if n := r.failed[m]; n > 0 {
			line += fmt.Sprintf(", %d failed", n)
		}
		if n := r.left[m]; n > 0 {
			line += fmt.Sprintf(", %d skipped", n)
		}
		t.Log(line)
	}
}
