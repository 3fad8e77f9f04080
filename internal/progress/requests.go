package progress

import (
	"slices"
	"sync"

	"github.com/tvmexport/tvmexport"
)

// Requests remembers Microsoft's ids of the answers of each run. The zero
// value is ready.
type Requests struct {
	mu  sync.Mutex
	ids map[tvmexport.RunID][]string
}

// Hooks are what it listens to.
func (q *Requests) Hooks() tvmexport.Hooks {
	return tvmexport.Hooks{Fetched: func(r tvmexport.Run, _ tvmexport.Slice, a tvmexport.Answer) {
		q.mu.Lock()
		defer q.mu.Unlock()
		if q.ids == nil {
			q.ids = map[tvmexport.RunID][]string{}
		}
		if a.Request != "" {
			q.ids[r.ID] = append(q.ids[r.ID], a.Request)
		}
	}}
}

// Of are the ids of a run, in the order of the answers.
func (q *Requests) Of(run tvmexport.RunID) []string {
	q.mu.Lock()
	defer q.mu.Unlock()
	return slices.Clone(q.ids[run])
}
