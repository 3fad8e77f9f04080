package defender

import (
	"maps"
	"sync"
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
}

// counters is a Stats that grows.
type counters struct {
	mu sync.Mutex
	s  Stats
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
