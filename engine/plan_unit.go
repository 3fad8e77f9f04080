package engine

import (
	"slices"
	"time"

	"github.com/tvmexport/tvmexport"
)

// planUnit is the smallest unit that the plan knows: one partition or one step of
// the watermark, with the rows counted there.
type planUnit struct {
	Window      tvmexport.Window      `json:"window,omitzero"`
	Partition   tvmexport.Partition   `json:"partition"`
	Rows        int64                 `json:"rows"`
	OneKey      bool                  `json:"oneKey,omitempty"`
	Ends        bool                  `json:"ends,omitempty"` // of a rest: only keys that end with its digits were counted
	Late        bool                  `json:"late,omitempty"` // of a window that was published before: only rows that are missing count
	Fingerprint tvmexport.Fingerprint `json:"print,omitzero"`
	Wider       bool                  `json:"wider,omitempty"` // Rows was counted of a wider window
	Ask         bool                  `json:"ask,omitempty"`   // to be asked for though the count shows no rows
	Unit        tvmexport.Unit        `json:"unit,omitzero"`   // of a source that lists units
}

// Slice returns the unit as a slice of its own.
func (p planUnit) Slice(t tvmexport.Table) tvmexport.Slice {
	return tvmexport.Slice{Table: t, Window: p.Window, Partitions: []tvmexport.Partition{p.Partition}, Late: p.Late, Rows: p.Rows, Unit: p.Unit}
}

// depthFor returns the number of key digits that divides a table of the given
// rows into partitions of about a fiftieth of the row limit. That is fine enough
// to pack calls tightly, and coarse enough for a small ledger.
func depthFor(rows, limit int64) int {
	depth := 0
	for part := max(limit/50, 1); rows > part && depth < maxDepth; part *= 16 {
		depth++
	}
	return depth
}

// stateDepth returns the number of key digits that divides a Snapshot of the given
// rows into partitions of at most about a five-hundredth of the row limit: one or
// a few devices, so that a run fetches little besides what has changed.
func stateDepth(rows, limit int64) int {
	depth := 0
	for part := max(limit/500, 1); rows > part && depth < maxStateDepth; part *= 16 {
		depth++
	}
	return depth
}

// maxDepth bounds how many partitions a refined unit falls into: 16^3 and
// their rests. maxStateDepth keeps one count's answer below the row limit.
const (
	maxDepth      = 3
	maxStateDepth = 4
)

// coarsen adds up units of deeper partitions to partitions of depth digits, in the place
// of the list.
func coarsen(units []planUnit, depth int) []planUnit {
	for i, p := range units {
		at := p.Partition
		if _, hashed := at.RowHash(); !hashed && at.Depth() >= depth {
			at = tvmexport.Of(at.Key(), depth)
		}
		units[i] = planUnit{Partition: at, Window: p.Window, Rows: p.Rows, OneKey: p.OneKey, Ends: p.Ends, Fingerprint: p.Fingerprint}
	}
	sortUnits(units)
	out := units[:0]
	for _, p := range units {
		last := len(out) - 1
		if last < 0 || out[last].Partition != p.Partition {
			out = append(out, p)
			continue
		}
		out[last].Rows += p.Rows
		out[last].OneKey, out[last].Ends = false, false
		out[last].Fingerprint = out[last].Fingerprint.Add(p.Fingerprint)
	}
	return out
}

// fillBins turns counts of bins of the watermark into units that cover window
// without a gap, so that a row which appears in an empty bin after the count
// is asked for as well. Rows without a watermark come as a unit of their own.
func fillBins(counts []tvmexport.Count, window tvmexport.Window, within tvmexport.Partition, bin time.Duration) []planUnit {
	counts = slices.Clone(counts)
	slices.SortFunc(counts, func(a, b tvmexport.Count) int { return a.Start.Compare(b.Start) })
	var out []planUnit
	from := window.From
	cover := func(to time.Time, rows int64) {
		wider := rows > 0 && from.After(to.Add(-bin))
		if !window.To.IsZero() && to.After(window.To) {
			to, wider = window.To, rows > 0
		}
		if to.After(from) {
			out = append(out, planUnit{Window: tvmexport.Window{From: from, To: to}, Partition: within, Rows: rows, Wider: wider})
			from = to
		}
	}
	for _, c := range counts {
		if c.Start.IsZero() {
			out = append(out, planUnit{Window: tvmexport.Window{Null: true}, Partition: within, Rows: c.Rows})
			continue
		}
		cover(c.Start.Add(-tvmexport.Tick), 0)
		cover(c.Start.Add(bin-tvmexport.Tick), c.Rows)
	}
	cover(window.To, 0)
	return out
}

// hexDigits are the digits of keys and of hashes of rows.
const hexDigits = "0123456789abcdef"

// isHex returns whether a character of a key is a digit that partitions know.
func isHex(c byte) bool { return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' }
