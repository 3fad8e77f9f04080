package kql

import (
	"cmp"
	"container/heap"
	"slices"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/syntax"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// sortKey is a key of sort or top.
type sortKey struct {
	e          *expr
	desc       bool
	nullsFirst bool
}

// sortKeys binds keys. Nulls come first in ascending order and last in
// descending order unless the text says otherwise
// (https://learn.microsoft.com/kusto/query/sort-operator).
func (b *binder) sortKeys(by []syntax.Order, c site) ([]sortKey, error) {
	keys := make([]sortKey, len(by))
	for i, o := range by {
		e, err := b.scalar(o.X, c)
		if err != nil {
			return nil, err
		}
		if e.kind == value.Dynamic {
			return nil, semantic(o.Pos(), "%s operator: key can't be of dynamic type", c.op)
		}
		keys[i] = sortKey{e: e, desc: !o.Asc, nullsFirst: o.Asc}
		if o.NullsGiven {
			keys[i].nullsFirst = o.NullsFirst
		}
	}
	return keys, nil
}

// order compares the keys at the start of two rows.
func order(keys []sortKey, a, b []value.Value) int {
	for i := range keys {
		k := &keys[i]
		x, y := &a[i], &b[i]
		if xn, yn := x.IsNull(), y.IsNull(); xn || yn {
			if xn && yn {
				continue
			}
			if xn == k.nullsFirst {
				return -1
			}
			return 1
		}
		c := value.Compare(*x, *y)
		if k.desc {
			c = -c
		}
		if c != 0 {
			return c
		}
	}
	return 0
}

// sorted keeps rows with their keys in front.
type sorted struct {
	*rowKeeper
	keys []sortKey
}

func (s *sorted) require(need []bool) {
	for _, k := range s.keys {
		s.more = append(s.more, k.e.reads...)
	}
	s.rowKeeper.require(need)
}

// fillKeys puts the keys of the frame's row into row.
func (s *sorted) fillKeys(row []value.Value, f *frame) error {
	for i := range s.keys {
		row[i] = s.keys[i].e.eval(f)
	}
	return f.err
}

// fill puts the keys and columns of the frame's row into row.
func (s *sorted) fill(row []value.Value, f *frame) error {
	s.copy(row[len(s.keys):], f)
	return s.fillKeys(row, f)
}

func (b *binder) sort(p *pipeline, by []syntax.Order, c site) (*pipeline, error) {
	keys, err := b.sortKeys(by, c)
	if err != nil {
		return nil, err
	}
	out := stored(p, func(k *rowKeeper) source { return &sortSource{sorted{k, keys}} })
	out.serialized = true
	return out, nil
}

// sortSource sorts all rows; rows with equal keys stay in their order.
type sortSource struct{ sorted }

func (s *sortSource) run(x *execution, _ []Condition, yield func(row []value.Value) error) error {
	store := rowStore{width: len(s.keys) + len(s.refs)}
	err := s.in.run(x, func(f *frame) error { return s.fill(store.add(), f) })
	if err != nil {
		return err
	}
	if err := x.ctx.Err(); err != nil {
		return err
	}
	slices.SortStableFunc(store.rows, func(a, b []value.Value) int { return order(s.keys, a, b) })
	return store.each(x, func(row []value.Value) error { return yield(row[len(s.keys):]) })
}

func (b *binder) top(p *pipeline, n *syntax.Top, c site) (*pipeline, error) {
	count, err := b.count(n.N, c.scope, c.op)
	if err != nil {
		return nil, err
	}
	keys, err := b.sortKeys(n.By, c)
	if err != nil {
		return nil, err
	}
	out := stored(p, func(k *rowKeeper) source { return &topSource{sorted{k, keys}, count} })
	out.serialized = true
	return out, nil
}

// topSource keeps the first n rows of the order in a heap whose root is the
// last of them.
type topSource struct {
	sorted
	n *expr
}

type topRow struct {
	row []value.Value
	seq int
}

type topHeap struct {
	keys []sortKey
	rows []topRow
}

// compare puts the earlier of equal rows first.
func (h *topHeap) compare(a, b topRow) int {
	return cmp.Or(order(h.keys, a.row, b.row), cmp.Compare(a.seq, b.seq))
}

func (h *topHeap) Len() int           { return len(h.rows) }
func (h *topHeap) Less(i, j int) bool { return h.compare(h.rows[i], h.rows[j]) > 0 }
func (h *topHeap) Swap(i, j int)      { h.rows[i], h.rows[j] = h.rows[j], h.rows[i] }
func (h *topHeap) Push(x any)         { h.rows = append(h.rows, x.(topRow)) }

func (h *topHeap) Pop() any {
	last := h.rows[len(h.rows)-1]
	h.rows = h.rows[:len(h.rows)-1]
	return last
}

func (s *topSource) run(x *execution, _ []Condition, yield func(row []value.Value) error) error {
	n, err := number((&layout{}).frame(x), s.n)
	if err != nil || n == 0 {
		return err
	}
	store := rowStore{width: len(s.keys) + len(s.refs)}
	h := &topHeap{keys: s.keys}
	spare := store.add() // takes the place of a row that leaves the heap
	seq := 0
	err = s.in.run(x, func(f *frame) error {
		if err := s.fillKeys(spare, f); err != nil {
			return err
		}
		seq++
		switch {
		case int64(len(h.rows)) < n:
			s.copy(spare[len(s.keys):], f)
			heap.Push(h, topRow{spare, seq})
			spare = store.add()
		case order(s.keys, spare, h.rows[0].row) < 0:
			s.copy(spare[len(s.keys):], f)
			spare, h.rows[0] = h.rows[0].row, topRow{spare, seq}
			heap.Fix(h, 0)
		}
		return nil
	})
	if err != nil {
		return err
	}
	slices.SortFunc(h.rows, h.compare)
	for _, r := range h.rows {
		if err := yield(r.row[len(s.keys):]); err != nil {
			return err
		}
	}
	return nil
}
