package engine

import (
	"maps"
	"sync"
)

// Stats is what an Engine was asked since it was made.
type Stats struct {
	Queries      int64            // calls of Query
	Commands     map[string]int64 // calls of Command by keyword: ".create-merge table"
	RowsIngested int64            // rows that extents were made of, update policies included
	RowsScanned  int64            // rows that tables yielded for queries
}

// Stats counts what the engine was asked.
func (e *Engine) Stats() Stats {
	e.stats.mu.Lock()
	defer e.stats.mu.Unlock()
	s := e.stats.now
	s.Commands = maps.Clone(s.Commands)
	return s
}

// counts keeps Stats. Its methods may be called from several goroutines at once.
type counts struct {
	mu  sync.Mutex
	now Stats
}

func newCounts() *counts { return &counts{now: Stats{Commands: map[string]int64{}}} }

func (c *counts) count(change func(s *Stats)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	change(&c.now)
}
