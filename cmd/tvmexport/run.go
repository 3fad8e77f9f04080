package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/engine"
	"github.com/tvmexport/tvmexport/internal/figures"
	"github.com/tvmexport/tvmexport/internal/progress"
)

type runFlags struct {
	tables   []string
	full     bool
	from, to string
	maxWait  time.Duration
	json     bool
}

func (p *process) runCommand() *cobra.Command {
	var f runFlags
	c := &cobra.Command{
		Use:   "run",
		Short: "Export all active tables once",
		Long: `run reads the active tables from MigrationConfiguration. For each table it fetches
the rows that the load type requires, ingests them into a landing table, counts
them there, publishes them and commits the run. A table that fails does not stop
the others. If a run is interrupted, the next one resumes it.`,
		Example: "  tvmexport run\n  tvmexport run --table DeviceTvmSoftwareInventory --json",
		Args:    noArguments,
		RunE:    func(c *cobra.Command, _ []string) error { return p.export(c.Context(), f) },
	}
	flags := c.Flags()
	flags.StringArrayVar(&f.tables, "table", nil, "source `table` to export (repeatable; default: all active tables)")
	flags.BoolVar(&f.full, "full", false, "fetch whole tables, also those with an incremental load type: their functions then show only what the source still has")
	flags.StringVar(&f.from, "from", "", "start of the watermark window, a `time` in RFC 3339 format, instead of the last watermark")
	flags.StringVar(&f.to, "to", "", "end of the watermark window, a `time` in RFC 3339 format")
	flags.DurationVar(&f.maxWait, "max-wait", time.Hour, "give up (exit code 5) after waiting this long for quota; landed batches are kept for the next run")
	flags.BoolVar(&f.json, "json", false, "print the result as JSON, one line per table")
	return c
}

func (p *process) export(ctx context.Context, f runFlags) error {
	req := engine.Request{Tables: f.tables, Full: f.full}
	var err error
	if req.From, err = timeFlag("--from", f.from); err != nil {
		return err
	}
	if req.To, err = timeFlag("--to", f.to); err != nil {
		return err
	}
	return p.exportWith(ctx, f.maxWait, f.json, func(context.Context, *engine.Exporter) (engine.Request, error) { return req, nil })
}

// exportWith makes one run of what the request says.
func (p *process) exportWith(ctx context.Context, maxWait time.Duration, asJSON bool, request func(context.Context, *engine.Exporter) (engine.Request, error)) error {
	s, err := p.openSession(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	_, exporter, err := s.signInOrFail(ctx, maxWait)
	if err != nil {
		return err
	}
	requests := &progress.Requests{}
	exporter.Hooks = tvmexport.JoinHooks(exporter.Hooks, requests.Hooks())
	req, err := request(ctx, exporter)
	if err != nil {
		return err
	}
	report, err := exporter.Run(ctx, req)
	s.printer.Close()
	show := printReport
	if p.brief && !asJSON {
		show = printBrief
	}
	_ = show(p.stdout, report, requests, asJSON) // the output says itself that it was not written
	if code := reportCode(report); err == nil && code != exitDone {
		return &reported{code}
	}
	return err
}

func timeFlag(flag, s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return t, usage(fmt.Errorf("%s is %q; it must be a time such as 2026-11-23T00:00:00Z", flag, s))
	}
	return t, nil
}

// resultLine is a table's result as JSON.
type resultLine struct {
	Table     string   `json:"table"`
	Run       string   `json:"run,omitempty"`
	Status    string   `json:"status"`
	Rows      int64    `json:"rows"` // that the run published
	Bytes     int64    `json:"bytes"`
	Nulled    int64    `json:"nulled,omitempty"` // values that do not fit their type
	Calls     int      `json:"calls"`
	Slices    int      `json:"slices"`
	Kind      string   `json:"kind,omitempty"`    // full, or delta: what has changed or is new
	Parts     int      `json:"parts,omitempty"`   // of a Snapshot, that were compared
	Changed   int      `json:"changed,omitempty"` // parts of them that were fetched
	Whole     string   `json:"whole,omitempty"`   // why a Snapshot was fetched completely
	Watermark string   `json:"watermark,omitempty"`
	Resumed   int64    `json:"resumed,omitempty"`  // rows taken over from an interrupted run
	Late      int64    `json:"late,omitempty"`     // rows with an older watermark
	Finished  int64    `json:"finished,omitempty"` // rows of an earlier run's publication
	Seconds   float64  `json:"seconds"`            // of the table's own run
	Requests  []string `json:"requests,omitempty"` // Microsoft's ids of the answers
	Notes     []string `json:"notes,omitempty"`
	Error     string   `json:"error,omitempty"`

	Unread []tvmexport.Unread `json:"unread,omitempty"` // Nulled by column
	Gaps   []lostLine         `json:"gaps,omitempty"`   // what the source no longer had

	TableRows *int64 `json:"tableRows,omitempty"` // that readers see of the table
	Growth    int64  `json:"growth"`              // how many more they are than before the run
}

// lostLine is a gap in events as JSON: events after From and up to To are lost.
type lostLine struct {
	From string `json:"from"`
	To   string `json:"to"`
}

func lostLineOf(gap tvmexport.Window) lostLine {
	return lostLine{From: gap.From.UTC().Format(time.RFC3339Nano), To: gap.To.UTC().Format(time.RFC3339Nano)}
}

func printReport(w io.Writer, r engine.Report, requests *progress.Requests, asJSON bool) error {
	if asJSON {
		out := json.NewEncoder(w)
		for _, o := range r.Outcomes {
			if err := out.Encode(lineOf(o, requests.Of(o.Run.ID))); err != nil {
				return err
			}
		}
		return nil
	}
	if len(r.Outcomes) == 0 {
		return nil
	}
	if err := printResults(w, r); err != nil {
		return err
	}
	printRemarks(w, r)
	return nil
}

// printBrief prints a line for the whole run, and what tables have to say beyond their result.
func printBrief(w io.Writer, r engine.Report, _ *progress.Requests, _ bool) error {
	if len(r.Outcomes) == 0 {
		return nil
	}
	if _, err := fmt.Fprintln(w, totalLine(r)); err != nil {
		return err
	}
	printRemarks(w, together(r))
	return nil
}

// together is a report in which tables that failed for one reason, such as a refused
// sign-in, are one: the first of them, whose name says how many there are.
func together(r engine.Report) engine.Report {
	first := map[string]int{}
	var out []engine.Result
	more := map[int]int{}
	for _, o := range r.Outcomes {
		if o.Err != nil {
			if i, ok := first[o.Err.Error()]; ok {
				more[i]++
				continue
			}
			first[o.Err.Error()] = len(out)
		}
		out = append(out, o)
	}
	for i, n := range more {
		out[i].Table.Name += " and " + figures.Plural(n, "other table")
	}
	r.Outcomes = out
	return r
}

// printRemarks prints why tables failed, and the notes of the others.
func printRemarks(w io.Writer, r engine.Report) {
	for _, o := range r.Outcomes {
		if o.Err != nil {
			fmt.Fprintf(w, "%s: %s\n", o.Table.Name, oneLine(advise(o.Err).Error()))
		}
		for _, n := range advisedNotes(o.Notes) {
			fmt.Fprintf(w, "%s: %s\n", o.Table.Name, n)
		}
		if len(o.Unread) > 0 {
			fmt.Fprintf(w, "%s: %s\n", o.Table.Name, tvmexport.UnreadReason(o.Unread))
		}
	}
}

// printResults prints a line per table, and one for all of them if there are several.
func printResults(w io.Writer, r engine.Report) error {
	lines := [][]string{{"TABLE", "STATUS", "ROWS", "JSON", "CALLS", "TOOK"}}
	for _, o := range r.Outcomes {
		l := lineOf(o, nil)
		lines = append(lines, []string{l.Table, l.Status, rowsCell(o), progress.Size(l.Bytes), strconv.Itoa(l.Calls), figures.Span(o.Took)})
	}
	// The size of the answers, the calls and the time are also in --json and in the audit.
	if err := printTable(w, lines, 3, 4, 5); err != nil {
		return err
	}
	if len(r.Outcomes) < 2 {
		return nil
	}
	_, err := fmt.Fprintln(w, totalLine(r))
	return err
}

// totalLine says in one line what a run did to all of its tables.
func totalLine(r engine.Report) string {
	failed, calls, changed := 0, 0, int64(0)
	for _, o := range r.Outcomes {
		calls += o.Calls
		if o.Err != nil {
			failed++
		} else {
			changed += moved(o)
		}
	}
	n := len(r.Outcomes)
	outcome := fmt.Sprintf("%d committed", n-failed)
	if failed > 0 {
		outcome += fmt.Sprintf(", %d failed", failed)
	}
	return fmt.Sprintf("%s: %s; %s changed, %s, %s",
		figures.Plural(n, "table"), outcome, figures.Rows(changed), figures.Plural(calls, "call"), figures.Span(r.Took))
}

// printTable prints cells in columns. On a terminal that is too narrow for them, the
// columns drop are left out, one after another, and names are shortened.
func printTable(w io.Writer, cells [][]string, drop ...int) error {
	for _, line := range progress.Table(cells, widthOf(w), drop...) {
		if _, err := fmt.Fprintln(w, line); err != nil {
			return err
		}
	}
	return nil
}

// moved is how many rows a run has published, or else has removed.
func moved(o engine.Result) int64 {
	if o.Rows == 0 {
		return max(o.Growth, -o.Growth)
	}
	return o.Rows
}

// rowsCell is how many rows the table has, and what the run has changed: "530 rows, no change".
func rowsCell(o engine.Result) string {
	switch {
	case o.Err == nil:
		return figures.Rows(o.TableRows) + ", " + figures.Changed(o.Rows, o.Growth)
	case o.Run.ID == "": // it failed before the table was looked at
		return "-"
	}
	return figures.Rows(o.TableRows)
}

func lineOf(o engine.Result, requests []string) resultLine {
	l := resultLine{
		Table: o.Table.Name, Run: string(o.Run.ID), Status: "committed", Rows: o.Rows, Bytes: o.Bytes, Nulled: tvmexport.UnreadValues(o.Unread), Unread: o.Unread,
		Calls: o.Calls, Slices: o.Slices, Kind: string(o.Run.Kind), Parts: o.Parts, Changed: o.Changed, Whole: fullReason(o.FullReason), Resumed: o.Resumed, Late: o.Late, Finished: o.Finished, Notes: advisedNotes(o.Notes), Seconds: o.Took.Seconds(), Requests: requests,
	}
	if o.Run.ID != "" {
		l.TableRows = &o.TableRows
	}
	l.Growth = o.Growth
	if !o.Run.Watermark.IsZero() {
		l.Watermark = o.Run.Watermark.UTC().Format(time.RFC3339Nano)
	}
	for _, gap := range o.Gaps {
		l.Gaps = append(l.Gaps, lostLineOf(gap))
	}
	if o.Err != nil {
		l.Status, l.Error = "failed", advise(o.Err).Error()
	}
	return l
}
