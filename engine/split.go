package engine

import (
	"slices"

	"github.com/tvmexport/tvmexport"
)

// Cutting is what Cut makes of a plan's pieces.
type Cutting struct {
	Slices []tvmexport.Slice
	Large  []Piece // larger by themselves than a call carries: to be counted more finely first
	Rest   []Piece // not cut, because enough slices were made
}

// Cut packs pieces, in their order, into slices of at most rows rows, and into
// at most that many slices if most is not 0. Pieces without rows go with a
// neighbour; where no piece has any, nothing is asked for unless a piece says so.
func Cut(t tvmexport.Table, pieces []Piece, rows int64, most int) Cutting {
	var c Cutting
	if !slices.ContainsFunc(pieces, func(p Piece) bool { return p.Rows > 0 || p.Ask }) {
		return c
	}
	var open *tvmexport.Slice
	for i, p := range pieces {
		if p.Rows > rows {
			c.Large = append(c.Large, p)
			continue
		}
		if open != nil && open.Rows+p.Rows <= rows && addPiece(open, p) {
			continue
		}
		if most > 0 && len(c.Slices) == most {
			c.Rest = append(c.Rest, pieces[i:]...)
			return c
		}
		c.Slices = append(c.Slices, p.Slice(t))
		open = &c.Slices[len(c.Slices)-1]
	}
	return c
}

// addPiece adds p to the slice if one call can ask for both, and its rows can be
// told apart: parts by the hash of rows go only with their like.
func addPiece(s *tvmexport.Slice, p Piece) bool {
	last := s.Partitions[len(s.Partitions)-1]
	_, hashed := last.RowHash()
	if _, too := p.Partition.RowHash(); too != hashed || hashed && last.Base() != p.Partition.Base() {
		return false
	}
	switch {
	case s.Late != p.Late, len(s.Partitions) >= mostPartitions:
		return false
	case s.Window == p.Window:
		s.Partitions = append(s.Partitions, p.Partition)
	case !s.Window.Null && !p.Window.Null && s.Window.To.Equal(p.Window.From) &&
		len(s.Partitions) == 1 && last == p.Partition:
		s.Window.To = p.Window.To
	default:
		return false
	}
	s.Rows += p.Rows
	return true
}

// mostPartitions bounds the text of a query, whose body may have 1 MB.
const mostPartitions = 5000

// sliceHalves divides a slice that was too large without counting again: its
// partitions in two, or its window in two. ok is false where it has neither,
// and the piece must be counted more finely.
func sliceHalves(s tvmexport.Slice) (a, b tvmexport.Slice, ok bool) {
	a, b = s, s
	a.Rows, b.Rows = s.Rows/2, s.Rows-s.Rows/2
	if n := len(s.Partitions); n > 1 {
		a.Partitions, b.Partitions = s.Partitions[:n/2:n/2], s.Partitions[n/2:]
		return a, b, true
	}
	if s.Window.Bounded() && s.Window.To.Sub(s.Window.From) > narrow {
		a.Window, b.Window, ok = s.Window.Halves()
		return a, b, ok
	}
	return s, s, false
}

// narrow is the width below which a window is no longer divided in time but by
// key: what is that dense is a burst, often of equal watermarks.
const narrow = 1_000_000_000 // one second
