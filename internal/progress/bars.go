package progress

import (
	"io"
	"math"
	"sync"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"github.com/tvmexport/tvmexport"
)

// bars shows a line per table and, below them, one for the whole run. Each line is
// laid out for the width that the terminal has when it is drawn. No lock of the state
// is held while a bar is spoken to.
type bars struct {
	*state
	container *mpb.Progress
	mu        sync.Mutex // guards the map, not what is in it
	lines     map[string]*mpb.Bar
}

func newBars(w io.Writer, width int) *bars {
	return &bars{state: newState(), lines: map[string]*mpb.Bar{}, container: mpb.New(
		mpb.WithOutput(w), mpb.WithWidth(width), mpb.WithAutoRefresh(),
	)}
}

// whole is the name of the line of the whole run, which no table has.
const whole = ""

// show adds a line, unless it exists.
func (b *bars) show(name string, draw func(width int) string, priority ...mpb.BarOption) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.lines[name] != nil {
		return
	}
	filler := mpb.BarFillerFunc(func(w io.Writer, stat decor.Statistics) error {
		// A terminal may wrap a line that fills its last column.
		_, err := io.WriteString(w, draw(stat.AvailableWidth-1))
		return err
	})
	line, err := b.container.Add(0, filler, append(priority, mpb.BarFillerTrim())...)
	if err == nil { // otherwise the container is closed
		b.lines[name] = line
	}
}

func (b *bars) start(r tvmexport.Run) {
	name := r.Table.Name
	b.show(name, func(width int) string {
		view, short, c := b.table(name, width)
		return view.line(short, c)
	})
	b.show(whole, func(width int) string { return b.run().line(max(width, 1)) }, mpb.BarPriority(math.MaxInt))
}

// end leaves the last state of a line standing.
func (b *bars) end(name string) {
	b.mu.Lock()
	line := b.lines[name]
	b.mu.Unlock()
	if line != nil {
		line.Abort(false)
	}
}

func (b *bars) Hooks() tvmexport.Hooks {
	return tvmexport.JoinHooks(b.hooks(), tvmexport.Hooks{
		Started:   b.start,
		Committed: func(r tvmexport.Run, _ int64) { b.end(r.Table.Name) },
		Failed:    func(table string, _ tvmexport.RunID, _ error) { b.end(table) },
	})
}

func (b *bars) Wait(cause string, until time.Time) { b.hold(cause, until) }

func (b *bars) Close() {
	b.mu.Lock()
	lines := make([]*mpb.Bar, 0, len(b.lines))
	for _, line := range b.lines {
		lines = append(lines, line)
	}
	b.mu.Unlock()
	for _, line := range lines {
		line.Abort(false)
	}
	b.container.Wait()
}
