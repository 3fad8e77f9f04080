package main

import (
	"context"
	"encoding/json"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/internal/serve/schedule"
	"github.com/tvmexport/tvmexport/internal/wiring"
)

// timetableCommand is tables schedule.
func (p *process) timetableCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "schedule",
		Short: "Show when serve exports each configured table",
		Long: `schedule shows the schedule of each configured table and when serve exports it next.
The schedules are in the configuration: schedule, and serve.schedules for single
tables. serve.jitter can delay an export.`,
		Example: "  tvmexport tables schedule",
		Args:    noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			return p.printTimetable(c.Context(), asJSON)
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON, one line per table")
	return c
}

// scheduleLine is a table's schedule as JSON.
type scheduleLine struct {
	Table    string `json:"table"`
	Active   bool   `json:"active"`
	Schedule string `json:"schedule"`
	Next     string `json:"next,omitempty"`
}

func (p *process) printTimetable(ctx context.Context, asJSON bool) error {
	x, err := p.configured(ctx)
	if err != nil {
		return err
	}
	defer x.Close()
	t, err := wiring.Timetable(x.Config)
	if err != nil {
		return usage(err)
	}
	orders, err := x.Configuration().Orders(ctx)
	if err != nil {
		return err
	}
	lines := scheduleLines(orders, t, time.Now())
	if asJSON {
		out := json.NewEncoder(p.stdout)
		for _, l := range lines {
			if err := out.Encode(l); err != nil {
				return err
			}
		}
		return nil
	}
	w := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "TABLE\tACTIVE\tSCHEDULE\tNEXT")
	for _, l := range lines {
		fmt.Fprintf(w, "%s\t%t\t%s\t%s\n", l.Table, l.Active, l.Schedule, dash(l.Next))
	}
	return w.Flush()
}

// scheduleLines are the schedules of the configured tables; one that is not active is
// not exported next.
func scheduleLines(orders []tvmexport.Order, t schedule.Timetable, now time.Time) []scheduleLine {
	lines := make([]scheduleLine, len(orders))
	for i, o := range orders {
		s := t.For(o.Table)
		lines[i] = scheduleLine{Table: o.Table, Active: o.Active, Schedule: s.String()}
		if next := s.Next(now); o.Active && !next.IsZero() {
			lines[i].Next = next.UTC().Format(time.RFC3339)
		}
	}
	return lines
}
