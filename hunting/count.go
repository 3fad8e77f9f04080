package hunting

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/internal/wire"
)

// Count implements tvmexport.CountingSource. If the service refuses to count partitions,
// or cannot do so within its limits, the whole table is counted and assumed to be
// spread evenly: a coarser plan, which correctness does not depend on.
func (c *Client) Count(ctx context.Context, q tvmexport.CountQuery) (tvmexport.Counts, error) {
	if err := check("count", q.Table); err != nil {
		return tvmexport.Counts{}, err
	}
	calls := 0
	for {
		k := c.counting(q)
		counts, err := c.count(ctx, k)
		calls += counts.Calls
		counts.Calls = calls
		if err == nil || !c.downgradeCount(k, err) {
			return counts, err
		}
	}
}

// counting is a count as it is asked for.
type counting struct {
	tvmexport.CountQuery
	tally
	phrasing
	whole bool // the service counts no parts of the table
	query union
}

// counting returns how a count is asked for by what was learned of the service.
func (c *Client) counting(q tvmexport.CountQuery) *counting {
	d := c.dialects.get(q.Table.Name)
	q.Table = d.hashable(q.Table)
	q.Fingerprints = q.Fingerprints && !d.plain && !d.whole
	k := &counting{CountQuery: q, tally: tally{mark: newMark()}, phrasing: c.phrasings.now(), whole: d.whole}
	switch {
	case q.Bin > 0:
		k.query, k.begin = k.bins(q, k.mark), func() countReader { return newBinReader(q) }
	case d.whole:
		k.query, k.begin = k.all(q, k.mark), func() countReader { return &wholeReader{q: q} }
	default:
		k.query, k.begin = k.parts(q, k.mark), func() countReader { return newPartReader(q) }
	}
	return k
}

// counts returns what an answer tells that was read to its end.
func (k *counting) counts() (tvmexport.Counts, error) {
	out := tvmexport.Counts{Even: k.whole && k.Bin == 0}
	if k.Fingerprints {
		out.FingerprintColumns = k.Table.FingerprintColumns()
	}
	err := k.complete()
	if err == nil {
		out.Now = k.now.Time
		out.Parts, err = k.read()
	}
	return out, err
}

// downgradeCount changes how the table is counted after a failed count.
// It says whether there is another way to count.
func (c *Client) downgradeCount(q *counting, err error) bool {
	t := q.Table
	if c.rephrase(t.Name, q.phrasing, err) {
		return true
	}
	if q.whole || missing(err) || !refused(err) && tvmexport.ActionOf(err) != tvmexport.Split {
		return false
	}
	if name := absent(err, t.Columns); refused(err) && name != "" && name != t.Key.Column && !slices.Contains(t.Key.Hashed, name) {
		c.dialects.change(t.Name, func(d *dialect) { d.hashless = append(slices.Clone(d.hashless), name) })
		c.fallback(t.Name, "leaving the column "+name+", which the service does not know, out of the hash of rows", err)
		return true
	}
	switch {
	case q.Fingerprints:
		c.dialects.change(t.Name, func(d *dialect) { d.plain = true })
		c.fallback(t.Name, "counting without fingerprints", err)
	case q.Bin > 0:
		return false
	default:
		c.dialects.change(t.Name, func(d *dialect) { d.whole = true })
		c.fallback(t.Name, "counting the whole table instead of its partitions", err)
	}
	return true
}

// rephrase changes how all queries are written, if the service has refused that.
func (c *Client) rephrase(tables string, asked phrasing, err error) bool {
	if !c.phrasings.refused(asked, err) {
		return false
	}
	c.fallback(tables, "reading the table twice instead of keeping its rows for the proof", err)
	return true
}

// count makes one call. Its answer counts only with its proof.
func (c *Client) count(ctx context.Context, k *counting) (tvmexport.Counts, error) {
	var counts tvmexport.Counts
	a, err := c.ask(ctx, question{op: "count", table: k.Table.Name, text: k.query.text("counted")}, func(b *body) (err error) {
		if err = readTallies(b, []*tally{&k.tally}); err == nil {
			counts, err = k.counts()
		}
		return err
	})
	counts.Calls = a.Calls
	return counts, err
}

// nullableTime is a datetime as the fronts write it; null, and {} on Graph,
// is the zero time.
type nullableTime struct{ time.Time }

// UnmarshalJSON implements json.Unmarshaler.
func (t *nullableTime) UnmarshalJSON(b []byte) error {
	switch b = bytes.TrimSpace(b); {
	case string(b) == "null" || len(b) > 0 && b[0] == '{' && empty(b):
		return nil
	case !wire.IsMoment(b) || t.Time.UnmarshalJSON(b) != nil:
		return errors.New("its value is not a datetime")
	}
	return nil
}

// wholeReader spreads the rows of the answer to a wholeQuery evenly.
type wholeReader struct {
	q    tvmexport.CountQuery
	n    int // rows of the answer
	rows int64
}

func (x *wholeReader) take(r countRow) {
	x.n++
	x.rows = r.Rows
}

func (x *wholeReader) counts() ([]tvmexport.Count, error) {
	q := x.q
	if x.n != 1 {
		return nil, unprovenf("the count of all rows has %d rows", x.n)
	}
	parts := []tvmexport.Partition{q.Within}
	for range q.Depth {
		finer := make([]tvmexport.Partition, 0, 16*len(parts))
		for _, p := range parts {
			for _, d := range []byte("0123456789abcdef") {
				finer = append(finer, p.Child(d))
			}
		}
		parts = finer
	}
	out := make([]tvmexport.Count, len(parts))
	n := int64(len(parts))
	for i, p := range parts {
		out[i] = tvmexport.Count{Partition: p, Rows: x.rows / n}
		if int64(i) < x.rows%n {
			out[i].Rows++
		}
	}
	return out, nil
}
