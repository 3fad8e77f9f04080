// Package contract contains the suites that sources and destinations pass
// ([TestSource], [TestListingSource], [TestDestination]), those of wrappers
// ([TestWrapper], [TestSourceWrapper]), and working fakes, for tests that need
// no network.
package contract

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tvmexport/tvmexport"
)

// Row is a row of a fake table.
type Row struct {
	Key  string    // of partitions
	Time time.Time // watermark; zero is null
	JSON string    // the record
}

// Source is a tvmexport.CountingSource with a memory. The zero value is ready.
type Source struct {
	mu     sync.Mutex
	rows   map[string][]Row
	now    time.Time
	Limits tvmexport.Limits // zero: DocumentedLimits
	Calls  []tvmexport.Slice
	Schema []tvmexport.Column // of every table; nil: DeviceId and Timestamp
	Joint  [][]string         // tables of each CountTables
	// Plain: no fingerprints are computed.
	Plain bool
	// CorruptCount, if set, changes the answer to a Count.
	CorruptCount func(q tvmexport.CountQuery, c *tvmexport.Counts)
	// Before, if set, is asked before each Fetch; its error is the answer.
	Before func(s tvmexport.Slice) error
	// Corrupt, if set, changes the answer to a Fetch after its rows were written.
	Corrupt func(s tvmexport.Slice, a *tvmexport.Answer)
}

// Set replaces a table's rows.
func (s *Source) Set(table string, rows []Row) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.rows == nil {
		s.rows = map[string][]Row{}
	}
	s.rows[table] = slices.Clone(rows)
}

// SetNow sets the source's clock.
func (s *Source) SetNow(t time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = t
}

func (s *Source) limits() tvmexport.Limits {
	if s.Limits == (tvmexport.Limits{}) {
		return tvmexport.DocumentedLimits
	}
	return s.Limits
}

// Within says whether a row is in a window.
func Within(w tvmexport.Window, r Row) bool {
	switch {
	case w.Null:
		return r.Time.IsZero()
	case w == tvmexport.Window{}:
		return true
	case r.Time.IsZero():
		return false
	}
	return (w.From.IsZero() || r.Time.After(w.From)) && (w.To.IsZero() || !r.Time.After(w.To))
}

func rowHash(r Row) string {
	h := sha256.Sum256([]byte(r.JSON))
	return hex.EncodeToString(h[:])
}

// printOf is the fingerprint of one row.
func printOf(r Row) tvmexport.Fingerprint {
	h := sha256.Sum256([]byte(r.JSON))
	f := tvmexport.EmptyFingerprint
	for i := range f.Sums {
		f.Sums[i] = int64(binary.BigEndian.Uint32(h[4*i:]))
	}
	return f
}

func in(p tvmexport.Partition, r Row) bool {
	// Most rows differ from a partition in the first character; the rest takes longer to compare.
	if p != "" && p[0] != '~' && p[0] != '#' && !strings.HasPrefix(r.Key, string(p[:1])) || !p.Contains(r.Key) {
		return false
	}
	prefix, ok := p.RowHash()
	return !ok || rowHash(r)[:len(prefix)] == prefix
}

// inAny says whether a row is in one of the partitions, of which a slice can have
// thousands.
func inAny(list []tvmexport.Partition) func(Row) bool {
	known := make(map[tvmexport.Partition]bool, len(list))
	for _, p := range list {
		if _, hashed := p.RowHash(); hashed {
			return func(r Row) bool {
				return slices.ContainsFunc(list, func(p tvmexport.Partition) bool { return in(p, r) })
			}
		}
		known[p] = true
	}
	return func(r Row) bool {
		for depth := range len(r.Key) + 2 {
			p := tvmexport.Of(r.Key, depth)
			if known[p] && in(p, r) {
				return true
			}
			if p.Rest() {
				break
			}
		}
		return false
	}
}

// Count implements tvmexport.CountingSource.
func (s *Source) Count(ctx context.Context, q tvmexport.CountQuery) (tvmexport.Counts, error) {
	if err := context.Cause(ctx); err != nil {
		return tvmexport.Counts{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.rows[q.Table.Name]; !ok && q.Table.Name != "" {
		return tvmexport.Counts{Calls: 1}, noTable("count", q.Table.Name)
	}
	type part struct {
		p     tvmexport.Partition
		start time.Time
	}
	sums := map[part]*tvmexport.Count{}
	keys := map[part]string{}
	for _, r := range s.rows[q.Table.Name] {
		if !Within(q.Window, r) && !(q.Nulls && r.Time.IsZero()) || !in(q.Within, r) ||
			len(q.Only) > 0 && !slices.ContainsFunc(q.Only, func(p tvmexport.Partition) bool { return in(p, r) }) {
			continue
		}
		at := part{p: q.Within}
		prefix, hashed := q.Within.RowHash()
		switch {
		case q.Bin > 0 && !r.Time.IsZero():
			at.start = r.Time.Truncate(q.Bin)
		case q.Bin > 0:
		case hashed:
			at.p = q.Within + tvmexport.Partition(rowHash(r)[len(prefix):len(prefix)+q.Depth])
		default:
			at.p = tvmexport.Of(r.Key, q.Within.Depth()+q.Depth)
		}
		c := sums[at]
		if c == nil {
			c = &tvmexport.Count{Partition: at.p, Start: at.start, OneKey: true, Fingerprint: tvmexport.EmptyFingerprint}
			sums[at], keys[at] = c, r.Key
		}
		c.Rows++
		if q.Fingerprints && !s.Plain {
			c.Fingerprint = c.Fingerprint.Add(printOf(r))
		} else {
			c.Fingerprint = tvmexport.Fingerprint{}
		}
		c.OneKey = c.OneKey && keys[at] == r.Key
	}
	out := tvmexport.Counts{Now: s.now, Calls: 1}
	for _, c := range sums {
		out.Parts = append(out.Parts, *c)
	}
	slices.SortFunc(out.Parts, func(a, b tvmexport.Count) int {
		if c := a.Start.Compare(b.Start); c != 0 {
			return c
		}
		if a.Partition < b.Partition {
			return -1
		}
		return 1
	})
	if s.CorruptCount != nil {
		s.CorruptCount(q, &out)
	}
	return out, nil
}

// CountTables implements tvmexport.JointCounter, with one call for all.
func (s *Source) CountTables(ctx context.Context, list []tvmexport.CountQuery) []tvmexport.TableCounts {
	out := make([]tvmexport.TableCounts, len(list))
	tables := make([]string, len(list))
	for i, q := range list {
		tables[i] = q.Table.Name
		out[i].Counts, out[i].Err = s.Count(ctx, q)
		if i > 0 {
			out[i].Calls = 0
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.Joint = append(s.Joint, tables)
	return out
}

// ends says whether the key of a row goes on with nothing where only such keys are asked for.
func ends(ending []tvmexport.Partition, r Row) bool {
	return !slices.ContainsFunc(ending, func(p tvmexport.Partition) bool { return p.Contains(r.Key) && r.Key != p.Key() })
}

// Fetch implements tvmexport.CountingSource: rows beyond the limit are cut silently,
// as the service does, and bytes beyond it are refused.
func (s *Source) Fetch(ctx context.Context, q tvmexport.Slice, w tvmexport.RowWriter) (tvmexport.Answer, error) {
	if err := context.Cause(ctx); err != nil {
		return tvmexport.Answer{}, err
	}
	s.mu.Lock()
	s.Calls = append(s.Calls, q)
	before, corrupt, limits := s.Before, s.Corrupt, s.limits()
	s.mu.Unlock()
	a := tvmexport.Answer{Calls: 1}
	if before != nil {
		if err := before(q); err != nil {
			return a, err
		}
	}
	s.mu.Lock()
	rows := s.rows[q.Table.Name]
	s.mu.Unlock()
	anyOf := inAny(q.Partitions)
	var hits []Row
	if q.Fingerprint && !s.Plain {
		a.Fingerprint = tvmexport.EmptyFingerprint
	}
	for _, r := range rows {
		if Within(q.Window, r) && anyOf(r) && ends(q.Ending, r) {
			hits = append(hits, r)
			a.Bytes += int64(len(r.JSON))
			a.Fingerprint = a.Fingerprint.Add(printOf(r))
		}
	}
	a.Counted = int64(len(hits))
	if a.Bytes > limits.Bytes {
		return a, &tvmexport.Error{Op: "fetch", Table: q.Table.Name, Action: tvmexport.Split, Err: fmt.Errorf("%d bytes are too many", a.Bytes)}
	}
	if a.Counted+1 > limits.Rows {
		hits, a.Counted = hits[:limits.Rows], tvmexport.Missing
	}
	for _, r := range hits {
		if err := w.WriteRow([]byte(r.Key), []byte(r.JSON)); err != nil {
			return a, err
		}
		a.Rows++
	}
	if corrupt != nil {
		corrupt(q, &a)
	}
	return a, nil
}

// Columns implements tvmexport.Source.
func (s *Source) Columns(ctx context.Context, table string) ([]tvmexport.Column, error) {
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.rows[table]; !ok {
		return nil, noTable("schema", table)
	}
	return schemaOr(s.Schema), nil
}

// Schemas implements tvmexport.Source.
func (s *Source) Schemas(ctx context.Context, tables []string) (map[string][]tvmexport.Column, error) {
	out := map[string][]tvmexport.Column{}
	for _, t := range tables {
		if c, err := s.Columns(ctx, t); err == nil {
			out[t] = c
		}
	}
	return out, nil
}

func noTable(op, table string) error {
	return &tvmexport.Error{Op: op, Table: table, Cause: tvmexport.Rejected, Err: fmt.Errorf("no such table")}
}

var (
	_ tvmexport.CountingSource = (*Source)(nil)
	_ tvmexport.JointCounter   = (*Source)(nil)
)
