package main

import (
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/internal/progress"
	"github.com/tvmexport/tvmexport/kusto"
)

// takeoverLine is a table's takeover as JSON.
type takeoverLine struct {
	Table           string    `json:"table"`
	Into            string    `json:"into"`
	Listed          string    `json:"listed"`
	Rows            int64     `json:"rows"`
	IngestedFrom    string    `json:"ingestedFrom,omitempty"`
	IngestedTo      string    `json:"ingestedTo,omitempty"`
	OldLoadType     string    `json:"oldLoadType"`
	LoadType        string    `json:"loadType"`
	WatermarkColumn string    `json:"watermarkColumn,omitempty"`
	ContinuesFrom   string    `json:"continuesFrom,omitempty"`
	ReadersSee      bool      `json:"readersSee"`
	TakenOver       string    `json:"takenOver,omitempty"` // by an earlier import
	Copies          int64     `json:"copies"`
	Lost            int64     `json:"lost"`
	Days            []dayLine `json:"days,omitempty"`
	Gaps            []gapLine `json:"gaps,omitempty"`
	Audit           []runLine `json:"audit,omitempty"`
	Notes           []string  `json:"notes,omitempty"`
	Error           string    `json:"error,omitempty"`
}

type dayLine struct {
	Day    string `json:"day"` // "" for rows without a time
	Rows   int64  `json:"rows"`
	Copies int64  `json:"copies"`
	Hours  int64  `json:"hours,omitempty"`  // with rows
	Loads  int64  `json:"loads,omitempty"`  // of a state
	Source *int64 `json:"source,omitempty"` // rows that Defender holds
	Lost   int64  `json:"lost,omitempty"`
}

// runLine compares a day of the old audit with the rows ingested on it.
type runLine struct {
	Day      string `json:"day"`
	Runs     int64  `json:"runs"`
	Failed   int64  `json:"failed"`
	Sent     int64  `json:"sent"`
	Ingested int64  `json:"ingested"`
}

type gapLine struct {
	From string `json:"from"` // first day without rows
	To   string `json:"to"`   // last day without rows
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}

func dayText(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.DateOnly)
}

func (r *takeoverReport) state() bool { return r.Table.LoadType == tvmexport.Snapshot }

func (r *takeoverReport) line() takeoverLine {
	l := takeoverLine{
		Table: r.Table.Name, Into: r.Table.Destination, Listed: r.Listed, Rows: r.Rows,
		IngestedFrom: stamp(r.From), IngestedTo: stamp(r.To), OldLoadType: r.Loads, LoadType: string(r.Table.LoadType),
		ContinuesFrom: stamp(r.Watermark), ReadersSee: r.Joined, TakenOver: stamp(r.Since), Notes: r.Notes,
	}
	if !r.state() {
		l.WatermarkColumn = r.Table.Watermark
	}
	if r.Err != nil {
		l.Error = oneLine(advise(r.Err).Error())
	}
	for _, d := range r.days {
		l.Copies += d.Copies
		l.Lost += d.Lost
		day := dayLine{Day: dayText(d.Day), Rows: d.Rows, Copies: d.Copies, Lost: d.Lost}
		if r.state() {
			day.Loads = d.Parts
		} else {
			day.Hours = d.Parts
		}
		if d.Source != tvmexport.Missing {
			day.Source = &d.Source
		}
		l.Days = append(l.Days, day)
	}
	for _, g := range kusto.Gaps(r.days) {
		l.Gaps = append(l.Gaps, gapLine{dayText(g.From), dayText(g.To.Add(-24 * time.Hour))})
	}
	for _, a := range r.audit {
		l.Audit = append(l.Audit, runLine{dayText(a.Day), a.Runs, a.Failed, a.Sent, a.Ingested})
	}
	return l
}

func printTakeoverLines(w io.Writer, reports []*takeoverReport) error {
	out := json.NewEncoder(w)
	for _, r := range reports {
		if err := out.Encode(r.line()); err != nil {
			return err
		}
	}
	return nil
}

func printTakeovers(w io.Writer, reports []*takeoverReport, commands []kusto.Command) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "TABLE\tOLD ROWS\tINGESTED\tLOAD TYPE\tCONTINUES FROM\tREADERS SEE OLD ROWS")
	for _, r := range reports {
		l := r.line()
		load, from, see, ingested := l.OldLoadType, l.ContinuesFrom, "no", "-"
		if !r.From.IsZero() {
			ingested = dayText(r.From) + " .. " + dayText(r.To)
		}
		if r.Old.Load != r.Table.LoadType {
			load += " -> " + l.LoadType
		}
		switch {
		case r.Err != nil:
			see = "failed"
		case l.TakenOver != "":
			see = "taken over earlier"
		case l.ReadersSee:
			see = "yes"
		}
		if from == "" {
			from = "-"
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\n", l.Table, progress.Count(l.Rows), ingested, load, from, see)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, r := range reports {
		if r.Err != nil {
			fmt.Fprintf(w, "%s: %s\n", r.Table.Name, oneLine(advise(r.Err).Error()))
		}
		for _, n := range r.Notes {
			fmt.Fprintf(w, "%s: %s\n", r.Table.Name, n)
		}
	}
	for _, r := range reports {
		if r.examined {
			r.print(w)
		}
	}
	if len(commands) == 0 {
		return nil
	}
	fmt.Fprint(w, "\n// nothing was written; import without --print sends these commands\n\n")
	return kusto.WriteCommands(w, commands)
}

// shownDays is how many days of a table are printed; JSON has them all.
const shownDays = 40

// print writes the days on which something is wrong, newest first.
func (r *takeoverReport) print(w io.Writer) {
	l := r.line()
	fmt.Fprintf(w, "\n%s: %s old rows on %d days, %s of them copies", l.Table, progress.Count(l.Rows), len(r.days), progress.Count(l.Copies))
	if l.Lost > 0 {
		fmt.Fprintf(w, "; up to %s rows that Defender still holds are missing", progress.Count(l.Lost))
	}
	fmt.Fprintln(w)
	for _, g := range l.Gaps {
		fmt.Fprintf(w, "  no rows from %s to %s\n", g.From, g.To)
	}
	shown, left := 0, 0
	for i, d := range l.Days {
		what := r.wrong(d, i == 0 || i == len(l.Days)-1)
		switch {
		case what == "":
		case shown == shownDays:
			left++
		default:
			fmt.Fprintf(w, "  %s  %s\n", dayLabel(d.Day), what)
			shown++
		}
	}
	if left > 0 {
		fmt.Fprintf(w, "  and %d more days; --json lists all\n", left)
	}
	r.printAudit(w)
}

// printAudit writes the days of ingestion on which runs failed, or rows that
// were reported as sent did not all come in.
func (r *takeoverReport) printAudit(w io.Writer) {
	var all kusto.LegacyRuns
	var wrong []kusto.LegacyRuns
	for _, a := range r.audit {
		all.Runs, all.Failed, all.Sent, all.Ingested = all.Runs+a.Runs, all.Failed+a.Failed, all.Sent+a.Sent, all.Ingested+a.Ingested
		if a.Failed > 0 || a.Short() {
			wrong = append(wrong, a)
		}
	}
	if all.Runs == 0 {
		return
	}
	fmt.Fprintf(w, "  its own audit: %d runs, %d of them failed; %s rows sent, %s ingested on those days\n", all.Runs, all.Failed, progress.Count(all.Sent), progress.Count(all.Ingested))
	for i, a := range wrong {
		if i == shownDays {
			fmt.Fprintf(w, "    and %d more days; --json lists all\n", len(wrong)-i)
			return
		}
		fmt.Fprintf(w, "    ingested %s: %d of %d runs failed; %s rows sent, %s ingested\n", dayText(a.Day), a.Failed, a.Runs, progress.Count(a.Sent), progress.Count(a.Ingested))
	}
}

func dayLabel(day string) string {
	if day == "" {
		return "no time   "
	}
	return day
}

// wrong says what is wrong with a day; "" if nothing is. A day at either end
// need not have all its hours.
func (r *takeoverReport) wrong(d dayLine, end bool) string {
	out := ""
	say := func(format string, args ...any) {
		if out != "" {
			out += ", "
		}
		out += fmt.Sprintf(format, args...)
	}
	if d.Lost > 0 && d.Lost == d.Copies && *d.Source == d.Rows {
		return fmt.Sprintf("%s of %s rows are copies and equally many are missing, unless Defender itself holds equal rows", progress.Count(d.Copies), progress.Count(d.Rows))
	}
	if d.Copies > 0 {
		say("%s of %s rows are copies", progress.Count(d.Copies), progress.Count(d.Rows))
	}
	if d.Lost > 0 {
		say("%s of %s rows in Defender are missing", progress.Count(d.Lost), progress.Count(*d.Source))
	}
	if !r.state() && d.Day != "" && d.Rows > 0 && d.Hours < 24 && !end && d.Source == nil {
		say("%d hours without rows", 24-d.Hours)
	}
	return out
}
