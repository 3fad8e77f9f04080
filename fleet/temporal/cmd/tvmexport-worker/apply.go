package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"
	"golang.org/x/term"

	"github.com/tvmexport/tvmexport/fleet/temporal/limits"
	"github.com/tvmexport/tvmexport/fleet/temporal/schedules"
	"github.com/tvmexport/tvmexport/internal/config"
	"github.com/tvmexport/tvmexport/internal/figures"
	"github.com/tvmexport/tvmexport/internal/wiring"
)

type applyFlags struct {
	dryRun, yes, json bool
	tenants           []string
}

func applyCommand(p *process) *cobra.Command {
	var f applyFlags
	c := &cobra.Command{
		Use:   "apply",
		Short: "Create, change and pause the schedules of the tenants",
		Long: `apply compares the cluster with the configuration and prints the difference: the rate of
hunting calls, the version of the workers that begins new runs, and the schedules of the
tenants. It asks before it changes them; --yes answers. Schedules of tenants that are no
longer configured are paused and never deleted. What somebody else paused stays paused.`,
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error { return apply(c.Context(), p, f) },
	}
	flags := c.Flags()
	flags.BoolVar(&f.dryRun, "dry-run", false, "print the difference; change nothing")
	flags.BoolVar(&f.yes, "yes", false, "make the changes without asking")
	flags.BoolVar(&f.json, "json", false, "print the difference as JSON, one line per change")
	flags.StringArrayVar(&f.tenants, "tenant", nil, "`name` of a tenant (repeatable; default: all, and those that are gone); schedules only")
	return c
}

// difference is what separates a cluster from a configuration.
type difference struct {
	limits  []string
	version []string
	changes []schedules.Change
	failed  map[string]error // tenants whose schedules could not be compared

	wanted, found limits.Limits
}

// line is a change as JSON.
type line struct {
	Tenant string   `json:"tenant,omitempty"`
	Object string   `json:"object"` // schedule, calls or workers
	Change string   `json:"change"`
	What   []string `json:"what,omitempty"`
	Error  string   `json:"error,omitempty"`
}

func apply(ctx context.Context, p *process, f applyFlags) error {
	top, members, err := p.configuration()
	if err != nil {
		return err
	}
	chosen, err := selected(members, f.tenants)
	if err != nil {
		return err
	}
	c, err := p.connect(ctx, p, top)
	if err != nil {
		return err
	}
	defer c.close()
	d, err := compare(ctx, c, choice{top, members, chosen, len(f.tenants) == 0})
	if err != nil {
		return err
	}
	if err := d.print(p, f.json); err != nil {
		return err
	}
	n := d.count()
	switch {
	case n == 0 || f.dryRun:
	case !f.yes && !agreed(p, n):
		return wiring.Usage(fmt.Errorf("nothing was changed; repeat with --yes to make the %s", figures.Plural(n, "change")))
	default:
		if err := d.carryOut(ctx, p, c, top); err != nil {
			return err
		}
	}
	if len(d.failed) > 0 {
		return &reported{exitPartly}
	}
	return nil
}

// choice are the tenants that are compared.
type choice struct {
	top     config.Config
	members []config.Member // all that are configured
	chosen  []config.Member
	all     bool // no tenant was named
}

// compare finds the difference. Limits, versions and tenants that are gone are left out if
// tenants were named.
func compare(ctx context.Context, c *cluster, of choice) (*difference, error) {
	d := &difference{failed: map[string]error{}}
	var err error
	if of.all {
		if d.wanted, err = limits.Of(of.top, of.members); err != nil {
			return nil, wiring.Usage(err)
		}
		if d.found, err = limits.Read(ctx, c.limits, of.top.Fleet.Temporal.Namespace); err != nil {
			return nil, err
		}
		d.limits = limits.Differing(d.wanted, d.found)
		if d.version, err = versionChange(ctx, c); err != nil {
			return nil, err
		}
	}
	var wanted []schedules.Schedule
	var names []string
	for _, m := range of.chosen {
		s, err := schedules.Of(m)
		if err != nil {
			d.failed[m.Name] = err
			continue
		}
		wanted, names = append(wanted, s), append(names, m.Name)
	}
	configured := map[string]bool{}
	for _, m := range of.members { // also those whose settings cannot be used: they are not gone
		configured[m.Name] = true
	}
	if of.all {
		known, err := c.schedules.Tenants(ctx)
		if err != nil {
			return nil, err
		}
		for _, name := range known {
			if !configured[name] {
				names = append(names, name)
			}
		}
	}
	found, err := readAll(ctx, c.schedules, names, d.failed)
	if err != nil {
		return nil, err
	}
	wanted = slices.DeleteFunc(wanted, func(s schedules.Schedule) bool { return d.failed[s.Tenant] != nil })
	d.changes = schedules.Compare(wanted, found, func(tenant string) bool { return !configured[tenant] })
	return d, nil
}

// atOnce is how many requests to the cluster are under way at a time.
const atOnce = 16

// readAll reads the schedules of tenants. One that cannot be read is noted as failed.
func readAll(ctx context.Context, c schedules.Cluster, tenants []string, failed map[string]error) ([]schedules.Schedule, error) {
	type reading struct {
		schedule schedules.Schedule
		ok       bool
		err      error
	}
	readings := make([]reading, len(tenants))
	var g errgroup.Group
	g.SetLimit(atOnce)
	for i, tenant := range tenants {
		g.Go(func() error {
			r := &readings[i]
			r.schedule, _, r.ok, r.err = c.Read(ctx, tenant)
			return nil
		})
	}
	_ = g.Wait()
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	var found []schedules.Schedule
	for i, r := range readings {
		switch {
		case r.err != nil:
			failed[tenants[i]] = r.err
		case r.ok:
			found = append(found, r.schedule)
		}
	}
	return found, nil
}

// versionChange says whether this build is to begin the runs.
func versionChange(ctx context.Context, c *cluster) ([]string, error) {
	current, connected, err := c.versions.Current(ctx, buildOf())
	switch {
	case err != nil:
		return nil, err
	case current == buildOf():
		return nil, nil
	case !connected: // its workers would get no run
		return nil, nil
	case current == "":
		current = "none"
	}
	return []string{fmt.Sprintf("version that begins new runs: %s → %s", current, buildOf())}, nil
}

// count is the number of changes.
func (d *difference) count() int {
	n := len(d.limits) + len(d.version)
	for _, c := range d.changes {
		if c.Kind != schedules.Keep {
			n++
		}
	}
	return n
}

// lines are the changes, and what could not be compared.
func (d *difference) lines() []line {
	var out []line
	if len(d.limits) > 0 {
		out = append(out, line{Object: "calls", Change: "change", What: d.limits})
	}
	if len(d.version) > 0 {
		out = append(out, line{Object: "workers", Change: "change", What: d.version})
	}
	for _, c := range d.changes {
		if c.Kind != schedules.Keep || c.To.Paused && len(c.What) > 0 {
			out = append(out, line{Tenant: c.Tenant, Object: "schedule", Change: string(c.Kind), What: c.What})
		}
	}
	for tenant, err := range d.failed {
		out = append(out, line{Tenant: tenant, Object: "schedule", Change: "none", Error: oneLine(err.Error())})
	}
	slices.SortStableFunc(out, func(a, b line) int { return strings.Compare(a.Tenant, b.Tenant) })
	return out
}

// print prints the difference.
func (d *difference) print(p *process, asJSON bool) error {
	if asJSON {
		out := json.NewEncoder(p.stdout)
		for _, l := range d.lines() {
			if err := out.Encode(l); err != nil {
				return err
			}
		}
		return nil
	}
	table := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
	for _, l := range d.lines() {
		name := l.Tenant
		if name == "" {
			name = l.Object
		}
		if l.Error != "" {
			fmt.Fprintf(p.stderr, "tvmexport-worker: %s: %s\n", name, l.Error)
			continue
		}
		fmt.Fprintf(table, "%s\t%s\t%s\n", l.Change, name, strings.Join(l.What, "; "))
	}
	if d.count() == 0 && len(d.failed) == 0 {
		fmt.Fprintf(table, "nothing to change: %s\n", figures.Plural(len(d.changes), "schedule"))
	}
	return table.Flush()
}

// agreed asks on a terminal whether to make the changes.
func agreed(p *process, n int) bool {
	f, ok := p.stdin.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return false
	}
	fmt.Fprintf(p.stderr, "Make %s? [y/N] ", figures.Plural(n, "change"))
	answer, _ := bufio.NewReader(p.stdin).ReadString('\n') // nothing is no
	answer = strings.ToLower(strings.TrimSpace(answer))
	return answer == "y" || answer == "yes"
}

// carryOut makes the changes: the rate of calls first, so that no run begins without it. A
// tenant that fails does not stop the others.
func (d *difference) carryOut(ctx context.Context, p *process, c *cluster, top config.Config) error {
	if len(d.limits) > 0 {
		note, err := limits.Set(ctx, c.limits, top.Fleet.Temporal.Namespace, d.wanted, d.found)
		if err != nil {
			return err
		}
		if note != "" {
			fmt.Fprintf(p.stderr, "note: %s\n", note)
		}
	}
	if len(d.version) > 0 {
		if err := c.versions.Use(ctx, buildOf()); err != nil {
			return err
		}
	}
	errs := make([]error, len(d.changes))
	var g errgroup.Group
	g.SetLimit(atOnce)
	for i, change := range d.changes {
		g.Go(func() error {
			errs[i] = schedules.Apply(ctx, c.schedules, change)
			return nil
		})
	}
	_ = g.Wait()
	if err := context.Cause(ctx); err != nil {
		return err
	}
	done := d.count()
	for i, err := range errs {
		if err != nil {
			done--
			d.failed[d.changes[i].Tenant] = err
			fmt.Fprintf(p.stderr, "tvmexport-worker: %s: %s\n", d.changes[i].Tenant, oneLine(err.Error()))
		}
	}
	fmt.Fprintf(p.stderr, "%s made\n", figures.Plural(done, "change"))
	return nil
}
