package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/tvmexport/tvmexport/engine"
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
		Short: "Estimate what a run would do and cost; export nothing",
		Long: `plan counts the same rows as a run and divides them in the same way. For each table
it prints rows, partitions, slices, calls, bytes, time under the quota, and the
commands to the database. It exports nothing and takes no lease. It only notes its
calls in the ledger, so that other processes keep to the quota.

A run fetches a whole Snapshot the first time, every snapshots.full_every, and when
its columns change. Otherwise it fetches the partitions that changed since the last
run. plan prints the kind of run and the reason.

plan costs a call for the schemas and one for the counts of small tables. Before the
first export one more call measures some hundred rows of each table to estimate
their size. The time estimate assumes that the run starts now, with the quota that
is left in this minute and hour. It assumes calls as long as those of the plan, and
10 MB of rows a second.

The last line contains a number that identifies the plan, for example for a change
ticket.`,
		Example: `  tvmexport plan
  tvmexport plan --full --commands
  tvmexport plan --table DeviceTvmSoftwareInventory --json`,
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error { return p.plan(c.Context(), f) },
	}
	flags := c.Flags()
	flags.StringArrayVar(&f.tables, "table", nil, "source `table` to plan (repeatable; default: all active tables)")
	flags.BoolVar(&f.full, "full", false, "plan a full run, as run --full")
	flags.StringVar(&f.from, "from", "", "start of the watermark window, a `time` in RFC 3339 format, as for run")
	flags.StringVar(&f.to, "to", "", "end of the watermark window, a `time` in RFC 3339 format, as for run")
	flags.DurationVar(&f.maxWait, "max-wait", 10*time.Minute, "give up after waiting this long for the tenant's quota")
	flags.BoolVar(&f.commands, "commands", false, "list the commands to the database")
	flags.BoolVar(&f.json, "json", false, "print JSON, one line per table and one total line")
	return c
}

func (p *process) plan(ctx context.Context, f planFlags) error {
	req := engine.Request{Tables: f.tables, Full: f.full}
	var err error
	if req.From, err = timeFlag("--from", f.from); err != nil {
		return err
	}
	if req.To, err = timeFlag("--to", f.to); err != nil {
		return err
	}
	s, err := p.openSession(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	source, exporter, err := s.signIn(ctx, f.maxWait)
	if err != nil {
		return err
	}
	record := shareQuota(ctx, p, exporter)
	tables, err := exporter.Plan(ctx, req)
	record()
	s.printer.Close()
	if err != nil {
		return err
	}
	out, err := estimateOf(ctx, s.parts, source, exporter, tables)
	if err != nil {
		return err
	}
	if err := out.print(p.stdout, f); err != nil {
		return err
	}
	return combinedResult(tables, func(t engine.PlannedTable) error { return t.Err })
}

// What is reckoned with where nothing is measured.
const (
	bytesPerSecond = 10e6             // of an answer
	landing        = 45 * time.Second // from a table's last answer to its commit: the batching policy, and what follows
	callsAtOnce    = 4                // of an Exporter
)

// meanOf estimates the duration of one call, given the number of calls and bytes.
func meanOf(source *hunting.Client, calls int, bytes int64) time.Duration {
	each := source.Mean()
	if calls > 0 {
		each += time.Duration(float64(bytes) / float64(calls) / bytesPerSecond * float64(time.Second))
	}
	return each
}
