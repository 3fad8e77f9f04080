package defender

import (
	"cmp"
	"errors"
	"fmt"
	"sync"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/internal/wire"
)

// repeatedFailures remembers the last answer of each table that was unusable
// because of its content, not because it ended early. A second answer with the
// same error ends the call: a third request would cost quota and hide the cause.
type repeatedFailures struct {
	mu   sync.Mutex
	last map[string]string
}

// stopSecond makes the second of two equal failures final. Any other result of
// the table resets it.
func (g *repeatedFailures) stopSecond(table string, err error) error {
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
	e.Hint = cmp.Or(e.Hint, "a proxy may alter the answers; the service's support can find the call by its request id")
	return err
}

// lasting says whether an answer is wrong in a way that asking again does not
// change. One that ends early or stalls is not.
func lasting(err error) bool { return errors.Is(err, errForeign) || errors.Is(err, wire.ErrInvalid) }
