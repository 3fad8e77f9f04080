package chaos_test

import (
	"sync"
	"time"
)

// clock is that of the services. It never goes back, and neither does the
// exporter's, which is the bubble's: where one jumps, the other lags.
type clock struct {
	mu       sync.Mutex
	ahead    time.Duration // of the bubble's
	frozen   time.Time     // it stands still; zero: it goes
	standing chan struct{} // closed when the clock goes again after it was last frozen
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.frozen.IsZero() {
		return c.frozen
	}
	return time.Now().Add(c.ahead)
}

// move lets the services' clock jump ahead: the exporter's has gone back.
func (c *clock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ahead += d
}

// freeze stops the services' clock while d passes for the exporter. The
// exporter's clock is then ahead by d.
func (c *clock) freeze(d time.Duration) {
	done := make(chan struct{})
	c.mu.Lock()
	c.frozen, c.standing = time.Now().Add(c.ahead), done
	c.mu.Unlock()
	time.Sleep(d)
	c.mu.Lock()
	c.ahead, c.frozen = time.Until(c.frozen), time.Time{}
	c.mu.Unlock()
	close(done)
}

// wait returns when the clock goes. A run may end while it stands still.
func (c *clock) wait() {
	c.mu.Lock()
	done := c.standing
	c.mu.Unlock()
	if done != nil {
		<-done
	}
}
