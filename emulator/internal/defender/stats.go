package defender

import (
	"maps"
	"sync"
	"time"

	"github.com/tvmexport/tvmexport/emulator/internal/callquota"
)

// Stats is what one front has done since it was made.
type Stats struct {
	Calls       int64            `json:"calls"`       // requests for a query, with any outcome
	Answers     int64            `json:"answers"`     // of these answered with rows
	Failures    int64            `json:"failures"`    // of these answered with an error that is no throttle
	Rows        int64            `json:"rows"`        // rows served
	Bytes       int64            `json:"bytes"`       // bytes of answers, before compression
	RowsScanned int64            `json:"rowsScanned"` // rows that tables yielded for queries
	RowsCut     int64            `json:"rowsCut"`     // answers cut at the row quota
	Throttles   map[string]int64 `json:"throttles"`   // 429 by kind: minute, hour, cpu
	// The most requests that came within any 60 seconds and within any hour.
	BusiestMinute int64 `json:"busiestMinute"`
	BusiestHour   int64 `json:"busiestHour"`
}

// counters is a Stats that grows.
type counters struct {
	mu      sync.Mutex
	s       Stats
	busiest callquota.Busiest
}

// call counts a request.
func (c *counters) call(at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.s.Calls++
	c.busiest.Add(at)
	c.s.BusiestMinute, c.s.BusiestHour = c.busiest.Minute, c.busiest.Hour
}

// Add is the sum of what two tenants did; of the busiest times it is the busier one.
func (s Stats) Add(t Stats) Stats {
	s.Calls += t.Calls
	s.Answers += t.Answers
	s.Failures += t.Failures
	s.Rows += t.Rows
	s.Bytes += t.Bytes
	s.RowsScanned += t.RowsScanned
	s.RowsCut += t.RowsCut
	s.BusiestMinute = max(s.BusiestMinute, t.BusiestMinute)
	s.BusiestHour = max(s.BusiestHour, t.BusiestHour)
	sum := maps.Clone(s.Throttles)
	if sum == nil {
		sum = map[string]int64{}
	}
	for kind, n := range t.Throttles {
		sum[kind] += n
	}
	s.Throttles = sum
	return s
}

// add changes the counters in one step.
func (c *counters) add(change func(*Stats)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	change(&c.s)
}

func (c *counters) throttle(kind string) {
	c.add(func(s *Stats) {
		if s.Throttles == nil {
			s.Throttles = map[string]int64{}
		}
		s.Throttles[kind]++
	})
}

func (c *counters) stats() Stats {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.s
	s.Throttles = maps.Clone(s.Throttles)
	if s.Throttles == nil {
		s.Throttles = map[string]int64{}
	}
	return s
}
