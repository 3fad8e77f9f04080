package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/hunting"
)

type planFlags struct {
	tables   []string
	full     bool
	from, to string
	maxWait  time.Duration
	commands bool
	json     bool
}

func (p *process) planCommand() *cobra.Command {
	var f planFlags
	c := &cobra.Command{
		Use:   "plan",
		Short: "Say what a run would do and cost; nothing is written",
		Long: `plan asks the source the same counts as a run, cuts them in the same way, and says
for each table: rows, parts, slices, calls, bytes, time under the quota, and what
would be sent to the database. It writes nothing and takes no lease.

A Snapshot is fetched whole the first time, every snapshots.full_every, and when
its columns change; else a run fetches the parts that have changed since the last
one. plan says which it would be, and why.

It costs about two calls per table: the schema and the count. Where nothing was
exported yet it asks for a sample of some hundred rows too, to learn their size.
The time is what the calls would take if the run began now: under the share of
the quota that is left in this hour, each call as long as those of the plan and
10 MB of rows a second.

The last line, with a number that stands for all that was planned, can go into a
change ticket.`,
		Example: `  tvmexport plan
  tvmexport plan --full --commands
  tvmexport plan --table DeviceTvmSoftwareInventory --json`,
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error { return p.plan(c.Context(), f) },
	}
	flags := c.Flags()
	flags.StringArrayVar(&f.tables, "table", nil, "source table to plan (repeatable; default all active ones)")
	flags.BoolVar(&f.full, "full", false, "plan a run --full")
	flags.StringVar(&f.from, "from", "", "lower end of the watermark window (RFC 3339), as of run")
	flags.StringVar(&f.to, "to", "", "upper end of the watermark window (RFC 3339), as of run")
	flags.DurationVar(&f.maxWait, "max-wait", 10*time.Minute, "longest wait for the tenant's quota")
	flags.BoolVar(&f.commands, "commands", false, "list what would be sent to the database")
	flags.BoolVar(&f.json, "json", false, "print JSON, one line per table and one for all of them")
	return c
}

func (p *process) plan(ctx context.Context, f planFlags) error {
	req := tvmexport.Request{Tables: f.tables, Full: f.full}
	var err error
	if req.From, err = moment("--from", f.from); err != nil {
		return err
	}
	if req.To, err = moment("--to", f.to); err != nil {
		return err
	}
	x, err := p.configured(ctx)
	if err != nil {
		return err
	}
	defer x.destination.Close()
	printer, err := p.printer()
	if err != nil {
		return err
	}
	defer printer.Close()
	source, err := p.source(ctx, x, f.maxWait, printer)
	if err != nil {
		return err
	}
	exporter := p.exporter(x, source, printer)
	tables, err := exporter.Plan(ctx, req)
	printer.Close()
	if err != nil {
		return err
	}
	out, err := outlookOf(ctx, x, source, exporter, tables)
	if err != nil {
		return err
	}
	if err := out.print(p.stdout, f); err != nil {
		return err
	}
	return jointly(tables, func(t tvmexport.PlannedTable) error { return t.Err })
}

// What is reckoned with where nothing is measured.
const (
	bytesPerSecond = 10e6             // of an answer
	landing        = 45 * time.Second // from a table's last answer to its commit: the batching policy, and what follows
	callsAtOnce    = 4                // of an Exporter
)

// meanOf is how long one of so many calls takes, with so many bytes in all.
func meanOf(source *hunting.Client, calls int, bytes int64) time.Duration {
	each := source.Mean()
	if calls > 0 {
		each += time.Duration(float64(bytes) / float64(calls) / bytesPerSecond * float64(time.Second))
	}
	return each
}
