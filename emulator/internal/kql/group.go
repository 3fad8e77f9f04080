package kql

import (
	"strings"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/aggregate"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// group is the rows with one key.
type group struct {
	key          []value.Value
	accumulators []aggregate.Accumulator
}

// groups finds groups by their keys. A single key that is a string or held in
// 64 bits is looked up as it is, others by the bytes of value.AppendKey.
type groups struct {
	keys []*expr
	make func() []aggregate.Accumulator

	list   []*group
	texts  map[string]*group
	whole  map[int64]*group
	null   *group
	bytes  map[string]*group
	buffer []byte
	values []value.Value
	last   *group // of the row before, which often has the same key
	slab   []group
}

func newGroups(keys []*expr, accumulators func() []aggregate.Accumulator) *groups {
	g := &groups{keys: keys, make: accumulators, values: make([]value.Value, len(keys))}
	if len(keys) == 1 {
		switch keys[0].kind {
		case value.String:
			g.texts = map[string]*group{}
			return g
		case value.Int, value.Long, value.DateTime, value.TimeSpan, value.Bool:
			g.whole = map[int64]*group{}
			return g
		}
	}
	g.bytes = map[string]*group{}
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
	g.buffer = g.buffer[:0]
	for _, v := range g.values {
		g.buffer = v.AppendKey(g.buffer)
	}
	found, ok := g.bytes[string(g.buffer)]
	if !ok {
		found = g.add(g.values)
		g.bytes[string(g.buffer)] = found
	}
	g.last = found
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

// add makes a group. Strings in its key are copied: what they are part of may
// be large.
func (g *groups) add(key []value.Value) *group {
	if len(g.slab) == 0 {
		g.slab = make([]group, min(256, max(4, len(g.list))))
	}
	made := &g.slab[0]
	g.slab = g.slab[1:]
	made.key = make([]value.Value, len(key))
	for i, v := range key {
		if v.Kind() == value.String {
			v = value.NewString(strings.Clone(v.Text()))
		}
		made.key[i] = v
	}
	made.accumulators = g.make()
	g.list = append(g.list, made)
	return made
}
