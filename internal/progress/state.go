package progress

import (
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tvmexport/tvmexport"
)

// state is what the hooks have told of a run so far.
type state struct {
	mu     sync.Mutex
	began  time.Time
	tables map[string]*table
	names  []string // in the order in which they were heard of
	budget func() int
	wait   struct {
		cause string
		until time.Time
	}
}

type table struct {
	tableView
	bytes int64
	since time.Time // when fetching began
}

func newState() *state { return &state{began: time.Now(), tables: map[string]*table{}} }

// Budget sets whom to ask how many calls the minute still allows.
func (s *state) Budget(left func() int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.budget = left
}

// hold notes that calls are held back.
func (s *state) hold(cause string, until time.Time) {
	if strings.Contains(cause, "throttle") {
		cause = "throttled"
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wait.cause, s.wait.until = cause, until
}

// with changes what is known of a table.
func (s *state) with(name string, change func(*table)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, ok := s.tables[name]
	if !ok {
		t = &table{tableView: tableView{Phase: "counting", Of: -1}}
		s.tables[name], s.names = t, append(s.names, name)
	}
	change(t)
}

func (s *state) hooks() tvmexport.Hooks {
	enter := func(phase string) func(*table) { return func(t *table) { t.Phase = phase } }
	return tvmexport.Hooks{
		Chosen: func(tables []string) {
			for _, name := range tables {
				s.with(name, enter("waiting"))
			}
		},
		Started: func(r tvmexport.Run) { s.with(r.Table.Name, enter("counting")) },
		Planned: func(r tvmexport.Run, rows int64, _ int) {
			s.with(r.Table.Name, func(t *table) { t.Phase, t.Of, t.since = fetching, rows, time.Now() })
		},
		Fetched: func(r tvmexport.Run, _ tvmexport.Slice, a tvmexport.Answer) {
			s.hold("", time.Time{})
			s.with(r.Table.Name, func(t *table) { t.Rows, t.bytes = t.Rows+a.Rows, t.bytes+a.Bytes })
		},
		Confirmed: func(r tvmexport.Run, n, of int) {
			s.with(r.Table.Name, func(t *table) {
				t.Phase, t.Landed, t.Batches = landing, n, of
				if n == of {
					t.Phase = "publishing"
				}
			})
		},
		Committed: func(r tvmexport.Run, rows int64) {
			s.with(r.Table.Name, func(t *table) { t.Phase, t.Rows = committed, rows })
		},
		Failed: func(name string, _ tvmexport.RunID, _ error) { s.with(name, enter(failed)) },
	}
}

// table is what is shown of a table now, under which name, and in which columns.
func (s *state) table(name string, width int) (tableView, string, columns) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.tables[name]
	v := t.tableView
	if !t.since.IsZero() {
		v.Took = time.Since(t.since)
	}
	c := columnsFor(width, widest(s.names))
	return v, Shorten(s.names, c.names)[slices.Index(s.names, name)], c
}

// run is what is shown of the whole run now.
func (s *state) run() runView {
	s.mu.Lock()
	v := runView{Tables: len(s.tables), Took: time.Since(s.began), Left: -1, Calls: -1}
	ask := s.budget
	if time.Now().Before(s.wait.until) {
		v.Waiting = s.wait.cause + ", resumes " + s.wait.until.Local().Format(time.TimeOnly)
	}
	planned, left := true, time.Duration(0)
	for _, t := range s.tables {
		v.Rows, v.Bytes = v.Rows+t.Rows, v.Bytes+t.bytes
		switch {
		case t.Phase == failed:
			v.Failed++
			v.Done++
		case t.Phase == committed:
			v.Done++
		case t.Of < 0 || t.Of > 0 && t.Rows == 0:
			planned = false
		case t.Of > t.Rows:
			took := time.Since(t.since)
			left = max(left, time.Duration(float64(took)*float64(t.Of-t.Rows)/float64(t.Rows)))
		}
	}
	if planned && left > 0 {
		v.Left = left
	}
	s.mu.Unlock()
	if ask != nil { // it has a lock of its own
		v.Calls = ask()
	}
	return v
}
