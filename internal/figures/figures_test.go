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
