package chaos_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/emulator/faults"
	"github.com/tvmexport/tvmexport/engine"
	"github.com/tvmexport/tvmexport/test/reliability/check"
	"github.com/tvmexport/tvmexport/test/reliability/faulttable"
)

// bound is how long a run may take by its own clock. Waiting is bounded for
// each call; a disturbed run makes many.
const bound = 24 * time.Hour

// storm is how many requests of one run are too many: no run of these sizes
// needs nearly as many unless something repeats without waiting.
const storm = 20_000

// leave is how long a run may take to end after it was interrupted.
const leave = 30 * time.Second

// The part of the tenant's quota that a process may use.
const (
	callsPerMinute = 22
	callsPerHour   = 750
)

// live makes disturbed runs, and at the end a clean one.
func (w *world) live(ctx context.Context) error {
	for range *rounds {
		if w.IntN(3) == 0 && w.young() {
			w.emulator.Tenant().Advance(1)
		}
		if w.IntN(3) == 0 {
			if err := w.oddRows(); err != nil {
				return err
			}
		}
		if err := w.disturbed(ctx); err != nil {
			return err
		}
		// Often the next process starts at once, often after the lease of a dead one.
		pause := []time.Duration{0, time.Second, term, time.Hour, 26 * time.Hour}[w.IntN(5)]
		if pause < 2*time.Hour || time.Since(w.began) < 10*time.Hour {
			time.Sleep(pause)
		}
	}
	defer w.told(ctx)
	return w.clean(ctx)
}

// young says whether the events of another day would arrive within the documented
// delay. The tenant derives their times from its days, independently of the clock.
func (w *world) young() bool { return w.clock.now().Sub(w.began) < 40*time.Hour }

// disturbed makes one run under faults, now and then while the source moves or
// until the process ends in its midst.
func (w *world) disturbed(ctx context.Context) error {
	settle, err := w.disturb()
	if err != nil {
		return err
	}
	m, err := w.mood(ctx)
	if err != nil {
		return err
	}
	if m.crowd {
		defer settle()
		return w.crowd(ctx, m)
	}
	r, err := w.run(ctx, m)
	if err != nil {
		return err
	}
	settle()
	w.judge(ctx, m, r)
	if m.undo != nil {
		time.Sleep(time.Second) // for what was written last to be the newest
		return m.undo()
	}
	return nil
}

// clean lets everything late happen, and wants a run to succeed that has
// nothing left of others to take over.
func (w *world) clean(ctx context.Context) error {
	w.emulator.Faults().Clear()
	failed := 0
	for {
		time.Sleep(time.Hour + term) // delayed requests are executed and leases have expired
		m, err := w.calm(ctx)
		if err != nil {
			return err
		}
		r, err := w.run(ctx, m)
		if err != nil {
			return err
		}
		w.judge(ctx, m, r)
		switch errs := errors.Join(append(r.failed(), r.err)...); {
		case errs != nil && failed == 0: // it may have had to give up what cannot be finished
			failed++
		case errs != nil:
			w.fail("a clean run fails: %v", errs)
			return nil
		case !r.resumed():
			if w.taken { // the ledger still knows the runs whose rows were taken away
				return nil
			}
			for _, d := range check.Ledger(ctx, w.emulator, w.tables) {
				w.fail("after the clean run: %s", d)
			}
			compared, differ := w.book.Differences(ctx)
			for _, d := range differ {
				w.fail("%s", d)
			}
			w.tally.looked(compared)
			return nil
		}
	}
}

// result is how a run ended.
type result struct {
	report engine.Report
	err    error
	ended  bool // by its mood, not by itself
}

func (r result) failed() (out []error) {
	for _, o := range r.report.Outcomes {
		if o.Err != nil {
			out = append(out, o.Err)
		}
	}
	return out
}

// resumed says whether the run took anything over.
func (r result) resumed() bool {
	return slices.ContainsFunc(r.report.Outcomes, func(o engine.Result) bool { return o.Resumed > 0 })
}

// mortal is a connection that takes a moment for each request to a host, so
// that consecutive requests have different times. It fails once its process has
// died.
type mortal struct {
	to   http.RoundTripper
	host string
	dead atomic.Bool
	// hunts is called for each hunting request when it leaves: a fault may delay it
	// on its way to the service.
	hunts func()
}

var errDead = errors.New("the process has died")

func (m *mortal) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Host == m.host {
		time.Sleep(time.Millisecond + rand.N(20*time.Millisecond))
	}
	if m.dead.Load() {
		return nil, errDead
	}
	if strings.HasSuffix(r.URL.Path, "/runHuntingQuery") {
		m.hunts()
	}
	return m.to.RoundTrip(r)
}

// run makes one run in a new process and looks after its bounds.
func (w *world) run(ctx context.Context, m *mood) (result, error) {
	cluster, err := url.Parse(w.emulator.Endpoints().Kusto)
	if err != nil {
		return result{}, err
	}
	var calls []time.Time
	through := &mortal{to: w.emulator.Transport(), host: cluster.Host, hunts: func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		calls = append(calls, time.Now())
	}}
	p, err := w.process(through)
	if err != nil {
		return result{}, err
	}
	defer p.close()
	ctx, cancel := context.WithTimeout(ctx, bound)
	defer cancel()
	requests := 0
	w.watch(func(e faults.Event) {
		if e.Done {
			return
		}
		if !known(e) {
			w.fail("a request matches no row of test/reliability/faulttable, give it one: %s %.300s", e.Endpoint, e.Text)
		}
		if e.Endpoint == faults.Discovery || e.Endpoint == faults.KustoAuth {
			return // clients ask again when they like
		}
		w.mu.Lock()
		requests++
		n := requests
		w.mu.Unlock()
		if n > storm {
			cancel()
		}
		m.reached(n, e, func(kill bool) {
			through.dead.Store(kill)
			cancel()
		})
	})
	began := time.Now()
	r := result{}
	r.report, r.err = p.exporter.Run(ctx, engine.Request{})
	took := time.Since(began)
	w.watch(nil)
	w.clock.wait()
	r.ended = m.ended.Load()
	switch {
	case requests > storm:
		w.fail("a storm: %d requests in %s", requests, took)
	case took >= bound:
		w.fail("the run hangs: it has taken %s and ended with %v", took, errors.Join(append(r.failed(), r.err)...))
	case r.ended && time.Since(m.end) > leave:
		w.fail("the run goes on for %s after it was interrupted", time.Since(m.end))
	}
	if n := busiest(calls, time.Minute); n > callsPerMinute {
		w.fail("%d hunting calls in a minute, of %d allowed", n, callsPerMinute)
	}
	if n := busiest(calls, time.Hour); n > callsPerHour {
		w.fail("%d hunting calls in an hour, of %d allowed", n, callsPerHour)
	}
	w.written(r)
	w.note(r, took, calls)
	return r, nil
}

// known says whether a request has a row in the table of requests. A request
// whose client left before it had sent the body cannot be identified.
func known(e faults.Event) bool {
	_, ok := faulttable.Classify(e.Endpoint, e.Text)
	return ok || !strings.Contains(e.Text, "\n")
}

// note counts how the run ended.
func (w *world) note(r result, took time.Duration, calls []time.Time) {
	var outcomes []string
	var resumed int64
	for _, o := range r.report.Outcomes {
		resumed += o.Resumed
		switch {
		case o.Err == nil:
			outcomes = append(outcomes, "success")
		case r.ended:
			outcomes = append(outcomes, "ended by a signal or a death")
		default:
			outcomes = append(outcomes, "failed: "+causes[tvmexport.CauseOf(o.Err)])
		}
	}
	if len(r.report.Outcomes) == 0 {
		outcomes = append(outcomes, "failed before its tables were known")
	}
	w.tally.ran(took, busiest(slices.Clone(calls), time.Minute), outcomes, resumed)
	if *each {
		fmt.Printf("seed %d, run %d: %s, %v, %v %v\n", w.seed, w.runs, took.Round(time.Second), outcomes, r.failed(), r.err)
	}
}

var causes = map[tvmexport.Cause]string{
	tvmexport.Unknown: "the service does not answer", tvmexport.Usage: "usage", tvmexport.Permission: "permission",
	tvmexport.Quota: "quota or time", tvmexport.LeaseHeld: "held by another run", tvmexport.Rejected: "refused", tvmexport.Integrity: "not shown to be complete",
}
