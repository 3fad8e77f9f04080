package hunting

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tvmexport/tvmexport"
)

// printBits is how many bits of a row's hash each sum of a fingerprint adds up.
const printBits = 40

// printsOf are the fingerprints of the rows of an answer. A service that cannot
// compute them leaves out all of them; one that leaves out some is not believed.
func printsOf(q tvmexport.CountQuery, rows []countRow) ([]tvmexport.Fingerprint, error) {
	out := make([]tvmexport.Fingerprint, len(rows))
	if !q.Fingerprints {
		return out, nil
	}
	absent := 0
	for i, r := range rows {
		for _, n := range r.prints {
			switch {
			case n == nil:
				absent++
			case r.Rows < 1<<(63-printBits) && *n > r.Rows<<printBits:
				return nil, unprovenf("a fingerprint of it is too large for %d rows", r.Rows)
			}
		}
		if r.prints[0] != nil && r.prints[1] != nil && r.prints[2] != nil {
			out[i] = tvmexport.Fingerprint{Known: true, Sums: [3]int64{*r.prints[0], *r.prints[1], *r.prints[2]}}
		}
	}
	if absent > 0 && absent < 3*len(rows) {
		return nil, unprovenf("%d of its %d fingerprints are incomplete", (absent+2)/3, len(rows))
	}
	return out, nil
}

// readParts turns the answer to a partsQuery into partitions. Parts whose keys
// leave the hex digits fall together in the rest of what is hex.
func readParts(q tvmexport.CountQuery, rows []countRow) ([]tvmexport.Count, error) {
	prints, err := printsOf(q, rows)
	if err != nil {
		return nil, err
	}
	row, hashed := q.Within.RowHash()
	var out []tvmexport.Count
	at := map[tvmexport.Partition]int{}
	key := map[tvmexport.Partition]string{} // of all rows so far
	met := make(map[tvmexport.Partition]bool, len(rows))
	digits, only := q.Within.Depth()+q.Depth, among(q.Only)
	for n, r := range rows {
		p := tvmexport.Of(r.Part, digits)
		switch {
		case hashed:
			p = q.Within.Base() + "#" + tvmexport.Partition(r.Part)
			if len(r.Part) != len(row)+q.Depth || !p.Valid() || !strings.HasPrefix(r.Part, row) {
				return nil, unprovenf("a part of it is not %d digits of a hash that begins with %q", len(row)+q.Depth, row)
			}
		case utf8.RuneCountInString(r.Part) > digits:
			return nil, unprovenf("a part of it has more than the requested %d digits", digits)
		case !q.Within.Contains(r.Part):
			return nil, unprovenf("a part of it is outside the requested partition %q", q.Within)
		}
		// Unexpected keys can have the same text here and differ there.
		if met[p] && !p.Rest() {
			return nil, unprovenf("it contains a part twice")
		}
		met[p] = true
		if len(q.Only) > 0 && !only(p) {
			return nil, unprovenf("it contains a part that was not requested")
		}
		if !p.Rest() && (!strings.HasPrefix(r.Low, r.Part) || !strings.HasPrefix(r.High, r.Part)) {
			return nil, unprovenf("a part of it has keys of another part")
		}
		i, ok := at[p]
		if !ok {
			i = len(out)
			at[p], key[p] = i, r.Low
			out = append(out, tvmexport.Count{Partition: p, OneKey: true, Ends: p.Rest(), Fingerprint: tvmexport.EmptyFingerprint})
		}
		out[i].Rows += r.Rows
		out[i].Fingerprint = out[i].Fingerprint.Add(prints[n])
		out[i].Ends = out[i].Ends && r.Low == p.Key() && r.High == p.Key()
		out[i].OneKey = out[i].OneKey && r.Low == r.High && r.Low == key[p]
	}
	return out, nil
}

// among says whether a partition is one of the list, or within one.
func among(list []tvmexport.Partition) func(tvmexport.Partition) bool {
	known := make(map[tvmexport.Partition]bool, len(list))
	for _, p := range list {
		known[p] = true
	}
	return func(p tvmexport.Partition) bool {
		for {
			if known[p] {
				return true
			}
			parent, ok := p.Parent()
			if !ok {
				return known[p.Base()]
			}
			p = parent
		}
	}
}

// readBins turns the answer to a binsQuery into steps of the watermark.
func readBins(q tvmexport.CountQuery, rows []countRow) ([]tvmexport.Count, error) {
	prints, err := printsOf(q, rows)
	if err != nil {
		return nil, err
	}
	starts := make([]time.Time, 0, len(rows))
	out := make([]tvmexport.Count, 0, len(rows))
	for i, r := range rows {
		start := r.Start.Time
		switch w := q.Window; {
		case start.IsZero():
			if !q.Nulls && (!w.From.IsZero() || !w.To.IsZero()) {
				return nil, unprovenf("it counts rows without a time, which belong to no window")
			}
		case w.Null, !w.From.IsZero() && !start.Add(q.Bin-tvmexport.Tick).After(w.From), !w.To.IsZero() && start.After(w.To):
			return nil, unprovenf("it counts a time step outside the requested window")
		}
		starts = append(starts, start)
		out = append(out, tvmexport.Count{Partition: q.Within, Start: start, Rows: r.Rows, Fingerprint: prints[i]})
	}
	slices.SortFunc(starts, time.Time.Compare)
	for i := 1; i < len(starts); i++ {
		if starts[i].Sub(starts[i-1]) < q.Bin {
			return nil, unprovenf("it contains a time step twice, or two that overlap")
		}
	}
	return out, nil
}
