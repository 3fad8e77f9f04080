package hunting

import (
	"errors"
	"fmt"
	"sync"

	"github.com/tvmexport/tvmexport"
)

// again remembers, by table, the last answer that could not be used for what it
// is, not for how it ended. A second one that fails in the same words ends the
// call: to ask for the same a third time costs calls and hides the cause.
type again struct {
	mu   sync.Mutex
	last map[string]string
}

// judge turns the second equal failure of a table's answers into one that is
// not repeated. Any other result is a new beginning.
func (g *again) judge(table string, err error) error {
	words := ""
	var e *tvmexport.Error
	if errors.As(err, &e) && e.Action == tvmexport.Retry && lasting(err) {
		words = e.Err.Error()
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	before := g.last[table]
	if g.last == nil {
		g.last = map[string]string{}
	}
	g.last[table] = words
	if words == "" || words != before {
		return err
	}
	delete(g.last, table)
	e.Action, e.Err = tvmexport.Stop, fmt.Errorf("%w, twice with the same text", e.Err)
	e.Hint = firstOf(e.Hint, "a proxy may alter the answers; the service's support can find the call by its request id")
	return err
}

// lasting says whether an answer is wrong in a way that asking again does not
// change. One that ends early or stalls is not.
func lasting(err error) bool { return errors.Is(err, errForeign) || errors.Is(err, errInvalid) }
