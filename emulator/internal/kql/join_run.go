package kql

import (
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// joinTable is the side of a join that is kept: rows by their keys.
type joinTable struct {
	rows    rowStore
	next    []int32          // the next row of the same key, or -1
	heads   map[string]int32 // the first row of a key
	tails   map[string]int32
	matched []bool
	buffer  []byte
}

// key puts the bytes of the frame's key into the buffer. Nulls match each
// other, as measured on the real engine.
func (t *joinTable) key(f *frame, keys []*expr) {
	t.buffer = t.buffer[:0]
	for _, k := range keys {
		t.buffer = k.eval(f).AppendKey(t.buffer)
	}
}

// first is the first row of the key in the buffer, or -1.
func (t *joinTable) first() int32 {
	if at, ok := t.heads[string(t.buffer)]; ok {
		return at
	}
	return -1
}

// insert adds the row at position at to the key in the buffer.
func (t *joinTable) insert(at int32) {
	if tail, ok := t.tails[string(t.buffer)]; ok {
		t.next[tail] = at
	} else {
		t.heads[string(t.buffer)] = at
	}
	t.tails[string(t.buffer)] = at
}

// load reads the side that is kept; with keysOnly, its keys alone.
func (s *joinSource) load(x *execution, keysOnly bool) (*joinTable, error) {
	t := &joinTable{rows: rowStore{width: len(s.kept)}, heads: map[string]int32{}, tails: map[string]int32{}}
	keys := s.keys[1]
	if s.build == s.left {
		keys = s.keys[0]
	}
	err := s.build.run(x, func(f *frame) error {
		t.key(f, keys)
		if f.err != nil {
			return f.err
		}
		if keysOnly {
			t.heads[string(t.buffer)] = 0
			return nil
		}
		at := int32(len(t.rows.rows))
		row := t.rows.add()
		for i, r := range s.kept {
			row[i] = f.at(r)
		}
		t.next = append(t.next, -1)
		t.insert(at)
		return nil
	})
	return t, err
}

func (s *joinSource) run(x *execution, _ []Condition, yield func(row []value.Value) error) error {
	switch s.kind {
	case "leftsemi", "leftanti":
		return s.filter(x, s.left, s.keys[0], yield)
	case "rightsemi", "rightanti":
		return s.filter(x, s.right, s.keys[1], yield)
	}
	out := make([]value.Value, len(s.columns))
	keepRight := s.kind == "rightouter" || s.kind == "fullouter"
	keepLeft := s.kind == "leftouter" || s.kind == "fullouter"
	t, err := s.load(x, false)
	if err != nil {
		return err
	}
	if keepRight {
		t.matched = make([]bool, len(t.rows.rows))
	}
	var seen map[string]bool
	if s.kind == "innerunique" {
		seen = map[string]bool{}
	}
	err = s.left.run(x, func(f *frame) error {
		t.key(f, s.keys[0])
		at := t.first()
		if f.err != nil {
			return f.err
		}
		if at < 0 {
			if keepLeft {
				s.fill(out, f, nil)
				return yield(out)
			}
			return nil
		}
		if seen != nil {
			if seen[string(t.buffer)] {
				return nil
			}
			seen[string(t.buffer)] = true
		}
		for ; at >= 0; at = t.next[at] {
			if keepRight {
				t.matched[at] = true
			}
			s.fill(out, f, t.rows.rows[at])
			if err := yield(out); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil || !keepRight {
		return err
	}
	for i, row := range t.rows.rows {
		if t.matched[i] {
			continue
		}
		if row == nil {
			row = []value.Value{}
		}
		s.fill(out, nil, row)
		if err := yield(out); err != nil {
			return err
		}
	}
	return nil
}

// filter gives on the rows of one side, p with its keys, that have a match on the other
// (a semi join), or have none (an anti join).
func (s *joinSource) filter(x *execution, p *pipeline, keys []*expr, yield func(row []value.Value) error) error {
	semi := s.kind == "leftsemi" || s.kind == "rightsemi"
	out := make([]value.Value, len(s.columns))
	t, err := s.load(x, true)
	if err != nil {
		return err
	}
	return p.run(x, func(f *frame) error {
		t.key(f, keys)
		found := t.first() >= 0
		if f.err != nil {
			return f.err
		}
		if found != semi {
			return nil
		}
		for i, c := range s.columns {
			if s.need[i] {
				out[i] = f.at(c.ref)
			}
		}
		return yield(out)
	})
}

// fill makes a row of the result: f is the left row, kept the right one; either
// may be missing.
func (s *joinSource) fill(out []value.Value, f *frame, kept []value.Value) {
	for i := range s.columns {
		c := &s.columns[i]
		switch {
		case !s.need[i]:
		case !c.right && f != nil:
			out[i] = f.at(c.ref)
		case c.right && kept != nil:
			out[i] = kept[c.at]
		default:
			out[i] = value.Null(c.kind)
		}
	}
}
