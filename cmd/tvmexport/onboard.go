package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/hunting"
	"github.com/tvmexport/tvmexport/internal/config"
	"github.com/tvmexport/tvmexport/internal/figures"
	"github.com/tvmexport/tvmexport/internal/onboard"
	"github.com/tvmexport/tvmexport/internal/preflight"
	"github.com/tvmexport/tvmexport/internal/wiring"
)

type onboardFlags struct {
	tables    []string
	tenantID  string
	database  string
	principal string
	probe     bool
	json      bool
}

func onboardCommand(p *process) *cobra.Command {
	var f onboardFlags
	c := &cobra.Command{
		Use:   "onboard NAME",
		Short: "Take a new customer's tenant into the fleet, step by step",
		Long: `onboard goes through what a new tenant of the configuration needs: the consent of its
administrator to exactly the permissions of its tables, its database, the roles in it,
the objects of init, and a first check. It does what it may, and prints the address or
the commands for the rest. Run again, it goes on.

A tenant that the configuration does not have yet is added with --tenant-id: as a new file
of tenants_dir. Without such a folder, onboard prints the lines to add.

Exit codes: 0 the tenant is ready; 4 a consent or a role is missing; 3 several things are.`,
		Example: `  tvmexport onboard contoso --tenant-id 33333333-3333-3333-3333-333333333333
  tvmexport onboard contoso
  tvmexport run --tenant contoso`,
		Args: oneTenant,
		RunE: func(c *cobra.Command, args []string) error { return takeIn(c.Context(), p, args[0], f) },
	}
	flags := c.Flags()
	flags.StringArrayVar(&f.tables, "table", nil, "source `table` to export (repeatable; default: the nine TVM tables)")
	flags.StringVar(&f.tenantID, "tenant-id", "", "`id` of the customer's tenant in Entra, to add it to tenants_dir")
	flags.StringVar(&f.database, "database", "", "`name` of the database of an added tenant (default: NAME)")
	flags.StringVar(&f.principal, "principal", "", "`identity` of the exporter that gets its roles, if an administrator of the cluster runs this: aadapp=APPLICATION;TENANT")
	flags.BoolVar(&f.probe, "probe", true, "ingest one test row end to end")
	flags.BoolVar(&f.json, "json", false, "print JSON, one line per step")
	return c
}

// oneTenant wants the name of one tenant.
func oneTenant(c *cobra.Command, args []string) error {
	if len(args) != 1 {
		return usage(fmt.Errorf("%s takes the name of one tenant; tvmexport config validate lists those of the configuration", c.CommandPath()))
	}
	return nil
}

// takeIn goes through the steps of a tenant that comes.
func takeIn(ctx context.Context, p *process, name string, f onboardFlags) error {
	m, err := memberNamed(p, name, f)
	if err != nil {
		return err
	}
	tables, err := tablesNamed(f.tables)
	if err != nil {
		return err
	}
	if wiring.Lakes(m.Config) {
		return notOfLakes("onboard")
	}
	t := *p
	t.tenant = &m
	i, err := t.inspection(ctx, m.Config, checkFlags{tables: f.tables})
	if err != nil {
		return err
	}
	defer i.parts.Close()
	s := &steps{out: namedWriter{p.stdout, name}, name: name, asJSON: f.json}
	customer := customerOf(&t, m.Config, i.parts.Cloud)
	s.consent(ctx, i, customer, tables)
	s.database(ctx, i, customer, f.principal)
	if !s.broken("database") {
		s.objects(ctx, &t, tables)
	}
	if !s.broken("database") && !s.broken("objects") {
		s.check(ctx, &t, checkFlags{tables: f.tables, probe: f.probe, wait: 6 * time.Minute, maxWait: 2 * time.Minute})
	}
	if err := context.Cause(ctx); err != nil {
		return err
	}
	return s.end()
}

// memberNamed is the tenant of the configuration, which is added if it is not there.
func memberNamed(p *process, name string, f onboardFlags) (config.Member, error) {
	top, members, err := config.Load(p.configFile(), p.env)
	if err != nil {
		return config.Member{}, usage(err)
	}
	if !top.HasTenants() {
		return config.Member{}, usage(errors.New("the configuration has no tenants; set tenants_dir to a folder, or name them below tenants (tvmexport config example)"))
	}
	i := slices.IndexFunc(members, func(m config.Member) bool { return m.Name == name })
	if i < 0 && f.tenantID == "" {
		_, err := selection{names: []string{name}}.of(members, allTenants)
		return config.Member{}, usage(fmt.Errorf("%w; to add it, give --tenant-id", err))
	}
	if i < 0 {
		if err := addTenant(p.stdout, top, name, f); err != nil {
			return config.Member{}, err
		}
		f.tenantID, f.database = "", ""
		return memberNamed(p, name, f)
	}
	m := members[i]
	switch {
	case m.Err != nil:
		return m, usage(m.Err)
	case f.tenantID != "" && f.tenantID != m.Config.Auth.TenantID, f.database != "" && f.database != m.Config.Kusto.Database:
		return m, usage(fmt.Errorf("tenant %s is in the configuration already, with auth.tenant_id %s and kusto.database %s; change it there", name, m.Config.Auth.TenantID, m.Config.Kusto.Database))
	}
	return m, nil
}

// tenantID matches what names a tenant in Entra: its id, or one of its domains.
var tenantID = regexp.MustCompile(`^([0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+)$`)

// addTenant writes the file of a new tenant, or prints the lines that add it.
func addTenant(w io.Writer, top config.Config, name string, f onboardFlags) error {
	if !tenantID.MatchString(f.tenantID) {
		return usage(fmt.Errorf("--tenant-id is %q; it must be the id of a tenant, a GUID, or one of its domains", f.tenantID))
	}
	if err := config.CheckTenantName(name); err != nil {
		return usage(err)
	}
	lines := []string{"auth:", "  tenant_id: " + quoted(f.tenantID), "kusto:", "  database: " + quoted(cmp.Or(f.database, name))}
	if top.TenantsDir == "" {
		fmt.Fprintf(w, "  %s:\n    %s\n", name, strings.Join(lines, "\n    "))
		return usage(errors.New("the configuration has no tenants_dir: add the lines above to its tenants, and run this again"))
	}
	path := filepath.Join(top.TenantsDir, name+".yaml")
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return usage(fmt.Errorf("add the tenant %s: %w", name, err))
	}
	_, err = io.WriteString(file, strings.Join(lines, "\n")+"\n")
	if cerr := file.Close(); err == nil {
		err = cerr
	}
	return err
}

// quoted is a text as a scalar of YAML.
func quoted(s string) string {
	text, err := json.Marshal(s)
	if err != nil {
		return `""` // unreachable: it is a text
	}
	return string(text)
}

// customerOf is a tenant as its steps need it.
func customerOf(p *process, c config.Config, cloud hunting.Cloud) onboard.Customer {
	auth, _, _ := p.auth(c, cloud)
	return onboard.Customer{
		Name: p.tenant.Name, TenantID: auth.TenantID, ClientID: auth.ClientID, Authority: auth.Authority,
		Cluster: c.Kusto.Cluster, Database: c.Kusto.Database,
		Retention: max(c.Retention.Raw, c.Retention.Typed), Hot: c.Retention.Hot,
	}
}

// rolesNeeded are the application permissions that tables need, each once.
func rolesNeeded(api hunting.API, tables []tvmexport.Table) []onboard.Role {
	role := func(p hunting.Permission) onboard.Role {
		return onboard.Role{Name: p.Role, Service: p.Service, ServiceID: p.ServiceID}
	}
	var out []onboard.Role
	hunted, exported := byHunting(tables)
	if len(hunted) > 0 {
		out = append(out, role(api.Permission()))
	}
	for _, name := range rolesOf(exported) {
		out = append(out, role(exportPermission(name)))
	}
	return out
}

// steps are what onboard has found and done.
type steps struct {
	out    io.Writer
	name   string
	asJSON bool
	failed []failedStep
}

type failedStep struct {
	step  string
	cause tvmexport.Cause
}

// stepLine is a step as JSON.
type stepLine struct {
	Step   string   `json:"step"`
	Status string   `json:"status"` // done, todo
	Text   string   `json:"text"`
	Do     []string `json:"do,omitempty"` // addresses to open, and commands to run
}

func (s *steps) broken(step string) bool {
	return slices.ContainsFunc(s.failed, func(f failedStep) bool { return f.step == step })
}

// done tells of a step that is complete.
func (s *steps) done(step, text string) {
	s.print(stepLine{Step: step, Status: "done", Text: text})
}

// todo tells of a step that somebody else must do, and how.
func (s *steps) todo(step string, f preflight.Finding, do ...string) {
	s.failed = append(s.failed, failedStep{step, f.Cause})
	s.print(stepLine{Step: step, Status: "todo", Text: oneLine(f.Text), Do: do})
}

func (s *steps) print(l stepLine) {
	if s.asJSON {
		out := json.NewEncoder(s.out)
		out.SetEscapeHTML(false) // readers copy the commands
		_ = out.Encode(l)        // the output says itself that it was not written
		return
	}
	fmt.Fprintf(s.out, "%-5s %s: %s\n", l.Status, l.Step, l.Text)
	for _, do := range l.Do {
		fmt.Fprintf(s.out, "        %s\n", do)
	}
}

// end is how the command ends.
func (s *steps) end() error {
	if len(s.failed) == 0 {
		if !s.asJSON {
			fmt.Fprintf(s.out, "%s is ready: tvmexport run --tenant %s\n", s.name, s.name)
		}
		return nil
	}
	codes := make([]int, len(s.failed))
	for i, f := range s.failed {
		codes[i] = codeOf(f.cause)
	}
	return &reported{combinedCode(codes)}
}

// consent looks for the permissions of the tables in tokens of the customer's tenant.
func (s *steps) consent(ctx context.Context, i *inspection, c onboard.Customer, tables []tvmexport.Table) {
	const step = "consent"
	roles := rolesNeeded(i.api, tables)
	var names []string
	for _, r := range roles {
		names = append(names, r.Name+" on "+r.Service)
	}
	do := []string{"an administrator of the customer opens " + c.ConsentURL()}
	for _, command := range c.Registration(roles) {
		do = append(do, "once, in the tenant of the application: "+command)
	}
	var broken []preflight.Finding
	hunted, exported := byHunting(tables)
	if len(hunted) > 0 {
		broken = append(broken, i.signInDefender(ctx).Findings...)
		if i.who.AppID != "" {
			broken = append(broken, i.permissionOf(i.who, i.api.Permission()))
		}
	}
	if len(exported) > 0 {
		who, err := i.identifyExports(ctx)
		if err != nil {
			broken = append(broken, preflight.Bad("", err, ""))
		}
		for _, name := range rolesOf(exported) {
			if err == nil {
				broken = append(broken, i.permissionOf(who, exportPermission(name)))
			}
		}
	}
	broken = slices.DeleteFunc(broken, func(f preflight.Finding) bool { return f.Status == preflight.OK })
	if len(broken) == 0 {
		s.done(step, strings.Join(names, ", ")+" granted")
		return
	}
	f := broken[0]
	f.Text = "the tables need " + strings.Join(names, ", ") + ": " + f.Text
	s.todo(step, f, do...)
}

// database looks whether the database is there and can be read, and gives roles in it.
func (s *steps) database(ctx context.Context, i *inspection, c onboard.Customer, grant string) {
	const step = "database"
	for _, do := range []func(context.Context) preflight.Result{i.host, i.signInKusto} {
		for _, f := range do(ctx).Findings {
			if f.Status == preflight.Broken {
				s.todo(step, f, f.Fix)
				return
			}
		}
	}
	if grant != "" {
		err := i.parts.Destination.Setup().Grant(ctx, grant)
		if err != nil {
			s.todo("roles", preflight.Bad("", err, ""), i.parts.Destination.Inspect().AddRole("users", grant), i.parts.Destination.Inspect().AddRole("ingestors", grant))
		} else {
			s.done("roles", grant+" has the roles users and ingestors")
		}
	}
	err := i.parts.Destination.Inspect().Readable(ctx)
	if err == nil {
		s.done(step, c.Database+" can be read")
		return
	}
	exporter := cmp.Or(grant, principal(i.writer))
	var do []string
	for _, w := range c.CreateDatabase() {
		for _, command := range w.Commands {
			do = append(do, "if it does not exist, by "+w.With+": "+command)
		}
	}
	do = append(do,
		"then an administrator of the database runs: "+i.parts.Destination.Inspect().AddRole("users", exporter),
		"and: "+i.parts.Destination.Inspect().AddRole("ingestors", exporter))
	s.todo(step, preflight.Bad("", err, ""), do...)
}

// objects makes what init makes.
func (s *steps) objects(ctx context.Context, t *process, tables []tvmexport.Table) {
	const step = "objects"
	quiet := *t
	quiet.stdout, quiet.brief = io.Discard, true
	if err := quiet.initialise(ctx, tables, false); err != nil {
		s.todo(step, preflight.Bad("", advise(err), ""), "an administrator of the database runs the script of: tvmexport init --print --tenant "+s.name)
		return
	}
	are := "are"
	if len(tables) == 1 {
		are = "is"
	}
	s.done(step, fmt.Sprintf("%s %s prepared and active", figures.Plural(len(tables), "table"), are))
}

// check runs the checks of a run, and shows what is not in order.
func (s *steps) check(ctx context.Context, t *process, f checkFlags) {
	const step = "check"
	list := preflight.Run(ctx, t.checks(f), func(preflight.Finding) {})
	n := preflight.Count(list)
	for _, found := range list {
		if found.Status == preflight.Broken {
			found.Text = strings.TrimSpace(found.Check+" "+found.About) + ": " + found.Text
			s.todo(step, found, found.Fix)
		}
	}
	if n[preflight.Broken] == 0 {
		s.done(step, fmt.Sprintf("%d ok, %d warnings", n[preflight.OK], n[preflight.Warning]))
	}
}
