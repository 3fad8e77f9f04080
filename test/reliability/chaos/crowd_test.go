package chaos_test

import (
	"context"
	"sync"
	"time"

	"github.com/tvmexport/tvmexport/engine"
)

// crowd lets three processes export the same tables at once, under the same
// faults. It checks every table that any of them reports as exported.
func (w *world) crowd(ctx context.Context, m *mood) error {
	const processes = 3
	w.tally.struck("world: three processes at once", 1)
	var wg sync.WaitGroup
	results := make([]result, processes)
	took := make([]time.Duration, processes)
	ctx, cancel := context.WithTimeout(ctx, bound)
	defer cancel()
	for i := range processes {
		p, err := w.process(nil)
		if err != nil {
			return err
		}
		defer p.close()
		wait := []time.Duration{0, time.Millisecond, 3 * time.Second, term, 20 * time.Minute}[w.IntN(5)]
		wg.Go(func() {
			time.Sleep(wait)
			began := time.Now()
			results[i].report, results[i].err = p.exporter.Run(ctx, engine.Request{})
			took[i] = time.Since(began)
		})
	}
	wg.Wait()
	joined := result{}
	for i, r := range results {
		if took[i] >= bound {
			w.fail("a run of three hangs: %v", append(r.failed(), r.err))
		}
		w.written(r)
		w.note(r, took[i], nil)
		joined.report.Outcomes = append(joined.report.Outcomes, r.report.Outcomes...)
	}
	w.judge(ctx, m, joined)
	return nil
}
