package setup

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/kusto/conn"
	"github.com/tvmexport/tvmexport/kusto/kql"
	"github.com/tvmexport/tvmexport/kusto/views"
)

// CheckTables implements tvmexport.TableChecker.
func (c *Installer) CheckTables(ctx context.Context, tables []tvmexport.Table) (map[string]error, error) {
	failed, _, err := c.checkEach(ctx, tables, c.CheckLanding)
	return failed, err
}

// CheckObjects implements tvmexport.LandingChecker.
func (c *Installer) CheckObjects(ctx context.Context, tables []tvmexport.Table) (map[string]error, error) {
	failed, kept, err := c.checkEach(ctx, tables, func(context.Context, tvmexport.Table) error { return nil })
	if err == nil && kept != nil {
		c.policy.Hand(kept) // a run reads its history next
	}
	return failed, err
}

// checkEach checks the tables together, and each of them with a check of its own. It
// returns how long tables keep rows, too; nil if that is not known.
func (c *Installer) checkEach(ctx context.Context, tables []tvmexport.Table, check func(context.Context, tvmexport.Table) error) (failed map[string]error, kept map[string]time.Duration, err error) {
	inv, err := c.conn.Schema(ctx, "check", false)
	if err != nil {
		return nil, nil, err
	}
	for _, t := range []struct {
		name    string
		columns []kql.Column
	}{{kql.AuditTable, kql.AuditColumns}, {kql.RunsTable, kql.RunsColumns}, {kql.PartitionsTable, kql.PartitionsColumns}} {
		found, ok := inv.Tables[t.name]
		if !ok {
			return nil, nil, conn.MissingTable("check", "", t.name)
		}
		if err := Unfit(t.name, found, t.columns); err != nil {
			return nil, nil, err
		}
	}
	if err := c.visible.SeesAll(ctx, "check", "", kql.ConfigurationTable, kql.AuditTable, kql.RunsTable, kql.PartitionsTable); err != nil {
		return nil, nil, err
	}
	failed = map[string]error{}
	var mu sync.Mutex
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(4)
	for _, t := range tables {
		if err := shapeOf(t, inv); err != nil {
			failed[t.Name] = err
			continue
		}
		g.Go(func() error {
			err := check(gctx, t)
			if err == nil {
				err = c.visible.SeesAll(gctx, "check", t.Name, holdingTables(inv, t)...)
			}
			if err != nil {
				mu.Lock()
				defer mu.Unlock()
				failed[t.Name] = err
			}
			return nil
		})
	}
	_ = g.Wait() // errors are in the map
	if ctx.Err() != nil {
		return nil, nil, context.Cause(ctx)
	}
	if len(tables) > 0 {
		if kept, err = c.checkLedger(ctx, tables, failed); err != nil {
			return nil, nil, err
		}
	}
	return failed, kept, nil
}

// holdingTables are the tables of the database that hold rows of a table.
func holdingTables(inv conn.Schema, t tvmexport.Table) []string {
	var out []string
	for _, name := range []string{t.Destination, t.Typed(), t.Landing()} {
		if _, ok := inv.Tables[name]; ok {
			out = append(out, name)
		}
	}
	return out
}

// shapeOf says why a table's published or landing table cannot be used.
func shapeOf(t tvmexport.Table, inv conn.Schema) error {
	if err := conn.CheckNames(t); err != nil {
		return err
	}
	if err := reading(t, inv); err != nil {
		return err
	}
	raw, ok := inv.Tables[t.Destination]
	if !ok && t.Layout.Raw() {
		return conn.MissingTable("check", t.Name, t.Destination)
	}
	if err := taken(t, inv); err != nil {
		return conn.RefusedError("check", t.Name, err, "rename it, or set layout to raw")
	}
	if t.Layout.Raw() && views.Payload(raw.Columns) == "" {
		return conn.RefusedError("check", t.Name, views.NoPayload(t.Destination),
			"name another DestinationTable in "+kql.ConfigurationTable)
	}
	landing, ok := inv.Tables[t.Landing()]
	if !ok {
		return conn.MissingTable("check", t.Name, t.Landing())
	}
	if isOutdatedLanding(landing) {
		return conn.RefusedError("check", t.Name, fmt.Errorf("an older version made table %s, and its column Records has another type", t.Landing()),
			conn.InitHint(t.Name)+": init creates the table again and keeps its rows")
	}
	if !slices.Equal(landing.Columns, kql.LandingColumns) {
		return conn.RefusedError("check", t.Name, fmt.Errorf("table %s is (%s), not as tvmexport init makes it", t.Landing(), kql.Declaration(landing.Columns)),
			"drop it and run tvmexport init")
	}
	return nil
}

// CheckLanding implements tvmexport.LandingChecker: it compares the landing table's
// mapping with ours. Through another one rows would land as something else.
func (c *Installer) CheckLanding(ctx context.Context, t tvmexport.Table) error {
	s := conn.Statement{
		Op: "check", Table: t.Name, Idempotent: true,
		Text: fmt.Sprintf(".show table %s ingestion json mappings", kql.Ident(t.Landing())),
	}
	rows, err := c.conn.Command(ctx, s)
	if noMappings(err) {
		rows, err = nil, nil
	}
	if err != nil {
		return err
	}
	type shown struct{ name, text string }
	list, err := conn.ReadRows(s, rows, func(r *conn.Reader) shown { return shown{r.Text("Name"), r.Text("Mapping")} })
	if err != nil {
		return err
	}
	for _, m := range list {
		if m.name != kql.LandingMapping {
			continue
		}
		found, err := kql.ReadMapping(m.text)
		if err == nil && kql.SameMapping(found, kql.LandingPaths) {
			return nil
		}
		return conn.RefusedError("check", t.Name,
			fmt.Errorf("the mapping %s of table %s was changed", kql.LandingMapping, t.Landing()),
			fmt.Sprintf("run .drop table %s ingestion json mapping %s, then tvmexport init", t.Landing(), kql.Literal(kql.LandingMapping)))
	}
	return conn.RefusedError("check", t.Name, fmt.Errorf("table %s has no JSON mapping %s", t.Landing(), kql.LandingMapping), conn.InitHint(t.Name))
}

// noMappings recognises the refusal to list mappings where there are none.
func noMappings(err error) bool {
	return err != nil && strings.Contains(err.Error(), "apping") && conn.MissingEntity(err.Error()) == conn.EntityMissing &&
		!strings.Contains(err.Error(), "Table '")
}
