package main

import (
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/internal/figures"
	"github.com/tvmexport/tvmexport/kusto"
)

func (p *process) statusCommand() *cobra.Command {
	var asJSON bool
	var wait time.Duration
	c := &cobra.Command{
		Use:   "status",
		Short: "Show tables, their rows, last runs and their age",
		Long: `status shows each configured table: its load type, whether it is active, the age of
its last committed run, the rows that readers see and what that run has changed, what
the table holds (the full state of a Snapshot, or the events up to a watermark), how
long the run took, and how the last invocation ended. It reads the database only. If the database does not answer within --wait, it
fails and says what it waited for.`,
		Example: "  tvmexport status --json",
		Args:    noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			if wait <= 0 {
				return usage(fmt.Errorf("--wait is %s; it must be above 0", wait))
			}
			var on waiting
			p.instrument = on.instrument
			x, err := p.configured(c.Context())
			if err != nil {
				return err
			}
			defer x.Close()
			s, err := within(c.Context(), wait, &on, x.Reports().Status)
			if err != nil {
				return err
			}
			if s.Newer != nil {
				fmt.Fprintf(p.stderr, "note: %s\n", oneLine(advise(s.Newer).Error()))
			}
			if err := printStatus(p.stdout, s, asJSON); err != nil || asJSON || x.Lake == nil {
				return err
			}
			_, err = fmt.Fprintf(p.stdout, "\n%s\n", openingOf(x.Lake))
			return err
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON, one line per table")
	c.Flags().DurationVar(&wait, "wait", 5*time.Second, "give up (exit code 5) if the database has not answered after this long")
	return c
}

// statusLine is a table's status as JSON.
type statusLine struct {
	Table      string  `json:"table"`
	Into       string  `json:"into"`
	LoadType   string  `json:"loadType"`
	Active     bool    `json:"active"`
	Run        string  `json:"run,omitempty"`
	Committed  string  `json:"committed,omitempty"`
	AgeSeconds float64 `json:"ageSeconds,omitempty"`
	Rows       int64   `json:"rows"` // that the last committed run published
	Watermark  string  `json:"watermark,omitempty"`
	RunningBy  string  `json:"runningBy,omitempty"`
	LastStatus string  `json:"lastStatus,omitempty"`
	LastError  string  `json:"lastError,omitempty"`

	TableRows *int64  `json:"tableRows,omitempty"` // that readers see; missing where that is not recorded
	Growth    *int64  `json:"growth,omitempty"`    // by the last committed run
	Seconds   float64 `json:"seconds,omitempty"`   // that the last committed run took
	FullAt    string  `json:"fullAt,omitempty"`    // when the newest full run was committed
	Deltas    int     `json:"deltas,omitempty"`    // committed delta runs since then

	Gap *lostLine `json:"gap,omitempty"` // that the last committed run found
}

func statusLineOf(t kusto.TableStatus) statusLine {
	l := statusLine{Table: t.Order.Table, Into: t.Order.Into, LoadType: string(t.Order.Load), Active: t.Order.Active}
	if t.Order.Err != nil {
		l.LastError = t.Order.Err.Error()
	}
	if t.Last != nil {
		l.Run, l.Rows = string(t.Last.ID), t.Last.Rows
		if e := t.Last.Effect; e != nil { // not recorded by earlier versions
			l.TableRows, l.Growth, l.Deltas, l.Seconds = &e.TableRows, &e.Growth, max(e.Deltas, 0), e.Took.Seconds()
			if !t.FullAt.IsZero() {
				l.FullAt = t.FullAt.UTC().Format(time.RFC3339)
			}
		}
		l.Committed, l.AgeSeconds = t.Last.At.UTC().Format(time.RFC3339), t.Age.Seconds()
		if !t.Last.Watermark.IsZero() {
			l.Watermark = t.Last.Watermark.UTC().Format(time.RFC3339Nano)
		}
		if t.Last.Gap != (tvmexport.Window{}) {
			gap := lostLineOf(t.Last.Gap)
			l.Gap = &gap
		}
	}
	if t.Holder != nil {
		l.RunningBy = t.Holder.Owner
	}
	if t.Audit != nil {
		l.LastStatus = t.Audit.Status
		if t.Audit.Reason != "" {
			l.LastError = t.Audit.Reason
		}
	}
	return l
}

func printStatus(w io.Writer, s kusto.Status, asJSON bool) error {
	if asJSON {
		out := json.NewEncoder(w)
		for _, t := range s.Tables {
			if err := out.Encode(statusLineOf(t)); err != nil {
				return err
			}
		}
		return nil
	}
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "TABLE\tLOAD\tACTIVE\tCOMMITTED\tAGE\tROWS\tHOLDS\tTOOK\tLAST")
	for _, t := range s.Tables {
		l := statusLineOf(t)
		age := "never"
		if t.Last != nil {
			age = t.Age.Round(time.Second).String()
		}
		fmt.Fprintf(tw, "%s\t%s\t%t\t%s\t%s\t%s\t%s\t%s\t%s\n", l.Table, l.LoadType, l.Active, dash(l.Committed), age, statusRows(t), statusHolds(t, s.Now), statusTook(t), dash(l.LastStatus))
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	for _, t := range s.Tables {
		if l := statusLineOf(t); l.LastError != "" {
			fmt.Fprintf(w, "%s: %s\n", l.Table, oneLine(l.LastError))
		}
	}
	return nil
}

// statusRows is how many rows the table has, and what its last committed run has
// changed: "530 rows, no change".
func statusRows(t kusto.TableStatus) string {
	if t.Last == nil {
		return "-"
	}
	has := "-"
	if rows, known := t.TableRows(); known {
		has = figures.Rows(rows)
	}
	return has + ", " + changedBy(t.Last)
}

// changedBy is what a committed run has changed. Runs of earlier versions do not say
// how the table has grown.
func changedBy(c *tvmexport.Committed) string {
	if c.Effect == nil {
		return figures.Changed(c.Rows, 0)
	}
	return figures.Changed(c.Rows, c.Effect.Growth)
}

// statusHolds is what readers find in the table.
func statusHolds(t kusto.TableStatus, now time.Time) string {
	switch {
	case t.Last == nil:
		return "-"
	case t.Order.Load != tvmexport.Snapshot:
		if t.Last.Watermark.IsZero() {
			return "-"
		}
		return "up to watermark " + t.Last.Watermark.UTC().Format(time.RFC3339Nano)
	case t.FullAt.IsZero():
		return "full state"
	}
	return "full state; " + figures.FullSnapshot(now.Sub(t.FullAt), t.Deltas())
}

// statusTook is how long the last committed run took.
func statusTook(t kusto.TableStatus) string {
	if t.Last == nil || t.Last.Effect == nil {
		return "-"
	}
	return figures.Span(t.Last.Effect.Took)
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
