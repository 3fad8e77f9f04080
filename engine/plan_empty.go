package engine

import (
	"cmp"
	"slices"

	"github.com/tvmexport/tvmexport"
)

// unitList is a list of units. A large table has many more partitions than a count
// shows: those without rows are made when they are reached.
type unitList struct {
	ahead []planUnit // before the others
	units []planUnit
	empty *grid      // of units: its other partitions are in their places; nil: there are none
	more  []planUnit // behind the others
}

// listOf is the list of some units and no others.
func listOf(units []planUnit) unitList { return unitList{units: units} }

// done says whether nothing is left of the list.
func (l *unitList) done() bool {
	return len(l.ahead) == 0 && len(l.units) == 0 && len(l.more) == 0 && (l.empty == nil || l.empty.done)
}

// asks says whether the list has anything that a run asks for.
func (l *unitList) asks() bool {
	for _, part := range [][]planUnit{l.ahead, l.units, l.more} {
		if slices.ContainsFunc(part, func(p planUnit) bool { return p.Rows > 0 || p.Ask }) {
			return true
		}
	}
	return false
}

// next takes the first unit off the list; ok is false where there is none.
func (l *unitList) next() (_ planUnit, ok bool) {
	if p, ok := takeFirst(&l.ahead); ok {
		return p, true
	}
	if l.empty != nil && !l.empty.done {
		at := l.empty.at()
		if len(l.units) == 0 || l.units[0].Partition > at {
			l.empty.advance()
			return planUnit{Partition: at, Window: l.empty.window, Fingerprint: tvmexport.EmptyFingerprint}, true
		}
		if l.units[0].Partition == at {
			l.empty.advance()
		}
	}
	if p, ok := takeFirst(&l.units); ok {
		return p, true
	}
	return takeFirst(&l.more)
}

func takeFirst(list *[]planUnit) (_ planUnit, ok bool) {
	if len(*list) == 0 {
		return planUnit{}, false
	}
	p := (*list)[0]
	*list = (*list)[1:]
	return p, true
}

// all are the units of the list as one slice.
func (l unitList) all() []planUnit {
	if l.empty == nil && len(l.ahead) == 0 && len(l.more) == 0 {
		return l.units
	}
	l.empty = l.empty.clone()
	out := make([]planUnit, 0, l.size())
	for p, ok := l.next(); ok; p, ok = l.next() {
		out = append(out, p)
	}
	return out
}

// size is how many units the list has.
func (l unitList) size() int {
	n := len(l.ahead) + len(l.units) + len(l.more)
	if l.empty == nil {
		return n
	}
	units := l.units
	for g := l.empty.clone(); !g.done; g.advance() {
		at := g.at()
		for len(units) > 0 && units[0].Partition < at {
			units = units[1:]
		}
		if len(units) == 0 || units[0].Partition != at {
			n++
		}
	}
	return n
}

// grid goes through the partitions a number of digits below another one, and through
// the rests around them, in the order of their texts.
type grid struct {
	within tvmexport.Partition
	window tvmexport.Window
	depth  int
	digits []byte // of the partition that it has reached, behind within
	done   bool
}

func newGrid(within tvmexport.Partition, window tvmexport.Window, depth int) *grid {
	g := &grid{within: within, window: window, depth: depth}
	g.descend()
	return g
}

func (g *grid) clone() *grid {
	if g == nil {
		return nil
	}
	c := *g
	c.digits = slices.Clone(g.digits)
	return &c
}

// at is the partition that the grid has reached.
func (g *grid) at() tvmexport.Partition { return g.within + tvmexport.Partition(g.digits) }

// descend goes to the first of the deepest partitions below.
func (g *grid) descend() {
	for len(g.digits) < g.depth {
		g.digits = append(g.digits, hexDigits[0])
	}
}

// advance goes to the next partition.
func (g *grid) advance() {
	_, hashed := g.within.RowHash()
	for len(g.digits) > 0 {
		last := &g.digits[len(g.digits)-1]
		switch *last {
		case restDigit:
		case hexDigits[len(hexDigits)-1]:
			if !hashed {
				*last = restDigit
				return
			}
		case '9':
			*last = 'a'
			g.descend()
			return
		default:
			*last++
			g.descend()
			return
		}
		g.digits = g.digits[:len(g.digits)-1]
	}
	g.done = true
}

// restDigit marks the keys that leave the hex digits. It is greater than these.
const restDigit = '~'

// withEmptyPartitions adds the partitions of depth digits below within that were not
// counted, with no rows: what appears there after the count is asked for too.
func withEmptyPartitions(units []planUnit, within tvmexport.Partition, window tvmexport.Window, depth int) []planUnit {
	sortUnits(units)
	return unitList{units: units, empty: newGrid(within, window, depth)}.all()
}

func sortUnits(units []planUnit) {
	slices.SortFunc(units, func(a, b planUnit) int { return cmp.Compare(a.Partition, b.Partition) })
}
