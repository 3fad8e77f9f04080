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
func (p *planner) countWindow(ctx context.Context) (counts tvmexport.Counts, recent tvmexport.Window, err error) {
	for first := true; ; first = false {
		recent = p.recent()
		q := tvmexport.CountQuery{Table: p.Run.Table, Window: p.Run.Window, Bin: time.Hour, Nulls: true, Rows: p.Last}
		for _, w := range append(p.Again[:len(p.Again):len(p.Again)], recent) {
			if w != (tvmexport.Window{}) && w.From.Before(q.Window.From) {
				q.Window.From = w.From
			}
		}
		if counts, err = p.count(ctx, q); err != nil {
			return counts, recent, err
		}
		if !first || !p.Run.Window.From.After(counts.Now.Add(clockSkew)) {
			return counts, recent, nil
		}
		if err := p.setBack(counts.Now); err != nil {
			return counts, recent, err
		}
	}
}

// setBack moves the beginning of a window that is in the future to where the
// source's clock allows. What was fetched up to there is not known then: what
// readers lack of all that the source holds is published. The future that was
// asked for with the run itself is an error.
func (p *planner) setBack(now time.Time) error {
	from := p.Run.Window.From
	if from.Equal(p.From) {
		return &tvmexport.Error{
			Op: "plan", Table: p.Run.Table.Name, Action: tvmexport.Stop, Cause: tvmexport.Usage,
			Err:  fmt.Errorf("the requested start is %s, but the source's clock is %s", from.UTC().Format(time.RFC3339), now.UTC().Format(time.RFC3339)),
			Hint: "choose a start in the past", Code: tvmexport.StartInFuture,
		}
	}
	p.note("the watermark %s is later than the source's clock, %s: the run sets it back and publishes the missing rows",
		from.UTC().Format(time.RFC3339), now.UTC().Format(time.RFC3339))
	p.Again = nil
	if p.Run.Kind == tvmexport.FullRun || p.Run.Previous == "" { // of either, readers see nothing of earlier runs
		p.Run.Window.From = time.Time{}
		return nil
	}
	p.Run.Window.From = now.Add(-p.Lag).Truncate(tvmexport.Tick)
	p.reconcile()
	return nil
}

// noteAhead notes rows whose time is in the future: they are exported
// when the watermark reaches them.
func (p *planner) noteAhead(counts tvmexport.Counts) {
	rows, last := int64(0), time.Time{}
	for _, c := range counts.Parts {
		if c.Start.After(counts.Now.Add(clockSkew)) {
			rows += c.Rows
			last = later(last, c.Start)
		}
	}
	if rows > 0 {
		p.note("%d rows have a %s that is later than the source's clock, up to %s: they are exported when that time is reached", rows, p.Run.Table.Watermark, last.Add(time.Hour).UTC().Format(time.RFC3339))
	}
}
