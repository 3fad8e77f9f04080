package defender

import (
	"errors"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tvmexport/tvmexport"
)

// In no minute and no hour are more calls made than the quota allows.
func TestBudgetHoldsInEveryWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fake{reply: func(int) answer { time.Sleep(300 * time.Millisecond); return answer{body: good} }}
		var waits int
		var mu sync.Mutex
		c := s.caller(func(o *setup) {
			o.quota = Quota{PerMinute: 20, PerHour: 100}.Share(0.5)
			o.onWait = func(string, time.Time) { mu.Lock(); waits++; mu.Unlock() }
		})
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for range 30 {
					if err := c.fetch(t.Context()); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		for i := range s.at {
			for span, most := range map[time.Duration]int{time.Minute: 10, time.Hour: 50} {
				n := 0
				for _, at := range s.at[i:] {
					if at.Sub(s.at[i]) < span {
						n++
					}
				}
				if n > most {
					t.Fatalf("%d calls within %s of call %d, %d allowed", n, span, i, most)
				}
			}
		}
		if took := s.at[len(s.at)-1].Sub(s.at[0]); took > 3*time.Hour || waits == 0 {
			t.Errorf("120 calls took %s with %d waits; the quota is hardly used", took, waits)
		}
	})
}

// A wait for the hour's quota is bounded as one that the service asks for.
func TestWaitingForTheQuotaIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fake{reply: func(int) answer { return answer{body: good} }}
		c := s.caller(func(o *setup) {
			o.quota = Quota{PerMinute: 10, PerHour: 2}
			o.MaxWait = 10 * time.Minute
		})
		var err error
		for range 3 {
			err = c.fetch(t.Context())
		}
		if tvmexport.CauseOf(err) != tvmexport.Quota || tvmexport.ActionOf(err) != tvmexport.Stop || len(s.at) != 2 {
			t.Errorf("%d calls, %v", len(s.at), err)
		}
	})
}

// While one throttled call rests, all of them do, and they rest but once.
func TestTheWholeTenantRests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		s := &fake{reply: func(int) answer {
			early := time.Since(begin) < time.Minute/2
			time.Sleep(time.Second)
			if early {
				return answer{status: http.StatusTooManyRequests}
			}
			return answer{body: good}
		}}
		var mu sync.Mutex
		waits := 0
		c := s.caller(func(o *setup) {
			o.onWait = func(string, time.Time) { mu.Lock(); waits++; mu.Unlock() }
		})
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				if err := c.fetch(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		for _, at := range s.at {
			if since := at.Sub(begin); since > time.Second && since < 31*time.Second {
				t.Errorf("a call was made %s after the beginning", since)
			}
		}
		// Two calls were under way and throttled together: half a minute of rest, not a whole one.
		if took := time.Since(begin); took > 40*time.Second || waits != 1 {
			t.Errorf("took %s, announced %d waits", took, waits)
		}
	})
}

// Without a hint the rests grow to the quarter of an hour of the CPU quota's cycle.
func TestRestsGrow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fake{reply: func(n int) answer {
			if n <= 8 {
				return answer{status: http.StatusTooManyRequests}
			}
			return answer{body: good}
		}}
		if err := s.caller(nil).fetch(t.Context()); err != nil {
			t.Fatal(err)
		}
		for i, least := range []time.Duration{30 * time.Second, time.Minute, 2 * time.Minute, 4 * time.Minute, 8 * time.Minute, 15 * time.Minute, 15 * time.Minute, 15 * time.Minute} {
			if rest := s.at[i+1].Sub(s.at[i]); rest < least || rest > least+least/10+time.Second {
				t.Errorf("rest %d is %s, want about %s", i, rest, least)
			}
		}
	})
}

// More calls run at once while the service bears it, fewer when it does not.
func TestConcurrencyAdapts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		running, most, n := 0, 0, 0
		s := &fake{}
		s.reply = func(int) answer {
			mu.Lock()
			n++
			running++
			most = max(most, running)
			fail := n == 60
			mu.Unlock()
			time.Sleep(time.Second)
			mu.Lock()
			defer mu.Unlock()
			running--
			if fail {
				return answer{err: errors.New("reset")}
			}
			return answer{body: good}
		}
		c := s.caller(func(o *setup) { o.quota = Quota{PerMinute: 1000, PerHour: 10_000}; o.atOnce = 4 })
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				for range 5 {
					if err := c.fetch(t.Context()); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		if most != 4 || c.Budget.limit != 4 {
			t.Errorf("%d calls at once, limit %d; want 4", most, c.Budget.limit)
		}
		if early := s.at[2].Sub(s.at[0]); early < time.Second {
			t.Errorf("the third call began %s after the first; two are tried at first", early)
		}
		c.Budget.leaveForTest(strained)
		if c.Budget.limit != 3 {
			t.Errorf("limit %d after a strained call, want 3", c.Budget.limit)
		}
	})
}

// leaveForTest is a call that comes and goes.
func (b *Budget) leaveForTest(l load) {
	b.mu.Lock()
	b.running++
	b.mu.Unlock()
	b.leave(l)
}

// late is a service that requests reach late, some later than others.
type late struct {
	*fake
	way func() time.Duration
}

// RoundTrip implements http.RoundTripper.
func (l late) RoundTrip(r *http.Request) (*http.Response, error) {
	time.Sleep(l.way())
	return l.fake.RoundTrip(r)
}

// The service counts calls when they arrive. On a slow machine that is later than they were sent, and not equally late.
func TestBudgetHoldsWhereCallsArrive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fake{reply: func(int) answer { time.Sleep(time.Second); return answer{body: good} }}
		var mu sync.Mutex
		chance := rand.New(rand.NewPCG(1, 2))
		c := s.caller(func(o *setup) {
			o.quota = Quota{PerMinute: 9, PerHour: 1000}
			o.HTTPClient = &http.Client{Transport: late{s, func() time.Duration {
				mu.Lock()
				defer mu.Unlock()
				return time.Duration(chance.Int64N(int64(mostOnTheWay)))
			}}}
		})
		var wg sync.WaitGroup
		for range 5 {
			wg.Go(func() {
				for range 20 {
					if err := c.fetch(t.Context()); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		slices.SortFunc(s.at, time.Time.Compare)
		for i := 9; i < len(s.at); i++ {
			if within := s.at[i].Sub(s.at[i-9]); within < time.Minute {
				t.Fatalf("calls %d to %d arrive within %s, 9 are allowed in a minute", i-9, i, within)
			}
		}
		if took := s.at[len(s.at)-1].Sub(s.at[0]); took > 14*time.Minute {
			t.Errorf("%d calls took %s; the quota is hardly used", len(s.at), took)
		}
	})
}
