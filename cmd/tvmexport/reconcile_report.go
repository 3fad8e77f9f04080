package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/tvmexport/tvmexport/internal/figures"
	"github.com/tvmexport/tvmexport/kusto"
)

// farApart is how far the times of two sides may be apart without a note.
// Defender makes an export every six hours, and takes some time for it.
const farApart = 8 * time.Hour

// reconciledLine is a pair as JSON.
type reconciledLine struct {
	Hunting   reconciledSide       `json:"hunting"`
	Exports   []reconciledSide     `json:"exports"`
	Status    string               `json:"status"` // same, differs, failed, not comparable
	Obstacles []reconciledObstacle `json:"obstacles,omitempty"`
	Error     string               `json:"error,omitempty"`

	HuntingRows  *int64             `json:"huntingRows,omitempty"` // with different keys; missing if they were not compared
	ExportRows   *int64             `json:"exportRows,omitempty"`
	OnlyHunting  *reconciledMissing `json:"onlyHunting,omitempty"`
	OnlyExport   *reconciledMissing `json:"onlyExport,omitempty"`
	NotOnboarded *reconciledMissing `json:"notOnboarded,omitempty"` // only in the export, and no difference
	Differing    int64              `json:"differingDevices,omitempty"`
	Devices      []reconciledDevice `json:"devices,omitempty"` // those with the most rows
	Query        string             `json:"query,omitempty"`   // that shows the rows of the first device
	Notes        []string           `json:"notes,omitempty"`
}

type reconciledSide struct {
	Table     string `json:"table"`
	Committed string `json:"committed,omitempty"`
	StateAt   string `json:"stateAt,omitempty"` // by the source's clock
}

type reconciledObstacle struct {
	Table string `json:"table"`
	Why   string `json:"why"`
	Fix   string `json:"fix"`
}

type reconciledMissing struct {
	Rows    int64 `json:"rows"`
	Devices int64 `json:"devices"`
	Changed int64 `json:"changed,omitempty"` // between the times of both sides
}

type reconciledDevice struct {
	Device      string `json:"device"`
	OnlyHunting int64  `json:"onlyHunting"`
	OnlyExport  int64  `json:"onlyExport"`
	Changed     int64  `json:"changed,omitempty"`
}

func reconciledLineOf(x kusto.Reconciled) reconciledLine {
	l := reconciledLine{Hunting: reconciledSide{Table: x.Pair.Hunting}, Status: "same"}
	for _, table := range x.Pair.Exports {
		l.Exports = append(l.Exports, reconciledSide{Table: table})
	}
	if len(x.Obstacles) > 0 {
		l.Status = "not comparable"
		for _, o := range x.Obstacles {
			l.Obstacles = append(l.Obstacles, reconciledObstacle(o))
		}
		return l
	}
	l.Hunting = reconciledSideOf(x.Hunting)
	for i, s := range x.Exports {
		l.Exports[i] = reconciledSideOf(s)
	}
	if x.Err != nil {
		l.Status, l.Error = "failed", oneLine(advise(x.Err).Error())
		return l
	}
	c := x.Counts
	l.HuntingRows, l.ExportRows, l.Differing, l.Query = &c.Hunting, &c.Export, c.Devices, x.Query
	l.OnlyHunting, l.OnlyExport = &reconciledMissing{c.OnlyHunting.Rows, c.OnlyHunting.Devices, c.OnlyHunting.Changed}, &reconciledMissing{c.OnlyExport.Rows, c.OnlyExport.Devices, c.OnlyExport.Changed}
	if n := c.NotOnboarded; n.Rows > 0 {
		l.NotOnboarded = &reconciledMissing{Rows: n.Rows, Devices: n.Devices}
	}
	if c.Devices > 0 {
		l.Status = "differs"
	}
	for _, d := range x.Devices {
		l.Devices = append(l.Devices, reconciledDevice{Device: d.ID, OnlyHunting: d.OnlyHunting, OnlyExport: d.OnlyExport, Changed: d.Changed})
	}
	l.Notes = reconciledNotes(x)
	return l
}

func reconciledSideOf(s kusto.Side) reconciledSide {
	side := reconciledSide{Table: s.Table, Committed: s.At.UTC().Format(time.RFC3339)}
	if !s.StateAt.IsZero() {
		side.StateAt = s.StateAt.UTC().Format(time.RFC3339)
	}
	return side
}

// reconciledNotes say what the numbers of a pair mean.
func reconciledNotes(x kusto.Reconciled) (notes []string) {
	note := func(format string, args ...any) { notes = append(notes, fmt.Sprintf(format, args...)) }
	c := x.Counts
	if n := c.NotOnboarded; n.Rows > 0 {
		note("%s of %s that are not onboarded are only in the export, and are not counted as differences", figures.Rows(n.Rows), figures.Plural(int(n.Devices), "device"))
	}
	if apart := distance(x); apart > farApart {
		note("the two sides are %s apart, so that changes in between differ: tvmexport run exports both", figures.Span(apart))
	}
	if c.Devices == 0 {
		return notes
	}
	changed := c.OnlyHunting.Changed + c.OnlyExport.Changed
	switch rows := c.OnlyHunting.Rows + c.OnlyExport.Rows; {
	case x.Earlier.IsZero():
		note("no run of %s shows it at the time of the other side, so that rows which changed in between cannot be distinguished from rows that one source leaves out: export both tables at about the same time, and reconcile again", x.Later)
	case changed == rows:
		note("all of them changed in %s between the times of both sides, which is no loss", x.Later)
	default:
		note("%s of them changed in %s between the times of both sides, which is no loss; %d did not: if they stay after the next run of both tables, one of the sources leaves them out",
			figures.Rows(changed), x.Later, rows-changed)
	}
	return notes
}

// distance is the time between the oldest and the newest state of a pair.
func distance(x kusto.Reconciled) time.Duration {
	first, last := x.Hunting.Time(), x.Hunting.Time()
	for _, s := range x.Exports {
		if s.Time().Before(first) {
			first = s.Time()
		}
		if s.Time().After(last) {
			last = s.Time()
		}
	}
	return last.Sub(first)
}

func printReconciled(w io.Writer, list []kusto.Reconciled, asJSON bool) error {
	if asJSON {
		out := json.NewEncoder(w)
		for _, x := range list {
			if err := out.Encode(reconciledLineOf(x)); err != nil {
				return err
			}
		}
		return nil
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "HUNTING\tEXPORT\tSTATUS\tHUNTING ROWS\tEXPORT ROWS\tONLY IN HUNTING\tONLY IN EXPORT")
	for _, x := range list {
		l := reconciledLineOf(x)
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", l.Hunting.Table, strings.Join(x.Pair.Exports, ", "), l.Status,
			dashCount(l.HuntingRows), dashCount(l.ExportRows), l.OnlyHunting, l.OnlyExport)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, x := range list {
		for _, line := range reconciledDetails(reconciledLineOf(x)) {
			if _, err := fmt.Fprintln(w, line); err != nil {
				return err
			}
		}
	}
	return nil
}

// reconciledDetails are the lines about a pair below the table of all pairs.
func reconciledDetails(l reconciledLine) (out []string) {
	add := func(format string, args ...any) {
		out = append(out, l.Hunting.Table+": "+fmt.Sprintf(format, args...))
	}
	for _, o := range l.Obstacles {
		add("not comparable with %s: %s: %s (%s)", strings.Join(exportNames(l), ", "), o.Table, o.Why, o.Fix)
	}
	if l.Error != "" {
		add("%s", l.Error)
	}
	if l.HuntingRows == nil {
		return out
	}
	out = append(out, reconciledStates(append([]reconciledSide{l.Hunting}, l.Exports...)))
	for _, d := range l.Devices {
		text := fmt.Sprintf("device %q: %d only in hunting, %d only in the export", d.Device, d.OnlyHunting, d.OnlyExport)
		if d.Changed > 0 {
			text += fmt.Sprintf(", %d of them changed in between", d.Changed)
		}
		add("%s", text)
	}
	if more := l.Differing - int64(len(l.Devices)); more > 0 {
		add("%s not listed; --devices lists more", figures.Plural(int(more), "device"))
	}
	for _, n := range l.Notes {
		add("%s", n)
	}
	if l.Query != "" {
		add("the rows of the first device:")
		out = append(out, "    "+strings.ReplaceAll(l.Query, "\n", "\n    "))
	}
	return out
}

// reconciledStates says which states were compared.
func reconciledStates(sides []reconciledSide) string {
	texts := make([]string, len(sides))
	for i, s := range sides {
		state := "an unrecorded time"
		if s.StateAt != "" {
			state = s.StateAt
		}
		texts[i] = fmt.Sprintf("%s of %s, committed at %s", s.Table, state, s.Committed)
	}
	return strings.Join(texts, "; ")
}

func exportNames(l reconciledLine) (names []string) {
	for _, s := range l.Exports {
		names = append(names, s.Table)
	}
	return names
}

// String is the number of rows and devices: "5 rows, 2 devices".
func (m *reconciledMissing) String() string {
	switch {
	case m == nil:
		return "-"
	case m.Rows == 0:
		return "0"
	}
	return fmt.Sprintf("%s, %s", figures.Rows(m.Rows), figures.Plural(int(m.Devices), "device"))
}

func dashCount(n *int64) string {
	if n == nil {
		return "-"
	}
	return figures.Count(*n)
}
