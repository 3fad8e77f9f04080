package defender

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tvmexport/tvmexport"
)

// Each endpoint waits for its own quota, of which others have used a part, and notes its
// own calls alone.
func TestBudgetsOfEndpoints(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fake{reply: func(int) answer { return answer{body: good} }}
		c := s.caller(nil)
		var budgets Budgets
		call := func(name string) (took time.Duration) {
			start := time.Now()
			one := c.call()
			one.Budget = budgets.Of(name, func() *Budget { return NewBudget(Quota{PerMinute: 5, PerHour: 20}, 1, time.Hour, nil) })
			if _, err := c.Do(t.Context(), one); err != nil {
				t.Error(err)
			}
			return time.Since(start)
		}
		call("lists")
		now := []tvmexport.CallCount{{At: time.Now(), Calls: 4}}
		budgets.Begin([]tvmexport.QuotaUsage{
			{Calls: []tvmexport.CallCount{{At: time.Now(), Calls: 100}}, Endpoints: map[string]tvmexport.QuotaUsage{"lists": {Calls: now}, "pages": {Calls: now}}},
			{Endpoints: map[string]tvmexport.QuotaUsage{"others": {Calls: now}}},
		})
		for _, tt := range []struct {
			name  string
			waits bool
		}{{"pages", false}, {"lists", true}, {"pages", false}, {"more", false}} {
			if took := call(tt.name); took > 0 != tt.waits {
				t.Errorf("a call of %s takes %s", tt.name, took)
			}
		}
		got := map[string]int{}
		for name, used := range budgets.QuotaUsage().Endpoints {
			for _, n := range used.Calls {
				got[name] += n.Calls
			}
		}
		if d := cmp.Diff(map[string]int{"lists": 2, "pages": 2, "more": 1}, got); d != "" || len(budgets.All()) != 3 {
			t.Error(d)
		}
	})
}
