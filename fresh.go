package tvmexport

import "slices"

// fresh leaves out the leftovers of which the plan's counts show that they are
// not what the source holds any more. Where counts and leftovers cannot be
// compared, because a part of what was counted together has not landed, a
// leftover of a late window is left out, and others stay.
func fresh(pieces []Piece, list []Leftover) []Leftover {
	for {
		taken, _ := adopt(pieces, list)
		stale := disproved(pieces, taken)
		if len(stale) == 0 {
			return list
		}
		list = slices.DeleteFunc(slices.Clone(list), func(l Leftover) bool { return stale[l.Batch.ID] })
	}
}

// disproved are the batches that the counts of the pieces do not bear out.
// Pieces and batches that share rows are compared together.
func disproved(pieces []Piece, taken []BatchInfo) map[BatchID]bool {
	stale := map[BatchID]bool{}
	left := slices.Clone(taken)
	for len(left) > 0 {
		group := []BatchInfo{left[0]}
		left = left[1:]
		var counted []Piece
		seen := make([]bool, len(pieces))
		for i := 0; i < len(group); i++ {
			mine := regionsOfSlice(group[i].Slice)
			for j, p := range pieces {
				if seen[j] || !p.meets(mine) {
					continue
				}
				seen[j] = true
				counted = append(counted, p)
				left = slices.DeleteFunc(left, func(b BatchInfo) bool {
					if p.meets(regionsOfSlice(b.Slice)) {
						group = append(group, b)
						return true
					}
					return false
				})
			}
		}
		if !bearOut(counted, group) {
			for _, b := range group {
				stale[b.ID] = true
			}
		}
	}
	return stale
}

// meets says whether a row can be in the piece and in one of the regions.
func (p Piece) meets(list []region) bool {
	return slices.ContainsFunc(list, region{p.Window, p.Partition, p.Late}.overlaps)
}

// bearOut says whether the batches can be what was counted: as many rows, and
// with the fingerprints where they are known.
func bearOut(counted []Piece, batches []BatchInfo) bool {
	var covered []region
	var have, want int64
	held, asked := EmptyPrint, EmptyPrint
	late := false
	for _, b := range batches {
		covered = append(covered, regionsOfSlice(b.Slice)...)
		have += b.Rows
		late = late || b.Slice.Late
		if len(b.Prints) != len(b.Slice.Partitions) {
			held = Fingerprint{}
		}
		for _, p := range b.Prints {
			held = held.Add(p)
		}
	}
	for _, p := range counted {
		if p.Wider || len(p.without(covered)) > 0 {
			return !late
		}
		want += p.Rows
		asked = asked.Add(p.Print)
	}
	return have == want && (!held.Known || !asked.Known || held.Same(asked))
}
