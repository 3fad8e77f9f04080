package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/catalog"
	"github.com/tvmexport/tvmexport/internal/wiring"
	"github.com/tvmexport/tvmexport/kusto"
)

type importFlags struct {
	tables   []string
	print    bool
	noReport bool
	maxWait  time.Duration
	json     bool
}

func (p *process) importCommand() *cobra.Command {
	var f importFlags
	c := &cobra.Command{
		Use:   "import",
		Short: "Take over a database of an older exporter",
		Long: `import takes over a database that an older exporter has filled: tables with the
column Records or RawData, listed in MigrationConfiguration or
meta_MigrationConfiguration. It copies no data, and does not alter or drop existing
tables: runs continue in them. The old rows count as one run. Readers see the old
rows of event tables. The old rows of current-state tables stay in the published
table, but readers do not see them. TVM tables become Snapshots.

import reports the rows that the old exporter duplicated or missed, by table and
day. It finds missed rows of the last 30 days only, because it compares with
Defender. Stop the old exporter first. A second import changes nothing.`,
		Example: "  tvmexport import --print\n  tvmexport import\n  tvmexport import --json > takeover.ndjson",
		Args:    noArguments,
		RunE:    func(c *cobra.Command, _ []string) error { return p.takeOver(c.Context(), f) },
	}
	flags := c.Flags()
	flags.StringArrayVar(&f.tables, "table", nil, "source `table` to take over (repeatable; default: all tables in the old configuration)")
	flags.BoolVar(&f.print, "print", false, "write nothing; print the commands and the report")
	flags.BoolVar(&f.noReport, "no-report", false, "skip the report, which reads all old rows")
	flags.DurationVar(&f.maxWait, "max-wait", time.Hour, "give up after waiting this long for the tenant's quota")
	flags.BoolVar(&f.json, "json", false, "print the result as JSON, one line per table")
	return c
}

func (p *process) takeOver(ctx context.Context, f importFlags) error {
	s, err := p.openSession(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	if err := databaseOnly(s.parts, "import"); err != nil {
		return err
	}
	list, err := s.Destination.Takeover().Takeovers(ctx, catalog.Table, f.tables)
	if err != nil {
		return err
	}
	if len(list) == 0 {
		_, err := fmt.Fprintln(p.remarks(f.json), "nothing to take over: tvmexport created every published table in the configuration")
		return err
	}
	commands, err := p.takeOverTables(ctx, s.parts, list, f.print)
	if err != nil {
		return err
	}
	reports := reportsOf(list, s.Config.Layout)
	if !f.noReport {
		s.examine(ctx, reports, f.maxWait)
		s.printer.Close()
	}
	if f.json {
		_ = printTakeoverLines(p.stdout, reports) // the output says itself that it was not written
	} else {
		_ = printTakeovers(p.stdout, reports, commands)
	}
	return combinedResult(list, func(t kusto.Takeover) error { return t.Err })
}

// takeOverTables makes what the tables lack and takes them over, or only lists
// the commands.
func (p *process) takeOverTables(ctx context.Context, x *parts, list []kusto.Takeover, dry bool) ([]kusto.Command, error) {
	var tables []tvmexport.Table
	for _, t := range list {
		if t.Err == nil {
			tables = append(tables, t.Table)
		}
	}
	tables, err := wiring.WithPolicies(tables, x.Config)
	if err != nil || len(tables) == 0 {
		return nil, err
	}
	o := wiring.ScriptOptions(x.Config)
	if dry {
		setup, err := x.Destination.Setup().Plan(ctx, tables, o)
		if err != nil {
			return nil, err
		}
		commands, err := x.Destination.Takeover().TakeoverCommands(ctx, list)
		return append(setup.Made, commands...), err
	}
	setup, err := x.Destination.Setup().Init(ctx, tables, o)
	for _, note := range setup.Notes {
		fmt.Fprintf(p.stderr, "note: %s\n", note)
	}
	if err != nil {
		return nil, err
	}
	return nil, x.Destination.Takeover().TakeOver(ctx, wiring.Owner()+" import "+time.Now().UTC().Format(time.RFC3339Nano), list)
}

// takeoverReport is what import says of a table.
type takeoverReport struct {
	kusto.Takeover
	days     []kusto.LegacyDay
	audit    []kusto.LegacyRuns
	examined bool
}

func reportsOf(list []kusto.Takeover, layout string) []*takeoverReport {
	out := make([]*takeoverReport, len(list))
	for i, t := range list {
		if t.Joined && !tvmexport.Layout(layout).Raw() {
			t.Joined = false
			t.Notes = append(t.Notes, "layout is "+layout+": readers do not see the old rows, which stay in "+t.Table.Destination+"; they start with the rows that Defender still holds")
		}
		out[i] = &takeoverReport{Takeover: t}
	}
	return out
}

// sourceHours is how far back Defender is queried: its oldest day is about to expire.
const sourceHours = 29 * 24

// examine fills in the days of each table. A failure is a note; the takeover
// remains valid.
func (s *session) examine(ctx context.Context, reports []*takeoverReport, maxWait time.Duration) {
	source, exporter, why := s.signIn(ctx, maxWait)
	if why == nil {
		defer shareQuota(ctx, s.process, exporter)()
	}
	for _, r := range reports {
		if r.Err != nil || r.Absent || r.Rows == 0 {
			continue
		}
		days, err := s.Destination.Takeover().LegacyDays(ctx, r.Takeover)
		if err != nil {
			r.Notes = append(r.Notes, "the old rows could not be examined: "+oneLine(err.Error()))
			continue
		}
		r.days, r.examined = days, true
		if r.audit, err = s.Destination.Takeover().LegacyAudit(ctx, r.Takeover); err != nil {
			r.Notes = append(r.Notes, "the old audit could not be read: "+oneLine(err.Error()))
		}
		if r.Table.LoadType == tvmexport.Snapshot || r.Newest.IsZero() {
			continue
		}
		err = why
		if err == nil {
			r.days, err = compareDays(ctx, s.Destination, source, r.Takeover, days)
		}
		if err != nil {
			r.Notes = append(r.Notes, "missing rows could not be determined from Defender: "+oneLine(err.Error()))
		}
	}
}

// compareDays compares the days that Defender still holds.
func compareDays(ctx context.Context, d *kusto.Client, source tvmexport.CountingSource, t kusto.Takeover, days []kusto.LegacyDay) ([]kusto.LegacyDay, error) {
	w := tvmexport.Window{From: time.Now().UTC().Truncate(time.Hour).Add(-sourceHours*time.Hour - tvmexport.Tick), To: t.Newest}
	if !w.From.Before(w.To) {
		return days, nil
	}
	counts, err := source.Count(ctx, tvmexport.CountQuery{Table: t.Table, Window: w, Bin: time.Hour})
	if err != nil {
		return days, err
	}
	have, err := d.Takeover().LegacyHours(ctx, t, w)
	if err != nil {
		return days, err
	}
	return kusto.Compare(days, counts.Parts, have), nil
}
