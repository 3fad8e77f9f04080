package engine

import (
	"context"
	"fmt"
	"time"

	"github.com/tvmexport/tvmexport"
)

// clockSkew is how far a watermark may lie ahead of the source's clock: its
// servers do not agree to the second.
const clockSkew = 5 * time.Minute

// countWindow counts the rows from the first moment that the run looks at. A
// window that would begin in the future of the source's clock is set back, and
// counted again.
func (f *fetching) countWindow(ctx context.Context) (counts tvmexport.Counts, recent tvmexport.Window, err error) {
	for first := true; ; first = false {
		recent = f.recent()
		q := tvmexport.CountQuery{Table: f.plan.Run.Table, Window: f.plan.Run.Window, Bin: time.Hour, Nulls: true}
		for _, w := range append(f.plan.Again[:len(f.plan.Again):len(f.plan.Again)], recent) {
			if w != (tvmexport.Window{}) && w.From.Before(q.Window.From) {
				q.Window.From = w.From
			}
		}
		if counts, err = f.steps.Count(ctx, q); err != nil {
			return counts, recent, err
		}
		f.progress.Calls += counts.Calls
		if !first || !f.plan.Run.Window.From.After(counts.Now.Add(clockSkew)) {
			return counts, recent, nil
		}
		if err := f.setBack(counts.Now); err != nil {
			return counts, recent, err
		}
	}
}

// setBack moves the beginning of a window that is in the future to where the
// source's clock allows. What was fetched up to there is not known then: what
// readers lack of all that the source holds is published. The future that was
// asked for with the run itself is an error.
func (f *fetching) setBack(now time.Time) error {
	p := &f.plan
	from := p.Run.Window.From
	if from.Equal(p.From) {
		return &tvmexport.Error{
			Op: "plan", Table: p.Run.Table.Name, Action: tvmexport.Stop, Cause: tvmexport.Usage,
			Err:  fmt.Errorf("the requested start is %s, but the source's clock is %s", from.UTC().Format(time.RFC3339), now.UTC().Format(time.RFC3339)),
			Hint: "choose a start in the past", Code: tvmexport.StartInFuture,
		}
	}
	f.note("the watermark %s is later than the source's clock, %s: the run sets it back and publishes the missing rows",
		from.UTC().Format(time.RFC3339), now.UTC().Format(time.RFC3339))
	p.Again = nil
	if p.Run.Previous == "" {
		p.Run.Window.From = time.Time{}
		return nil
	}
	p.Run.Window.From = now.Add(-p.Lag).Truncate(tvmexport.Tick)
	p.reconcile()
	return nil
}

// noteAhead notes rows whose time is in the future: they are exported
// when the watermark reaches them.
func (f *fetching) noteAhead(counts tvmexport.Counts) {
	rows, last := int64(0), time.Time{}
	for _, c := range counts.Parts {
		if c.Start.After(counts.Now.Add(clockSkew)) {
			rows += c.Rows
			last = later(last, c.Start)
		}
	}
	if rows > 0 {
		f.note("%d rows have a %s that is later than the source's clock, up to %s: they are exported when that time is reached", rows, f.plan.Run.Table.Watermark, last.Add(time.Hour).UTC().Format(time.RFC3339))
	}
}
