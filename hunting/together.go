package hunting

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"

	"github.com/tvmexport/tvmexport"
)

// What one query counts at most: the rows that its tables are thought to have, and
// the bytes of its text. The service allows a query three minutes and 1 MB.
const (
	jointRows = 1_000_000
	jointText = 256 << 10
)

// joint is a question about several tables. calls and out belong to its queries.
type joint struct {
	client *Client
	mu     sync.Mutex
	out    []tvmexport.TableCounts
}

// CountTables implements tvmexport.JointCounter: one call for the tables that are
// small together. An answer proves each table by itself. What it does not prove is
// asked for again by a call of its own. A refused query is divided: by the table
// that the refusal names, else in halves or into queries of one table.
func (c *Client) CountTables(ctx context.Context, list []tvmexport.CountQuery) []tvmexport.TableCounts {
	j := &joint{client: c, out: make([]tvmexport.TableCounts, len(list))}
	var open []*member
	for i, q := range list {
		if err := check("count", q.Table); err != nil {
			j.out[i].Err = err
			continue
		}
		open = append(open, &member{at: i, query: q})
	}
	var groups [][]*member
	rows, size := int64(0), 0
	for _, m := range open {
		m.counting = c.counting(m.query)
		n := len(m.counting.query.let) + 512 // and the legs
		if last := len(groups) - 1; last >= 0 && rows+m.query.Rows <= jointRows && size+n <= jointText {
			groups[last] = append(groups[last], m)
			rows, size = rows+m.query.Rows, size+n
			continue
		}
		groups = append(groups, []*member{m})
		rows, size = m.query.Rows, n
	}
	j.each(groups, func(group []*member) { j.count(ctx, group) })
	return j.out
}

// member is one query of a joint question.
type member struct {
	at       int // in the list
	query    tvmexport.CountQuery
	counting *counting // as it is asked for now
}

// each does something for each group, side by side.
func (j *joint) each(groups [][]*member, do func([]*member)) {
	var all sync.WaitGroup
	for _, g := range groups {
		if len(g) > 0 {
			all.Go(func() { do(g) })
		}
	}
	all.Wait()
}

// alone counts each table by calls of its own.
func (j *joint) alone(ctx context.Context, list []*member) {
	groups := make([][]*member, len(list))
	for i := range list {
		groups[i] = list[i : i+1]
	}
	j.each(groups, func(group []*member) { j.count(ctx, group) })
}

// take keeps the result of a query, and the calls that were made for it.
func (j *joint) take(m *member, counts tvmexport.Counts, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	counts.Calls += j.out[m.at].Calls
	j.out[m.at] = tvmexport.TableCounts{Counts: counts, Err: err}
}

// count asks for a group with one call, and for what that does not answer with more.
func (j *joint) count(ctx context.Context, group []*member) {
	if len(group) == 1 {
		counts, err := j.client.Count(ctx, group[0].query)
		j.take(group[0], counts, err)
		return
	}
	unions, tallies := make([]union, len(group)), make([]*tally, len(group))
	for i, m := range group {
		m.counting = j.client.counting(m.query)
		unions[i], tallies[i] = m.counting.query, &m.counting.tally
	}
	q := question{op: "count", text: joinedUnions(unions), divisible: true}
	a, err := j.client.ask(ctx, q, func(b *body) error { return readTallies(b, tallies) })
	j.mu.Lock()
	j.out[group[0].at].Calls += a.Calls
	j.mu.Unlock()
	if err != nil {
		j.divide(ctx, group, err)
		return
	}
	var unproven []*member
	for _, m := range group {
		counts, err := m.counting.counts()
		if err != nil {
			j.client.o.Logger.Warn("the answer to a count of several tables does not prove one of them; counting it again by itself", "table", m.query.Table.Name, "reason", err)
			unproven = append(unproven, m)
			continue
		}
		j.take(m, counts, nil)
	}
	j.alone(ctx, unproven)
}

// divide asks for less at a time, where that can help against an error.
func (j *joint) divide(ctx context.Context, group []*member, err error) {
	culprits, others := culpritsOf(group, err)
	tables := make([]string, len(group))
	for i, m := range group {
		tables[i] = m.query.Table.Name
	}
	names := strings.Join(tables, ", ")
	switch half := len(group) / 2; {
	case ctx.Err() != nil:
	case j.client.rephrase(names, group[0].counting.phrasing, err):
		j.count(ctx, group)
		return
	case refused(err) && len(culprits) > 0 && len(others) > 0:
		j.client.fallback(strings.Join(tables, ", "), "counting apart the tables that the service refuses", err)
		j.each([][]*member{others}, func(group []*member) { j.count(ctx, group) })
		j.alone(ctx, culprits)
		return
	case tvmexport.ActionOf(err) == tvmexport.Split:
		j.client.fallback(names, "counting fewer tables at a time", err)
		j.each([][]*member{group[:half], group[half:]}, func(group []*member) { j.count(ctx, group) })
		return
	case refused(err), tvmexport.CauseOf(err) == tvmexport.Integrity:
		j.client.fallback(names, "counting each table by itself", err)
		j.alone(ctx, group)
		return
	}
	for _, m := range group {
		j.take(m, tvmexport.Counts{}, ofTable(err, m.query.Table.Name))
	}
}

// ofTable is an error of a question about several tables as that of one of them.
func ofTable(err error, table string) error {
	var e *tvmexport.Error
	if !errors.As(err, &e) {
		return err
	}
	own := *e
	own.Table = table
	return &own
}

// culpritsOf are the tables that a refusal names, or of which it names a column
// that not all of them have; none if it names nothing.
func culpritsOf(group []*member, err error) (culprits, others []*member) {
	named := named.FindStringSubmatch(err.Error())
	if named == nil {
		return nil, group
	}
	for _, m := range group {
		t := m.query.Table
		if t.Name == named[1] || !slices.ContainsFunc(group, func(m *member) bool { return m.query.Table.Name == named[1] }) && hasColumn(t, named[1]) {
			culprits = append(culprits, m)
			continue
		}
		others = append(others, m)
	}
	return culprits, others
}

// hasColumn says whether a query about the table names the column.
func hasColumn(t tvmexport.Table, column string) bool {
	return t.Watermark == column || t.Key.Column == column || slices.Contains(t.Key.Hashed, column) ||
		slices.ContainsFunc(t.Columns, func(c tvmexport.Column) bool { return c.Name == column })
}
