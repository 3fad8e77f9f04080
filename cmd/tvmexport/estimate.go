package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/catalog"
	"github.com/tvmexport/tvmexport/engine"
	"github.com/tvmexport/tvmexport/hunting"
	"github.com/tvmexport/tvmexport/internal/figures"
	"github.com/tvmexport/tvmexport/internal/progress"
	"github.com/tvmexport/tvmexport/kusto"
)

// estimate is a plan as it is printed.
type estimate struct {
	Tables []planLine
	Total  planTotal
	share  float64 // of the tenant's quota
	basis  basis
}

// basis is what an estimate depends on.
type basis struct {
	call    time.Duration // of a call without its rows
	learned int           // tables of which earlier runs have told the size of a row
}

// learnedTables counts the tables whose row size earlier runs have told.
func learnedTables(tables []engine.PlannedTable) int {
	n := 0
	for _, t := range tables {
		if t.Err == nil && t.Learned {
			n++
		}
	}
	return n
}

// of says what the estimate of n tables depends on.
func (b basis) of(n int) string {
	rows := "of earlier runs"
	switch b.learned {
	case 0:
		rows = "of a sample"
	case n:
	default:
		rows = fmt.Sprintf("of earlier runs for %s, of a sample for the others", figures.Plural(b.learned, "table"))
	}
	return fmt.Sprintf("calls of %s (measured by this plan), %s of rows a second, %s from the last answer to the commit, row sizes %s",
		seconds(b.call.Seconds()), progress.Size(bytesPerSecond), figures.Span(landing), rows)
}

// planLine is what a run of one table would do.
type planLine struct {
	Table    string   `json:"table"`
	Kind     string   `json:"kind"` // full, delta, failed
	Why      string   `json:"why,omitempty"`
	Held     int64    `json:"held"` // rows at the source that were counted
	Rows     int64    `json:"rows"` // to be fetched
	Resumed  int64    `json:"resumed,omitempty"`
	Finishes string   `json:"finishes,omitempty"`
	Parts    int      `json:"parts"`
	Changed  int      `json:"changed"`
	Slices   int      `json:"slices"`
	Calls    int      `json:"calls"`
	Bytes    int64    `json:"bytes"`
	RowBytes float64  `json:"rowBytes"`
	Learned  bool     `json:"learned"` // rowBytes is what earlier runs fetched
	Seconds  float64  `json:"seconds"` // of its calls, if it ran alone
	From     string   `json:"from,omitempty"`
	To       string   `json:"to,omitempty"`
	Commands []string `json:"commands,omitempty"`
	Notes    []string `json:"notes,omitempty"`
	Error    string   `json:"error,omitempty"`

	snapshot bool // it is one, so that Held is its size after the run

	TableRows int64 `json:"tableRows"` // that readers see now
}

// planTotal is what the whole run would do.
type planTotal struct {
	Total       bool     `json:"total"`
	Tables      int      `json:"tables"`
	Rows        int64    `json:"rows"` // to be fetched
	Slices      int      `json:"slices"`
	Calls       int      `json:"calls"`
	Bytes       int64    `json:"bytes"`
	Seconds     float64  `json:"seconds"` // until the last commit
	Held        float64  `json:"secondsHeld"`
	HourlyShare float64  `json:"hourlyShare"` // of the tenant's calls in an hour
	UsedShare   float64  `json:"usedShare"`   // of them, used in the last hour
	Spent       int      `json:"spent"`       // calls that the plan made
	Minute      allowed  `json:"minute"`      // calls of this minute, by all processes that note theirs in the ledger
	Hour        allowed  `json:"hour"`        // calls of this hour
	Ends        string   `json:"ends"`        // when a run would end that started now
	Permissions []string `json:"permissions"`
	Commands    []string `json:"commands,omitempty"`
	TableRows   int64    `json:"tableRows"`    // that readers see now
	Apart       float64  `json:"secondsApart"` // of all tables, if they ran one after another
	Number      string   `json:"number"`
}

// allowed is how many calls are made, and how many may be made.
type allowed struct {
	Used  int `json:"used"`
	Limit int `json:"limit"` // the share of the tenant's quota that is the exporter's
}

func estimateOf(ctx context.Context, x *parts, source *hunting.Client, e *engine.Exporter, tables []engine.PlannedTable) (estimate, error) {
	hourly := float64(x.Config.Defender.CallsPerHour)
	need := hunting.API(x.Config.Defender.API).Permission()
	out := estimate{Total: planTotal{Total: true, Permissions: []string{granted(need)}}}
	if x.Lake != nil {
		out.Total.Permissions = append(out.Total.Permissions, "write access to the folder "+x.Config.Lake.Path)
	} else {
		out.Total.Commands = kusto.Overhead()
		out.Total.Permissions = append(
			out.Total.Permissions,
			"Database User or Viewer on "+x.Config.Kusto.Database,
			"Database Ingestor on "+x.Config.Kusto.Database+", or Table Ingestor on each of its tables",
		)
	}
	chain, calls := 0, 0
	hunted := huntedAlone(tables)
	for i, t := range tables {
		chain, calls = max(chain, hunted[i].Chain), calls+hunted[i].Calls
		l := lineOfPlan(t)
		if t.Err == nil {
			each := meanOf(source, hunted[i].Calls, t.Bytes)
			quota := source.Forecast(hunted[i].Calls, hunted[i].Chain, callsAtOnce, each).Took
			l.Seconds = round(e.EstimateDuration(hunted[i:i+1], each, quota, landing).Seconds())
			var err error
			if x.Lake != nil {
				l.Commands = nil
			} else if l.Commands, err = x.Destination.Inspect().Outline(ctx, kusto.Planned{Table: t.Table, Slices: t.Slices, Steps: t.Steps, Partitions: max(t.Changed, t.Slices)}); err != nil {
				return out, err
			}
			out.Total.Tables++
		}
		out.Tables = append(out.Tables, l)
		out.Total.Rows += l.Rows
		out.Total.TableRows += l.TableRows
		out.Total.Apart += l.Seconds
		out.Total.Slices += l.Slices
		out.Total.Calls += l.Calls
		out.Total.Bytes += l.Bytes
		out.Total.Spent += t.Spent
	}
	out.Total.Apart = round(out.Total.Apart)
	out.basis = basis{call: source.Mean(), learned: learnedTables(tables)}
	each := meanOf(source, calls, out.Total.Bytes)
	f := source.Forecast(calls, chain, callsAtOnce, each)
	out.Total.Held, out.Total.Seconds = round(f.Held.Seconds()), round(e.EstimateDuration(hunted, each, f.Took, landing).Seconds())
	u := source.Usage()
	out.Total.Minute, out.Total.Hour = allowed{u.Minute, u.Quota.PerMinute}, allowed{u.Hour, u.Quota.PerHour}
	out.Total.HourlyShare, out.Total.UsedShare = round(float64(calls)/hourly), round(float64(u.Hour)/hourly)
	out.Total.Ends = momentOf(time.Now().Add(time.Duration(out.Total.Seconds * float64(time.Second))))
	out.share = x.Config.Defender.Share
	out.Total.Number = out.number()
	return out, nil
}

// huntedAlone is the plans of tables with their calls for hunting alone. Tables of the export
// assessment APIs have quotas of their own, and a run has read their rows when it is planned.
func huntedAlone(tables []engine.PlannedTable) []engine.PlannedTable {
	out := slices.Clone(tables)
	for i := range out {
		if isExported(out[i].Table.Name) {
			out[i].Calls, out[i].Chain, out[i].Ahead = 0, 0, 0
		}
	}
	return out
}

// isExported says whether a table is one of the export assessment APIs.
func isExported(table string) bool { return catalog.SourceOf(table) == catalog.Assessment }

// round keeps four decimals, which is more than anybody knows.
func round(f float64) float64 { return float64(int64(f*1e4+0.5)) / 1e4 }

func lineOfPlan(t engine.PlannedTable) planLine {
	l := planLine{
		Table: t.Table.Name, Kind: string(t.Run.Kind), Why: fullReason(t.FullReason), TableRows: t.TableRows, Held: t.Held, Rows: t.Rows, Resumed: t.Resumed, Finishes: string(t.Finishes),
		Parts: t.Parts, Changed: t.Changed, Slices: t.Slices, Calls: t.Calls, Bytes: t.Bytes,
		RowBytes: round(t.RowBytes), Learned: t.Learned, Notes: advisedNotes(t.Notes),
	}
	if isExported(l.Table) {
		l.Calls = t.Spent // slices are read from the spool
	}
	if t.Err != nil {
		l.Kind, l.Error = "failed", advise(t.Err).Error()
		return l
	}
	l.snapshot = t.Table.LoadType == tvmexport.Snapshot
	if l.Why == "" && t.Table.LoadType == tvmexport.Snapshot {
		l.Why = fmt.Sprintf("%d of %d partitions have changed since the last run", t.Changed, t.Parts)
	}
	if w := t.Run.Window; w != (tvmexport.Window{}) {
		l.From, l.To = momentOf(w.From), momentOf(w.To)
		l.Why = fmt.Sprintf("%s from %s to %s", t.Table.Watermark, dash(l.From), dash(l.To))
	}
	return l
}

func momentOf(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// number stands for what is planned: the same plan has the same number. Times,
// which differ from moment to moment, are left out.
func (o estimate) number() string {
	h := sha256.New()
	for _, l := range o.Tables {
		fmt.Fprintf(h, "%s|%s|%d|%d|%d|%d\n", l.Table, l.Kind, l.Rows, l.Slices, l.Calls, l.Bytes)
	}
	return hex.EncodeToString(h.Sum(nil)[:4])
}

func (o estimate) print(w io.Writer, f planFlags) error {
	if f.json {
		out := json.NewEncoder(w)
		out.SetEscapeHTML(false)
		for _, l := range o.Tables {
			if err := out.Encode(l); err != nil {
				return err
			}
		}
		return out.Encode(o.Total)
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "TABLE\tKIND\tROWS\tPARTS\tSLICES\tCALLS\tJSON\tTIME\tWHY")
	for _, l := range o.Tables {
		fmt.Fprintf(t, "%s\t%s\t%s\t%d\t%d\t%d\t%s\t%s\t%s\n", l.Table, l.Kind, l.rowsCell(),
			l.Changed, l.Slices, l.Calls, progress.Size(l.Bytes), seconds(l.Seconds), dash(l.Why))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, l := range o.Tables {
		for _, text := range o.remarks(l, f.commands) {
			fmt.Fprintf(w, "%s: %s\n", l.Table, oneLine(text))
		}
	}
	total := o.Total
	if f.commands {
		for _, c := range total.Commands {
			fmt.Fprintf(w, "once: %s\n", c)
		}
	}
	for _, p := range total.Permissions {
		fmt.Fprintf(w, "needs: %s\n", p)
	}
	fmt.Fprintf(w, "this plan made %d calls; %.1f %% of the hourly calls are used\n", total.Spent, 100*total.UsedShare)
	fmt.Fprintln(w, o.quota())
	if total.Tables > 1 {
		fmt.Fprintf(w, "TIME is for a table alone, %s in total; tables run side by side, so the run takes about %s\n", seconds(total.Apart), seconds(total.Seconds))
	}
	if total.Tables > 0 {
		fmt.Fprintf(w, "the estimate depends on %s\n", o.basis.of(total.Tables))
	}
	if total.Held >= 1 {
		fmt.Fprintf(w, "of the time of the run, calls wait %s for quota\n", seconds(total.Held))
	}
	if end, err := time.Parse(time.RFC3339, total.Ends); err == nil {
		fmt.Fprintf(w, "a run that starts now could end at %s\n", clockTime(time.Now(), end.Local()))
	}
	fmt.Fprintf(w, "plan %s: %d tables, %s, %s to fetch, %d calls (%.1f %% of the hourly limit), %s, about %s; nothing was exported\n",
		total.Number, total.Tables, figures.Rows(total.TableRows), progress.Count(total.Rows), total.Calls, 100*total.HourlyShare, progress.Size(total.Bytes), seconds(total.Seconds))
	return nil
}

// quota says what the minute and the hour allow.
func (o estimate) quota() string {
	text := fmt.Sprintf("calls: %d of %s this minute and %d of %s this hour are used",
		o.Total.Minute.Used, progress.Count(int64(o.Total.Minute.Limit)), o.Total.Hour.Used, progress.Count(int64(o.Total.Hour.Limit)))
	if o.share < 1 {
		text += fmt.Sprintf(" (defender.share leaves %.4g %% of the tenant's quota to others)", 100*(1-o.share))
	}
	return text
}

// clockTime is the time of day, with the day where it is not today's.
func clockTime(now, t time.Time) string {
	if t.Format(time.DateOnly) == now.In(t.Location()).Format(time.DateOnly) {
		return t.Format(time.TimeOnly)
	}
	return t.Format(time.DateTime)
}

// rowsCell is how many rows the table has now, and what the run would change.
func (l planLine) rowsCell() string {
	growth := int64(0)
	switch {
	case l.Error != "":
		return "-"
	case l.snapshot:
		growth = l.Held - l.TableRows
	}
	return figures.Rows(l.TableRows) + ", " + figures.ToChange(l.Rows+l.Resumed, growth)
}

// remarks are the sentences about one table.
func (o estimate) remarks(l planLine, commands bool) []string {
	var out []string
	if l.Error != "" {
		return []string{l.Error}
	}
	if l.Finishes != "" {
		out = append(out, "the run first finishes the publication of run "+l.Finishes)
	}
	if l.Resumed > 0 {
		out = append(out, progress.Count(l.Resumed)+" rows of an interrupted run are reused")
	}
	out = append(out, l.Notes...)
	if commands {
		out = append(out, l.Commands...)
	}
	return out
}

func seconds(s float64) string {
	d := time.Duration(s * float64(time.Second))
	switch {
	case d >= time.Minute:
		return d.Round(time.Second).String()
	case d >= time.Second:
		return d.Round(100 * time.Millisecond).String()
	}
	return d.Round(time.Millisecond).String()
}
