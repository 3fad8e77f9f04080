package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/tvmexport/tvmexport/internal/config"
	"github.com/tvmexport/tvmexport/internal/figures"
	"github.com/tvmexport/tvmexport/internal/wiring"
	"github.com/tvmexport/tvmexport/kusto"
)

type statusFlags struct {
	json    bool
	tenants []string
	wait    time.Duration
}

func statusCommand(p *process) *cobra.Command {
	var f statusFlags
	c := &cobra.Command{
		Use:   "status",
		Short: "Show schedules, runs and newest commits of the tenants",
		Long: `status shows for each tenant the state of its schedule on the cluster, when it runs
next, how its last run ended, and the age of the oldest of its active tables according
to the ledger. Exit code 3: a tenant lacks a schedule, its last run failed, or its ledger
cannot be read.`,
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error { return status(c.Context(), p, f) },
	}
	flags := c.Flags()
	flags.BoolVar(&f.json, "json", false, "print the result as JSON, one line per tenant")
	flags.StringArrayVar(&f.tenants, "tenant", nil, "`name` of a tenant (repeatable; default: all tenants)")
	flags.DurationVar(&f.wait, "wait", 10*time.Second, "how long the ledger of a tenant may take to answer")
	return c
}

// tenantStatus is what is known of a tenant, as JSON.
type tenantStatus struct {
	Tenant   string `json:"tenant"`
	Schedule string `json:"schedule,omitempty"` // as cron expressions
	State    string `json:"state"`              // scheduled, running, paused, missing, unreadable
	Note     string `json:"note,omitempty"`     // why it is paused
	Next     string `json:"next,omitempty"`
	LastRun  string `json:"lastRun,omitempty"` // running, committed, partly, failed, canceled, terminated, timed out
	LastAt   string `json:"lastAt,omitempty"`
	Skipped  int    `json:"skipped,omitempty"` // runs that would have overlapped
	Missed   int    `json:"missed,omitempty"`  // runs that the cluster could not start in time

	Tables     int     `json:"tables"`               // active
	Never      int     `json:"never,omitempty"`      // active tables without a commit
	AgeSeconds float64 `json:"ageSeconds,omitempty"` // of the oldest of the newest commits
	Error      string  `json:"error,omitempty"`
}

func status(ctx context.Context, p *process, f statusFlags) error {
	if f.wait <= 0 {
		return wiring.Usage(fmt.Errorf("--wait is %s; it must be above 0", f.wait))
	}
	top, members, err := p.configuration()
	if err != nil {
		return err
	}
	members, err = selected(members, f.tenants)
	if err != nil {
		return err
	}
	c, err := p.connect(ctx, p, top)
	if err != nil {
		return err
	}
	defer c.close()
	log, err := p.logger()
	if err != nil {
		return err
	}
	shared := wiring.NewClients(top.Fleet)
	defer shared.Close()
	list := make([]tenantStatus, len(members))
	var g errgroup.Group
	g.SetLimit(atOnce)
	for i, m := range members {
		g.Go(func() error {
			list[i] = ofCluster(ctx, c, m)
			if m.Err != nil {
				return nil
			}
			ledger, err := ledgerOf(ctx, wiring.Setup{Config: m.Config, Member: &m, Env: p.env, Logger: log, Version: version, Clients: shared}, f.wait)
			list[i].fill(ledger, err)
			return nil
		})
	}
	_ = g.Wait()
	if err := context.Cause(ctx); err != nil {
		return err
	}
	if err := printTenants(p.stdout, list, f.json, time.Now()); err != nil {
		return err
	}
	for _, s := range list {
		if s.wrong() {
			return &reported{exitPartly}
		}
	}
	return nil
}

// ofCluster is what the cluster knows of a tenant.
func ofCluster(ctx context.Context, c *cluster, m config.Member) tenantStatus {
	s := tenantStatus{Tenant: m.Name, State: "unreadable"}
	if m.Err != nil {
		s.Error = oneLine(m.Err.Error())
		return s
	}
	schedule, state, ok, err := c.schedules.Read(ctx, m.Name)
	switch {
	case err != nil:
		s.Error = oneLine(err.Error())
		return s
	case !ok:
		s.State = "missing"
		return s
	}
	s.State, s.Schedule, s.Skipped, s.Missed = "scheduled", schedule.When(), state.Skipped, state.Missed
	if !state.Next.IsZero() {
		s.Next = state.Next.UTC().Format(time.RFC3339)
	}
	switch {
	case state.Running != "":
		s.State = "running"
	case schedule.Paused:
		s.State, s.Note = "paused", schedule.Note
	}
	if state.Last == "" {
		return s
	}
	s.LastAt = state.LastAt.UTC().Format(time.RFC3339)
	e, err := c.ending(ctx, state.Last, state.LastRun)
	if err != nil {
		s.Error = oneLine(err.Error())
		return s
	}
	s.LastRun, s.Error = e.State, oneLine(e.Error)
	return s
}

// ledgerOf reads the status of a tenant's tables from its database.
func ledgerOf(ctx context.Context, setup wiring.Setup, wait time.Duration) (kusto.Status, error) {
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	x, err := wiring.Open(ctx, setup)
	if err != nil {
		return kusto.Status{}, err
	}
	defer x.Close()
	return x.Reports().Status(ctx)
}

// fill adds what the ledger knows.
func (s *tenantStatus) fill(ledger kusto.Status, err error) {
	if err != nil {
		s.Error = oneLine("the ledger cannot be read: " + err.Error())
		return
	}
	for _, t := range ledger.Tables {
		switch {
		case !t.Order.Active:
			continue
		case t.Last == nil:
			s.Never++
		default:
			s.AgeSeconds = max(s.AgeSeconds, t.Age.Seconds())
		}
		s.Tables++
	}
}

// wrong says whether an operator has to look at the tenant.
func (s tenantStatus) wrong() bool {
	return s.Error != "" || s.State == "missing" || s.State == "unreadable" || s.LastRun == "failed" || s.LastRun == "partly" || s.LastRun == "timed out"
}

func printTenants(w io.Writer, list []tenantStatus, asJSON bool, now time.Time) error {
	if asJSON {
		out := json.NewEncoder(w)
		for _, s := range list {
			if err := out.Encode(s); err != nil {
				return err
			}
		}
		return nil
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "TENANT\tSCHEDULE\tSTATE\tNEXT\tLAST RUN\tTABLES\tOLDEST COMMIT")
	for _, s := range list {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%d\t%s\n", s.Tenant, dash(s.Schedule), s.State, until(s.Next, now), dash(s.LastRun), s.Tables, s.oldest())
	}
	if err := table.Flush(); err != nil {
		return err
	}
	for _, s := range list {
		for _, remark := range []string{s.Note, s.Error} {
			if remark == "" {
				continue
			}
			if _, err := fmt.Fprintf(w, "%s: %s\n", s.Tenant, remark); err != nil {
				return err
			}
		}
	}
	return nil
}

// oldest is the age of the table whose newest commit is the oldest.
func (s tenantStatus) oldest() string {
	switch {
	case s.Never > 0:
		return figures.Plural(s.Never, "table") + " never"
	case s.Tables == 0:
		return "-"
	}
	return figures.Span(time.Duration(s.AgeSeconds*float64(time.Second))) + " ago"
}

// until is how long it takes to a time.
func until(text string, now time.Time) string {
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return "-"
	}
	return "in " + figures.Span(max(at.Sub(now), 0))
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
