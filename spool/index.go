package spool

import (
	"hash/maphash"

	"github.com/tvmexport/tvmexport"
)

// indexDigits is how many digits of keys the index distinguishes: those of the deepest
// count of a Snapshot.
const indexDigits = 4

// index counts rows by partition while they are written. Each unit has one: a file has
// few devices, whose keys are anywhere, so that groups are small.
type index struct {
	parts [1 << 12]*group // by the first three digits
	rests map[tvmexport.Partition]*rest
}

// group is the parts of three digits, by the fourth.
type group [1 << 4]part

// part is what is counted of a partition.
type part struct {
	sums [3]int64
	rows uint32
	key  uint32 // hash of the key of all rows; manyKeys if they have several, 0 while there are none
}

const manyKeys = 1

// rest is a part of keys that leave the digits.
type rest struct {
	part
	longer bool // a key goes on behind the digits
}

// keySeed makes hashes of keys. That two keys have the same hash is unlikely, and only
// lets the engine divide a large partition in another way.
var keySeed = maphash.MakeSeed()

func hashOf(key []byte) uint32 { return max(uint32(maphash.Bytes(keySeed, key)>>32), manyKeys+1) }

// add counts rows that are one part of others.
func (p *part) add(q part) {
	for i := range p.sums {
		p.sums[i] += q.sums[i]
	}
	p.rows += q.rows
	switch {
	case p.key == 0:
		p.key = q.key
	case q.key != 0 && q.key != p.key:
		p.key = manyKeys
	}
}

// count counts a row.
func (x *index) count(key []byte, sums tvmexport.Fingerprint) {
	one := part{sums.Sums, 1, hashOf(key)}
	if at := partOf(key); at >= 0 {
		x.at(at).add(one)
		return
	}
	p := tvmexport.Of(string(key), indexDigits)
	x.rest(p).add(one)
	if len(key) > p.Depth() {
		x.rest(p).longer = true
	}
}

// partOf is the number of a key's part; -1 if it is in a rest.
func partOf(key []byte) int {
	if len(key) < indexDigits {
		return -1
	}
	n := 0
	for _, c := range key[:indexDigits] {
		d := digit(c)
		if d < 0 {
			return -1
		}
		n = n<<4 | d
	}
	return n
}

func (x *index) at(n int) *part {
	if x.parts[n>>4] == nil {
		x.parts[n>>4] = new(group)
	}
	return &x.parts[n>>4][n&0xf]
}

func (x *index) rest(p tvmexport.Partition) *rest {
	r := x.rests[p]
	if r == nil {
		if x.rests == nil {
			x.rests = map[tvmexport.Partition]*rest{}
		}
		r = &rest{}
		x.rests[p] = r
	}
	return r
}

// merge adds what another index has counted.
func (x *index) merge(y *index) {
	for i, g := range y.parts {
		if g == nil {
			continue
		}
		for k, p := range g {
			if p.rows > 0 {
				x.at(i<<4 | k).add(p)
			}
		}
	}
	for p, r := range y.rests {
		mine := x.rest(p)
		mine.add(r.part)
		mine.longer = mine.longer || r.longer
	}
}

// counts are the parts of a depth up to indexDigits.
func (x *index) counts(depth int, prints bool) []tvmexport.Count {
	c := newCounting(prints)
	for i, g := range x.parts {
		if g == nil {
			continue
		}
		for k, p := range g {
			if p.rows > 0 {
				c.add(tvmexport.Of(digitsOf(i<<4|k), depth), p, false)
			}
		}
	}
	for p, r := range x.rests {
		// A rest is in a partition of its digits where these are deep enough.
		if at := tvmexport.Of(p.Key(), depth); !at.Rest() {
			c.add(at, r.part, false)
		} else {
			c.add(p, r.part, r.longer)
		}
	}
	return c.list()
}

// digitsOf are the digits of a part.
func digitsOf(n int) string {
	const digits = "0123456789abcdef"
	return string([]byte{digits[n>>12], digits[n>>8&0xf], digits[n>>4&0xf], digits[n&0xf]})
}
