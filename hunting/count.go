package hunting

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/tvmexport/tvmexport"
)

// Count implements tvmexport.Source. Where the service refuses to count parts,
// or cannot within its limits, the whole is counted and thought to be spread
// evenly: a poorer plan, but nothing rests on it.
func (c *Client) Count(ctx context.Context, q tvmexport.CountQuery) (tvmexport.Counts, error) {
	if err := check("count", q.Table); err != nil {
		return tvmexport.Counts{}, err
	}
	calls := 0
	for {
		d := c.dialects.get(q.Table.Name)
		asked := q
		asked.Table = d.hashable(q.Table)
		asked.Print = q.Print && !d.plain && !d.whole
		query, read := partsQuery, readParts
		switch {
		case q.Bin > 0:
			query, read = binsQuery, readBins
		case d.whole:
			query, read = wholeQuery, readWhole
		}
		counts, err := c.count(ctx, asked, query(asked), read)
		calls += counts.Calls
		counts.Calls = calls
		if asked.Print {
			counts.Print = asked.Table.Printed()
		}
		if err == nil || d.whole || !c.concede(asked, err) {
			return counts, err
		}
	}
}

// concede takes a lesson from a count that failed. It says whether there is
// another way to count.
func (c *Client) concede(q tvmexport.CountQuery, err error) bool {
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
	case q.Print:
		c.dialects.change(t.Name, func(d *dialect) { d.plain = true })
		c.fallback(t.Name, "counting without fingerprints", err)
	case q.Bin > 0:
		return false
	default:
		c.dialects.change(t.Name, func(d *dialect) { d.whole = true })
		c.fallback(t.Name, "counting the whole table instead of its parts", err)
	}
	return true
}

type countReader func(q tvmexport.CountQuery, rows []countRow) ([]tvmexport.Count, error)

func (c *Client) count(ctx context.Context, q tvmexport.CountQuery, query string, read countReader) (tvmexport.Counts, error) {
	rows, calls, err := c.countRows(ctx, q.Table.Name, query)
	out := tvmexport.Counts{Calls: calls}
	if err != nil {
		return out, err
	}
	if out.Parts, err = read(q, rows); err != nil {
		return out, &tvmexport.Error{Op: "count", Table: q.Table.Name, Action: tvmexport.Stop, Cause: tvmexport.Unproven, Err: err}
	}
	if len(rows) > 0 {
		out.Now = rows[0].Now.Time
		return out, nil
	}
	// No row was there to carry the service's clock.
	rows, calls, err = c.countRows(ctx, q.Table.Name, "print Rows = 0, Now = now()")
	out.Calls += calls
	if err == nil && len(rows) != 1 {
		err = &tvmexport.Error{Op: "count", Table: q.Table.Name, Action: tvmexport.Stop, Cause: tvmexport.Unproven, Err: errors.New("the service does not tell its time")}
	}
	if err != nil {
		return out, err
	}
	out.Now = rows[0].Now.Time
	return out, nil
}

func (c *Client) countRows(ctx context.Context, table, query string) ([]countRow, int, error) {
	var rows []countRow
	a, err := c.ask(ctx, question{op: "count", table: table, text: query}, func(b *body) error {
		rows = rows[:0]
		return b.countRows(&rows)
	})
	return rows, a.Calls, err
}

// countRow is a row of the answer to a count.
type countRow struct {
	Part  string
	Low   string
	High  string
	Start nullableTime
	Rows  int64
	Now   nullableTime

	PrintA, PrintB, PrintC *int64
}

// print is the row's fingerprint, if it carries one.
func (r countRow) print(q tvmexport.CountQuery) tvmexport.Fingerprint {
	if !q.Print || r.PrintA == nil || r.PrintB == nil || r.PrintC == nil {
		return tvmexport.Fingerprint{}
	}
	return tvmexport.Fingerprint{Known: true, Sums: [3]int64{*r.PrintA, *r.PrintB, *r.PrintC}}
}

// nullableTime is a datetime as the fronts write it; null, and {} on Graph,
// is the zero time.
type nullableTime struct{ time.Time }

// UnmarshalJSON implements json.Unmarshaler.
func (t *nullableTime) UnmarshalJSON(b []byte) error {
	switch b = bytes.TrimSpace(b); {
	case string(b) == "null" || len(b) > 0 && b[0] == '{' && empty(b):
		return nil
	case !isMoment(b):
		return fmt.Errorf("a value of %d bytes is not a datetime", len(b))
	}
	return t.Time.UnmarshalJSON(b)
}

// readParts turns the answer to a partsQuery into partitions. Parts whose keys
// leave the hex digits fall together in the rest of what is hex.
func readParts(q tvmexport.CountQuery, rows []countRow) ([]tvmexport.Count, error) {
	depth := q.Within.Depth() + q.Depth
	row, hashed := q.Within.RowHash()
	var out []tvmexport.Count
	at := map[tvmexport.Partition]int{}
	only := map[tvmexport.Partition]string{} // the key of all rows so far
	for _, r := range rows {
		p := tvmexport.Of(r.Part, depth)
		if hashed {
			p = q.Within.Base() + "#" + tvmexport.Partition(r.Part)
			if len(r.Part) != len(row)+q.Depth || !p.Valid() {
				return nil, fmt.Errorf("a part of the count has %d bytes that are not %d digits of a hash", len(r.Part), len(row)+q.Depth)
			}
		}
		i, ok := at[p]
		if !ok {
			i = len(out)
			at[p], only[p] = i, r.Low
			out = append(out, tvmexport.Count{Partition: p, OneKey: true, Print: tvmexport.EmptyPrint})
		}
		out[i].Rows += r.Rows
		out[i].Print = out[i].Print.Add(r.print(q))
		out[i].OneKey = out[i].OneKey && r.Low == r.High && r.Low == only[p]
	}
	return out, nil
}

// readWhole spreads the rows of the answer to a wholeQuery evenly.
func readWhole(q tvmexport.CountQuery, rows []countRow) ([]tvmexport.Count, error) {
	if len(rows) != 1 {
		return nil, fmt.Errorf("the count of all rows has %d rows", len(rows))
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

// readBins turns the answer to a binsQuery into steps of the watermark.
func readBins(q tvmexport.CountQuery, rows []countRow) ([]tvmexport.Count, error) {
	out := make([]tvmexport.Count, 0, len(rows))
	for _, r := range rows {
		out = append(out, tvmexport.Count{Partition: q.Within, Start: r.Start.Time, Rows: r.Rows, Print: r.print(q)})
	}
	return out, nil
}
