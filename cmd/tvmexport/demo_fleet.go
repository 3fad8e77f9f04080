//go:build !noemulator

package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/emulator"
	"github.com/tvmexport/tvmexport/engine"
	"github.com/tvmexport/tvmexport/fleet"
	"github.com/tvmexport/tvmexport/internal/config"
	"github.com/tvmexport/tvmexport/internal/figures"
	"github.com/tvmexport/tvmexport/internal/progress"
	"github.com/tvmexport/tvmexport/internal/wiring"
	"github.com/tvmexport/tvmexport/kusto"
)

// fleetDemo is a demo with several tenants under way.
type fleetDemo struct {
	process  *process
	emulator *emulator.Server
	shared   *wiring.Clients
	pool     *fleet.Pool
	tables   []tvmexport.Table
	tenants  []*demoTenant
}

// demoTenant is what the demo found about a tenant.
type demoTenant struct {
	emulator.Tenant
	devices int
	exports [2]engine.Report
	rows    int64 // of all tables, at the source, after both exports
	agree   int   // tables whose rows are those of the source
}

// demoFleet exports all tenants of an emulator twice and proves it.
func demoFleet(ctx context.Context, p *process, e *emulator.Server) error {
	defaults := config.Default().Fleet
	d := &fleetDemo{
		process: p, emulator: e, pool: fleet.NewPool(defaults.Workers),
		shared: wiring.NewClients(defaults),
	}
	defer d.shared.Close()
	for i, t := range e.Tenants() {
		d.tenants = append(d.tenants, &demoTenant{Tenant: t, devices: e.Ready.Tenants[i].Devices})
	}
	var err error
	if d.tables, err = tablesNamed(nil); err != nil {
		return err
	}
	for i, title := range []string{"First export", "A day later: second export"} {
		if i > 0 {
			for _, t := range d.tenants {
				t.Advance(1)
			}
		}
		began := time.Now()
		if err := d.forEach(ctx, func(t *demoTenant) error { return d.export(ctx, t, i) }); err != nil {
			return err
		}
		fmt.Fprintf(p.stdout, "%s: %d tenants in %s\n", title, len(d.tenants), figures.Span(time.Since(began)))
	}
	if err := d.forEach(ctx, func(t *demoTenant) error { return d.prove(ctx, t) }); err != nil {
		return err
	}
	return d.print()
}

// forEach does something with all tenants, with some of them at the same time.
func (d *fleetDemo) forEach(ctx context.Context, do func(*demoTenant) error) error {
	errs := make([]error, len(d.tenants))
	var wait sync.WaitGroup
	for i, t := range d.tenants {
		if err := d.pool.Enter(ctx); err != nil {
			errs[i] = err
			break
		}
		wait.Go(func() {
			defer d.pool.Leave()
			if err := do(t); err != nil {
				errs[i] = fmt.Errorf("%s: %w", t.Name(), err)
			}
		})
	}
	wait.Wait()
	return errors.Join(errs...)
}

// export makes the i-th export of a tenant; before the first one it prepares the database.
func (d *fleetDemo) export(ctx context.Context, t *demoTenant, i int) error {
	c := demoConfig(d.emulator.Ready)
	home := c.Auth
	home.TenantID = d.emulator.Ready.HomeTenantID
	c.Auth.TenantID, c.Kusto.Database = t.ID(), t.Database()
	inside := *d.process
	inside.tenant, inside.shared = &config.Member{Name: t.Name(), Config: c, Home: home}, d.shared
	x, err := inside.open(ctx, c)
	if err != nil {
		return err
	}
	defer x.Close()
	if i == 0 {
		if _, err := x.Destination.Setup().Init(ctx, d.tables, kusto.ScriptOptions{}); err != nil {
			return err
		}
		if err := x.Configuration().Configure(ctx, d.tables); err != nil {
			return err
		}
	}
	source, err := x.Source(ctx, time.Hour, progress.Silent())
	if err != nil {
		return err
	}
	if t.exports[i], err = x.Exporter(source, progress.Silent()).Run(ctx, engine.Request{}); err != nil {
		return err
	}
	for _, o := range t.exports[i].Outcomes {
		if o.Err != nil {
			return fmt.Errorf("%s: %w", o.Table.Name, o.Err)
		}
	}
	return nil
}

// prove compares each table of a tenant with its source.
func (d *fleetDemo) prove(ctx context.Context, t *demoTenant) error {
	for _, table := range d.tables {
		truth, err := t.State().Truth(ctx, table.Name)
		if err != nil {
			return err
		}
		landed, err := d.emulator.Landed(ctx, t.Database(), table.Name)
		if err != nil {
			return err
		}
		t.rows += truth.Rows
		if truth == landed {
			t.agree++
		}
	}
	return nil
}

// print prints a line for each tenant.
func (d *fleetDemo) print() error {
	differ := 0
	lines := [][]string{{"TENANT", "DEVICES", "ROWS", "TABLES THAT AGREE", "CHANGED AFTER A DAY", "CALLS"}}
	for _, t := range d.tenants {
		calls, changed := 0, int64(0)
		for i, r := range t.exports {
			for _, o := range r.Outcomes {
				calls += o.Calls
				if i > 0 {
					changed += moved(o)
				}
			}
		}
		if t.agree != len(d.tables) {
			differ++
		}
		lines = append(lines, []string{
			t.Name(), strconv.Itoa(t.devices), progress.Count(t.rows), fmt.Sprintf("%d of %d", t.agree, len(d.tables)), progress.Count(changed), strconv.Itoa(calls),
		})
	}
	fmt.Fprintln(d.process.stdout)
	if err := printTable(d.process.stdout, lines, 1, 2, 4, 5); err != nil {
		return err
	}
	if differ > 0 {
		return fmt.Errorf("source and destination of %d tenants differ; see the table above", differ)
	}
	return nil
}
