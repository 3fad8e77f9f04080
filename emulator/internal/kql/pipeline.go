package kql

import (
	"slices"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// field is a column that expressions can name.
type field struct {
	name string
	kind value.Kind
	ref  ref
}

// row is what an expression can read.
type row struct {
	fields []field
	hidden []field // named as the columns of Relation.Hidden
	layout *layout
	// pipe takes the steps that window functions need; nil where they cannot
	// be called.
	pipe *pipeline
	// aggregates collects the calls of aggregates; nil where there can be none.
	aggregates *aggregation
	// states are the steps of scan, whose columns can be named behind theirs.
	states map[string]*scanState
}

func (r *row) find(name string) (field, bool) {
	for _, f := range r.fields {
		if f.name == name {
			return f, true
		}
	}
	return field{}, false
}

// source yields the rows that a pipeline begins with.
type source interface {
	// require says which columns are read, and is called once before run.
	require(need []bool)
	// run yields rows that are valid until the next one. where holds for all
	// rows that are of use.
	run(x *execution, where []Condition, yield func(row []value.Value) error) error
}

// step is something done to each row of a pipeline.
type step interface {
	// prune is called once, from the last step to the first: the step drops
	// what is not used and marks what it reads.
	prune(u *used)
	// open makes the step's function for one run; next is that of the step
	// behind it.
	open(f *frame, next func() error) func() error
}

// pipeline is a source and the steps that its rows take one by one, without
// being copied. Operators that need a table's rows together are sources of a
// next pipeline.
//
// A pipeline is built, finished once by who reads its rows, and may then run
// any number of times.
type pipeline struct {
	row
	lay        layout
	source     source
	width      int // columns of the source
	steps      []step
	hints      []hint
	serialized bool // the rows have an order
}

// newPipeline is a pipeline without steps.
func newPipeline(s source, columns []value.Column) *pipeline {
	p := &pipeline{source: s, width: len(columns)}
	p.layout = &p.lay
	p.pipe = p
	for i, c := range columns {
		p.fields = append(p.fields, field{name: c.Name, kind: c.Kind, ref: ref(i)})
	}
	return p
}

// columns is the schema of the visible columns.
func (p *pipeline) columns() []value.Column {
	columns := make([]value.Column, len(p.fields))
	for i, f := range p.fields {
		columns[i] = value.Column{Name: f.name, Kind: f.kind}
	}
	return columns
}

// refs are where the visible columns are found.
func (p *pipeline) refs() []ref { return refsOf(p.fields) }

func refsOf(fields []field) []ref {
	refs := make([]ref, len(fields))
	for i, f := range fields {
		refs[i] = f.ref
	}
	return refs
}

// compute adds a step that evaluates e for every row, and is the field of the
// result. A plain column needs no step.
func (p *pipeline) compute(name string, e *expr) field {
	if e.column {
		return field{name: name, kind: e.kind, ref: e.reads[0]}
	}
	slot := p.lay.slot(e.kind)
	p.steps = append(p.steps, &computeStep{slot: slot, e: remembered(&p.lay, e)})
	return field{name: name, kind: e.kind, ref: slotRef(slot)}
}

// filter adds a step that keeps the rows for which e is true.
func (p *pipeline) filter(e *expr) { p.steps = append(p.steps, &filterStep{remembered(&p.lay, e)}) }

// used marks the values that are read.
type used struct{ src, ext []bool }

func (u *used) mark(refs ...ref) {
	for _, r := range refs {
		if r >= 0 {
			u.src[r] = true
		} else {
			u.ext[^r] = true
		}
	}
}

// finish ends the building of the pipeline: only the values at refs are read
// from its rows.
func (p *pipeline) finish(refs []ref) {
	u := &used{src: make([]bool, p.width), ext: make([]bool, len(p.lay.ext))}
	u.mark(refs...)
	for i := len(p.steps) - 1; i >= 0; i-- {
		p.steps[i].prune(u)
	}
	p.source.require(u.src)
	if _, ok := p.source.(*scan); ok {
		p.hints = findHints(p.steps)
	}
}

// run passes all rows through the steps and on to sink.
func (p *pipeline) run(x *execution, sink func(f *frame) error) error {
	r, err := p.begin(x, sink)
	if err != nil {
		return err
	}
	return r.end(p.source.run(x, r.where, r.row))
}

// passage is one run of a pipeline's steps.
type passage struct {
	f     *frame
	next  func() error
	where []Condition
}

// begin opens the steps.
func (p *pipeline) begin(x *execution, sink func(f *frame) error) (*passage, error) {
	f := p.lay.frame(x)
	next := func() error { return sink(f) }
	for i := len(p.steps) - 1; i >= 0; i-- {
		f.opening = i
		if c, first := p.computed(i); first < i {
			next = computeAll(f, c, next)
			i = first
			continue
		}
		next = p.steps[i].open(f, next)
	}
	where, err := conditions(p.hints, f)
	if err != nil {
		return nil, err
	}
	return &passage{f, next, where}, nil
}

// row passes a row of the source through the steps.
func (r *passage) row(row []value.Value) error {
	r.f.src = row
	return r.next()
}

// end ends the run; err is what has ended the source, nil behind its last row. A
// step that has ended the pipeline wants nothing from those before it; those
// behind it still have rows to give.
func (r *passage) end(err error) error {
	f := r.f
	for i := len(f.flushes) - 1; i >= 0 && (err == nil || f.isStop(err)); i-- {
		if f.flushes[i].step > f.stoppedBy {
			err = f.flushes[i].run()
		}
	}
	if f.isStop(err) {
		return nil
	}
	return err
}

func (f *frame) isStop(err error) bool {
	s, ok := err.(*stopped)
	return ok && s == f.stop
}

// computeStep evaluates an expression into a slot.
type computeStep struct {
	slot int
	e    *expr
	skip bool
}

func (s *computeStep) prune(u *used) {
	if s.skip = !u.ext[s.slot]; !s.skip {
		u.mark(s.e.reads...)
	}
}

func (s *computeStep) open(f *frame, next func() error) func() error {
	if s.skip {
		return next
	}
	slot, compute := s.slot, s.e.eval
	if s.e.constant != nil {
		f.ext[slot] = *s.e.constant
		return next
	}
	return func() error {
		v := compute(f)
		if f.err != nil {
			return f.err
		}
		f.ext[slot] = v
		return next()
	}
}

// computed is the run of steps that only compute, from the step first to last.
func (p *pipeline) computed(last int) (list []*computeStep, first int) {
	for first = last + 1; first > 0; first-- {
		c, ok := p.steps[first-1].(*computeStep)
		if !ok {
			break
		}
		list = append(list, c)
	}
	slices.Reverse(list)
	return list, first
}

// computeAll opens neighbouring steps as one.
func computeAll(f *frame, list []*computeStep, next func() error) func() error {
	var slots []int
	var evals []eval
	for _, s := range list {
		switch {
		case s.skip:
		case s.e.constant != nil:
			f.ext[s.slot] = *s.e.constant
		default:
			slots, evals = append(slots, s.slot), append(evals, s.e.eval)
		}
	}
	return func() error {
		for i, compute := range evals {
			f.ext[slots[i]] = compute(f)
		}
		if f.err != nil {
			return f.err
		}
		return next()
	}
}

// filterStep keeps rows for which a condition is true.
type filterStep struct{ e *expr }

func (s *filterStep) prune(u *used) { u.mark(s.e.reads...) }

func (s *filterStep) open(f *frame, next func() error) func() error {
	condition := s.e.condition()
	return func() error {
		is := condition(f)
		if f.err != nil {
			return f.err
		}
		if is != holds {
			return nil
		}
		return next()
	}
}
