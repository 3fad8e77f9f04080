package aggregate

import "github.com/tvmexport/tvmexport/emulator/internal/kql/value"

// Column takes in the rows of many groups, which have numbers from 0 on. It holds
// their accumulators side by side.
type Column interface {
	// Grow adds a group.
	Grow()
	// Add is Accumulator.Add for a group.
	Add(group int, args []value.Value) error
	// AppendResults is Accumulator.AppendResults for a group.
	AppendResults(group int, to []value.Value) []value.Value
}

// Columns makes the column of an aggregate.
func (b Bound) Columns() Column {
	if b.Column != nil {
		return b.Column()
	}
	return &separate{make: b.New}
}

// separate holds accumulators that are alone.
type separate struct {
	make func() Accumulator
	list []Accumulator
}

func (s *separate) Grow() { s.list = append(s.list, s.make()) }

func (s *separate) Add(group int, args []value.Value) error { return s.list[group].Add(args) }

func (s *separate) AppendResults(group int, to []value.Value) []value.Value {
	return s.list[group].AppendResults(to)
}

// accumulatorOf is an accumulator by its address.
type accumulatorOf[T any] interface {
	*T
	Accumulator
}

// packed holds accumulators of one type, in chunks that stay where they are.
type packed[T any, P accumulatorOf[T]] struct {
	empty  T
	chunks [][]T
}

const chunkSize = 512

func (p *packed[T, P]) Grow() {
	last := len(p.chunks) - 1
	switch {
	case last < 0: // there may be few groups
		p.chunks = append(p.chunks, nil)
		last = 0
	case len(p.chunks[last]) == chunkSize:
		p.chunks = append(p.chunks, make([]T, 0, chunkSize))
		last++
	}
	p.chunks[last] = append(p.chunks[last], p.empty)
}

func (p *packed[T, P]) of(group int) P { return P(&p.chunks[group/chunkSize][group%chunkSize]) }

func (p *packed[T, P]) Add(group int, args []value.Value) error { return p.of(group).Add(args) }

func (p *packed[T, P]) AppendResults(group int, to []value.Value) []value.Value {
	return p.of(group).AppendResults(to)
}

// alike completes a binding whose accumulators begin as copies of empty.
func alike[T any, P accumulatorOf[T]](results []Result, empty T) Bound {
	return Bound{
		Results: results,
		New: func() Accumulator {
			made := empty
			return P(&made)
		},
		Column: func() Column { return &packed[T, P]{empty: empty} },
	}
}

// filteredColumn passes on the rows whose second argument is true.
type filteredColumn struct{ Column }

func (f *filteredColumn) Add(group int, args []value.Value) error {
	if !args[1].Bool() {
		return nil
	}
	return f.Column.Add(group, args[:1])
}
