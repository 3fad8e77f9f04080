package engine

import (
	"iter"
	"slices"
	"time"

	"github.com/tvmexport/tvmexport"
)

// region is a set of rows: those of a partition within a window.
type region struct {
	window    tvmexport.Window
	partition tvmexport.Partition
	late      bool
}

func (p planUnit) region() region { return region{p.Window, p.Partition, p.Late} }

func regionsOfSlice(s tvmexport.Slice) []region {
	out := make([]region, len(s.Partitions))
	for i, p := range s.Partitions {
		out[i] = region{s.Window, p, s.Late}
	}
	return out
}

// regionsOf are the regions of units; neighbours in the list whose windows
// touch are one region.
func regionsOf(units []planUnit) []region {
	out := make([]region, 0, len(units))
	for _, p := range units {
		r := p.region()
		if n := len(out); n > 0 && r.follows(out[n-1]) {
			out[n-1].window.To = r.window.To
			continue
		}
		out = append(out, r)
	}
	return out
}

func (r region) follows(q region) bool {
	return r.late == q.late && r.partition == q.partition && !r.window.Null && !q.window.Null &&
		!q.window.To.IsZero() && q.window.To.Equal(r.window.From)
}

// regionIndex finds, among many regions, those that share rows with a given
// one. It is a trie over the text form of partitions: the partitions that contain
// another one are on the path to it, and those within it are below it. Each node
// knows which windows occur below it, so that a search skips other times. A few
// regions are compared one by one.
type regionIndex struct {
	list []region
	root *regionNode // nil while there are few
	free nodes
}

// nodes are allocated many at a time.
type nodes []regionNode

func (f *nodes) take(digit byte) *regionNode {
	if len(*f) == 0 {
		*f = make(nodes, 128)
	}
	n := &(*f)[0]
	*f = (*f)[1:]
	n.digit = digit
	return n
}

// few is how many regions need no trie.
const few = 16

type regionNode struct {
	digit byte
	next  []*regionNode
	own   spans // of the regions of this partition
	under spans // of the regions of this partition and of all below it
}

// add puts a region into the index. Its number is how many were there before.
func (x *regionIndex) add(r region) {
	x.list = append(x.list, r)
	switch {
	case x.root != nil:
		x.root.add(r, len(x.list)-1, &x.free)
	case len(x.list) > few:
		x.root = &regionNode{}
		for id, r := range x.list {
			x.root.add(r, id, &x.free)
		}
	}
}

func (n *regionNode) add(r region, id int, free *nodes) {
	n.under.cover(r.window)
	for i := range len(r.partition) {
		next := n.child(r.partition[i])
		if next == nil {
			next = free.take(r.partition[i])
			n.next = append(n.next, next)
		}
		n = next
		n.under.cover(r.window)
	}
	n.own.add(r.window, id)
}

// child is the node one character below; nil where there is none.
func (n *regionNode) child(digit byte) *regionNode {
	if n == nil {
		return nil
	}
	for _, c := range n.next {
		if c.digit == digit {
			return c
		}
	}
	return nil
}

// sharing are the nodes whose partitions share rows with p; with true where it
// is the whole subtree, with false where it is the node alone. Partitions share
// rows where the key digits of one begin with those of the other, and so do
// their digits of the hash of rows.
func (x *regionIndex) sharing(p tvmexport.Partition) iter.Seq2[*regionNode, bool] {
	base := p.Base()
	hash, _ := p.RowHash()
	return func(yield func(*regionNode, bool) bool) {
		n := x.root
		for i := range len(base) {
			if !yield(n, false) || !n.child('#').alongHash(hash, yield) {
				return
			}
			if n = n.child(base[i]); n == nil {
				return
			}
		}
		if hash == "" {
			yield(n, true)
			return
		}
		n.belowWithHash(hash, yield)
	}
}

// alongHash are the nodes from n, where a division by the hash of rows begins,
// that share rows with those of a hash.
func (n *regionNode) alongHash(hash string, yield func(*regionNode, bool) bool) bool {
	for i := range len(hash) {
		if n == nil {
			return true
		}
		if !yield(n, false) {
			return false
		}
		n = n.child(hash[i])
	}
	return n == nil || yield(n, true)
}

// belowWithHash are the nodes from n down that share rows with those of a hash.
func (n *regionNode) belowWithHash(hash string, yield func(*regionNode, bool) bool) bool {
	if !yield(n, false) {
		return false
	}
	for _, c := range n.next {
		if c.digit == '#' && !c.alongHash(hash, yield) || c.digit != '#' && !c.belowWithHash(hash, yield) {
			return false
		}
	}
	return true
}

// overlaps says whether a row can be in r and in a region of the index.
func (x *regionIndex) overlaps(r region) bool {
	if x.root == nil {
		return slices.ContainsFunc(x.list, r.overlaps)
	}
	for n, below := range x.sharing(r.partition) {
		if below && n.under.overlaps(r.window) || n.own.overlaps(r.window) {
			return true
		}
	}
	return false
}

func (r region) overlaps(q region) bool {
	return r.window.Overlaps(q.window) && r.partition.Overlaps(q.partition)
}

// each calls visit with the number of every region that can share a row with r.
func (x *regionIndex) each(r region, visit func(id int)) {
	if x.root == nil {
		for id, q := range x.list {
			if r.overlaps(q) {
				visit(id)
			}
		}
		return
	}
	for n, below := range x.sharing(r.partition) {
		if below {
			n.each(r.window, visit)
			continue
		}
		n.own.each(r.window, visit)
	}
}

func (n *regionNode) each(w tvmexport.Window, visit func(id int)) {
	if !n.under.overlaps(w) {
		return
	}
	n.own.each(w, visit)
	for _, c := range n.next {
		c.each(w, visit)
	}
}

// holds says whether one region of the index has every row of r.
func (x *regionIndex) holds(r region) bool {
	if x.root == nil {
		return slices.ContainsFunc(x.list, func(q region) bool { return q.holds(r) })
	}
	base := r.partition.Base()
	hash, hashed := r.partition.RowHash()
	n := x.root
	for i := 0; ; i++ {
		h := n.child('#')
		if n.own.contains(r.window) || h != nil && h.own.contains(r.window) {
			return true // a division by the hash that has not begun has all rows
		}
		for j := 0; hashed && h != nil && j < len(hash); j++ {
			if h = h.child(hash[j]); h != nil && h.own.contains(r.window) {
				return true
			}
		}
		if i == len(base) {
			return false
		}
		if n = n.child(base[i]); n == nil {
			return false
		}
	}
}

// holds says whether every row of q is in r. A set of rows that is not counted
// by the watermark cannot be divided by it, and so holds no window.
func (r region) holds(q region) bool {
	if (r.window == tvmexport.Window{}) != (q.window == tvmexport.Window{}) {
		return false
	}
	return r.window.Contains(q.window) && r.partition.Holds(q.partition)
}

// widthOf is how long the window is; an hour, the widest step of a count, where
// only its end is known, and 0 for rows without a watermark or all rows.
func widthOf(w tvmexport.Window) time.Duration {
	switch {
	case w.Bounded():
		return w.To.Sub(w.From)
	case !w.To.IsZero():
		return time.Hour
	}
	return 0
}

// cutAt divides w at the ends of the regions within it.
func cutAt(w tvmexport.Window, list []region) []tvmexport.Window {
	if w.Null || w == (tvmexport.Window{}) {
		return []tvmexport.Window{w}
	}
	var ends []time.Time
	for _, r := range list {
		for _, t := range []time.Time{r.window.From, r.window.To} {
			if t.After(w.From) && (w.To.IsZero() || t.Before(w.To)) {
				ends = append(ends, t)
			}
		}
	}
	slices.SortFunc(ends, time.Time.Compare)
	ends = slices.CompactFunc(ends, time.Time.Equal)
	out := make([]tvmexport.Window, 0, len(ends)+1)
	from := w.From
	for _, t := range ends {
		out = append(out, tvmexport.Window{From: from, To: t})
		from = t
	}
	return append(out, tvmexport.Window{From: from, To: w.To})
}
