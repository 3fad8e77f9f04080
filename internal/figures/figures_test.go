package figures_test

import (
	"testing"
	"time"

	"github.com/tvmexport/tvmexport/internal/figures"
)

func TestCount(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", 5012345: "5,012,345", -1234: "-1,234"} {
		if got := figures.Count(n); got != want {
			t.Errorf("Count(%d) = %q, want %q", n, got, want)
		}
	}
}

func TestSize(t *testing.T) {
	for n, want := range map[int64]string{0: "0 B", 999: "999 B", 1000: "1.0 kB", 12_345_678: "12.3 MB", 5_000_000_000: "5.0 GB"} {
		if got := figures.Size(n); got != want {
			t.Errorf("Size(%d) = %q, want %q", n, got, want)
		}
	}
}

func TestSpan(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0s", -time.Hour: "0s", 1240 * time.Millisecond: "1.2s", 45 * time.Second: "45s", 61 * time.Second: "1m 1s", time.Hour: "1h",
		2*time.Hour + 13*time.Minute + 59*time.Second: "2h 13m", 76 * time.Hour: "3d 4h", 48 * time.Hour: "2d",
	} {
		if got := figures.Span(d); got != want {
			t.Errorf("Span(%s) = %q, want %q", d, got, want)
		}
	}
}

func TestChanged(t *testing.T) {
	for _, c := range []struct {
		rows, growth  int64
		want, planned string
	}{
		{0, 0, "no change", "no change"},
		{1200, 1200, "1,200 added", "1,200 to add"},
		{0, -7, "7 removed", "7 to remove"},
		{120, 0, "120 fetched", "120 to fetch"},
		{120, 3, "120 fetched (+3)", "120 to fetch (+3)"},
		{120, -1003, "120 fetched (-1,003)", "120 to fetch (-1,003)"},
	} {
		if got := figures.Changed(c.rows, c.growth); got != c.want {
			t.Errorf("Changed(%d, %d) = %q, want %q", c.rows, c.growth, got, c.want)
		}
		if got := figures.ToChange(c.rows, c.growth); got != c.planned {
			t.Errorf("ToChange(%d, %d) = %q, want %q", c.rows, c.growth, got, c.planned)
		}
	}
}

func TestFullSnapshot(t *testing.T) {
	for deltas, want := range map[int]string{
		-1: "last full snapshot 3d 4h ago", 0: "last full snapshot 3d 4h ago, 0 deltas since", 1: "last full snapshot 3d 4h ago, 1 delta since",
	} {
		if got := figures.FullSnapshot(76*time.Hour, deltas); got != want {
			t.Errorf("FullSnapshot(%d) = %q, want %q", deltas, got, want)
		}
	}
}
