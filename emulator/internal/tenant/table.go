package tenant

import (
	"context"
	"iter"
	"slices"

	"github.com/tvmexport/tvmexport/emulator/internal/kql"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// level says how often a column's value changes during a scan.
type level uint8

// The levels. A table's rows are nested: what belongs to a device, to one of
// its items (an installed program, say), and to the single row.
const (
	perDevice level = iota
	perItem
	perRow
	levels
)

// column is a column of a table whose rows are made from an R.
type column[R any] struct {
	name string
	kind value.Kind
	at   level
	fill func(*R) value.Value // a value of kind
}

// table makes rows from records of type R.
type table[R any] struct {
	name    string
	columns []column[R]
	hidden  []column[R] // see kql.Relation
	rows    func(*scan[R])
}

// source is a table of any record type.
type source interface {
	title() string
	schema() (visible, hidden []value.Column)
	current() bool // holds current state, not events
	scan(ctx context.Context, s *state, r kql.Request) iter.Seq2[[]value.Value, error]
}

func (t *table[R]) title() string { return t.name }

// Tables of events can be asked when a row was ingested.
func (t *table[R]) current() bool { return len(t.hidden) == 0 }

func (t *table[R]) schema() (visible, hidden []value.Column) {
	for _, c := range t.columns {
		visible = append(visible, value.Column{Name: c.name, Kind: c.kind})
	}
	for _, c := range t.hidden {
		hidden = append(hidden, value.Column{Name: c.name, Kind: c.kind})
	}
	return visible, hidden
}

// scan is one pass over a table. The table's rows function points record at
// what comes next, enters the level it begins and emits rows.
type scan[R any] struct {
	record R
	state  *state
	where  conditions

	ctx    context.Context
	yield  func([]value.Value, error) bool
	row    []value.Value
	fills  [levels][]fill[R]
	again  bool // the next row is there twice
	ended  bool // nobody wants more rows
	length int  // rows emitted
}

// fill sets one column of the row.
type fill[R any] struct {
	column int
	make   func(*R) value.Value
}

func (t *table[R]) scan(ctx context.Context, st *state, r kql.Request) iter.Seq2[[]value.Value, error] {
	return func(yield func([]value.Value, error) bool) {
		s := scan[R]{state: st, ctx: ctx, yield: yield}
		all := slices.Concat(t.columns, t.hidden)
		s.row = make([]value.Value, len(all))
		described := make([]value.Column, len(all))
		for i, c := range all {
			described[i] = value.Column{Name: c.name, Kind: c.kind}
			s.row[i] = value.Null(c.kind)
			if r.Need == nil || i < len(r.Need) && r.Need[i] {
				s.fills[c.at] = append(s.fills[c.at], fill[R]{i, c.fill})
			}
		}
		s.where = newConditions(r.Where, described)
		if s.alive() {
			t.rows(&s)
		}
	}
}

// enter sets the columns of a level above the row, of the record as it is now.
func (s *scan[R]) enter(l level) {
	for _, f := range s.fills[l] {
		s.row[f.column] = f.make(&s.record)
	}
}

// emit yields the row of the record. It returns false when the scan has ended.
func (s *scan[R]) emit() bool {
	s.enter(perRow)
	ok := s.yield(s.row, nil)
	if s.again && ok {
		s.again = false
		ok = s.yield(s.row, nil)
	}
	s.length++
	if ok && s.length%patience == 0 {
		return s.alive()
	}
	s.ended = !ok
	return ok
}

// skip stands for emit where the conditions rule the row out, so that which row
// is there twice does not depend on them.
func (s *scan[R]) skip() { s.again = false }

// patience is after how many rows a scan looks whether its context has ended.
const patience = 4096

// alive is false, and the context's error is the scan's last word, when the
// context has ended.
func (s *scan[R]) alive() bool {
	if s.ended {
		return false
	}
	if err := context.Cause(s.ctx); err != nil {
		s.ended = true
		s.yield(nil, err)
		return false
	}
	return true
}

// devices visits the devices that have current state and that the conditions
// let pass, until visit or the scan says no.
func (s *scan[R]) devices(visit func(*device) bool) {
	for i := range s.state.devices {
		d := &s.state.devices[i]
		if !s.state.shown(d) || !s.wants(d) {
			continue
		}
		s.again = d.twice && !s.state.once
		if !visit(d) || !s.alive() {
			return
		}
	}
}

// wants says whether rows of d can pass the conditions.
func (s *scan[R]) wants(d *device) bool {
	return s.where.passes("DeviceId", d.id) && s.where.passes("DeviceName", d.name) &&
		s.where.passes("OSPlatform", d.platform.name)
}
