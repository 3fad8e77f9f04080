package engine

import (
	"context"
	"sync"
	"time"

	"github.com/tvmexport/tvmexport"
)

// place is the right of a table to fetch and to publish, of which few tables have
// one at a time.
type place struct {
	free   chan struct{} // holds an element for each place that is taken; nil: there are as many as tables
	held   bool
	waited time.Duration
}

// enter waits for the place, if the table does not have it yet.
func (p *place) enter(ctx context.Context) error {
	if p.held || p.free == nil {
		return nil
	}
	began := time.Now()
	defer func() { p.waited += time.Since(began) }()
	select {
	case p.free <- struct{}{}:
		p.held = true
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// leave gives the place back.
func (p *place) leave() {
	if p.held {
		<-p.free
		p.held = false
	}
}

// prepared are the steps of a run whose destination is made ready before the first
// step that uses it. So tables are planned side by side, and counted together,
// before one of them has to wait.
type prepared struct {
	Steps
	place   *place
	entered sync.Once
	barred  error
	once    sync.Once
	prepare func(ctx context.Context) error
	err     error

	landing sync.Once
	check   func(ctx context.Context) error // before the first row lands
	wrong   error
}

// ready makes the destination ready once the table has its place.
func (p *prepared) ready(ctx context.Context) error {
	p.entered.Do(func() { p.barred = p.place.enter(ctx) })
	if p.barred != nil {
		return p.barred
	}
	return p.fit(ctx)
}

// fit is ready for a run that moves no rows, and needs no place.
func (p *prepared) fit(ctx context.Context) error {
	p.once.Do(func() { p.err = p.prepare(ctx) })
	return p.err
}

func (p *prepared) HourlyCounts(ctx context.Context, t tvmexport.Table, w tvmexport.Window) ([]tvmexport.Count, error) {
	if err := p.ready(ctx); err != nil {
		return nil, err
	}
	return p.Steps.HourlyCounts(ctx, t, w)
}

func (p *prepared) FetchAndLand(ctx context.Context, in []FetchInput) ([]FetchOutcome, error) {
	err := p.ready(ctx)
	if err == nil && len(in) > 0 {
		p.landing.Do(func() { p.wrong = p.check(ctx) })
		err = p.wrong
	}
	if err != nil {
		return make([]FetchOutcome, len(in)), err
	}
	return p.Steps.FetchAndLand(ctx, in)
}

func (p *prepared) Confirm(ctx context.Context, in ConfirmInput) (ConfirmOutcome, error) {
	if len(in.Batches) > 0 {
		if err := p.ready(ctx); err != nil {
			return ConfirmOutcome{}, err
		}
	}
	return p.Steps.Confirm(ctx, in)
}

func (p *prepared) Publish(ctx context.Context, pub tvmexport.Publication) (tvmexport.Published, error) {
	ready := p.ready
	if len(pub.Steps) == 0 {
		ready = p.fit
	}
	if err := ready(ctx); err != nil {
		return tvmexport.Published{}, err
	}
	return p.Steps.Publish(ctx, pub)
}
