package defender

import (
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// What is forecast is what comes: the clock of the bubble measures it.
func TestForecast(t *testing.T) {
	for _, tt := range []struct {
		calls, workers int
		each           time.Duration
		quota          Quota
		before         int // calls that were made already
	}{
		{1, 4, time.Second, plenty, 0},
		{30, 4, 2 * time.Second, plenty, 0},
		{30, 1, 2 * time.Second, plenty, 0},
		{200, 4, 0, plenty, 0},
		{200, 4, 3 * time.Second, plenty, 40},
		{700, 4, 5 * time.Second, Quota{PerMinute: 45, PerHour: 300}, 10},
	} {
		t.Run(fmt.Sprintf("%d calls of %s", tt.calls, tt.each), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &fake{reply: func(int) answer { time.Sleep(tt.each); return answer{body: good} }}
				c := s.caller(func(o *setup) { o.quota, o.MaxWait = tt.quota, 24*time.Hour })
				work := func(n int) {
					jobs := make(chan struct{}, n)
					for range n {
						jobs <- struct{}{}
					}
					close(jobs)
					var wg sync.WaitGroup
					for range tt.workers {
						wg.Go(func() {
							for range jobs {
								if err := c.fetch(t.Context()); err != nil {
									t.Error(err)
								}
							}
						})
					}
					wg.Wait()
				}
				work(tt.before)
				f := c.Forecast(tt.calls, 1, tt.workers, tt.each)
				start := time.Now()
				work(tt.calls)
				took := time.Since(start)
				if off := (f.Took - took).Abs(); off > took/20+time.Millisecond {
					t.Errorf("forecast %s, and it took %s", f.Took, took)
				}
				if f.Held > f.Took {
					t.Errorf("held for %s of %s", f.Held, f.Took)
				}
				if n := c.Usage().Hour; tt.quota == plenty && n != tt.before+tt.calls {
					t.Errorf("%d calls were used, want %d", n, tt.before+tt.calls)
				}
				if tt.each > 0 && (c.Mean()-tt.each).Abs() > tt.each/100 {
					t.Errorf("a call takes %s, want %s", c.Mean(), tt.each)
				}
			})
		})
	}
}
