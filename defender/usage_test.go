package defender

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tvmexport/tvmexport"
)

// Each cause of waiting has its word, and what is used is counted.
func TestUsageAndCausesOfWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fake{reply: func(n int) answer {
			switch n {
			case 1:
				return answer{status: http.StatusTooManyRequests, header: http.Header{"Retry-After": {"10"}}}
			case 2:
				return answer{status: http.StatusInternalServerError}
			}
			return answer{body: good}
		}}
		var causes, retried []string
		c := s.caller(func(o *setup) {
			o.quota, o.MaxWait = Quota{PerMinute: 4, PerHour: 6}, 3*time.Hour
			o.onWait = func(cause string, _ time.Time) { causes = append(causes, Brief(cause)) }
			o.OnRetry = func(table, op string, _ time.Duration, _ error) { retried = append(retried, op+" "+table) }
		})
		c.Begin([]tvmexport.QuotaUsage{{Calls: []tvmexport.CallCount{{At: time.Now().Add(-30 * time.Minute), Calls: 1}}}})
		for range 4 {
			if err := c.fetch(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if d := cmp.Diff([]string{"throttled", "minute", "hour"}, causes); d != "" {
			t.Error(d)
		}
		if d := cmp.Diff([]string{"fetch DeviceInfo"}, retried); d != "" {
			t.Error(d)
		}
		u := c.Usage()
		u.Paused = time.Time{}
		if want := (Usage{Minute: 1, Hour: 6, Quota: Quota{PerMinute: 4, PerHour: 6}}); u != want {
			t.Errorf("got %+v, want %+v", u, want)
		}
	})
}
