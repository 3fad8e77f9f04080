package spool

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/tvmexport/tvmexport"
)

// table is a table of which questions are asked.
type table struct {
	turn chan struct{} // holds an element while the state is being made

	mu       sync.Mutex
	state    *state
	released bool
}

// use is a state that stays until done is called.
type use struct {
	*state
	calls int // made for it, if it was made for this question
}

// question is what the answer to a count or a fetch needs.
type question struct {
	table  tvmexport.Table
	window tvmexport.Window
}

// use finds the state that answers a question, or makes it.
func (s *Source) use(ctx context.Context, q question) (use, error) {
	s.mu.Lock()
	t := s.tables[q.table.Name]
	if t == nil {
		t = &table{turn: make(chan struct{}, 1)}
		s.tables[q.table.Name] = t
	}
	s.mu.Unlock()
	select {
	case t.turn <- struct{}{}:
		defer func() { <-t.turn }()
	case <-ctx.Done():
		return use{}, context.Cause(ctx)
	}
	if err := context.Cause(ctx); err != nil {
		return use{}, err
	}
	if st := t.take(q); st != nil {
		return use{state: st}, nil
	}
	st, calls, err := s.read(ctx, q)
	if err != nil {
		return use{calls: calls}, err
	}
	st.enter()
	t.keep(st)
	return use{st, calls}, nil
}

// take is the state if it answers the question; nil if it must be made. One that does
// not answer the question is let go.
func (t *table) take(q question) *state {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.state == nil {
		return nil
	}
	if !t.state.answers(q) {
		t.state.retire()
		t.state = nil
		return nil
	}
	t.state.enter()
	return t.state
}

// keep keeps a state for the next questions. One that was released meanwhile goes when
// its user is done.
func (t *table) keep(st *state) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.released {
		st.retire()
		return
	}
	t.state = st
}

func (t *table) release() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.released = true
	if t.state != nil {
		t.state.retire()
		t.state = nil
	}
}

// state is one version of a table, read completely.
type state struct {
	table   tvmexport.Table // as it was when the state was read
	since   time.Time       // rows with an earlier watermark may be missing; zero: none are
	version string
	at      time.Time
	gone    tvmexport.Window   // of the watermark, that the source no longer keeps
	columns []tvmexport.Column // that the answers declare
	notes   []string
	rowSet

	mu      sync.Mutex
	users   int
	retired bool
}

// rowSet is rows in chunks, with what was counted of them.
type rowSet struct {
	file   *rowFile
	prints []tvmexport.Column // fingerprinted
	timed  bool               // rows carry their watermark
	byRow  bool               // buckets are by the hash of rows
	rows   int64
	newest time.Time // the largest watermark
	chunks [buckets][]chunk
	index  index
}

// isTimed says whether a table follows a column of its rows.
func isTimed(t tvmexport.Table) bool {
	return t.LoadType != tvmexport.Snapshot && t.Watermark != "" && t.Watermark != tvmexport.IngestionTime
}

// answers says whether the rows are those that a question is about: as the source
// writes them for its table, and all of its window.
func (s *state) answers(q question) bool {
	a, b := s.table, q.table
	if isTimed(a) != isTimed(b) || s.timed && a.Watermark != b.Watermark ||
		a.Key.Column != b.Key.Column || !slices.Equal(a.Key.Hashed, b.Key.Hashed) || !samePolicy(a.Policy, b.Policy) {
		return false
	}
	return s.since.IsZero() || q.window.Null || !q.window.From.IsZero() && !q.window.From.Before(s.since)
}

func samePolicy(a, b tvmexport.ColumnPolicy) bool {
	return a.Key == b.Key && slices.Equal(a.Include, b.Include) && slices.Equal(a.Exclude, b.Exclude) && slices.Equal(a.Pseudonymise, b.Pseudonymise)
}

func (s *state) enter() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.users++
}

// done ends a use.
func (s *state) done() {
	s.mu.Lock()
	s.users--
	last := s.retired && s.users == 0
	s.mu.Unlock()
	if last {
		s.file.remove()
	}
}

// retire removes the rows when nobody uses them any more.
func (s *state) retire() {
	s.mu.Lock()
	last := !s.retired && s.users == 0
	s.retired = true
	s.mu.Unlock()
	if last {
		s.file.remove()
	}
}
