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

// table is the scan that all rows of p come from, nil if there is none. With
// last, p gives no row before it has all rows of the scan.
func (p *pipeline) table() (s *scan, last bool) {
	for p != nil {
		switch from := p.source.(type) {
		case *scan:
			return from, last
		case collector:
			p, last = from.input(), true
		default:
			return nil, false
		}
	}
	return nil, false
}

// reader is a run of a pipeline that is given the rows of its scan.
type reader struct {
	scan    *scan
	where   []Condition
	row     func(row []value.Value) error
	isStop  func(err error) bool  // an error of row means that no more rows are wanted
	end     func(err error) error // after the last row; err is the stop, or nil
	stopped error
}

// open begins a run of a pipeline for which table has found a scan.
func (p *pipeline) open(x *execution, sink func(f *frame) error) (*reader, error) {
	r, err := p.begin(x, sink)
	if err != nil {
		return nil, err
	}
	c, ok := p.source.(collector)
	if !ok {
		return &reader{scan: p.source.(*scan), where: r.where, row: r.row, isStop: r.f.isStop, end: r.end}, nil
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

// canShare says whether one read of a table serves both.
func (r *reader) canShare(other *reader) bool {
	return slices.EqualFunc(r.where, other.where, func(a, b Condition) bool {
		return a.Column == b.Column && a.Unindexed == b.Unindexed && slices.Equal(a.Prefixes, b.Prefixes) &&
			a.From == b.From && a.To == b.To
	})
}

// errNoReader ends a scan whose readers have all stopped.
var errNoReader = errors.New("no reader wants more rows")

// readTogether reads a table once for all readers, which can share it.
func readTogether(x *execution, readers []*reader) error {
	first := readers[0]
	need := slices.Clone(first.scan.need)
	for _, r := range readers[1:] {
		for i, n := range r.scan.need {
			need[i] = need[i] || n
		}
	}
	active := len(readers)
	q := Request{Need: need, Where: first.where, Readers: len(readers)}
	err := first.scan.read(x, q, func(row []value.Value) error {
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
