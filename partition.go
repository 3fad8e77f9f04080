package tvmexport

import (
	"slices"
	"strings"
)

// Partition names a set of rows of a table by the beginning of their key, a
// string of lower-case hex digits. Its text form, which the ledger keeps:
//
//	""       the whole table
//	"3f"     keys that begin with 3f
//	"3f~"    keys that begin with 3f and do not go on with a hex digit: "3f"
//	         itself, and unexpected keys
//	"~"      the empty key and every key that does not begin with a hex digit
//	"3f#a0"  of the rows of "3f", those whose whole-row hash begins with a0;
//	"3f~#a"  likewise of "3f~"
//
// The sixteen digits after a prefix and its "~" are disjoint and complete, so
// no row lives outside every partition, and splitting loses none.
type Partition string

// AllPartitions is the partition of all rows.
const AllPartitions Partition = ""

// NullWatermark precedes the partition of published rows that have no watermark.
// Each run of an incremental table exports all of them again, so readers use
// those of the newest run.
const NullWatermark = "null:"

const hexDigits = "0123456789abcdef"

// Key is the key prefix, without marks.
func (p Partition) Key() string {
	s, _, _ := strings.Cut(string(p), "#")
	return strings.TrimSuffix(s, "~")
}

// Rest says whether p holds only keys that end or leave the hex digits after Key.
func (p Partition) Rest() bool {
	s, _, _ := strings.Cut(string(p), "#")
	return strings.HasSuffix(s, "~")
}

// RowHash is the prefix of the whole-row hash; ok is false where p is not
// divided by it. An empty prefix with ok means "to be divided".
func (p Partition) RowHash() (prefix string, ok bool) {
	_, prefix, ok = strings.Cut(string(p), "#")
	return prefix, ok
}

// Base is p without its division by the hash of rows.
func (p Partition) Base() Partition {
	s, _, _ := strings.Cut(string(p), "#")
	return Partition(s)
}

// ByRowHash is p, to be divided by the hash of whole rows from here on.
func (p Partition) ByRowHash() Partition {
	if _, ok := p.RowHash(); ok {
		return p
	}
	return p + "#"
}

// Child is the partition one digit deeper; digit is a hex digit, or '~' for the rest.
func (p Partition) Child(digit byte) Partition { return p + Partition(digit) }

// Parent is the partition that p is a Child of; ok is false for Whole and for
// the undivided form of a row hash ("3f#").
func (p Partition) Parent() (_ Partition, ok bool) {
	if p == "" || p[len(p)-1] == '#' {
		return p, false
	}
	return p[:len(p)-1], true
}

// Depth is the number of key digits.
func (p Partition) Depth() int { return len(p.Key()) }

// Valid says whether p has one of the text forms.
func (p Partition) Valid() bool {
	key, row, hashed := strings.Cut(string(p), "#")
	key = strings.TrimSuffix(key, "~")
	return strings.Trim(key, hexDigits) == "" && (!hashed || strings.Trim(row, hexDigits) == "")
}

// Of is the partition, among those of depth digits, that holds key: the first
// depth digits of key if they are lower-case hex, else the rest of what is.
func Of(key string, depth int) Partition {
	n := 0
	for n < depth && n < len(key) && isHex(key[n]) {
		n++
	}
	if n < depth {
		return Partition(key[:n]) + "~"
	}
	return Partition(key[:n])
}

// Contains says whether p can contain a row with this key. For a partition by row
// hash it is true for every row of the undivided partition.
func (p Partition) Contains(key string) bool {
	prefix := p.Key()
	if !strings.HasPrefix(key, prefix) {
		return false
	}
	return !p.Rest() || len(key) == len(prefix) || !isHex(key[len(prefix)])
}

func isHex(c byte) bool { return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' }

// FoldPartitions puts a partition in the place of its sixteen digits and its rest
// if all of them are in the list: the same rows, by fewer prefixes. The order
// of the others stays.
func FoldPartitions(list []Partition) []Partition {
	children := make(map[Partition]int, len(list)/8)
	out := slices.Clone(list)
	for i := 0; i < len(out); i++ {
		parent, ok := out[i].Parent()
		if !ok {
			continue
		}
		if children[parent]++; children[parent] == 17 {
			out = append(out, parent) // is looked at in its turn
		}
	}
	return slices.DeleteFunc(out, func(p Partition) bool {
		for parent, ok := p.Parent(); ok; parent, ok = parent.Parent() {
			if children[parent] == 17 {
				return true
			}
		}
		return false
	})
}

// At is the partition of depth digits that holds p, p itself if it is not
// deeper. A division by the hash of rows is left out.
func (p Partition) At(depth int) Partition {
	p = p.Base()
	if p.Depth() < depth || p.Depth() == depth && !p.Rest() {
		return p
	}
	return Partition(p.Key()[:depth])
}

// Holds says whether every row of q is in p.
func (p Partition) Holds(q Partition) bool {
	if p == q || p == AllPartitions {
		return true
	}
	mine, hashed := p.RowHash()
	theirs, too := q.RowHash()
	switch {
	case hashed && too:
		return p.Base().Holds(q.Base()) && strings.HasPrefix(theirs, mine)
	case hashed:
		return mine == "" && p.Base().Holds(q)
	case p.Rest():
		return p == q.Base()
	}
	return strings.HasPrefix(string(q.Base()), string(p))
}

// Overlaps says whether a row can be in both.
func (p Partition) Overlaps(q Partition) bool {
	mine, hashed := p.RowHash()
	theirs, too := q.RowHash()
	if hashed && too && !strings.HasPrefix(mine, theirs) && !strings.HasPrefix(theirs, mine) {
		return false
	}
	return p.Base().Holds(q.Base()) || q.Base().Holds(p.Base())
}
