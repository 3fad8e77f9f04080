package statuspage

import (
	"fmt"
	"html/template"
	"slices"
	"strings"

	"github.com/tvmexport/tvmexport/internal/figures"
)

// bars is how many runs a chart shows.
const bars = 24

// chart draws the newest runs, oldest first: a bar for the rows of each that
// was committed, a hollow one where a run failed. Its text says the same to
// those who do not see it.
func chart(table string, runs []Run) template.HTML {
	runs = slices.Clone(runs[:min(len(runs), bars)])
	slices.Reverse(runs)
	const step, width, height = 6, 4, 28
	var most int64 = 1
	committed := 0
	for _, r := range runs {
		most = max(most, r.Rows)
		if r.Committed {
			committed++
		}
	}
	text := "No runs yet"
	if n := len(runs); n > 0 {
		text = fmt.Sprintf("Last %d runs: %d committed, %d failed", n, committed, n-committed)
		if last := runs[n-1]; last.Committed {
			text += "; the newest with " + figures.Count(last.Rows) + " rows"
		}
	}
	var s strings.Builder
	fmt.Fprintf(&s, `<svg class="chart" role="img" aria-label="%s" viewBox="0 0 %d %d" width="%d" height="%d">`,
		template.HTMLEscapeString(table+": "+text), bars*step, height, bars*step, height)
	fmt.Fprintf(&s, `<path class="base" d="M0 %.1fH%d"/>`, float64(height)-0.5, bars*step)
	x := (bars - len(runs)) * step
	for _, r := range runs {
		title := r.At.UTC().Format("2 Jan 15:04") + " UTC: "
		if !r.Committed {
			fmt.Fprintf(&s, `<rect class="failed" x="%.1f" y="1.5" width="%d" height="%d"><title>%sfailed</title></rect>`, float64(x)+0.5, width-1, height-3, title)
			x += step
			continue
		}
		h := max(1, float64(r.Rows)/float64(most)*(height-3))
		fmt.Fprintf(&s, `<rect class="done" x="%d" y="%.1f" width="%d" height="%.1f"><title>%s%s rows</title></rect>`, x, height-1-h, width, h, title, figures.Count(r.Rows))
		x += step
	}
	s.WriteString(`</svg>`)
	return template.HTML(s.String()) // of numbers, times, and a name that is escaped
}
