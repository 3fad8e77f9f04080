package engine

import "github.com/tvmexport/tvmexport"

// partitionIndex finds the partition of a slice that holds a key, without allocating.
type partitionIndex struct {
	one    bool
	single tvmexport.Partition
	exact  map[string]int // key prefix -> index
	rest   map[string]int // prefix before "~" -> index
	depths []int          // distinct lengths of prefixes in exact
	rests  []int          // and in rest
}

func newPartitionIndex(ps []tvmexport.Partition) partitionIndex {
	if _, hashed := ps[0].RowHash(); hashed || len(ps) == 1 {
		return partitionIndex{one: true, single: ps[0]}
	}
	p := partitionIndex{exact: make(map[string]int, len(ps)), rest: map[string]int{}}
	seen, seenRest := map[int]bool{}, map[int]bool{}
	for i, q := range ps {
		k := q.Key()
		if q.Rest() {
			p.rest[k] = i
			if !seenRest[len(k)] {
				seenRest[len(k)] = true
				p.rests = append(p.rests, len(k))
			}
			continue
		}
		p.exact[k] = i
		if !seen[len(k)] {
			seen[len(k)] = true
			p.depths = append(p.depths, len(k))
		}
	}
	return p
}

// find is the index of the partition that holds key, or -1. In a slice by the
// hash of rows it is 0 for every key of the partition that was divided.
func (p *partitionIndex) find(key []byte) int {
	if p.one {
		if containsBytes(p.single, key) {
			return 0
		}
		return -1
	}
	for _, d := range p.depths {
		if len(key) >= d {
			if i, ok := p.exact[string(key[:d])]; ok {
				return i
			}
		}
	}
	for _, d := range p.rests {
		if len(key) >= d && (len(key) == d || !isHex(key[d])) {
			if i, ok := p.rest[string(key[:d])]; ok {
				return i
			}
		}
	}
	return -1
}

func containsBytes(p tvmexport.Partition, key []byte) bool {
	if p == tvmexport.AllPartitions {
		return true
	}
	prefix := p.Key()
	if len(key) < len(prefix) || string(key[:len(prefix)]) != prefix {
		return false
	}
	return !p.Rest() || len(key) == len(prefix) || !isHex(key[len(prefix)])
}
