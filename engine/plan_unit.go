package engine

import (
	"cmp"
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

// coarsen adds up units of deeper partitions to partitions of depth digits.
func coarsen(units []planUnit, depth int) []planUnit {
	sum := make(map[tvmexport.Partition]int, len(units))
	var out []planUnit
	for _, p := range units {
		at := p.Partition
		if _, hashed := at.RowHash(); !hashed && at.Depth() >= depth {
			at = tvmexport.Of(at.Key(), depth)
			if p.Partition.Rest() && p.Partition.Depth() < depth {
				at = p.Partition
			}
		}
		i, ok := sum[at]
		if !ok {
			sum[at] = len(out)
			out = append(out, planUnit{Partition: at, Window: p.Window, Rows: p.Rows, OneKey: p.OneKey, Ends: p.Ends, Fingerprint: p.Fingerprint})
			continue
		}
		out[i].Rows += p.Rows
		out[i].OneKey, out[i].Ends = false, false
		out[i].Fingerprint = out[i].Fingerprint.Add(p.Fingerprint)
	}
	slices.SortFunc(out, func(a, b planUnit) int { return cmp.Compare(a.Partition, b.Partition) })
	return out
}

// withEmptyPartitions adds the partitions of depth digits below within that were not
// counted, with no rows: what appears there after the count is asked for too.
func withEmptyPartitions(units []planUnit, within tvmexport.Partition, window tvmexport.Window, depth int) []planUnit {
	known := make(map[tvmexport.Partition]bool, len(units))
	for _, p := range units {
		known[p.Partition] = true
	}
	add := func(p tvmexport.Partition) {
		if !known[p] {
			units = append(units, planUnit{Partition: p, Window: window, Fingerprint: tvmexport.EmptyFingerprint})
		}
	}
	_, hashed := within.RowHash()
	level := []tvmexport.Partition{within}
	for range depth {
		var next []tvmexport.Partition
		for _, p := range level {
			for _, d := range []byte(hexDigits) {
				next = append(next, p.Child(d))
			}
			if !hashed {
				add(p.Child('~'))
			}
		}
		level = next
	}
	for _, p := range level {
		add(p)
	}
	slices.SortFunc(units, func(a, b planUnit) int { return cmp.Compare(a.Partition, b.Partition) })
	return units
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
