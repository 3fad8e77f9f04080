package kql

import (
	"hash/maphash"
	"math/bits"
	"slices"
	"strings"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/aggregate"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// group is the rows with one key.
type group struct {
	key          []value.Value
	accumulators []aggregate.Accumulator
	next         *group // another one whose key has the same hash
}

// groups finds groups by their keys. A single key that is a string or held in
// 64 bits is looked up as it is, several such keys by a hash, and others by the
// bytes of value.AppendKey.
type groups struct {
	keys  []*expr
	calls []*aggregateCall

	list   []*group
	texts  map[string]*group
	whole  map[int64]*group
	null   *group
	hashes map[uint64]*group
	bytes  map[string]*group
	buffer []byte
	values []value.Value
	last   *group // of the row before, which often has the same key
	slab   []group
	slots  []value.Value // for keys
	places []aggregate.Accumulator
}

// hashSeed makes hashes of keys differ from process to process.
var hashSeed = maphash.MakeSeed()

// simple says whether values of a kind are the same exactly if their text, or
// else their 64 bits, and whether they are null, are the same.
func simple(k value.Kind) bool {
	switch k {
	case value.String, value.Int, value.Long, value.DateTime, value.TimeSpan, value.Bool:
		return true
	}
	return false
}

func newGroups(keys []*expr, calls []*aggregateCall) *groups {
	g := &groups{keys: keys, calls: calls, values: make([]value.Value, len(keys))}
	switch {
	case slices.ContainsFunc(keys, func(k *expr) bool { return !simple(k.kind) }):
		g.bytes = map[string]*group{}
	case len(keys) != 1:
		g.hashes = map[uint64]*group{}
	case keys[0].kind == value.String:
		g.texts = map[string]*group{}
	default:
		g.whole = map[int64]*group{}
	}
	return g
}

// find is the group of the frame's row, and whether it is new. Who calls looks
// at f.err first.
func (g *groups) find(f *frame) (*group, bool) {
	switch {
	case g.texts != nil:
		return g.findText(f)
	case g.whole != nil:
		return g.findWhole(f)
	}
	for i, k := range g.keys {
		g.values[i] = k.eval(f)
	}
	if g.last != nil && equalRows(g.values, g.last.key) {
		return g.last, false
	}
	var isNew bool
	if g.hashes != nil {
		g.last, isNew = g.findHash()
	} else {
		g.last, isNew = g.findBytes()
	}
	return g.last, isNew
}

func (g *groups) findHash() (*group, bool) {
	h := uint64(0)
	for _, v := range g.values {
		n := uint64(v.Int64())
		switch {
		case v.IsNull():
			n = 1
		case v.Kind() == value.String:
			n = maphash.String(hashSeed, v.Text())
		}
		h = (bits.RotateLeft64(h, 5) ^ n) * 0x9E3779B97F4A7C15
	}
	first := g.hashes[h]
	for found := first; found != nil; found = found.next {
		if equalRows(g.values, found.key) {
			return found, false
		}
	}
	made := g.add(g.values)
	made.next, g.hashes[h] = first, made
	return made, true
}

func (g *groups) findBytes() (*group, bool) {
	g.buffer = g.buffer[:0]
	for _, v := range g.values {
		g.buffer = v.AppendKey(g.buffer)
	}
	found, ok := g.bytes[string(g.buffer)]
	if !ok {
		found = g.add(g.values)
		g.bytes[string(g.buffer)] = found
	}
	return found, !ok
}

func equalRows(a, b []value.Value) bool {
	for i := range a {
		if !value.Equal(a[i], b[i]) {
			return false
		}
	}
	return true
}

func (g *groups) findText(f *frame) (*group, bool) {
	v := g.keys[0].eval(f)
	text := v.Text()
	if g.last != nil && g.last.key[0].Text() == text {
		return g.last, false
	}
	found, ok := g.texts[text]
	if !ok {
		g.values[0] = v
		found = g.add(g.values)
		g.texts[found.key[0].Text()] = found
	}
	g.last = found
	return found, !ok
}

func (g *groups) findWhole(f *frame) (*group, bool) {
	v := g.keys[0].eval(f)
	if v.IsNull() {
		if g.null != nil {
			return g.null, false
		}
		g.values[0] = v
		g.null = g.add(g.values)
		return g.null, true
	}
	n := v.Int64()
	found, ok := g.whole[n]
	if !ok {
		g.values[0] = v
		found = g.add(g.values)
		g.whole[n] = found
	}
	return found, !ok
}

// own is a copy of text, or the one that the newest group has.
func (g *groups) own(i int, text string) string {
	if n := len(g.list); n > 0 {
		if have := g.list[n-1].key[i].Text(); have == text {
			return have
		}
	}
	return strings.Clone(text)
}

// add makes a group. Strings in its key are copied: what they are part of may
// be large.
func (g *groups) add(key []value.Value) *group {
	if len(g.slab) == 0 {
		g.slab = make([]group, min(256, max(4, len(g.list))))
	}
	made := &g.slab[0]
	g.slab = g.slab[1:]
	n := len(key)
	if len(g.slots) < n {
		g.slots = make([]value.Value, n*min(256, max(4, len(g.list))))
	}
	made.key, g.slots = g.slots[:n:n], g.slots[n:]
	for i, v := range key {
		if v.Kind() == value.String {
			v = value.NewString(g.own(i, v.Text()))
		}
		made.key[i] = v
	}
	made.accumulators = g.accumulators()
	g.list = append(g.list, made)
	return made
}

// accumulators makes those of one group; what is not used has none.
func (g *groups) accumulators() []aggregate.Accumulator {
	n := len(g.calls)
	if len(g.places) < n {
		g.places = make([]aggregate.Accumulator, n*min(256, max(4, len(g.list))))
	}
	list := g.places[:n:n]
	g.places = g.places[n:]
	for i, c := range g.calls {
		if c.used {
			list[i] = c.bound.New()
		}
	}
	return list
}
