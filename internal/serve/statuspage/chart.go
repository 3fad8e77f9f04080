package statuspage

import (
	"fmt"
	"html/template"
	"slices"
	"strings"

	"github.com/tvmexport/tvmexport/internal/figures"
)

// fewest is how many places a chart has at least: one bar alone does not fill it.
const fewest = 12

// chart draws the newest runs, oldest first and at most bars of them: a bar for the rows
// that each committed run changed, a hollow one where a run failed. It is stretched to
// the width of its place. Its text says the same to those who do not see it.
func chart(table string, runs []Run, bars int) template.HTML {
	runs = slices.Clone(runs[:min(len(runs), bars)])
	slices.Reverse(runs)
	const step, width, height = 6, 4, 28
	most := max(1, mostChanged(runs))
	committed := 0
	for _, r := range runs {
		if r.Committed {
			committed++
		}
	}
	text := "No runs yet"
	if n := len(runs); n > 0 {
		text = fmt.Sprintf("Last %d runs: %d committed, %d failed", n, committed, n-committed)
		if last := runs[n-1]; last.Committed {
			text += "; the newest: " + last.Change()
		}
	}
	var s strings.Builder
	places := max(len(runs), min(bars, fewest))
	fmt.Fprintf(&s, `<svg class="chart" role="img" aria-label="%s" viewBox="0 0 %d %d" preserveAspectRatio="none">`,
		template.HTMLEscapeString(table+": "+text), places*step, height)
	fmt.Fprintf(&s, `<path class="base" d="M0 %.1fH%d"/>`, float64(height)-0.5, places*step)
	x := (places-len(runs))*step + (step-width)/2
	for _, r := range runs {
		title := r.At.UTC().Format("2 Jan 15:04") + " UTC: "
		if !r.Committed {
			fmt.Fprintf(&s, `<rect class="failed" x="%.1f" y="1.5" width="%d" height="%d"><title>%sfailed</title></rect>`, float64(x)+0.5, width-1, height-3, title)
			x += step
			continue
		}
		h := max(1, float64(r.Changed)/float64(most)*(height-3))
		fmt.Fprintf(&s, `<rect class="done" x="%d" y="%.1f" width="%d" height="%.1f"><title>%s%s</title></rect>`, x, height-1-h, width, h, title, r.Change())
		x += step
	}
	s.WriteString(`</svg>`)
	return template.HTML(s.String()) // of numbers, times, and a name that is escaped
}

// mostChanged is what the highest bar stands for.
func mostChanged(runs []Run) (most int64) {
	for _, r := range runs {
		most = max(most, r.Changed)
	}
	return most
}

// scale says what a chart of the runs shows, from when to when.
func scale(runs []Run) string {
	when := func(r Run) string { return r.At.UTC().Format("2 Jan 15:04") }
	return fmt.Sprintf("Rows that each run changed, at most %s; %s to %s UTC", figures.Count(mostChanged(runs)), when(runs[len(runs)-1]), when(runs[0]))
}
