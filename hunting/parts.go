package hunting

import (
	"cmp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tvmexport/tvmexport"
)

// printBits is how many bits of a row's hash each sum of a fingerprint adds up.
const printBits = 40

// printReader reads the fingerprints of an answer's rows. A service that cannot
// compute them leaves out all of them; one that leaves out some is not believed.
type printReader struct {
	asked  bool
	rows   int
	absent int
	err    error
}

func (p *printReader) take(r countRow) tvmexport.Fingerprint {
	if !p.asked || p.err != nil {
		return tvmexport.Fingerprint{}
	}
	p.rows++
	out := tvmexport.EmptyFingerprint
	for i, n := range r.prints {
		switch {
		case !n.known:
			p.absent++
			out.Known = false
		case r.Rows < 1<<(63-printBits) && n.n > r.Rows<<printBits:
			p.err = unprovenf("a fingerprint of it is too large for %d rows", r.Rows)
		}
		out.Sums[i] = n.n
	}
	if !out.Known {
		return tvmexport.Fingerprint{}
	}
	return out
}

func (p *printReader) check() error {
	if p.err == nil && p.absent > 0 && p.absent < 3*p.rows {
		return unprovenf("%d of its %d fingerprints are incomplete", (p.absent+2)/3, p.rows)
	}
	return p.err
}

// partReader turns the answer to a partsQuery into partitions. Parts whose keys
// leave the hex digits fall together in the rest of what is hex.
type partReader struct {
	q      tvmexport.CountQuery
	only   func(tvmexport.Partition) bool
	prints printReader
	out    []tvmexport.Count
	at     map[tvmexport.Partition]int32
	key    map[tvmexport.Partition]string // of all rows of a rest so far
	err    error
}

func newPartReader(q tvmexport.CountQuery) countReader {
	return &partReader{
		q: q, only: among(q.Only), prints: printReader{asked: q.Fingerprints},
		at: map[tvmexport.Partition]int32{}, key: map[tvmexport.Partition]string{},
	}
}

func (x *partReader) take(r countRow) {
	sums := x.prints.take(r)
	if x.err == nil {
		x.err = x.add(r, sums)
	}
}

// add adds a row with its fingerprint to the part that it counts.
func (x *partReader) add(r countRow, sums tvmexport.Fingerprint) error {
	q := x.q
	row, hashed := q.Within.RowHash()
	digits := q.Within.Depth() + q.Depth
	p := tvmexport.Of(r.Part, digits)
	switch {
	case hashed:
		p = q.Within.Base() + "#" + tvmexport.Partition(r.Part)
		if len(r.Part) != len(row)+q.Depth || !p.Valid() || !strings.HasPrefix(r.Part, row) {
			return unprovenf("a part of it is not %d digits of a hash that begins with %q", len(row)+q.Depth, row)
		}
	case utf8.RuneCountInString(r.Part) > digits:
		return unprovenf("a part of it has more than the requested %d digits", digits)
	case !q.Within.Contains(r.Part):
		return unprovenf("a part of it is outside the requested partition %q", q.Within)
	}
	// Unexpected keys can have the same text here and differ there.
	i, met := x.at[p]
	if met && !p.Rest() {
		return unprovenf("it contains a part twice")
	}
	if len(q.Only) > 0 && !x.only(p) {
		return unprovenf("it contains a part that was not requested")
	}
	if !p.Rest() && (!strings.HasPrefix(r.Low, r.Part) || !strings.HasPrefix(r.High, r.Part)) {
		return unprovenf("a part of it has keys of another part")
	}
	if !met {
		i = int32(len(x.out)) // an answer has 100,000 rows at most
		x.at[p] = i
		x.out = append(x.out, tvmexport.Count{Partition: p, OneKey: true, Ends: p.Rest(), Fingerprint: tvmexport.EmptyFingerprint})
		if p.Rest() {
			x.key[p] = r.Low
		}
	}
	c := &x.out[i]
	c.Rows += r.Rows
	c.Fingerprint = c.Fingerprint.Add(sums)
	c.Ends = c.Ends && r.Low == p.Key() && r.High == p.Key()
	c.OneKey = c.OneKey && r.Low == r.High && (!p.Rest() || r.Low == x.key[p])
	return nil
}

func (x *partReader) counts() ([]tvmexport.Count, error) {
	if err := cmp.Or(x.prints.check(), x.err); err != nil {
		return nil, err
	}
	return x.out, nil
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

// binReader turns the answer to a binsQuery into steps of the watermark.
type binReader struct {
	q      tvmexport.CountQuery
	prints printReader
	out    []tvmexport.Count
	err    error
}

func newBinReader(q tvmexport.CountQuery) countReader {
	return &binReader{q: q, prints: printReader{asked: q.Fingerprints}}
}

func (x *binReader) take(r countRow) {
	sums := x.prints.take(r)
	if x.err == nil {
		x.err = x.add(r, sums)
	}
}

func (x *binReader) add(r countRow, sums tvmexport.Fingerprint) error {
	q, start := x.q, r.Start.Time
	switch w := q.Window; {
	case start.IsZero():
		if !q.Nulls && (!w.From.IsZero() || !w.To.IsZero()) {
			return unprovenf("it counts rows without a time, which belong to no window")
		}
	case w.Null, !w.From.IsZero() && !start.Add(q.Bin-tvmexport.Tick).After(w.From), !w.To.IsZero() && start.After(w.To):
		return unprovenf("it counts a time step outside the requested window")
	}
	x.out = append(x.out, tvmexport.Count{Partition: q.Within, Start: start, Rows: r.Rows, Fingerprint: sums})
	return nil
}

func (x *binReader) counts() ([]tvmexport.Count, error) {
	if err := cmp.Or(x.prints.check(), x.err); err != nil {
		return nil, err
	}
	starts := make([]time.Time, len(x.out))
	for i, c := range x.out {
		starts[i] = c.Start
	}
	slices.SortFunc(starts, time.Time.Compare)
	for i := 1; i < len(starts); i++ {
		if starts[i].Sub(starts[i-1]) < x.q.Bin {
			return nil, unprovenf("it contains a time step twice, or two that overlap")
		}
	}
	return x.out, nil
}
