package engine

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/tvmexport/tvmexport"
)

func at(hour int) time.Time { return time.Date(2026, 11, 1, hour, 0, 0, 0, time.UTC) }

func partitions(slices []tvmexport.Slice) (out [][]tvmexport.Partition) {
	for _, s := range slices {
		out = append(out, s.Partitions)
	}
	return out
}

func TestCutPacksInOrder(t *testing.T) {
	units := []planUnit{
		{Partition: "0", Rows: 40},
		{Partition: "1", Rows: 50},
		{Partition: "2", Rows: 20},
		{Partition: "3", Rows: 0},
		{Partition: "4", Rows: 101},
		{Partition: "5", Rows: 80},
		{Partition: "~", Rows: 1},
	}
	got := packSlices(tvmexport.Table{}, listOf(units), 100, 0)
	if d := cmp.Diff([][]tvmexport.Partition{{"0", "1"}, {"2", "3", "5"}, {"~"}}, partitions(got.Slices)); d != "" {
		t.Error(d)
	}
	if len(got.Large) != 1 || got.Large[0].Partition != "4" {
		t.Errorf("large: %v", got.Large)
	}
}

func TestCutStopsAtMost(t *testing.T) {
	units := []planUnit{{Partition: "0", Rows: 60}, {Partition: "1", Rows: 60}, {Partition: "2", Rows: 10}}
	got := packSlices(tvmexport.Table{}, listOf(units), 100, 1)
	if n := got.Rest.size(); len(got.Slices) != 1 || n != 2 {
		t.Fatalf("%d slices, %d left; want 1 and 2", len(got.Slices), n)
	}
}

func TestCutOfNothing(t *testing.T) {
	if got := packSlices(tvmexport.Table{}, listOf([]planUnit{{Partition: "0"}}), 100, 0); len(got.Slices) != 0 {
		t.Errorf("an empty table costs %d calls", len(got.Slices))
	}
}

func TestCutJoinsWindows(t *testing.T) {
	units := []planUnit{
		{Window: tvmexport.Window{Null: true}, Rows: 3},
		{Window: tvmexport.Window{From: at(0), To: at(1)}, Rows: 60},
		{Window: tvmexport.Window{From: at(1), To: at(2)}, Rows: 30},
		{Window: tvmexport.Window{From: at(2), To: at(3)}, Rows: 30},
	}
	var got []tvmexport.Window
	for _, s := range packSlices(tvmexport.Table{}, listOf(units), 100, 0).Slices {
		got = append(got, s.Window)
	}
	want := []tvmexport.Window{{Null: true}, {From: at(0), To: at(2)}, {From: at(2), To: at(3)}}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestTileLeavesNoGap(t *testing.T) {
	counts := []tvmexport.Count{{Start: at(5), Rows: 7}, {Rows: 2}, {Start: at(1), Rows: 4}}
	got := fillBins(counts, tvmexport.Window{From: at(0), To: at(9)}, tvmexport.AllPartitions, time.Hour)
	before := func(hour int) time.Time { return at(hour).Add(-tvmexport.Tick) }
	want := []planUnit{
		{Window: tvmexport.Window{Null: true}, Rows: 2},
		{Window: tvmexport.Window{From: at(0), To: before(1)}},
		{Window: tvmexport.Window{From: before(1), To: before(2)}, Rows: 4},
		{Window: tvmexport.Window{From: before(2), To: before(5)}},
		{Window: tvmexport.Window{From: before(5), To: before(6)}, Rows: 7},
		{Window: tvmexport.Window{From: before(6), To: at(9)}},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if got := fillBins(nil, tvmexport.Window{From: at(0), To: at(9)}, tvmexport.AllPartitions, time.Hour); len(got) != 1 || got[0].Window.To != at(9) {
		t.Errorf("a window without rows is still asked for: %v", got)
	}
}

func TestHalves(t *testing.T) {
	s := tvmexport.Slice{Partitions: []tvmexport.Partition{"0", "1", "2"}, Rows: 9}
	a, b, ok := sliceHalves(s)
	if !ok || len(a.Partitions) != 1 || len(b.Partitions) != 2 {
		t.Errorf("%v %v %v", a.Partitions, b.Partitions, ok)
	}
	w := tvmexport.Slice{Partitions: []tvmexport.Partition{tvmexport.AllPartitions}, Window: tvmexport.Window{From: at(0), To: at(2)}}
	a, b, ok = sliceHalves(w)
	if !ok || !a.Window.To.Equal(at(1)) || !b.Window.From.Equal(at(1)) {
		t.Errorf("%v %v %v", a.Window, b.Window, ok)
	}
	if _, _, ok := sliceHalves((tvmexport.Slice{Partitions: []tvmexport.Partition{"3f"}})); ok {
		t.Error("one partition has no halves")
	}
}

func TestCoarsen(t *testing.T) {
	units := []planUnit{{Partition: "30a", Rows: 1}, {Partition: "3fa", Rows: 2}, {Partition: "3~", Rows: 4}, {Partition: "~", Rows: 8}, {Partition: "3f~", Rows: 16}}
	for depth, want := range map[int][]planUnit{
		0: {{Partition: "", Rows: 31}},
		2: {{Partition: "30", Rows: 1}, {Partition: "3f", Rows: 18}, {Partition: "3~", Rows: 4}, {Partition: "~", Rows: 8}},
	} {
		if d := cmp.Diff(want, coarsen(slices.Clone(units), depth)); d != "" {
			t.Errorf("depth %d: %s", depth, d)
		}
	}
}

func TestDepthFor(t *testing.T) {
	for rows, want := range map[int64]int{0: 0, 2000: 0, 2001: 1, 50_000: 2, 5_000_000: 3, 1 << 40: 3} {
		if got := depthFor(rows, 100_000); got != want {
			t.Errorf("DepthFor(%d) = %d, want %d", rows, got, want)
		}
	}
}

func TestRowsPerCall(t *testing.T) {
	for size, want := range map[float64]int64{0: 96_000, 400: 96_000, 1000: 46_000, 1e12: 1} {
		if got := rowsPerCall(tvmexport.DocumentedLimits, size); got != want {
			t.Errorf("rowsPerCall(%v) = %d, want %d", size, got, want)
		}
	}
}
