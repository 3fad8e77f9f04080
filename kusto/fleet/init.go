package fleet

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/kusto/conn"
	"github.com/tvmexport/tvmexport/kusto/kql"
)

// Installer makes what people need to read across tenants, in the database of its connection.
type Installer struct{ conn *conn.Conn }

// NewInstaller makes it. Nothing is sent before the first call.
func NewInstaller(to *conn.Conn) *Installer { return &Installer{to} }

// Result is what Init did and found.
type Result struct {
	Made    []Command
	There   int      // functions and groups that were as they should be
	Removed []string // databases that the group does not have any more
	Notes   []string // what was not changed and why, one sentence each
}

// Init makes the database what the options say: functions and the group that are missing or differ.
// Run twice, it changes nothing. The group loses databases with Remove only. Functions and tables of
// others are never changed.
func (c *Installer) Init(ctx context.Context, o Options) (Result, error) {
	if err := o.check(); err != nil {
		return Result{}, err
	}
	inv, err := c.conn.Schema(ctx, "init", true)
	if err != nil {
		return Result{}, err
	}
	if inv.HasTable(kql.RunsTable) {
		return Result{}, refused(fmt.Errorf("the database %s has a table %s, so it is that of a tenant: fleet.database must be another one", o.Database, kql.RunsTable))
	}
	members, err := c.members(ctx)
	if err != nil {
		return Result{}, err
	}
	if o.Tenants, err = c.named(ctx, o); err != nil {
		return Result{}, err
	}
	out, err := c.carryOut(ctx, groupPlan(o, members))
	if err != nil {
		return out, err
	}
	if o.Tables, err = c.tables(ctx, o, &out); err != nil {
		return out, err
	}
	functions, err := c.carryOut(ctx, functionPlan(o, inv))
	out.add(functions)
	return out, err
}

// add takes over what a later part did.
func (r *Result) add(other Result) {
	r.Made = append(r.Made, other.Made...)
	r.There += other.There
	r.Removed = append(r.Removed, other.Removed...)
	r.Notes = append(r.Notes, other.Notes...)
}

// todo is what a plan found, and the commands for the rest.
type todo struct {
	found    Result
	commands []Command
}

// carryOut does what a plan lists.
func (c *Installer) carryOut(ctx context.Context, plan todo) (Result, error) {
	out := plan.found
	for _, cmd := range plan.commands {
		if _, err := c.conn.Command(ctx, conn.Statement{Op: "init", Text: cmd.Text, Idempotent: true}); err != nil {
			return out, forAdministrator(err)
		}
		out.Made = append(out.Made, cmd)
	}
	return out, nil
}

// groupPlan is what the entity group needs that has these members; members is nil where there is no
// group.
func groupPlan(o Options, members []string) todo {
	var out Result
	var missing, extra []string
	wanted := map[string]bool{}
	for _, t := range o.Tenants {
		at := ""
		if !o.isLocal(t) {
			at = host(t.Cluster)
		}
		there := false
		for _, name := range t.names() { // under another of its names, a database would be in the group twice
			wanted[at+"/"+name] = true
			there = there || slices.ContainsFunc(members, func(m string) bool { return o.same(m) == at+"/"+name })
		}
		if !there {
			missing = append(missing, o.entity(t))
		}
	}
	for _, m := range members {
		if !wanted[o.same(m)] {
			extra = append(extra, m)
		}
	}
	group := Command{Kind: MakeGroup, Name: Group}
	switch {
	case members == nil:
		group.Text = createGroup(missing)
	case len(extra) > 0 && o.Remove:
		group.Text = groupText(".alter", o.entities())
		out.Removed = extra
	case len(missing) > 0:
		group.Text = groupText(".alter-merge", missing)
	}
	if len(extra) > 0 && !o.Remove {
		out.Notes = append(out.Notes, fmt.Sprintf("the entity group %s has databases of no configured tenant, whose rows show under the name of the database: %s; init --fleet --remove takes them out",
			Group, strings.Join(extra, ", ")))
	}
	if group.Text == "" {
		out.There++
		return todo{found: out}
	}
	return todo{out, []Command{group}}
}

// functionPlan is what the functions need in a database with this schema.
func functionPlan(o Options, inv conn.Schema) todo {
	var out todo
	for _, cmd := range o.makeFunctions() {
		found, there := inv.Functions[cmd.Name]
		switch {
		case inv.HasTable(cmd.Name):
			out.found.Notes = append(out.found.Notes, fmt.Sprintf("the name %s is taken by a table or view, so its function was not made", cmd.Name))
		case there && found.Folder != kql.Folder:
			out.found.Notes = append(out.found.Notes, fmt.Sprintf("the function %s was not created by tvmexport and was not changed", cmd.Name))
		case there && found.Doc == cmd.doc && kql.SameFunction(found.Text, cmd.does):
			out.found.There++
		default:
			out.commands = append(out.commands, cmd)
		}
	}
	return out
}

// entityForm is an entity as the service lists it.
var entityForm = regexp.MustCompile(`^(?:cluster\(\s*['"](.*?)['"]\s*\)\.)?database\(\s*['"](.*)['"]\s*\)$`)

// same is an entity as the host of its cluster, nothing for the fleet's own, and the name of the database.
func (o Options) same(entity string) string {
	m := entityForm.FindStringSubmatch(entity)
	if m == nil {
		return entity
	}
	at := host(m[1])
	if at == "" {
		at = strings.ToLower(m[1])
	}
	if at == host(o.Cluster) {
		at = ""
	}
	return at + "/" + strings.ToLower(strings.NewReplacer(`\\`, `\`, `\'`, "'", `\"`, `"`).Replace(m[2]))
}

// members are the entities of the group; nil where there is none.
func (c *Installer) members(ctx context.Context) ([]string, error) {
	s := conn.Statement{Op: "init", Text: ".show entity_groups", Idempotent: true}
	rows, err := c.conn.Command(ctx, s)
	if err != nil {
		return nil, forAdministrator(err)
	}
	type group struct{ name, entities string }
	groups, err := conn.ReadRows(s, rows, func(r *conn.Reader) group { return group{r.Text("Name"), r.Text("Entities")} })
	if err != nil {
		return nil, err
	}
	for _, g := range groups {
		if g.name != Group {
			continue
		}
		members := []string{}
		if err := json.Unmarshal([]byte(g.entities), &members); err != nil {
			return nil, conn.RefusedError("init", "", fmt.Errorf("the entities of the group %s are no list: %w", Group, err), "")
		}
		return members, nil
	}
	return nil, nil
}

// named are the tenants with the other names that the fleet's own cluster has for their databases. In
// an Eventhouse a database has a GUID and the name that people see, and $current_database may be either.
func (c *Installer) named(ctx context.Context, o Options) ([]Tenant, error) {
	s := conn.Statement{Op: "init", Text: ".show databases", Idempotent: true}
	rows, err := c.conn.Command(ctx, s)
	if err != nil {
		return nil, err
	}
	pairs, err := conn.ReadRows(s, rows, func(r *conn.Reader) naming { return naming{r.Text("DatabaseName"), r.Text("PrettyName")} })
	if err != nil {
		return nil, err
	}
	return withNames(o, pairs), nil
}

// naming is the name of a database and the one that people see, which may be empty and need not be
// unique.
type naming struct{ name, pretty string }

// withNames adds the names of databases that are those of one database only.
func withNames(o Options, pairs []naming) []Tenant {
	uses := map[string]int{}
	for _, p := range pairs {
		uses[strings.ToLower(p.name)]++
		if !strings.EqualFold(p.name, p.pretty) {
			uses[strings.ToLower(p.pretty)]++
		}
	}
	out := slices.Clone(o.Tenants)
	for i, t := range out {
		for _, p := range pairs {
			other := p.name
			if strings.EqualFold(p.name, t.Database) {
				other = p.pretty
			} else if !strings.EqualFold(p.pretty, t.Database) {
				continue
			}
			if o.isLocal(t) && other != "" && uses[strings.ToLower(other)] == 1 && uses[strings.ToLower(t.Database)] == 1 {
				out[i].Also = append(slices.Clone(t.Also), other)
			}
		}
	}
	return out
}

// forAdministrator says who can do what was refused.
func forAdministrator(err error) error {
	var e *tvmexport.Error
	if errors.As(err, &e) && e.Cause == tvmexport.Permission {
		e.Hint = "entity groups need the role admins on the fleet's database: give it to this sign-in, or let an administrator run what init --fleet --print prints"
	}
	return err
}

// Tenancy is a row of FleetCoverage.
type Tenancy struct {
	Name       string    `json:"tenant"`
	Answered   bool      `json:"answered"`
	LastCommit time.Time `json:"lastCommit,omitzero"` // zero if nothing was committed
	Tables     int       `json:"tables"`              // that have a committed run
}

// Coverage asks which tenants answer. Clusters that are down count as missing.
func (c *Installer) Coverage(ctx context.Context) ([]Tenancy, error) {
	s := conn.Statement{Op: "init", Text: "set best_effort=true;\n" + Coverage + "\n| project " + tenantColumn + ", State, LastCommit, Tables = coalesce(array_length(Tables), 0)"}
	rows, err := c.conn.Query(ctx, s)
	if err != nil {
		return nil, err
	}
	return conn.ReadRows(s, rows, func(r *conn.Reader) Tenancy {
		return Tenancy{Name: r.Text(tenantColumn), Answered: r.Text("State") == Answered, LastCommit: r.Time("LastCommit"), Tables: int(r.Long("Tables"))}
	})
}
