package progress

import (
	"fmt"
	"strings"
	"time"

	"github.com/tvmexport/tvmexport/internal/figures"
)

// columns is how a line of a width is divided: the names, a bar if there is room,
// how many percent are done, and the rest for what happens.
type columns struct{ width, names, bar int }

// percent is the width of " 100%".
const percent = 5

func columnsFor(width, widestName int) columns {
	c := columns{width: width, names: min(widestName, max(24, width*3/8))}
	if width >= 75 {
		c.bar = min(30, max(10, width/4-10))
	}
	return c
}

// tableView is what is shown of a table.
type tableView struct {
	Phase           string
	Rows, Of        int64 // Of is negative before the plan is known
	Landed, Batches int
	Took            time.Duration // since fetching began
}

// What a table does. The others are "counting", "publishing" and "committed".
const (
	fetching  = "fetching"
	landing   = "landing"
	committed = "committed"
	failed    = "failed"
)

// line is a table's line. It is never wider than its columns allow.
func (t tableView) line(name string, c columns) string {
	line := Pad(name, c.names)
	done := t.share()
	if c.bar > 0 {
		line += " " + drawn(done, c.bar)
	}
	if done < 0 {
		line += strings.Repeat(" ", percent)
	} else {
		line += fmt.Sprintf("%4d%%", done)
	}
	return strings.TrimRight(Cut(line+" "+firstFit(t.status(), c.width-Width(line)-1), c.width), " ")
}

// share is how many percent of the rows are fetched; -1 is not known.
func (t tableView) share() int {
	switch {
	case t.Phase == committed:
		return 100
	case t.Of < 0:
		return -1
	case t.Of == 0:
		return 0
	}
	return int(100 * min(t.Rows, t.Of) / t.Of)
}

// drawn is a bar.
func drawn(done, width int) string {
	inner := width - 2
	full := max(done, 0) * inner / 100
	tip := ""
	if full > 0 && full < inner {
		full, tip = full-1, ">"
	}
	bar := strings.Repeat("=", full) + tip
	return "[" + bar + strings.Repeat("-", inner-len(bar)) + "]"
}

// status says what happens to a table, in fewer and fewer words.
func (t tableView) status() []string {
	if t.Rows == 0 && t.Phase != committed {
		return []string{t.Phase}
	}
	rows := figures.Rows(t.Rows)
	switch t.Phase {
	case fetching:
		speed, left := t.speed()
		return []string{rows + speed + left, rows + left, rows, figures.Count(t.Rows)}
	case landing:
		if t.Batches > 0 {
			of := fmt.Sprintf("landing %d of %d", t.Landed, t.Batches)
			return []string{rows + ", " + of, rows + ", " + landing, of, landing}
		}
	}
	return []string{rows + ", " + t.Phase, t.Phase}
}

// speed says how many rows are fetched in a second, and how long the rest may take.
func (t tableView) speed() (rate, left string) {
	if t.Rows == 0 || t.Took <= 0 {
		return "", ""
	}
	perSecond := float64(t.Rows) / max(t.Took.Seconds(), 0.001)
	rate = ", " + figures.Count(int64(perSecond)) + "/s"
	if t.Of > t.Rows {
		left = ", " + span(time.Duration(float64(t.Of-t.Rows)/perSecond*float64(time.Second))) + " left"
	}
	return rate, left
}

// span is a length of time in whole seconds.
func span(d time.Duration) string { return figures.Span(d.Truncate(time.Second)) }

// firstFit is the first text that is not wider than width; the last is cut.
func firstFit(texts []string, width int) string {
	for _, s := range texts {
		if Width(s) <= width {
			return s
		}
	}
	return Cut(texts[len(texts)-1], width)
}

// runView is what is shown of a whole run.
type runView struct {
	Tables, Done, Failed int // Done are the committed and the failed ones
	Rows, Bytes          int64
	Took                 time.Duration
	Left                 time.Duration // negative: not known
	Calls                int           // that the minute still allows; negative: not known
	Waiting              string        // why calls are held back
}

// part is a part of a line. What matters most has the smallest rank.
type part struct {
	rank        int
	short, long string
}

// line is the line of the whole run. If the width is small, its parts become shorter,
// and the least important ones are left out; with the width 0 it has everything.
func (r runView) line(width int) string {
	done := fmt.Sprintf("%d of %s", r.Done, figures.Plural(r.Tables, "table"))
	parts := []part{{0, done, done + " done"}}
	add := func(rank int, short, long string) { parts = append(parts, part{rank, short, long}) }
	if r.Failed > 0 {
		add(1, fmt.Sprintf("%d failed", r.Failed), "")
	}
	add(3, about(r.Rows), figures.Rows(r.Rows))
	add(6, figures.Size(r.Bytes), "")
	add(4, span(r.Took), "")
	if r.Left >= 0 && r.Done < r.Tables {
		add(5, span(r.Left)+" left", "")
	}
	switch calls := fmt.Sprintf("calls: %d left", r.Calls); {
	case r.Waiting != "":
		add(2, r.Waiting, "")
	case r.Calls >= 0 && r.Done < r.Tables:
		add(2, calls, calls+" this minute")
	}
	return joined(parts, width)
}

// about is a number of rows in few characters: "530 rows", "13.6M rows".
func about(n int64) string {
	if n < 100_000 {
		return figures.Rows(n)
	}
	f, unit := float64(n)/1000, 0
	for f >= 999.95 && unit < len("kMGT")-1 {
		f, unit = f/1000, unit+1
	}
	return fmt.Sprintf("%.1f%c rows", f, "kMGT"[unit])
}

// joined joins the parts that fit, the most important first, and lengthens them where
// there is room.
func joined(parts []part, width int) string {
	texts := make([]string, len(parts))
	line := func() string {
		var some []string
		for _, s := range texts {
			if s != "" {
				some = append(some, s)
			}
		}
		return strings.Join(some, ", ")
	}
	try := func(text func(part) string) {
		for rank := range len(parts) + 7 {
			for i, p := range parts {
				if p.rank != rank || text(p) == "" {
					continue
				}
				before := texts[i]
				if texts[i] = text(p); width > 0 && Width(line()) > width {
					texts[i] = before
				}
			}
		}
	}
	try(func(p part) string { return p.short })
	try(func(p part) string { return p.long })
	if s := line(); s != "" {
		return s
	}
	return Cut(parts[0].short, width)
}
