package kql

import (
	"math/rand/v2"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/syntax"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// takeStep lets n rows pass and ends the pipeline.
type takeStep struct{ n *expr }

func (*takeStep) prune(*used) {}

func (s *takeStep) open(f *frame, next func() error) func() error {
	n, err := number(f, s.n)
	taken := int64(0)
	step := f.opening
	return func() error {
		if err != nil {
			return err
		}
		if taken >= n {
			return f.end(step)
		}
		taken++
		if err := next(); err != nil {
			return err
		}
		if taken >= n {
			return f.end(step)
		}
		return nil
	}
}

func (b *binder) take(p *pipeline, x syntax.Expr, c site) (*pipeline, error) {
	n, err := b.count(x, c.scope, c.op)
	if err != nil {
		return nil, err
	}
	p.steps = append(p.steps, &takeStep{n})
	return p, nil
}

// sample binds sample and sample-distinct; of distinct values any will do.
func (b *binder) sample(p *pipeline, n *syntax.Sample, c site) (*pipeline, error) {
	if n.Of != nil {
		d, err := b.distinct(p, []syntax.Item{{Place: n.Place, X: n.Of}}, c)
		if err != nil {
			return nil, err
		}
		return b.take(d, n.N, c)
	}
	count, err := b.count(n.N, c.scope, c.op)
	if err != nil {
		return nil, err
	}
	return stored(p, func(keep *rowKeeper) source { return &sampleSource{rowKeeper: keep, n: count} }), nil
}

// sampleSource chooses rows at random, each with the same chance.
type sampleSource struct {
	*rowKeeper
	n *expr
}

func (s *sampleSource) run(x *execution, _ []Condition, yield func(row []value.Value) error) error {
	n, err := number((&layout{}).frame(x), s.n)
	if err != nil {
		return err
	}
	store := rowStore{width: len(s.refs)}
	seen := int64(0)
	err = s.in.run(x, func(f *frame) error {
		seen++
		at := seen - 1
		switch {
		case at < n:
			s.copy(store.add(), f)
		default:
			if at = rand.Int64N(seen); at < n {
				s.copy(store.rows[at], f)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return store.each(x, yield)
}
