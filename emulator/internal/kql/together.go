package kql

import (
	"errors"
	"slices"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// collector is a source that takes all rows of another pipeline before it gives
// any.
type collector interface {
	source
	// input is the pipeline whose rows it takes; nil for a source that gives
	// rows at once after all.
	input() *pipeline
	// collect begins a run: take is for each row of the input, give yields what
	// became of them.
	collect(x *execution) (take func(f *frame) error, give rowsFunc)
}

// runCollector runs a collector with an input.
func runCollector(c collector, x *execution, yield func(row []value.Value) error) error {
	take, give := c.collect(x)
	if err := c.input().run(x, take); err != nil {
		return err
	}
	return give(yield)
}

// origin is what all rows of p come from, a scan or a shared table, nil if there is
// nothing of the kind. With last, p gives no row before it has all rows of it.
func (p *pipeline) origin() (from source, last bool) {
	for p != nil {
		switch from := p.source.(type) {
		case *scan, *sharedSource:
			return from, last
		case collector:
			p, last = from.input(), true
		default:
			return nil, false
		}
	}
	return nil, false
}

// isOrigin says whether rows of b are rows of a, too.
func isOrigin(a, b source) bool {
	switch a := a.(type) {
	case *scan:
		b, ok := b.(*scan)
		return ok && a.entity == b.entity
	case *sharedSource:
		b, ok := b.(*sharedSource)
		return ok && a.shared == b.shared
	}
	return false
}

// reader is a run of a pipeline that is given the rows of its origin.
type reader struct {
	from    source
	where   []Condition
	row     func(row []value.Value) error
	isStop  func(err error) bool  // an error of row means that no more rows are wanted
	end     func(err error) error // after the last row; err is the stop, or nil
	stopped error
}

// open begins a run of a pipeline that has an origin.
func (p *pipeline) open(x *execution, sink func(f *frame) error) (*reader, error) {
	r, err := p.begin(x, sink)
	if err != nil {
		return nil, err
	}
	c, ok := p.source.(collector)
	if !ok {
		return &reader{from: p.source, where: r.where, row: r.row, isStop: r.f.isStop, end: r.end}, nil
	}
	take, give := c.collect(x)
	in, err := c.input().open(x, take)
	if err != nil {
		return nil, err
	}
	endInput := in.end
	in.end = func(err error) error {
		if err := endInput(err); err != nil {
			return err
		}
		return r.end(give(r.row))
	}
	return in, nil
}

// canShare says whether one read of their origin serves both.
func (r *reader) canShare(other *reader) bool {
	return slices.EqualFunc(r.where, other.where, func(a, b Condition) bool {
		return a.Column == b.Column && a.Unindexed == b.Unindexed && slices.Equal(a.Prefixes, b.Prefixes) &&
			a.From == b.From && a.To == b.To
	})
}

// errNoReader ends a scan whose readers have all stopped.
var errNoReader = errors.New("no reader wants more rows")

// readTogether reads an origin once for all readers, which can share it.
func readTogether(x *execution, readers []*reader) error {
	active := len(readers)
	err := readOrigin(x, readers, func(row []value.Value) error {
		for _, r := range readers {
			if r.stopped != nil {
				continue
			}
			if err := r.row(row); err != nil {
				if !r.isStop(err) {
					return err
				}
				r.stopped = err
				if active--; active == 0 {
					return errNoReader
				}
			}
		}
		return nil
	})
	if errors.Is(err, errNoReader) {
		return nil
	}
	return err
}

func readOrigin(x *execution, readers []*reader, yield func(row []value.Value) error) error {
	first, ok := readers[0].from.(*scan)
	if !ok {
		return readers[0].from.(*sharedSource).stream(x, yield)
	}
	need := slices.Clone(first.need)
	for _, r := range readers[1:] {
		for i, n := range r.from.(*scan).need {
			need[i] = need[i] || n
		}
	}
	return first.read(x, Request{Need: need, Where: readers[0].where, Readers: len(readers)}, yield)
}
