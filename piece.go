package tvmexport

import (
	"cmp"
	"slices"
	"time"
)

// Piece is the smallest unit that the plan knows: one partition or one step of
// the watermark, with the rows counted there.
type Piece struct {
	Window    Window    `json:"window,omitzero"`
	Partition Partition `json:"partition"`
	Rows      int64     `json:"rows"`
	OneKey    bool      `json:"oneKey,omitempty"`
}

// Slice is the piece as a slice of its own.
func (p Piece) Slice(t Table) Slice {
	return Slice{Table: t, Window: p.Window, Partitions: []Partition{p.Partition}, Rows: p.Rows}
}

// DepthFor is the number of key digits at which a table of so many rows falls
// into partitions of about a fiftieth of the row limit: fine enough to pack
// calls tightly, coarse enough for a small ledger.
func DepthFor(rows, limit int64) int {
	depth := 0
	for part := max(limit/50, 1); rows > part && depth < maxDepth; part *= 16 {
		depth++
	}
	return depth
}

// maxDepth bounds one count's answer: 16^3 partitions and their rests.
const maxDepth = 3

// Coarsen adds up pieces of deeper partitions to partitions of depth digits.
func Coarsen(pieces []Piece, depth int) []Piece {
	sum := make(map[Partition]int, len(pieces))
	var out []Piece
	for _, p := range pieces {
		at := p.Partition
		if _, hashed := at.RowHash(); !hashed && at.Depth() >= depth {
			at = Of(at.Key(), depth)
			if p.Partition.Rest() && p.Partition.Depth() < depth {
				at = p.Partition
			}
		}
		i, ok := sum[at]
		if !ok {
			sum[at] = len(out)
			out = append(out, Piece{Partition: at, Window: p.Window, Rows: p.Rows, OneKey: p.OneKey})
			continue
		}
		out[i].Rows += p.Rows
		out[i].OneKey = false
	}
	slices.SortFunc(out, func(a, b Piece) int { return cmp.Compare(a.Partition, b.Partition) })
	return out
}

// tile turns counts of bins of the watermark into pieces that tile window
// without a gap, so that a row which appears in an empty bin after the count
// is asked for as well. Rows without a watermark come as a piece of their own.
func tile(counts []Count, window Window, within Partition, bin time.Duration) []Piece {
	counts = slices.Clone(counts)
	slices.SortFunc(counts, func(a, b Count) int { return a.Start.Compare(b.Start) })
	var out []Piece
	from := window.From
	for _, c := range counts {
		if c.Start.IsZero() {
			out = append(out, Piece{Window: Window{Null: true}, Partition: within, Rows: c.Rows})
			continue
		}
		to := c.Start.Add(bin)
		if !window.To.IsZero() && to.After(window.To) {
			to = window.To
		}
		if !to.After(from) { // the bin's only row lies on the window's open end
			continue
		}
		out = append(out, Piece{Window: Window{From: from, To: to}, Partition: within, Rows: c.Rows})
		from = to
	}
	if n := len(out); n > 0 && !out[n-1].Window.Null {
		out[n-1].Window.To = window.To
	} else if window.From.Before(window.To) {
		out = append(out, Piece{Window: window, Partition: within})
	}
	return out
}
