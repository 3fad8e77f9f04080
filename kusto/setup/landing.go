package setup

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/kusto/conn"
	"github.com/tvmexport/tvmexport/kusto/kql"
)

// The first versions kept a landed record as dynamic. A column's type cannot be changed
// without losing its values
// (https://learn.microsoft.com/kusto/management/change-column-type-without-data-loss),
// so init copies the landed rows, drops the landing table, creates it again, and returns
// the rows. Each step can be repeated, so that the next init continues an interrupted
// one: the copy is dropped last. The leases of the tables keep runs away meanwhile.

// migrateTerm is how long the leases of a migration last at most.
const migrateTerm = 10 * time.Minute

// copyName is the table that holds the copy of a table's landed rows.
func copyName(t tvmexport.Table) string { return t.Landing() + "Kept" }

// isOutdatedLanding reports whether a landing table is one that the first versions made.
func isOutdatedLanding(found conn.TableInfo) bool {
	columns := slices.Clone(kql.LandingColumns)
	columns[0].Kind = "dynamic"
	return found.Folder == kql.Folder && slices.Equal(found.Columns, columns)
}

// isCopy reports whether a table is a copy that init made.
func isCopy(found conn.TableInfo) bool {
	return found.Folder == kql.Folder && slices.Equal(found.Columns, kql.LandingColumns)
}

// migration is what is left to do for landing tables of the first versions.
type migration struct {
	installer *Installer
	outdated  []tvmexport.Table // must be copied and dropped
	copied    []tvmexport.Table // their rows must be returned when init has created the landing table
	owner     string            // of the leases; "": there are none
}

// migration finds the landing tables that have to be created again, and what an
// interrupted init left.
func (c *Installer) migration(ctx context.Context, tables []tvmexport.Table) (*migration, error) {
	inv, err := c.conn.Schema(ctx, "init", false)
	if err != nil {
		return nil, err
	}
	m := &migration{installer: c}
	for _, t := range tables {
		found, there := inv.Tables[copyName(t)]
		outdated := isOutdatedLanding(inv.Tables[t.Landing()])
		if outdated && there && !isCopy(found) {
			return nil, conn.RefusedError("init", t.Name, fmt.Errorf("table %s was not created by tvmexport, and rows of %s have to be copied there", copyName(t), t.Landing()), "rename it and run tvmexport init")
		}
		if outdated {
			m.outdated = append(m.outdated, t)
		}
		if outdated || there && isCopy(found) {
			m.copied = append(m.copied, t)
		}
	}
	runs, ok := inv.Tables[kql.RunsTable]
	if len(m.copied) > 0 && ok && kql.Missing(runs.Columns, kql.RunsColumns) == "" {
		m.owner = "init-" + rand.Text()
	}
	return m, nil
}

// begin takes the leases, copies the rows of outdated landing tables, and drops these
// tables.
func (m *migration) begin(ctx context.Context) error {
	if err := m.lease(ctx); err != nil {
		return err
	}
	for _, t := range m.outdated {
		if err := m.lease(ctx); err != nil {
			return err
		}
		create := TableCommand(copyName(t), kql.LandingColumns, "a copy of landed rows, until init has created "+t.Landing()+" again")
		for _, text := range []string{create.repeatable(), copyText(t), ".drop table " + kql.Ident(t.Landing()) + " ifexists"} {
			if err := m.send(ctx, t, text); err != nil {
				return err
			}
		}
	}
	return nil
}

// finish returns the copied rows to the landing tables that were created again, and
// drops the copies. If a table could not be created, its copy stays.
func (m *migration) finish(ctx context.Context) (notes []string, err error) {
	if len(m.copied) == 0 {
		return nil, nil
	}
	inv, err := m.installer.conn.Schema(ctx, "init", true)
	if err != nil {
		return nil, err
	}
	for _, t := range m.copied {
		if !slices.Equal(inv.Tables[t.Landing()].Columns, kql.LandingColumns) {
			continue
		}
		if err := m.lease(ctx); err != nil {
			return notes, err
		}
		for _, text := range []string{returnText(t), ".drop table " + kql.Ident(copyName(t)) + " ifexists"} {
			if err := m.send(ctx, t, text); err != nil {
				return notes, err
			}
		}
		notes = append(notes, fmt.Sprintf("an earlier version made table %s with another type of its column Records: the table was created again, with its rows", t.Landing()))
	}
	return notes, nil
}

// lease takes or renews the leases, so that no run lands or publishes in between.
func (m *migration) lease(ctx context.Context) error {
	if m.owner == "" {
		return nil
	}
	held, err := m.installer.invocations.Acquire(ctx, tvmexport.Lease{Owner: m.owner, Tables: m.copied, Term: migrateTerm})
	if err != nil {
		return err
	}
	for table, by := range held {
		return &tvmexport.Error{
			Op: "init", Table: table, Action: tvmexport.Stop, Cause: tvmexport.LeaseHeld,
			Err:  fmt.Errorf("the landing table has to be created again, and %s exports the table until %s", by.Owner, by.Expires.UTC().Format(time.RFC3339)),
			Hint: "run tvmexport init again when that run has ended; if it died, its lease expires at that time",
		}
	}
	return nil
}

// release gives the leases back, also after an interrupt.
func (m *migration) release(ctx context.Context) error {
	if m.owner == "" {
		return nil
	}
	return m.installer.invocations.EndInvocation(context.WithoutCancel(ctx), tvmexport.InvocationEnd{Owner: m.owner, Tables: m.copied})
}

func (m *migration) send(ctx context.Context, t tvmexport.Table, text string) error {
	_, err := m.installer.conn.Command(ctx, conn.Statement{Op: "init", Table: t.Name, Text: text, Idempotent: true})
	return err
}

// copyText is the command that copies the rows of an outdated landing table. Repeated,
// it replaces the copy.
func copyText(t tvmexport.Table) string {
	return fmt.Sprintf(".set-or-replace %s <| %s\n| project Records = tostring(Records), BatchId, Line, Partition, BatchRows, RunId, Slice", kql.Ident(copyName(t)), kql.Ident(t.Landing()))
}

// returnText is the command that returns the copied rows. Repeated, it appends none.
func returnText(t tvmexport.Table) string {
	return kql.Guarded(t.Landing(), "tvmexport-kept:"+t.Name, nil, kql.Ident(copyName(t)))
}

// migrating carries out the migration of landing tables around init.
func (c *Installer) migrating(ctx context.Context, tables []tvmexport.Table, init func() (Result, error)) (done Result, err error) {
	m, err := c.migration(ctx, tables)
	if err != nil {
		return Result{}, err
	}
	if len(m.copied) == 0 {
		return init()
	}
	defer func() { err = errors.Join(err, m.release(ctx)) }()
	if err := m.begin(ctx); err != nil {
		return Result{}, err
	}
	done, err = init()
	notes, merr := m.finish(ctx)
	done.Notes = append(done.Notes, notes...)
	c.conn.ForgetTables()
	return done, errors.Join(err, merr)
}
