package hunting

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
		{1, 4, time.Second, DocumentedQuota, 0},
		{30, 4, 2 * time.Second, DocumentedQuota, 0},
		{30, 1, 2 * time.Second, DocumentedQuota, 0},
		{200, 4, 0, DocumentedQuota, 0},
		{200, 4, 3 * time.Second, DocumentedQuota, 40},
		{700, 4, 5 * time.Second, Quota{PerMinute: 45, PerHour: 300}, 10},
	} {
		t.Run(fmt.Sprintf("%d calls of %s", tt.calls, tt.each), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &service{reply: func(int, string) answer { time.Sleep(tt.each); return answer{body: good} }}
				c := s.client(t, func(o *Options) { o.Quota, o.Share, o.MaxWait = tt.quota, 1, 24*time.Hour })
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
								if _, err := c.Fetch(t.Context(), slice, discard{}); err != nil {
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
				if n := c.Usage().Hour; tt.quota == DocumentedQuota && n != tt.before+tt.calls {
					t.Errorf("%d calls were used, want %d", n, tt.before+tt.calls)
				}
				if tt.each > 0 && (c.Mean()-tt.each).Abs() > tt.each/100 {
					t.Errorf("a call takes %s, want %s", c.Mean(), tt.each)
				}
			})
		})
	}
}
