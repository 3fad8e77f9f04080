package defender

import (
	"context"
	"errors"
	"iter"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/tvmexport/tvmexport/emulator/internal/kql"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// session is the catalog as one request sees it: the tables of its front, within
// its range of time, with a meter on the rows that they yield.
type session struct {
	kql.Catalog
	mdeOnly bool
	events  span // of tables of events
	asked   span // of every table with a Timestamp, by the request's own wish

	scanned atomic.Int64
	most    int64 // rows that may be scanned, by the limits of one request; 0 is no limit
	hidden  int   // rows of each table that are not shown
}

// errTooMuch ends a scan that went beyond a limit of one request.
var errTooMuch = errors.New("the query scans more rows than one request may")

// Table is the table called name. There is one database, and it has no name.
func (s *session) Table(db, name string) (kql.Relation, bool) {
	if db != "" || s.mdeOnly && !isEndpointTable(name) {
		return nil, false
	}
	r, ok := s.Catalog.Table(db, name)
	if !ok {
		return nil, false
	}
	m := &metered{Relation: r, session: s, timestamp: -1}
	within := s.asked
	if isEventTable(name) {
		within = within.intersect(s.events)
	}
	if !within.open() {
		m.timestamp = slices.IndexFunc(r.Columns(), func(c value.Column) bool {
			return c.Name == "Timestamp" && c.Kind == value.DateTime
		})
		m.within, m.timeless = within, s.asked.open()
	}
	return m, true
}

// Tables are the names of the tables of the front.
func (s *session) Tables(db string) []string {
	if db != "" {
		return nil
	}
	names := s.Catalog.Tables(db)
	if !s.mdeOnly {
		return names
	}
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return !isEndpointTable(name) })
}

// isEndpointTable says whether a table belongs to Defender for Endpoint.
func isEndpointTable(name string) bool { return strings.HasPrefix(name, "Device") }

// isEventTable says whether a table holds events of the last 30 days. The
// vulnerability management tables are current state instead: a device's last
// assessment stays however old it is.
func isEventTable(name string) bool {
	return !strings.HasPrefix(name, "DeviceTvm") && !strings.HasPrefix(name, "DeviceBaseline")
}

// metered is a relation that counts the rows it yields. It yields only rows
// within a time range.
type metered struct {
	kql.Relation
	session   *session
	timestamp int  // column; -1 for no range
	timeless  bool // rows without a time are yielded: a range that is kept does not make them old, one that is asked for leaves them out
	within    span
}

// Scan passes the range on as a condition, so that the relation can skip rows
// outside of it.
func (m *metered) Scan(ctx context.Context, r kql.Request) iter.Seq2[[]value.Value, error] {
	var from, to int64
	if m.timestamp >= 0 {
		if r.Need != nil && !r.Need[m.timestamp] {
			r.Need = slices.Clone(r.Need)
			r.Need[m.timestamp] = true
		}
		c := kql.Condition{Column: m.timestamp}
		if !m.within.from.IsZero() {
			c.From = value.NewDateTime(m.within.from)
			from = c.From.Ticks()
		}
		to = value.MaxDateTimeTicks
		if !m.within.to.IsZero() {
			c.To = value.NewDateTime(m.within.to)
			to = c.To.Ticks()
		}
		r.Where = append(slices.Clone(r.Where), c)
	}
	return func(yield func([]value.Value, error) bool) {
		charge, err := m.charge(ctx, r)
		if err != nil {
			yield(nil, err)
			return
		}
		defer func() { _ = charge.settle() }() // the last rows break no limit
		hide := m.session.hidden
		for row, err := range m.Relation.Scan(ctx, r) {
			if err == nil {
				err = charge.row()
			}
			if err != nil {
				yield(nil, err)
				return
			}
			if m.timestamp >= 0 {
				t := row[m.timestamp]
				if t.IsNull() && !m.timeless || !t.IsNull() && (t.Ticks() < from || t.Ticks() > to) {
					continue
				}
			}
			if hide > 0 {
				hide--
				continue
			}
			if !yield(row, nil) {
				return
			}
		}
	}
}

// charge is what a scan costs: the rows that the service reads for it.
type charge struct {
	session *session
	reads   int64 // of the table by this scan; 0 when all rows are paid for
	owed    int64
}

// charge begins the bill of a scan. A condition that the service has no index
// for spares it no rows, also where the relation skips them: all of them are
// paid at once.
func (m *metered) charge(ctx context.Context, r kql.Request) (*charge, error) {
	c := &charge{session: m.session, reads: r.Reads()}
	counter, ok := m.Relation.(kql.Counter)
	indexed := slices.DeleteFunc(slices.Clone(r.Where), func(w kql.Condition) bool { return w.Unindexed })
	if !ok || len(indexed) == len(r.Where) {
		return c, nil
	}
	n, err := counter.Count(ctx, kql.Request{Need: make([]bool, len(r.Need)), Where: indexed})
	if err != nil {
		return nil, err
	}
	c.owed, c.reads = n*c.reads, 0
	return c, c.settle()
}

// chargeStep is after how many rows the shared meter is updated: it is read by one
// goroutine only when the scan has ended, and a limit need not be exact.
const chargeStep = 1024

// row charges a row that the relation has yielded.
func (c *charge) row() error {
	if c.owed += c.reads; c.owed < chargeStep {
		return nil
	}
	return c.settle()
}

// settle adds what is owed to the request's meter.
func (c *charge) settle() error {
	total := c.session.scanned.Add(c.owed)
	c.owed = 0
	if c.session.most > 0 && total > c.session.most {
		return errTooMuch
	}
	return nil
}

// mostRows is how many rows may be scanned within a processing time; 0 for no limit.
func mostRows(limits ...time.Duration) int64 {
	most := int64(0)
	for _, limit := range limits {
		if limit <= 0 {
			continue
		}
		if n := int64((limit - costBase) / costPerRow); most == 0 || n < most {
			most = max(n, 1)
		}
	}
	return most
}
