package policy

import (
	"context"
	"sync"
	"time"

	"github.com/tvmexport/tvmexport/kusto/conn"
)

// Reader reads policies of tables and of the database. It keeps nothing
// between calls, see [Reader.Hand] for an exception, and is safe for concurrent use.
type Reader struct {
	conn *conn.Conn

	mu     sync.Mutex
	handed map[string]time.Duration
	read   time.Time // when handed was read
}

// New makes a reader. Nothing is sent before the first call.
func New(to *conn.Conn) *Reader { return &Reader{conn: to} }

// handedAge is how long what was handed on counts.
const handedAge = time.Minute

// Hand keeps how long tables keep rows, as it was just read, for the next step of the
// same run, which takes it with [Reader.Handed].
func (c *Reader) Hand(kept map[string]time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.handed, c.read = kept, time.Now()
}

// Handed is [Reader.Retention], but takes what was handed on within the last minute.
func (c *Reader) Handed(ctx context.Context) (map[string]time.Duration, error) {
	c.mu.Lock()
	kept, age := c.handed, time.Since(c.read)
	c.handed = nil
	c.mu.Unlock()
	if kept != nil && age < handedAge {
		return kept, nil
	}
	return c.Retention(ctx)
}
