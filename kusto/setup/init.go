package setup

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/kusto/conn"
	"github.com/tvmexport/tvmexport/kusto/kql"
	"github.com/tvmexport/tvmexport/kusto/views"
)

// Result is what Init did and found.
type Result struct {
	Made  []Command // carried out
	There int       // commands whose work was done already
	Notes []string  // what was not changed and why, one sentence each

	Unenriched string // the note that says why the enriched function is not made although it is wanted
}

// Plan lists the commands that the database still needs, and what prevents them.
// It changes nothing. Tables and functions of others are never altered.
func (c *Installer) Plan(ctx context.Context, tables []tvmexport.Table, o Options) (Result, error) {
	f, err := c.look(ctx, tables, o)
	if err != nil {
		return Result{}, err
	}
	setup := Missing(f.commands, f.inv, f.details)
	setup.Notes = append(setup.Notes, f.details.notes...)
	for _, t := range f.tables {
		setup.Notes = append(setup.Notes, misfits(t, f.inv)...)
	}
	if setup.Unenriched = unenriched(f.tables, o, f.inv); setup.Unenriched != "" {
		setup.Notes = append(setup.Notes, setup.Unenriched)
	}
	return setup, nil
}

// found is what a database needs and has.
type found struct {
	tables   []tvmexport.Table // with the columns that readers see
	commands []Command         // all, as Script has them, for the columns that there are
	inv      conn.Schema
	details  Details
}

// look reads what the database has of the tables.
func (c *Installer) look(ctx context.Context, tables []tvmexport.Table, o Options) (f found, err error) {
	if f.inv, err = c.conn.Schema(ctx, "init", true); err != nil {
		return f, err
	}
	if f.tables, err = c.asShown(ctx, tables, f.inv); err != nil {
		return f, err
	}
	lacks, err := c.ledger.Placements(ctx, f.tables, f.inv)
	if err != nil {
		return f, err
	}
	if f.commands, err = script(f.tables, o, f.inv, lacks); err != nil {
		return f, err
	}
	if err := misnamed(f.tables, f.commands); err != nil {
		return f, err
	}
	for _, t := range f.tables {
		if err := reading(t, f.inv); err != nil {
			return f, err
		}
	}
	f.details, err = c.details(ctx, f.commands, f.inv)
	return f, err
}

// Init creates what is missing, one command each. Run twice it changes
// nothing. Commands that fail do not stop the others, unless the one they
// build on failed; the error joins their reasons. The number of the stored shape is
// written first, so that older programs stop before something changes; where a newer
// program has raised it, nothing is changed.
func (c *Installer) Init(ctx context.Context, tables []tvmexport.Table, o Options) (Result, error) {
	if err := c.number(ctx, "init"); err != nil {
		return Result{}, err
	}
	return c.migrating(ctx, tables, func() (Result, error) { return c.create(ctx, tables, o) })
}

// create sends the commands that the database still needs.
func (c *Installer) create(ctx context.Context, tables []tvmexport.Table, o Options) (Result, error) {
	setup, err := c.Plan(ctx, tables, o)
	if err != nil {
		return setup, err
	}
	todo := setup.Made
	setup.Made = nil
	failed := map[string]bool{}
	var errs []error
	for _, cmd := range todo {
		if failed[cmd.Table] {
			continue
		}
		if _, err := c.conn.Command(ctx, conn.Statement{Op: "init", Table: cmd.target(), Text: cmd.Text, Idempotent: true}); err != nil && !exists(err) {
			if cmd.optional {
				setup.Notes = append(setup.Notes, fmt.Sprintf("the policy %s of table %s could not be set, and is not needed: %v", cmd.Name, cmd.Table, err))
				continue
			}
			failed[cmd.Name] = cmd.Kind == MakeTable
			errs = append(errs, err)
			if ctx.Err() != nil {
				break
			}
			continue
		}
		setup.Made = append(setup.Made, cmd)
	}
	c.conn.ForgetTables()
	c.ledger.ForgetAll()
	c.refreshBatching(ctx, setup.Made)
	if slices.ContainsFunc(setup.Made, makesLedger) {
		errs = append(errs, c.number(ctx, "init"))
	}
	return setup, errors.Join(errs...)
}

func (c Command) target() string {
	if c.Table != "" {
		return c.Table
	}
	return c.Name
}

// exists recognises the refusal to make what is there: somebody, perhaps an
// earlier attempt of ours, was first.
func exists(err error) bool {
	return strings.Contains(err.Error(), "already exists") || strings.Contains(err.Error(), "EntityAlreadyExists")
}

// refreshBatching tells data management of new batching policies, which it
// would otherwise notice minutes later. It is a courtesy: its failure is no
// reason to fail.
func (c *Installer) refreshBatching(ctx context.Context, made []Command) {
	for _, cmd := range made {
		if cmd.Kind != MakePolicy || cmd.Name != "ingestionbatching" {
			continue
		}
		_, err := c.conn.Manage(ctx, c.conn.Intake, c.conn.Database, conn.Statement{
			Op: "init", Table: cmd.Table,
			Text: fmt.Sprintf(".refresh database %s table %s cache ingestionbatchingpolicy", kql.Entity(c.conn.Database), kql.Entity(cmd.Table)),
		})
		if err != nil {
			c.conn.Log.DebugContext(ctx, "kusto: batching policy not refreshed", "table", cmd.Table, "error", err)
			return
		}
	}
}

// Details is what the inventory does not say of our own tables.
type Details struct {
	Mappings map[string][]string // by table: names of JSON mappings
	Policies map[[2]string]bool  // by table and policy: set, or not to be changed
	notes    []string            // why policies are not changed

	mapped  map[[2]string]string // by table and mapping: its document
	differs map[[2]string]bool   // by table and policy: set to something else than the command sets
}

// details asks for the mappings and policies of tables that exist.
func (c *Installer) details(ctx context.Context, commands []Command, inv conn.Schema) (Details, error) {
	d := Details{Mappings: map[string][]string{}, Policies: map[[2]string]bool{}, mapped: map[[2]string]string{}, differs: map[[2]string]bool{}}
	for _, cmd := range commands {
		t, there := inv.Tables[cmd.Table]
		if !there {
			continue
		}
		var err error
		switch {
		case cmd.Kind == MakeMapping && d.Mappings[cmd.Table] == nil:
			err = c.mappings(ctx, cmd.Table, d)
		case cmd.Kind == MakePolicy && t.Folder == kql.Folder:
			var stands standing
			stands, err = c.policyStands(ctx, cmd)
			key := [2]string{cmd.Table, cmd.Name}
			d.Policies[key], d.differs[key] = stands.stands, stands.differs
			if stands.note != "" {
				d.notes = append(d.notes, stands.note)
			}
		}
		if err != nil {
			return d, err
		}
	}
	return d, nil
}

// mappings adds the JSON mappings of a table to what is known.
func (c *Installer) mappings(ctx context.Context, table string, d Details) error {
	s := conn.Statement{
		Op: "init", Table: table, Idempotent: true,
		Text: fmt.Sprintf(".show table %s ingestion json mappings", kql.Ident(table)),
	}
	d.Mappings[table] = []string{}
	rows, err := c.conn.Command(ctx, s)
	if noMappings(err) {
		return nil
	}
	if err != nil {
		return err
	}
	_, err = conn.ReadRows(s, rows, func(r *conn.Reader) struct{} {
		name := r.Text("Name")
		d.Mappings[table] = append(d.Mappings[table], name)
		d.mapped[[2]string{table, name}] = r.Text("Mapping")
		return struct{}{}
	})
	return err
}

// Missing picks the commands whose work is not done.
func Missing(commands []Command, inv conn.Schema, d Details) Result {
	var out Result
	for _, cmd := range commands {
		table, tableThere := inv.Tables[cmd.Table]
		done := false
		switch cmd.Kind {
		case MakeTable:
			var found conn.TableInfo
			found, done = inv.Tables[cmd.Name]
			if text := Extension(cmd.Name, found.Columns, cmd.columns); done && found.Folder == kql.Folder && text != "" {
				cmd.Text, done = text, false
			}
		case MakeMapping:
			done = slices.Contains(d.Mappings[cmd.Table], cmd.Name)
			if !done && cmd.Name == kql.RecordsMapping && tableThere && table.Folder != kql.Folder {
				done = true
				if name := views.Payload(table.Columns); name == "" || name == views.RecordColumn {
					out.Notes = append(out.Notes, fmt.Sprintf("table %s was not created by tvmexport and has no mapping %s; publishing does not need it, and the table was not changed", cmd.Table, cmd.Name))
				}
			}
		case MakePolicy:
			done = tableThere && (table.Folder != kql.Folder || d.Policies[[2]string{cmd.Table, cmd.Name}])
		case MakeFunction:
			var note string
			cmd, done, note = functionCommand(cmd, inv)
			if note != "" {
				out.Notes = append(out.Notes, note)
			}
		case DropFunction:
			// It is among the commands only if there is a function of ours.
		case MakeRows:
			continue // Configure writes them, in the columns that the table has
		}
		if done {
			out.There++
			continue
		}
		out.Made = append(out.Made, cmd)
	}
	return out
}

// functionCommand decides whether to create a function, to update one of ours, or
// to change nothing. One of ours that does the same stays as it is, however it is
// worded: another version of the program may have made it.
func functionCommand(cmd Command, inv conn.Schema) (_ Command, done bool, note string) {
	if inv.HasTable(cmd.Name) {
		return cmd, true, fmt.Sprintf("the name %s is taken by a table or view, so its read function was not created: set functions.prefix", cmd.Name)
	}
	for _, name := range cmd.calls {
		if called, callable := inv.Functions[name]; inv.HasTable(name) || callable && called.Folder != kql.Folder {
			return cmd, true, fmt.Sprintf("the function %s was not changed either, because it reads from %s: set functions.prefix", cmd.Name, name)
		}
	}
	switch found, isFunction := inv.Functions[cmd.Name]; {
	case !isFunction:
		return cmd, false, ""
	case cmd.update == "" || kql.SameFunction(found.Text, cmd.does):
		return cmd, true, ""
	case found.Folder == kql.Folder:
		cmd.Text = cmd.update
		return cmd, false, ""
	}
	return cmd, true, fmt.Sprintf("the function %s was not created by tvmexport and was not changed: set functions.prefix", cmd.Name)
}

// Ordered gives tables the destination, load type and watermark that their rows
// in MigrationConfiguration say, where there are any.
func (c *Installer) Ordered(ctx context.Context, tables []tvmexport.Table) ([]tvmexport.Table, error) {
	inv, err := c.conn.Schema(ctx, "init", false)
	if err != nil {
		return nil, err
	}
	found, ok := inv.Tables[kql.ConfigurationTable]
	if !ok || kql.Missing(found.Columns, kql.NeededColumns) != "" {
		return tables, uncollided(tables, nil)
	}
	orders, err := c.configuration.Orders(ctx)
	if err != nil {
		return nil, err
	}
	out := slices.Clone(tables)
	for i := range out {
		for _, o := range orders {
			if o.Table == out[i].Name && o.Err == nil {
				out[i].Destination, out[i].LoadType, out[i].Watermark = o.Into, o.Load, o.Column
			}
			if o.Table == out[i].Name && o.Err != nil && tvmexport.CheckIdentifier("destination table", o.Into) == nil {
				out[i].Destination = o.Into
			}
		}
	}
	return out, uncollided(out, orders)
}

// asShown gives tables the columns that readers are shown since the newest
// commit of each, where the ledger says so.
func (c *Installer) asShown(ctx context.Context, tables []tvmexport.Table, inv conn.Schema) ([]tvmexport.Table, error) {
	if found, ok := inv.Tables[kql.RunsTable]; !ok || len(tables) == 0 || kql.Missing(found.Columns, []kql.Column{{Name: "Table", Kind: "string"}, {Name: "State", Kind: "string"}, {Name: "At", Kind: "datetime"}, {Name: "Detail", Kind: "dynamic"}}) != "" {
		return tables, nil // a ledger that init is about to complete says nothing yet
	}
	s := conn.Statement{Op: "init", Text: fmt.Sprintf(`%s
| where Table in (%s) and State == %s
| summarize arg_max(At, Detail) by Table
| project Table, Shown = Detail.shown`, kql.RunsTable, kql.Literals(kql.Names(tables)), kql.Literal(kql.CommittedState))}
	rows, err := c.conn.Query(ctx, s)
	if err != nil {
		return nil, err
	}
	shown := map[string][]tvmexport.Column{}
	_, err = conn.ReadRows(s, rows, func(r *conn.Reader) struct{} {
		var list []tvmexport.Column
		if text := r.Document("Shown"); len(text) > 0 {
			r.Fail("Shown", json.Unmarshal(text, &list))
		}
		shown[r.Text("Table")] = list
		return struct{}{}
	})
	out := slices.Clone(tables)
	for i := range out {
		if list := shown[out[i].Name]; len(list) > 0 {
			out[i].Shown = list
		}
	}
	return out, err
}

// misfits says what of the table exists in a shape that cannot be used.
func misfits(t tvmexport.Table, inv conn.Schema) []string {
	var out []string
	if err := taken(t, inv); err != nil {
		out = append(out, fmt.Sprintf("%v, so nothing of %s can be published: rename it, or set layout to raw", err, t.Name))
	}
	if raw, ok := inv.Tables[t.Destination]; ok && t.Layout.Raw() && views.Payload(raw.Columns) == "" {
		out = append(out, fmt.Sprintf("%v, so %s cannot be published there", views.NoPayload(t.Destination), t.Name))
	}
	landing, ok := inv.Tables[t.Landing()]
	if ok && isOutdatedLanding(landing) {
		return append(out, fmt.Sprintf("an older version made table %s: run tvmexport init, which creates it again and keeps its rows", t.Landing()))
	}
	if ok && !slices.Equal(landing.Columns, kql.LandingColumns) {
		out = append(out, fmt.Sprintf("table %s has other columns than tvmexport gives it: drop it and run tvmexport init", t.Landing()))
	}
	return out
}

// without lists the columns of want that have does not hold.
func without(want, have []kql.Column) []kql.Column {
	return slices.DeleteFunc(slices.Clone(want), func(c kql.Column) bool { return slices.Contains(have, c) })
}
