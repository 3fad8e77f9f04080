package kql

import (
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// strcat makes the text of a call of strcat(). Neighbouring rows often have the same
// values in their first columns, such as a device's: the text of these is kept.
type strcat struct {
	segments []segment
	at       int // in the frame
}

// segment is the neighbouring arguments that read one column, with the constants
// between them, or one argument that reads several columns.
type segment struct {
	from  ref
	one   bool // all that is read is the column from
	parts []appender
}

// joinedText is the text of a strcat for the last row.
type joinedText struct {
	text   []byte
	pieces []piece
}

// piece is the text of a segment.
type piece struct {
	of    value.Value // the column's value
	known bool
	text  []byte
	end   int // in the whole text
}

func newStrcat(l *layout, args []*expr) *strcat {
	s := &strcat{at: l.joined}
	l.joined++
	for _, a := range args {
		s.add(a)
	}
	return s
}

// add puts an argument behind the others.
func (s *strcat) add(a *expr) {
	from, one := a.onlyColumn()
	n := len(s.segments) - 1
	switch {
	case n >= 0 && a.rowless():
	case n >= 0 && one && s.segments[n].one && s.segments[n].from == from:
	default:
		s.segments = append(s.segments, segment{from: from, one: one})
		n++
	}
	s.segments[n].parts = append(s.segments[n].parts, a.text())
}

// onlyColumn is the column on which alone the value depends.
func (e *expr) onlyColumn() (ref, bool) {
	if len(e.reads) == 0 || e.volatile {
		return 0, false
	}
	for _, r := range e.reads {
		if r != e.reads[0] {
			return 0, false
		}
	}
	return e.reads[0], true
}

// of is the text for the frame's row, which stays until the next time.
func (s *strcat) of(f *frame) []byte {
	last := &f.joined[s.at]
	if last.pieces == nil {
		last.pieces = make([]piece, len(s.segments))
	}
	first := 0
	for first < len(s.segments) && last.pieces[first].is(&s.segments[first], f) {
		first++
	}
	b := last.text[:0]
	if first > 0 {
		b = last.text[:last.pieces[first-1].end]
	}
	for i := first; i < len(s.segments); i++ {
		b = last.pieces[i].append(&s.segments[i], f, b)
	}
	last.text = b
	return b
}

// is says whether the piece is that of the frame's row.
func (p *piece) is(s *segment, f *frame) bool { return s.one && p.known && p.of == f.at(s.from) }

// append appends the segment's text, and keeps it.
func (p *piece) append(s *segment, f *frame, b []byte) []byte {
	start := len(b)
	if p.is(s, f) {
		b = append(b, p.text...)
	} else {
		for _, part := range s.parts {
			b = part(f, b)
		}
		if s.one {
			p.of, p.known, p.text = f.at(s.from), f.err == nil, append(p.text[:0], b[start:]...)
		}
	}
	p.end = len(b)
	return b
}
