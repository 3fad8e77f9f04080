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
	end   int // in the whole text
	texts []kept
}

// kept is the text of a segment for a value of its column.
type kept struct {
	of    value.Value
	known bool
	text  []byte
}

// keptTexts is how many texts of a segment are kept: columns such as a software's name
// have few values that come again and again.
const keptTexts = 64

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
	if len(s.segments) == 1 { // nothing is kept that would not be kept elsewhere
		b := last.text[:0]
		for _, part := range s.segments[0].parts {
			b = part(f, b)
		}
		last.text = b
		return b
	}
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
	if !s.one {
		for _, part := range s.parts {
			b = part(f, b)
		}
		p.end = len(b)
		return b
	}
	if p.texts == nil {
		p.texts = make([]kept, keptTexts)
	}
	start, v := len(b), f.at(s.from)
	if k := &p.texts[v.Spread()%keptTexts]; k.known && k.of == v {
		b = append(b, k.text...)
	} else {
		for _, part := range s.parts {
			b = part(f, b)
		}
		k.of, k.known, k.text = v, f.err == nil, append(k.text[:0], b[start:]...)
	}
	p.of, p.known, p.end = v, f.err == nil, len(b)
	return b
}
