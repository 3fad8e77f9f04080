package callquota

import (
	"math/rand/v2"
	"testing"
	"time"
)

// The answer is that of counting all windows that end with a call.
func TestBusiest(t *testing.T) {
	start := time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 1))
		var b Busiest
		var calls []time.Time
		at := start
		for range 400 {
			at = at.Add(time.Duration(r.IntN(40)) * time.Second)
			b.Add(at)
			calls = append(calls, at)
		}
		most := func(length time.Duration) (n int64) {
			for i, end := range calls {
				within := int64(0)
				for _, c := range calls[:i+1] {
					if c.After(end.Add(-length)) {
						within++
					}
				}
				n = max(n, within)
			}
			return n
		}
		if minute, hour := most(time.Minute), most(time.Hour); b.Minute != minute || b.Hour != hour {
			t.Fatalf("seed %d: %d in a minute and %d in an hour, want %d and %d", seed, b.Minute, b.Hour, minute, hour)
		}
	}
}
