package hunting

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/tvmexport/tvmexport"
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
		d := c.dialects.get(q.Table.Name)
		asked := q
		asked.Table = d.hashable(q.Table)
		asked.Fingerprints = q.Fingerprints && !d.plain && !d.whole
		query, read := partsQuery, readParts
		switch {
		case q.Bin > 0:
			query, read = binsQuery, readBins
		case d.whole:
			query, read = wholeQuery, readWhole
		}
		counts, err := c.count(ctx, asked, query, read)
		calls += counts.Calls
		counts.Calls, counts.Even = calls, d.whole && q.Bin == 0
		if asked.Fingerprints {
			counts.FingerprintColumns = asked.Table.FingerprintColumns()
		}
		if err == nil || d.whole || !c.downgradeCount(asked, err) {
			return counts, err
		}
	}
}

// downgradeCount changes how the table is counted after a failed count.
// It says whether there is another way to count.
func (c *Client) downgradeCount(q tvmexport.CountQuery, err error) bool {
	t := q.Table
	if missing(err) || !refused(err) && tvmexport.ActionOf(err) != tvmexport.Split {
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

type countReader func(q tvmexport.CountQuery, rows []countRow) ([]tvmexport.Count, error)

// count makes one call. Its answer counts only with its proof.
func (c *Client) count(ctx context.Context, q tvmexport.CountQuery, query func(tvmexport.CountQuery, string) string, read countReader) (tvmexport.Counts, error) {
	t := tally{mark: newMark()}
	var parts []tvmexport.Count
	a, err := c.ask(ctx, question{op: "count", table: q.Table.Name, text: query(q, t.mark)}, func(b *body) (err error) {
		if err = t.read(b); err == nil {
			parts, err = read(q, t.rows)
		}
		return err
	})
	return tvmexport.Counts{Parts: parts, Now: t.now.Time, Calls: a.Calls}, err
}

// nullableTime is a datetime as the fronts write it; null, and {} on Graph,
// is the zero time.
type nullableTime struct{ time.Time }

// UnmarshalJSON implements json.Unmarshaler.
func (t *nullableTime) UnmarshalJSON(b []byte) error {
	switch b = bytes.TrimSpace(b); {
	case string(b) == "null" || len(b) > 0 && b[0] == '{' && empty(b):
		return nil
	case !isMoment(b) || t.Time.UnmarshalJSON(b) != nil:
		return errors.New("its value is not a datetime")
	}
	return nil
}

// readWhole spreads the rows of the answer to a wholeQuery evenly.
func readWhole(q tvmexport.CountQuery, rows []countRow) ([]tvmexport.Count, error) {
	if len(rows) != 1 {
		return nil, unprovenf("the count of all rows has %d rows", len(rows))
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
		out[i] = tvmexport.Count{Partition: p, Rows: rows[0].Rows / n}
		if int64(i) < rows[0].Rows%n {
			out[i].Rows++
		}
	}
	return out, nil
}
