package spool

import (
	"context"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tvmexport/tvmexport"
)

// Count implements tvmexport.CountingSource. The first question about a table reads all
// of it.
func (s *Source) Count(ctx context.Context, q tvmexport.CountQuery) (tvmexport.Counts, error) {
	u, err := s.use(ctx, question{q.Table, q.Window})
	out := tvmexport.Counts{Calls: u.calls}
	if err != nil {
		return out, err
	}
	defer u.done()
	if u.rows == 0 && q.Rows > 0 && !q.Emptied && q.Bin == 0 {
		return out, u.empty(q.Rows)
	}
	out.Now, out.Notes, out.Gone = u.at, u.notes, u.gone
	if u.rows > 0 {
		out.Columns = u.columns
	}
	if q.Fingerprints {
		out.FingerprintColumns = q.Table.FingerprintColumns()
	}
	out.Parts, err = s.parts(ctx, u.state, q)
	return out, err
}

// empty refuses a version without rows where some are expected: the export may have
// failed at the service.
func (s *state) empty(expected int64) error {
	return &tvmexport.Error{
		Op: "count", Table: s.table.Name, Action: tvmexport.Stop, Cause: tvmexport.Integrity,
		Err:  fmt.Errorf("the units of the version %.40q have no rows, but %d rows are expected", s.version, expected),
		Hint: "nothing was published; if the table is empty now, request a full run",
	}
}

// parts answers a count: from the index where that has all of it, else from the rows.
func (s *Source) parts(ctx context.Context, st *state, q tvmexport.CountQuery) ([]tvmexport.Count, error) {
	same := slices.Equal(st.prints, q.Table.FingerprintColumns())
	if q.Bin == 0 && q.Window == (tvmexport.Window{}) && q.Within == tvmexport.AllPartitions && len(q.Only) == 0 &&
		q.Depth <= indexDigits && (same || !q.Fingerprints) {
		return st.index.counts(q.Depth, q.Fingerprints), nil
	}
	only := q.Only
	if len(only) == 0 {
		only = []tvmexport.Partition{q.Within}
	}
	want := filter{window: q.Window, nulls: q.Nulls, set: newSet(only, nil), within: newSet([]tvmexport.Partition{q.Within}, nil)}
	c := newCounting(q.Fingerprints)
	byTime := map[int64]*tvmexport.Count{}
	prefix, hashed := q.Within.RowHash()
	depth := q.Within.Depth() + q.Depth
	err := s.scan(ctx, st, want, func(r *record) error {
		if q.Fingerprints && !same {
			if err := want.rehash(q.Table.FingerprintColumns(), r); err != nil {
				return err
			}
		}
		one := part{r.fingerprint().Sums, 1, hashOf(r.key)}
		switch {
		case q.Bin > 0:
			addStep(byTime, q, r)
		case hashed:
			c.add(q.Within.Base()+"#"+tvmexport.Partition(r.hash()[:len(prefix)+q.Depth]), one, false)
		default:
			at := tvmexport.Of(string(r.key), depth)
			c.add(at, one, at.Rest() && len(r.key) > at.Depth())
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if q.Bin > 0 {
		return steps(byTime), nil
	}
	return c.list(), nil
}

// hash is the beginning of the hash of the row, in digits.
func (r *record) hash() string { return hex.EncodeToString(r.digest[:]) }

// addStep counts a row with its step of the watermark.
func addStep(steps map[int64]*tvmexport.Count, q tvmexport.CountQuery, r *record) {
	at, start := int64(noMoment), time.Time{}
	if r.moment != noMoment {
		start = timeOf(r.moment).Truncate(q.Bin)
		at = ticksOf(start)
	}
	c := steps[at]
	if c == nil {
		c = &tvmexport.Count{Partition: q.Within, Start: start, Fingerprint: tvmexport.EmptyFingerprint}
		steps[at] = c
	}
	c.Rows++
	if q.Fingerprints {
		c.Fingerprint = c.Fingerprint.Add(r.fingerprint())
	} else {
		c.Fingerprint = tvmexport.Fingerprint{}
	}
}

func steps(of map[int64]*tvmexport.Count) []tvmexport.Count {
	out := make([]tvmexport.Count, 0, len(of))
	for _, c := range of {
		out = append(out, *c)
	}
	slices.SortFunc(out, func(a, b tvmexport.Count) int { return a.Start.Compare(b.Start) })
	return out
}

// counting adds up parts.
type counting struct {
	prints bool
	of     map[tvmexport.Partition]*rest
}

func newCounting(prints bool) *counting {
	return &counting{prints: prints, of: map[tvmexport.Partition]*rest{}}
}

func (c *counting) add(at tvmexport.Partition, p part, longer bool) {
	r := c.of[at]
	if r == nil {
		r = &rest{}
		c.of[at] = r
	}
	r.add(p)
	r.longer = r.longer || longer
}

func (c *counting) list() []tvmexport.Count {
	out := make([]tvmexport.Count, 0, len(c.of))
	for at, r := range c.of {
		n := tvmexport.Count{Partition: at, Rows: int64(r.rows), OneKey: r.key != manyKeys, Ends: at.Rest() && !r.longer}
		if c.prints {
			n.Fingerprint = tvmexport.Fingerprint{Known: true, Sums: r.sums}
		}
		out = append(out, n)
	}
	slices.SortFunc(out, func(a, b tvmexport.Count) int { return strings.Compare(string(a.Partition), string(b.Partition)) })
	return out
}
