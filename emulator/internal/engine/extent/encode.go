package extent

import (
	"encoding/binary"
	"math"

	"github.com/klauspost/compress/s2"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// The form of a column of a block, before s2 compression:
//
//	numbers  form byte, a bitmap of nulls if form says so, then per row the
//	         zigzag varint of the difference to the row before (bool, int,
//	         long, datetime, timespan) or 8 bytes of IEEE 754 (real)
//	texts    formPlain: per row a uvarint mark, then all bytes
//	         formDictionary: the number of entries, their marks, their bytes,
//	         then per row one byte, the entry
//
// A mark is 0 for null, else (length+1)<<1, plus 1 for a dynamic whose
// date-time strings are datetimes, and for a string that is known to be JSON.
const (
	formDense byte = iota + 1
	formNulls
	formPlain
	formDictionary
)

const (
	dictionarySize = 256 // entries
	dictionaryText = 256 // bytes of an entry
)

// encoder gathers the values of one column of the open block.
type encoder struct {
	kind  value.Kind
	zone  zone
	nulls []bool
	any   bool // a null is among nulls
	raw   []byte
	last  int64

	marks   []uint64
	entries map[string]byte // mark and text to entry, nil once there were too many
	index   []byte
	row     value.Value // the last one, if it is in entries: many rows in a row have the same text
	scratch []byte
	packed  []byte
}

func isText(k value.Kind) bool {
	switch k {
	case value.String, value.GUID, value.Decimal, value.Dynamic:
		return true
	}
	return false
}

func (e *encoder) reset() {
	e.zone = zone{}
	e.nulls, e.any, e.raw, e.last = e.nulls[:0], false, e.raw[:0], 0
	e.marks, e.index, e.row = e.marks[:0], e.index[:0], value.Value{}
	if e.entries != nil {
		clear(e.entries)
	} else if isText(e.kind) {
		e.entries = make(map[string]byte)
	}
}

// add takes a value and says how large it is.
func (e *encoder) add(v value.Value) int {
	if isText(e.kind) {
		return e.addText(v)
	}
	null := v.IsNull()
	e.nulls = append(e.nulls, null)
	e.any = e.any || null
	switch {
	case e.kind == value.Real:
		bits := uint64(0)
		if !null {
			bits = math.Float64bits(v.Real())
		}
		e.raw = binary.LittleEndian.AppendUint64(e.raw, bits)
	case null:
		e.raw = binary.AppendVarint(e.raw, 0)
	default:
		n := v.Int64()
		e.zone.addNumber(n)
		e.raw = binary.AppendVarint(e.raw, n-e.last) // wraps around, and back in decoding
		e.last = n
	}
	return 8
}

func (e *encoder) addText(v value.Value) int {
	if e.entries == nil && len(e.marks) == 0 {
		e.entries = make(map[string]byte)
	}
	if e.entries == nil {
		start := len(e.raw)
		mark := e.appendText(&e.raw, v)
		e.bound(e.raw[start:], mark)
		e.marks = append(e.marks, mark)
		return len(e.raw) - start
	}
	if v == e.row {
		i := e.index[len(e.index)-1]
		e.index = append(e.index, i)
		return markLen(e.marks[i])
	}
	e.scratch = e.scratch[:0]
	mark := e.appendText(&e.scratch, v)
	size := len(e.scratch)
	e.bound(e.scratch, mark)
	if e.entries != nil && size > dictionaryText {
		e.spread() // such texts hardly repeat
	}
	if e.entries != nil {
		e.scratch = append(e.scratch, byte(mark&1), byte(min(mark, 1))) // the mark is part of the entry's identity
		i, ok := e.entries[string(e.scratch)]
		e.row = v
		switch {
		case ok:
			e.index = append(e.index, i)
			return size
		case len(e.entries) < dictionarySize:
			i = byte(len(e.entries))
			e.entries[string(e.scratch)] = i
			e.index = append(e.index, i)
			e.marks = append(e.marks, mark)
			e.raw = append(e.raw, e.scratch[:size]...)
			return size
		}
		e.spread()
	}
	e.marks = append(e.marks, mark)
	e.raw = append(e.raw, e.scratch[:size]...)
	return size
}

// appendText appends the text of v and gives its mark.
func (e *encoder) appendText(b *[]byte, v value.Value) uint64 {
	start := len(*b)
	switch {
	case v.IsNull():
		return 0
	case e.kind == value.Dynamic:
		*b = v.AppendJSON(*b)
	default:
		*b = append(*b, v.Text()...)
	}
	mark := uint64(len(*b)-start+1) << 1
	if e.kind == value.Dynamic && v.IsTyped() || v.IsJSON() {
		mark |= 1
	}
	return mark
}

// bound widens the zone by a text.
func (e *encoder) bound(text []byte, mark uint64) {
	if e.kind == value.String && mark > 0 {
		e.zone.addText(text)
	}
}

// spread gives up the dictionary: every row gets its own text.
func (e *encoder) spread() {
	if len(e.index) == 0 {
		e.entries = nil
		return
	}
	starts := make([]int, len(e.marks)+1)
	for i, m := range e.marks {
		starts[i+1] = starts[i] + markLen(m)
	}
	marks := make([]uint64, len(e.index), rowsPerBlock)
	raw := make([]byte, 0, 2*len(e.raw))
	for row, i := range e.index {
		marks[row] = e.marks[i]
		raw = append(raw, e.raw[starts[i]:starts[int(i)+1]]...)
	}
	e.marks, e.raw, e.entries, e.index, e.row = marks, raw, nil, e.index[:0], value.Value{}
}

func markLen(mark uint64) int {
	if mark == 0 {
		return 0
	}
	return int(mark>>1) - 1
}

// flush appends the compressed column to data.
func (e *encoder) flush(data []byte) []byte {
	e.packed = e.packed[:0]
	switch {
	case !isText(e.kind):
		if e.any {
			e.packed = append(e.packed, formNulls)
			bitmap := make([]byte, (len(e.nulls)+7)/8)
			for i, null := range e.nulls {
				if null {
					bitmap[i/8] |= 1 << (i % 8)
				}
			}
			e.packed = append(e.packed, bitmap...)
		} else {
			e.packed = append(e.packed, formDense)
		}
		e.packed = append(e.packed, e.raw...)
	default:
		if e.entries != nil {
			e.packed = append(e.packed, formDictionary)
			e.packed = binary.AppendUvarint(e.packed, uint64(len(e.marks)))
		} else {
			e.packed = append(e.packed, formPlain)
		}
		for _, m := range e.marks {
			e.packed = binary.AppendUvarint(e.packed, m)
		}
		e.packed = append(e.packed, e.raw...)
		e.packed = append(e.packed, e.index...)
	}
	e.scratch = grow(e.scratch, s2.MaxEncodedLen(len(e.packed)))
	return append(data, s2.Encode(e.scratch, e.packed)...)
}

// grow is b with length n, its content undefined.
func grow(b []byte, n int) []byte {
	if cap(b) < n {
		return make([]byte, n)
	}
	return b[:n]
}
