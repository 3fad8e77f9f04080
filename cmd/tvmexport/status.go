package main

import (
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/tvmexport/tvmexport/internal/progress"
	"github.com/tvmexport/tvmexport/kusto"
)

func (p *process) statusCommand() *cobra.Command {
	var asJSON bool
	var wait time.Duration
	c := &cobra.Command{
		Use:   "status",
		Short: "Show watermarks, last runs and their age",
		Long: `status shows each configured table: its load type, whether it is active, its last
committed run with its age and rows, its watermark, and how the last invocation
ended. It reads the database only. If the database does not answer within --wait, it
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
			defer x.destination.Close()
			s, err := within(c.Context(), wait, &on, x.destination.Reports().Status)
			if err != nil {
				return err
			}
			if s.Newer != nil {
				fmt.Fprintf(p.stderr, "note: %s\n", oneLine(advise(s.Newer).Error()))
			}
			return printStatus(p.stdout, s, asJSON)
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
	Rows       int64   `json:"rows"`
	Watermark  string  `json:"watermark,omitempty"`
	RunningBy  string  `json:"runningBy,omitempty"`
	LastStatus string  `json:"lastStatus,omitempty"`
	LastError  string  `json:"lastError,omitempty"`
}

func statusLineOf(t kusto.TableStatus) statusLine {
	l := statusLine{Table: t.Order.Table, Into: t.Order.Into, LoadType: string(t.Order.Load), Active: t.Order.Active}
	if t.Order.Err != nil {
		l.LastError = t.Order.Err.Error()
	}
	if t.Last != nil {
		l.Run, l.Rows = string(t.Last.ID), t.Last.Rows
		l.Committed, l.AgeSeconds = t.Last.At.UTC().Format(time.RFC3339), t.Age.Seconds()
		if !t.Last.Watermark.IsZero() {
			l.Watermark = t.Last.Watermark.UTC().Format(time.RFC3339Nano)
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
	fmt.Fprintln(tw, "TABLE\tLOAD\tACTIVE\tCOMMITTED\tAGE\tROWS\tWATERMARK\tLAST")
	for _, t := range s.Tables {
		l := statusLineOf(t)
		age := "never"
		if t.Last != nil {
			age = t.Age.Round(time.Second).String()
		}
		fmt.Fprintf(tw, "%s\t%s\t%t\t%s\t%s\t%s\t%s\t%s\n", l.Table, l.LoadType, l.Active, dash(l.Committed), age, progress.Count(l.Rows), dash(l.Watermark), dash(l.LastStatus))
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

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
