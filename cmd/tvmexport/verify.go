package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/engine"
	"github.com/tvmexport/tvmexport/internal/progress"
)

type verifyFlags struct {
	tables  []string
	run     string
	maxWait time.Duration
	json    bool
}

func (f *verifyFlags) add(c *cobra.Command) {
	flags := c.Flags()
	flags.StringArrayVar(&f.tables, "table", nil, "source `table` (repeatable; default: all active tables)")
	flags.DurationVar(&f.maxWait, "max-wait", time.Hour, "give up after waiting this long for the tenant's quota")
	flags.BoolVar(&f.json, "json", false, "print the result as JSON, one line per table")
}

func (p *process) verifyCommand() *cobra.Command {
	var f verifyFlags
	c := &cobra.Command{
		Use:   "verify",
		Short: "Compare Defender with the published tables by partition",
		Long: `verify compares row counts and content hashes between Defender and the rows that
readers see: by partition, or by hour for event tables, of which it compares the time
that Defender still keeps. It costs a call for small
tables together and one for each large table. It changes no rows, notes its calls in
the ledger, and ends with exit code 3 if something differs. Changes at
the source since the last run are differences too. verify distinguishes them from
rows that were lost or added at the destination.`,
		Example: "  tvmexport verify\n  tvmexport verify --table DeviceTvmSoftwareInventory --json",
		Args:    noArguments,
		RunE:    func(c *cobra.Command, _ []string) error { return p.verify(c.Context(), f) },
	}
	f.add(c)
	c.Flags().StringVar(&f.run, "run", "", "fail unless this `run` is the newest committed one")
	return c
}

func (p *process) repairCommand() *cobra.Command {
	var f verifyFlags
	c := &cobra.Command{
		Use:   "repair",
		Short: "Fetch the partitions that differ, and only those",
		Long: `repair verifies, then starts a run that fetches only the differences. It replaces
partitions of a Snapshot. For event tables it publishes the rows that are missing
in an hour. If published rows do not carry their partition, it fetches the whole
table.`,
		Example: "  tvmexport repair --table DeviceTvmSoftwareInventory",
		Args:    noArguments,
		RunE:    func(c *cobra.Command, _ []string) error { return p.repair(c.Context(), f) },
	}
	f.add(c)
	return c
}

func (p *process) verify(ctx context.Context, f verifyFlags) error {
	s, err := p.openSession(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	_, exporter, err := s.signIn(ctx, f.maxWait)
	if err != nil {
		return err
	}
	record := shareQuota(ctx, p, exporter)
	list, err := exporter.Verify(ctx, f.tables, tvmexport.RunID(f.run))
	record()
	s.printer.Close()
	if err != nil {
		return err
	}
	if err := printComparisons(p.stdout, list, f.json); err != nil {
		return err
	}
	if code := comparisonCode(list); code != exitDone {
		return &reported{code}
	}
	return nil
}

func (p *process) repair(ctx context.Context, f verifyFlags) error {
	return p.exportWith(ctx, f.maxWait, f.json, func(ctx context.Context, e *engine.Exporter) (engine.Request, error) {
		record := shareQuota(ctx, p, e)
		list, err := e.Verify(ctx, f.tables, "")
		var req engine.Request
		if err == nil {
			req, err = repairOf(list)
		}
		if err == nil && len(req.Tables) == 0 {
			fmt.Fprintln(p.remarks(f.json), "nothing differs")
			err = &reported{exitDone}
		}
		if err != nil {
			record() // no run follows that notes these calls with its own
		}
		return req, err
	})
}

// repairOf is the request for what differs.
func repairOf(list []engine.Comparison) (engine.Request, error) {
	req := engine.Request{Repair: map[string]engine.Repair{}}
	for _, c := range list {
		if c.Err != nil {
			return req, c.Err
		}
		if repair, ok := c.Repair(); ok {
			req.Repair[c.Table.Name] = repair
			req.Tables = append(req.Tables, c.Table.Name)
		}
	}
	return req, nil
}

// comparisonCode is 0 where nothing differs, 3 where something does, the
// cause's where no table could be compared for one cause.
func comparisonCode(list []engine.Comparison) int {
	codes := make([]int, len(list))
	for i, c := range list {
		switch {
		case c.Err != nil:
			codes[i] = codeOf(tvmexport.CauseOf(c.Err))
		case len(c.Differences) > 0:
			codes[i] = exitPartly
		}
	}
	return combinedCode(codes)
}

type comparisonLine struct {
	Table       string           `json:"table"`
	Run         string           `json:"run,omitempty"`
	Status      string           `json:"status"` // same, differs, failed
	Parts       int              `json:"parts"`
	Rows        int64            `json:"rows"`           // at the source
	From        string           `json:"from,omitempty"` // of an event table: events after it
	To          string           `json:"to,omitempty"`   // and up to it were compared
	Differences []differenceLine `json:"differences,omitempty"`
	Notes       []string         `json:"notes,omitempty"`
	Error       string           `json:"error,omitempty"`
}

type differenceLine struct {
	Part     string `json:"part"`
	Source   int64  `json:"source"`
	Readers  int64  `json:"readers"`
	Recorded *int64 `json:"recorded,omitempty"`
	Why      string `json:"why"`
}

func comparisonLineOf(c engine.Comparison) comparisonLine {
	l := comparisonLine{Table: c.Table.Name, Run: string(c.Run), Status: "same", Parts: c.Parts, Rows: c.Rows, Notes: c.Notes}
	if !c.Window.From.IsZero() {
		l.From = c.Window.From.UTC().Format(time.RFC3339Nano)
	}
	if !c.Window.To.IsZero() {
		l.To = c.Window.To.UTC().Format(time.RFC3339Nano)
	}
	for _, d := range c.Differences {
		line := differenceLine{Part: partName(d), Source: d.Source, Readers: d.Readers, Why: d.Why}
		if d.Recorded != tvmexport.Missing {
			line.Recorded = &d.Recorded
		}
		l.Differences = append(l.Differences, line)
		l.Status = "differs"
	}
	if c.Err != nil {
		l.Status, l.Error = "failed", advise(c.Err).Error()
	}
	return l
}

// partName is a partition in quotes, or a window as its two ends.
func partName(d engine.Difference) string {
	if d.Window == (tvmexport.Window{}) {
		return fmt.Sprintf("partition %q", string(d.Partition))
	}
	return d.Window.From.UTC().Format(time.RFC3339Nano) + " to " + d.Window.To.UTC().Format(time.RFC3339Nano)
}

func printComparisons(w io.Writer, list []engine.Comparison, asJSON bool) error {
	if asJSON {
		out := json.NewEncoder(w)
		for _, c := range list {
			if err := out.Encode(comparisonLineOf(c)); err != nil {
				return err
			}
		}
		return nil
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "TABLE\tSTATUS\tROWS\tPARTS\tDIFFERENT")
	for _, c := range list {
		l := comparisonLineOf(c)
		fmt.Fprintf(t, "%s\t%s\t%s\t%d\t%d\n", l.Table, l.Status, progress.Count(l.Rows), l.Parts, len(l.Differences))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, c := range list {
		l := comparisonLineOf(c)
		for _, d := range l.Differences {
			fmt.Fprintf(w, "%s %s: %d at the source, %d published: %s\n", l.Table, d.Part, d.Source, d.Readers, d.Why)
		}
		for _, n := range l.Notes {
			fmt.Fprintf(w, "%s: %s\n", l.Table, n)
		}
		if l.Error != "" {
			fmt.Fprintf(w, "%s: %s\n", l.Table, oneLine(l.Error))
		}
	}
	return nil
}
