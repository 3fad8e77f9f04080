package kql

import (
	"context"
	"sync/atomic"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// ref is where the value of a column is found while a row passes through a
// pipeline: the column of the source's row, or, negative, ^slot among the
// values that steps of the pipeline have computed.
type ref int

// slotRef is the ref of a computed value.
func slotRef(slot int) ref { return ref(^slot) }

// frame holds the row that passes through a pipeline.
type frame struct {
	x   *execution
	src []value.Value // the source's row; not kept
	ext []value.Value // what steps have computed
	tmp []value.Value // arguments of calls, with constants in place
	err error         // the first failure of an expression

	buffers [][]byte // texts that are being made
	joined  []joinedText
	memory  []memory
	slots   []value.Slots
	stop    *stopped // what a step returns to end the pipeline early

	opening   int     // the step that is being opened
	stoppedBy int     // the last step that has returned stop, or -1
	flushes   []flush // of steps that hold rows back, the last step first
}

// flush lets the rows pass that a step has held back, when no more will come.
type flush struct {
	step int
	run  func() error
}

// end is what a step returns, by its place among the steps, when it wants no
// more rows.
func (f *frame) end(step int) error {
	f.stoppedBy = max(f.stoppedBy, step)
	return f.stop
}

// stopped ends one pipeline without an error.
type stopped struct{ _ byte } // not of size zero: its address identifies the pipeline

func (*stopped) Error() string { return "the pipeline has all its rows" }

// at is the value of a column.
func (f *frame) at(r ref) value.Value {
	if r >= 0 {
		return f.src[r]
	}
	return f.ext[^r]
}

// fail keeps the first failure. Who evaluates an expression looks at f.err
// before the result is used.
func (f *frame) fail(err error) {
	if f.err == nil {
		f.err = err
	}
}

// eval computes an expression for the frame's row.
type eval func(f *frame) value.Value

// layout says what a frame of a pipeline holds.
type layout struct {
	ext []value.Kind
	tmp []value.Value

	buffers int // for text, see fuse
	joined  int // see strcat
	memory  int // see remembered
	slots   []*slotsOf
}

// slot reserves a place for a computed value.
func (l *layout) slot(k value.Kind) int {
	l.ext = append(l.ext, k)
	return len(l.ext) - 1
}

// arguments reserves places for the arguments of a call; constants are put
// into theirs once and for all.
func (l *layout) arguments(args []*expr) int {
	base := len(l.tmp)
	for _, a := range args {
		v := value.Null(a.kind)
		if a.constant != nil {
			v = *a.constant
		}
		l.tmp = append(l.tmp, v)
	}
	return base
}

func (l *layout) frame(x *execution) *frame {
	f := &frame{x: x, stop: new(stopped), stoppedBy: -1}
	f.ext = make([]value.Value, len(l.ext))
	for i, k := range l.ext {
		f.ext[i] = value.Null(k)
	}
	f.tmp = append(f.tmp, l.tmp...)
	f.buffers, f.joined, f.memory = make([][]byte, l.buffers), make([]joinedText, l.joined), make([]memory, l.memory)
	f.slots = make([]value.Slots, len(l.slots))
	return f
}

// execution is one run of a statement.
type execution struct {
	ctx     context.Context
	scanned *atomic.Int64
	once    map[*late]onceResult
	shared  map[*shared]*rowStore
	sets    map[*late]*memberSet
	inputs  map[*inputSource]rowsFunc // of the subqueries that run
}

func newExecution(ctx context.Context, scanned *atomic.Int64) *execution {
	return &execution{ctx: ctx, scanned: scanned, once: map[*late]onceResult{}, shared: map[*shared]*rowStore{}, sets: map[*late]*memberSet{}, inputs: map[*inputSource]rowsFunc{}}
}

// late is an expression that reads no row, and whose value is known only when
// the query runs, such as toscalar(). It is computed once a run.
type late struct {
	compute func(x *execution) (value.Value, error)
}

type onceResult struct {
	v   value.Value
	err error
}

func (l *late) eval(f *frame) value.Value {
	r, ok := f.x.once[l]
	if !ok {
		r.v, r.err = l.compute(f.x)
		f.x.once[l] = r
	}
	if r.err != nil {
		f.fail(r.err)
	}
	return r.v
}

// rowStore keeps copies of rows.
type rowStore struct {
	width int
	free  []value.Value
	rows  [][]value.Value
}

// storeRows is how many rows are allocated at once.
const storeRows = 256

// add returns the place for one more row.
func (s *rowStore) add() []value.Value {
	if s.width == 0 {
		s.rows = append(s.rows, nil)
		return nil
	}
	if len(s.free) < s.width {
		s.free = make([]value.Value, s.width*min(storeRows, max(4, len(s.rows))))
	}
	row := s.free[:s.width:s.width]
	s.free = s.free[s.width:]
	s.rows = append(s.rows, row)
	return row
}
