package tenant

import (
	"context"
	"iter"
	"slices"

	"github.com/tvmexport/tvmexport/emulator/internal/kql"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// Changes is the name of the data set of what happened to vulnerabilities
// (https://learn.microsoft.com/defender-endpoint/api/get-assessment-software-vulnerabilities,
// section 3). Its columns are those of the vulnerabilities but SecurityUpdateAvailable,
// with Status and EventTimestamp.
const Changes = "TvmSoftwareVulnerabilityChanges"

// The values of Status.
const (
	statusNew     = "New"
	statusFixed   = "Fixed"
	statusUpdated = "Updated"
)

// changeColumns are the columns of Changes.
func changeColumns() []value.Column {
	visible, _ := exportedVulnerabilities.schema()
	visible = slices.DeleteFunc(visible, func(c value.Column) bool { return c.Name == noChangeColumn })
	return append(visible, value.Column{Name: "Status", Kind: value.String}, value.Column{Name: "EventTimestamp", Kind: value.DateTime})
}

// noChangeColumn is the column of the vulnerabilities that Changes does not have.
const noChangeColumn = "SecurityUpdateAvailable"

// telling are the columns whose change makes a row Updated. A later LastSeenTimestamp
// does not.
var telling = []string{
	"CvssScore", "ExploitabilityLevel", "VulnerabilitySeverityLevel", "DiskPaths", "RegistryPaths", "RecommendedSecurityUpdate",
}

// Changes are the rows of Changes that lead from an earlier state to e. at is their
// EventTimestamp. A row of a program that moved to another group is Fixed in the one and
// New in the other.
func (e Export) Changes(ctx context.Context, before Export, at int64) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		c := newComparison(at)
		for _, p := range pairs(before.state, e.state) {
			if !c.compare(ctx, side{before.state, p.before}, side{e.state, p.after}, yield) {
				return
			}
		}
	}
}

// comparison makes the changes of one device after the other.
type comparison struct {
	at      value.Value
	id      int // columns of the vulnerabilities
	group   int
	without int
	telling []int
}

func newComparison(at int64) comparison {
	columns, _ := exportedVulnerabilities.schema()
	find := func(name string) int {
		return slices.IndexFunc(columns, func(c value.Column) bool { return c.Name == name })
	}
	c := comparison{at: value.DateTimeFromTicks(at), id: find("Id"), group: find("RbacGroupId"), without: find(noChangeColumn)}
	for _, name := range telling {
		c.telling = append(c.telling, find(name))
	}
	return c
}

// side is a device in one state; without device it is not there.
type side struct {
	state  *state
	device *device
}

// compare yields the changes between two states of a device, in one of which it may be missing.
func (c comparison) compare(ctx context.Context, before, after side, yield func(Row, error) bool) bool {
	if err := context.Cause(ctx); err != nil {
		yield(nil, err)
		return false
	}
	was, is := before.exposed(), after.exposed()
	earlier := make(map[string]Row, len(was))
	for _, row := range was {
		earlier[c.key(row)] = row
	}
	for _, row := range is {
		old, known := earlier[c.key(row)]
		delete(earlier, c.key(row))
		switch {
		case !known && !yield(c.row(row, statusNew), nil):
			return false
		case known && c.differ(old, row) && !yield(c.row(row, statusUpdated), nil):
			return false
		}
	}
	for _, row := range was {
		if _, gone := earlier[c.key(row)]; gone && !yield(c.row(row, statusFixed), nil) {
			return false
		}
	}
	return true
}

// key identifies a row: its id and its group.
func (c comparison) key(row Row) string {
	return row[c.id].Text() + "\x00" + row[c.group].String()
}

func (c comparison) differ(a, b Row) bool {
	return slices.ContainsFunc(c.telling, func(i int) bool { return a[i].String() != b[i].String() })
}

// row is the row of a change.
func (c comparison) row(row Row, status string) Row {
	out := slices.Delete(slices.Clone(row), c.without, c.without+1)
	return append(out, value.NewString(status), c.at)
}

// exposed are the rows of the device.
func (s side) exposed() []Row {
	if s.device == nil {
		return nil
	}
	var rows []Row
	var r exposure
	row := make(Row, len(exportedVulnerabilities.columns))
	exposures(s.state, s.device, &r, func(l level) bool {
		for i, c := range exportedVulnerabilities.columns {
			if c.at == l {
				row[i] = c.fill(&r)
			}
		}
		if l == perRow {
			rows = append(rows, slices.Clone(row))
		}
		return true
	})
	return rows
}

// window is one step of the changes: what leads from one snapshot to the next.
type window struct {
	at            int64
	before, after Export
}

// changeTable is the data set of the changes of several steps; kql.Relation.
type changeTable []window

func (t changeTable) Columns() []value.Column { return changeColumns() }

func (t changeTable) Hidden() []value.Column { return nil }

func (t changeTable) Count(ctx context.Context, r kql.Request) (int64, error) {
	var n int64
	for _, err := range t.Scan(ctx, r) {
		if err != nil {
			return 0, err
		}
		n++
	}
	return n, nil
}

func (t changeTable) Scan(ctx context.Context, _ kql.Request) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		for _, w := range t {
			for row, err := range w.after.Changes(ctx, w.before, w.at) {
				if !yield(row, err) || err != nil {
					return
				}
			}
		}
	}
}
