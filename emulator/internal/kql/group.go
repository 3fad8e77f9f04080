package kql

import (
	"hash/maphash"
	"math"
	"math/bits"
	"slices"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/aggregate"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// groups finds the groups of rows by their keys, and numbers them in the order in
// which they come. Of each group it keeps a number per key, its code, and nothing
// that the garbage collector looks at.
type groups struct {
	keys  []*expr
	codes []keyCodes
	n     int
	words []uint64 // of group i, from i*width on: the codes, then a bit per key for null
	width int
	table []entry  // a group is at the place of its hash, or at the first behind it that was free
	row   []uint64 // words of the frame's row
	last  int      // group of the row before, which often has the same keys
	alone bool     // the code of the only key is the group's number

	columns []aggregate.Column // of the calls; nil for what is not used
}

func newGroups(keys []*expr, calls []*aggregateCall) *groups {
	g := &groups{keys: keys, codes: make([]keyCodes, len(keys)), width: len(keys) + (len(keys)+63)/64, last: -1}
	g.row = make([]uint64, g.width)
	for i, k := range keys {
		g.codes[i].kind = k.kind
	}
	g.alone = len(keys) == 1 && !direct(keys[0].kind)
	g.columns = make([]aggregate.Column, len(calls))
	for i, c := range calls {
		if c.used {
			g.columns[i] = c.bound.Columns()
		}
	}
	return g
}

// find is the number of the group of the frame's row, and whether it is new. Who
// calls looks at f.err first.
func (g *groups) find(f *frame) (int, bool) {
	n := len(g.keys)
	if n == 0 { // all rows are one group
		if g.n == 0 {
			return g.add(), true
		}
		return 0, false
	}
	clear(g.row[n:])
	for i, k := range g.keys {
		v := k.eval(f)
		if v.IsNull() {
			g.row[n+i/64] |= 1 << (i % 64)
		}
		g.row[i] = g.codes[i].of(v)
	}
	if f.err != nil {
		return 0, false
	}
	if g.alone {
		found := int(g.row[0])
		if found < g.n {
			return found, false
		}
		return g.add(), true
	}
	if g.last >= 0 && g.is(g.last) {
		return g.last, false
	}
	if 3*g.n >= 2*len(g.table) {
		g.rehash()
	}
	at := g.place(g.row)
	if found := g.table[at].group(); found >= 0 {
		g.last = found
		return found, false
	}
	g.last = g.add()
	g.words = append(g.words, g.row...)
	g.table[at] |= entry(g.n)
	return g.last, true
}

// is says whether group i has the keys of the frame's row.
func (g *groups) is(i int) bool { return slices.Equal(g.of(i), g.row) }

// of is the words of group i.
func (g *groups) of(i int) []uint64 { return g.words[i*g.width : (i+1)*g.width] }

// entry is a part of a group's hash and, in the lower half, its number+1; 0 there is
// a place that is free.
type entry uint64

func (e entry) group() int { return int(uint32(e)) - 1 }

// place is where the table has the group with these words, or a free place with its
// hash. Groups whose last keys are neighbouring numbers are neighbours in the table:
// rows often come in such an order.
func (g *groups) place(words []uint64) int {
	const neighbours = 8
	key := len(g.keys) - 1
	h := uint64(0)
	for i, w := range words {
		if i == key {
			w /= neighbours
		}
		hi, lo := bits.Mul64(h^w^0x9E3779B97F4A7C15, 0xD6E8FEB86659FD93)
		h = hi ^ lo
	}
	mask := len(g.table) - 1
	at := (int(h)*neighbours + int(words[key]%neighbours)) & mask
	tag := entry(h &^ math.MaxUint32)
	for {
		e := g.table[at]
		switch {
		case e.group() < 0:
			g.table[at] = tag
			return at
		case e&^math.MaxUint32 == tag && slices.Equal(g.of(e.group()), words):
			return at
		}
		at = (at + 1) & mask
	}
}

// rehash makes the table larger.
func (g *groups) rehash() {
	g.table = make([]entry, max(64, 2*len(g.table)))
	for i := range g.n {
		g.table[g.place(g.of(i))] |= entry(i + 1)
	}
}

// add makes a group, and is its number.
func (g *groups) add() int {
	for _, c := range g.columns {
		if c != nil {
			c.Grow()
		}
	}
	g.n++
	return g.n - 1
}

// appendKey appends the keys of group i.
func (g *groups) appendKey(i int, to []value.Value) []value.Value {
	if g.alone {
		return append(to, g.codes[0].values[i])
	}
	words, n := g.of(i), len(g.keys)
	for j := range n {
		to = append(to, g.codes[j].value(words[j], words[n+j/64]&(1<<(j%64)) != 0))
	}
	return to
}

// keyCodes gives the values of a key numbers. Those of 64 bits are their own; others
// are numbered in the order in which they come.
type keyCodes struct {
	kind   value.Kind
	values []value.Value
	texts  textCodes         // of strings
	bytes  map[string]uint64 // of others, by value.AppendKey
	buffer []byte
	last   uint64 // code of the row before
}

// direct says whether values of a kind are the same exactly if their 64 bits, and
// whether they are null, are the same.
func direct(k value.Kind) bool {
	switch k {
	case value.Int, value.Long, value.DateTime, value.TimeSpan, value.Bool:
		return true
	}
	return false
}

func (k *keyCodes) of(v value.Value) uint64 {
	switch {
	case direct(k.kind):
		return uint64(v.Int64())
	case k.kind == value.String:
		return k.ofText(v.Text())
	}
	k.buffer = v.AppendKey(k.buffer[:0])
	code, ok := k.bytes[string(k.buffer)]
	if !ok {
		if k.bytes == nil {
			k.bytes = map[string]uint64{}
		}
		code = k.add(v)
		k.bytes[string(k.buffer)] = code
	}
	return code
}

func (k *keyCodes) ofText(text string) uint64 {
	if k.last < uint64(len(k.values)) && k.values[k.last].Text() == text {
		return k.last
	}
	hash := maphash.String(textSeed, text)
	at, found := k.texts.find(hash, text, k.values)
	if !found {
		k.texts.put(at, hash, len(k.values))
		k.add(value.NewString(k.texts.copy(text)))
		k.last = uint64(len(k.values) - 1)
		return k.last
	}
	k.last = uint64(k.texts.table[at].group())
	return k.last
}

func (k *keyCodes) add(v value.Value) uint64 {
	k.values = append(k.values, v)
	return uint64(len(k.values) - 1)
}

// value is the value with a code.
func (k *keyCodes) value(code uint64, null bool) value.Value {
	switch {
	case !direct(k.kind):
		return k.values[code]
	case null:
		return value.Null(k.kind)
	}
	return value.FromBits(k.kind, int64(code))
}
