package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"github.com/tvmexport/tvmexport/fleet"
	"github.com/tvmexport/tvmexport/internal/config"
	"github.com/tvmexport/tvmexport/internal/nearest"
	"github.com/tvmexport/tvmexport/internal/wiring"
)

// tenancy says for which tenants a command works if the command line names none.
type tenancy int

const (
	allTenants   tenancy = iota // all
	namedTenants                // none: the command changes data, so it works only for those that are named
)

// tenancies are the commands that work for each tenant on its own. The others either
// need no tenant or, like serve, work for all of them together.
var tenancies = map[string]tenancy{
	"check": allTenants, "plan": allTenants, "run": allTenants, "status": allTenants, "verify": allTenants, "reconcile": allTenants,
	"init": namedTenants, "import": namedTenants, "repair": namedTenants, "refill": namedTenants,
	"tables add": namedTenants, "tables pause": namedTenants, "tables resume": namedTenants, "tables schedule": namedTenants,
}

// selection is which tenants the command line names.
type selection struct {
	names []string
	all   bool
}

// overTenants lets commands work for the tenants of the configuration.
func overTenants(p *process, root *cobra.Command) {
	for path, kind := range tenancies {
		c, _, err := root.Find(strings.Fields(path))
		if err != nil || c.CommandPath() != root.Name()+" "+path { // a test holds that this does not happen
			continue
		}
		tenantFlags(p, c, kind)
		alone := c.RunE
		c.RunE = func(c *cobra.Command, args []string) error {
			if p.tenant != nil || overall(c) {
				return alone(c, args)
			}
			members, several, err := selected(p, c, kind)
			switch {
			case err != nil:
				return err
			case !several:
				return alone(c, args)
			}
			return forEach(c.Context(), p, c, members)
		}
	}
}

// tenantFlags adds the flags that name tenants.
func tenantFlags(p *process, c *cobra.Command, kind tenancy) {
	help := "`name` of a tenant of the configuration (repeatable; default: all tenants)"
	if kind == namedTenants {
		help = "`name` of a tenant of the configuration (repeatable)"
	}
	c.Flags().StringArrayVar(&p.tenants.names, "tenant", nil, help)
	c.Flags().BoolVar(&p.tenants.all, "all-tenants", false, "work for all tenants of the configuration")
}

// overall says whether a command works for all tenants together, as a flag of its own says.
func overall(c *cobra.Command) bool {
	f := c.Flags().Lookup("fleet")
	return f != nil && f.Changed && f.Value.String() == "true"
}

// selected are the tenants that a command works for; several is false if the
// configuration is that of one tenant.
func selected(p *process, c *cobra.Command, kind tenancy) (members []config.Member, several bool, err error) {
	top, members, err := config.Load(p.configFile(), p.env)
	if err != nil || !top.HasTenants() {
		if len(p.tenants.names) > 0 || p.tenants.all {
			if err == nil {
				err = errors.New("--tenant and --all-tenants need a configuration with tenants; this one has neither tenants nor tenants_dir")
			}
			return nil, false, usage(err)
		}
		return nil, false, nil // the command itself reads the configuration, and says what is wrong with it
	}
	p.fleet = top.Fleet
	if full := c.Flags().Lookup("full"); full != nil && full.Changed {
		kind = namedTenants
	}
	members, err = p.tenants.of(members, kind)
	if err != nil {
		return nil, true, usage(fmt.Errorf("%s: %w", strings.TrimPrefix(c.CommandPath(), c.Root().Name()+" "), err))
	}
	return members, true, nil
}

// of are the members that are selected.
func (s selection) of(members []config.Member, kind tenancy) ([]config.Member, error) {
	var names []string
	for _, m := range members {
		names = append(names, m.Name)
	}
	switch {
	case s.all && len(s.names) > 0:
		return nil, errors.New("--tenant and --all-tenants exclude each other")
	case len(s.names) > 0:
		var out []config.Member
		for _, name := range s.names {
			i := slices.Index(names, name)
			switch {
			case i < 0:
				hint := "tvmexport config validate lists the tenants"
				if near := nearest.Of(name, names, len(name)/2+1); near != "" {
					hint = "did you mean " + near + "?"
				}
				return nil, fmt.Errorf("the configuration has no tenant %q; %s", name, hint)
			case slices.ContainsFunc(out, func(m config.Member) bool { return m.Name == name }):
				return nil, fmt.Errorf("--tenant %s is given twice", name)
			}
			out = append(out, members[i])
		}
		return out, nil
	case kind == namedTenants && !s.all:
		return nil, errors.New("this changes data of tenants; name them with --tenant NAME, or use --all-tenants")
	}
	return members, nil
}

// forEach carries out a command for each member, for some of them at the same time. A
// tenant's output is printed as a whole when its command ends, each line with its name.
func forEach(ctx context.Context, p *process, c *cobra.Command, members []config.Member) error {
	asJSON := c.Flags().Lookup("json") != nil && c.Flags().Changed("json")
	out := &gathered{stdout: p.stdout, stderr: p.stderr}
	shared := wiring.NewClients(p.fleet)
	codes := make([]int, len(members))
	pool := fleet.NewPool(p.fleet.Workers)
	var wait sync.WaitGroup
	for i, m := range members {
		if pool.Enter(ctx) != nil { // interrupted: the others do not begin
			codes[i] = exitFailed
			continue
		}
		wait.Go(func() {
			defer pool.Leave()
			codes[i] = forOne(ctx, p, m, shared, out.of(m.Name, asJSON, len(members) > 1))
		})
	}
	wait.Wait()
	shared.Close()
	if err := context.Cause(ctx); err != nil {
		return err
	}
	if len(members) != 1 {
		fmt.Fprintf(p.stderr, "%s\n", endings(codes))
	}
	if code := combinedCode(codes); code != exitDone {
		return &reported{code}
	}
	return nil
}

// forOne carries out the command line for one tenant and returns the exit code.
func forOne(ctx context.Context, p *process, m config.Member, shared *wiring.Clients, out *tenantOutput) int {
	defer out.flush()
	if m.Err != nil {
		out.failed(m.Err)
		return exitUsage
	}
	t := *p
	t.tenant, t.shared, t.flags, t.tenants = &m, shared, global{}, selection{}
	t.brief = out.several
	t.stdout, t.stderr, t.logs = out, out.errors(), out.logs()
	_, err := execute(ctx, t)
	switch {
	case err == nil:
		return exitDone
	case ctx.Err() != nil: // the command as a whole says so
		return exitFailed
	}
	var said *reported
	if !errors.As(err, &said) {
		out.failed(advise(err))
	}
	return exitCode(err)
}

// endings says how the commands of several tenants ended: "20 tenants: 18 done, 2 without
// sign-in or permission".
func endings(codes []int) string {
	count := map[int]int{}
	for _, c := range codes {
		count[c]++
	}
	var parts []string
	for _, e := range []struct {
		code int
		text string
	}{
		{exitDone, "done"},
		{exitFailed, "failed"},
		{exitUsage, "with a wrong configuration"},
		{exitPartly, "done in part"},
		{exitPermission, "without sign-in or permission"},
		{exitQuota, "out of quota or time"},
		{exitHeld, "held by another run"},
	} {
		if n := count[e.code]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, e.text))
		}
	}
	if len(parts) == 0 {
		return "0 tenants: tenants_dir has no file NAME.yaml"
	}
	return fmt.Sprintf("%d tenants: %s", len(codes), strings.Join(parts, ", "))
}
