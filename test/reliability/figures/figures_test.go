package figures

import (
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAdd(t *testing.T) {
	f := Figures{Kills: 1, Faults: map[string]int{"a": 1}, Failures: []string{"x"}}
	f.Add(Figures{Kills: 2, Races: 3, Runs: 4, Histories: 5, Worlds: 6, Faults: map[string]int{"a": 1, "b": 2}, Failures: []string{"y"}})
	want := Figures{Kills: 3, Races: 3, Runs: 4, Histories: 5, Worlds: 6, Faults: map[string]int{"a": 2, "b": 2}, Failures: []string{"x", "y"}}
	if d := cmp.Diff(want, f); d != "" {
		t.Error(d)
	}
	if f.Injected() != 4 {
		t.Errorf("%d faults, want 4", f.Injected())
	}
}

func TestSorted(t *testing.T) {
	f := Figures{Failures: []string{"3 rows lost of 5", "2 rows duplicated over 4", "some lost and some duplicated", "the run hangs"}}
	lost, duplicated, other := f.Sorted()
	if lost != 2 || duplicated != 2 || other != 1 {
		t.Errorf("%d lost, %d duplicated, %d other; want 2, 2, 1", lost, duplicated, other)
	}
}

func TestWriteAndRead(t *testing.T) {
	name := filepath.Join(t.TempDir(), "figures.json")
	want := Figures{Kills: 3, Faults: map[string]int{"a": 2}, Failures: []string{"seed 1: lost"}}
	if err := want.Write(name); err != nil {
		t.Fatal(err)
	}
	got, err := Read(name)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}
