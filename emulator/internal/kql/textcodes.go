package kql

import (
	"hash/maphash"
	"math"
	"strings"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// textSeed is of the hashes of all texts: results do not depend on it.
var textSeed = maphash.MakeSeed()

// textCodes finds the codes of texts, which are their places in a list of values. Large
// tables have millions of long keys; the garbage collector looks at no part of the table,
// and copies of short texts share their memory.
type textCodes struct {
	table []entry // a text is at the place of its hash, or at the first behind it that was free
	n     int
	chunk strings.Builder // of copies; it never moves
}

// find is where the table has a text, or the free place for it.
func (t *textCodes) find(hash uint64, text string, values []value.Value) (at int, found bool) {
	if 3*t.n >= 2*len(t.table) {
		t.grow(values)
	}
	mask := len(t.table) - 1
	tag := entry(hash &^ math.MaxUint32)
	for at = int(hash) & mask; ; at = (at + 1) & mask {
		e := t.table[at]
		if e.group() < 0 {
			return at, false
		}
		if e&^math.MaxUint32 == tag && values[e.group()].Text() == text {
			return at, true
		}
	}
}

// put sets the code of a text at the free place that find gave.
func (t *textCodes) put(at int, hash uint64, code int) {
	t.table[at] = entry(hash&^math.MaxUint32) | entry(code+1)
	t.n++
}

// grow makes the table larger.
func (t *textCodes) grow(values []value.Value) {
	old := t.table
	t.table = make([]entry, max(64, 2*len(old)))
	mask := len(t.table) - 1
	for _, e := range old {
		if e.group() < 0 {
			continue
		}
		at := int(maphash.String(textSeed, values[e.group()].Text())) & mask
		for t.table[at].group() >= 0 {
			at = (at + 1) & mask
		}
		t.table[at] = e
	}
}

// The sizes of chunks, which begin small, and of texts that are copied into one.
const (
	firstChunk = 512
	mostChunk  = 64 << 10
	chunkText  = 256
)

// copy is the same text in other memory: what it is part of may be large.
func (t *textCodes) copy(text string) string {
	if len(text) > chunkText {
		return strings.Clone(text)
	}
	if t.chunk.Cap()-t.chunk.Len() < len(text) {
		size := min(max(firstChunk, 2*t.chunk.Cap()), mostChunk)
		t.chunk = strings.Builder{}
		t.chunk.Grow(size)
	}
	begin := t.chunk.Len()
	t.chunk.WriteString(text)
	return t.chunk.String()[begin:]
}
