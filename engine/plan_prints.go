package engine

import (
	"cmp"
	"slices"

	"github.com/tvmexport/tvmexport"
)

// partCount is what was counted of one partition.
type partCount struct {
	rows        int64
	fingerprint tvmexport.Fingerprint
}

// countedPart is a partition with what was counted of it.
type countedPart struct {
	partition tvmexport.Partition
	partCount
}

// countedParts are partitions that were counted, sorted and disjoint. A large table has
// many, so that a list of them is kept once and not changed.
type countedParts []countedPart

// countedPartsOf are those of units, which are sorted and disjoint.
func countedPartsOf(units []planUnit) countedParts {
	out := make(countedParts, len(units))
	for i, u := range units {
		out[i] = countedPart{u.Partition, partCount{u.Rows, u.Fingerprint}}
	}
	return out
}

// find is the place of a partition in the list, or the place before which it would be.
func (c countedParts) find(p tvmexport.Partition) (at int, ok bool) {
	return slices.BinarySearchFunc(c, p, func(a countedPart, p tvmexport.Partition) int { return cmp.Compare(a.partition, p) })
}

// fingerprints are those of partitions as they were counted. What a count of the whole
// table does not show is empty.
type fingerprints struct {
	table countedParts // of a count of the whole table; nil: there was none
	later map[tvmexport.Partition]tvmexport.Fingerprint
}

// fingerprintsOf are the fingerprints of units and of no other partitions.
func fingerprintsOf(units []planUnit) *fingerprints {
	f := &fingerprints{later: make(map[tvmexport.Partition]tvmexport.Fingerprint, len(units))}
	f.add(units)
	return f
}

// fingerprintsOfTable are those of parts that have all rows of their table.
func fingerprintsOfTable(parts countedParts) *fingerprints {
	return &fingerprints{table: parts, later: map[tvmexport.Partition]tvmexport.Fingerprint{}}
}

// add keeps the fingerprints of units, if any are kept.
func (f *fingerprints) add(units []planUnit) {
	if f == nil {
		return
	}
	for _, u := range units {
		f.later[u.Partition] = u.Fingerprint
	}
}

// of returns the fingerprints of partitions, in their order; zero if none are kept.
func (f *fingerprints) of(partitions []tvmexport.Partition) tvmexport.Fingerprints {
	var out tvmexport.Fingerprints
	if f == nil {
		return out
	}
	for _, p := range partitions {
		out.Append(f.one(p))
	}
	return out
}

// one is the fingerprint of a partition; not known if a part of it was counted, or if it
// is a part of what was counted.
func (f *fingerprints) one(p tvmexport.Partition) tvmexport.Fingerprint {
	if is, ok := f.later[p]; ok || f.table == nil {
		return is
	}
	i, ok := f.table.find(p)
	switch {
	case ok:
		return f.table[i].fingerprint
	// What shares rows with p is its neighbour in the order of texts.
	case i > 0 && f.table[i-1].partition.Overlaps(p), i < len(f.table) && f.table[i].partition.Overlaps(p):
		return tvmexport.Fingerprint{}
	}
	return tvmexport.EmptyFingerprint
}
