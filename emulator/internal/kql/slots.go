package kql

import (
	"slices"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// slotsOf finds places of the slots of bags in a column.
type slotsOf struct {
	column ref
	names  []string // that are looked up in the column
	uses   int      // of the column
	at     int      // in the frame
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
	use := slices.Index(s.names, name)
	if use < 0 {
		use, s.names = len(s.names), append(s.names, name)
	}
	e.eval = func(f *frame) value.Value {
		if s.uses == 1 {
			return alone(f)
		}
		if v, ok := f.slots[s.at].Field(f.at(s.column), name, use); ok {
			return v
		}
		return null
	}
	e.str = func(f *frame) string {
		if s.uses == 1 {
			return alone(f).String()
		}
		return f.slots[s.at].Text(f.at(s.column), name, use)
	}
}
