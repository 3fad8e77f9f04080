package kql

import (
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// slotsOf finds places of the slots of bags in a column.
type slotsOf struct {
	column ref
	uses   int // of the column, each with a name of its own
	at     int // in the frame
}

// field makes e, an access to a named slot, find its place together with the
// other accesses to the same column.
func (l *layout) field(e *expr) {
	if e.constant != nil {
		return
	}
	base, key := e.args[0], e.args[1]
	if !base.column || key.constant == nil || key.kind != value.String {
		return
	}
	var s *slotsOf
	for _, known := range l.slots {
		if known.column == base.reads[0] {
			s = known
		}
	}
	if s == nil {
		s = &slotsOf{column: base.reads[0], at: len(l.slots)}
		l.slots = append(l.slots, s)
	}
	s.uses++
	name, null, alone := key.constant.Text(), value.Null(value.Dynamic), e.eval
	e.eval = func(f *frame) value.Value {
		if s.uses == 1 {
			return alone(f)
		}
		if v, ok := f.slots[s.at].Field(f.at(s.column), name); ok {
			return v
		}
		return null
	}
}
