package engine

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/google/uuid"

	"github.com/tvmexport/tvmexport/emulator/internal/engine/extent"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// load is one atomic addition of rows to a table.
type load struct {
	principal   Principal
	table       string
	create      *table          // the table, if this load makes it
	extend      []extent.Column // columns that this load adds to the table
	replace     bool            // the rows take the place of all that were there
	tags        []string
	ifNotExists []string
	created     time.Time // of the extents; zero is now
	operation   uuid.UUID
	untimed     bool // the rows get no time of ingestion
}

// loaded is what a load did.
type loaded struct {
	skipped bool // a tag of ifNotExists was there
	extents []*extent.Extent
	rows    int64
}

// errSkipped leaves a transaction in which a tag was found.
var errSkipped = errors.New("an ingest-by tag already exists")

// loader adds rows to the tables of databases and has their update policies follow.
type loader struct {
	o         Options
	now       func() time.Time // in UTC
	databases *databases
	store     *extent.Store
	log       *journal
	stats     *counts
}

// load reads rows, makes extents of them, runs the update policies over those
// and commits all of it at once.
func (w *loader) load(ctx context.Context, d *database, l load, rows iter.Seq2[[]value.Value, error]) (loaded, error) {
	sc := w.databases.scope(d)
	t := l.create
	if t == nil {
		var err error
		if t, err = sc.state.table(l.table); err != nil {
			return loaded{}, err
		}
		if t.hasIngestBy(l.ifNotExists) {
			return loaded{skipped: true}, nil
		}
	}
	columns := append(t.columns[:len(t.columns):len(t.columns)], l.extend...)
	l.untimed = t.untimed()
	extents, err := w.write(columns, l, rows)
	if err != nil {
		return loaded{}, err
	}
	target := *t
	target.columns = columns
	derived, err := w.derive(ctx, sc, arrival{load: l, source: &target, extents: extents})
	if err != nil {
		return loaded{}, err
	}
	err = d.update(func(s *state) error { return w.commit(s, l, t.id, extents, derived) })
	if errors.Is(err, errSkipped) {
		return loaded{skipped: true}, nil
	}
	if err != nil {
		return loaded{}, err
	}
	done := loaded{extents: extents}
	for _, x := range extents {
		done.rows += x.RowCount()
	}
	w.stats.count(func(s *Stats) {
		s.RowsIngested += done.rows
		for _, d := range derived {
			for _, x := range d.extents {
				s.RowsIngested += x.RowCount()
			}
		}
	})
	return done, nil
}

// write makes extents of rows.
func (w *loader) write(columns []extent.Column, l load, rows iter.Seq2[[]value.Value, error]) ([]*extent.Extent, error) {
	now := w.now()
	created := l.created
	if created.IsZero() {
		created = now
	}
	at := now
	if l.untimed {
		at = time.Time{}
	}
	out := extent.NewWriter(w.store, columns, l.tags, at, created)
	for row, err := range rows {
		if err != nil {
			return nil, asError(err)
		}
		if err := out.Append(row); err != nil {
			return nil, internalError(fmt.Errorf("load table '%s': %w", l.table, err))
		}
	}
	extents, err := out.Extents()
	if err != nil {
		return nil, internalError(fmt.Errorf("load table '%s': %w", l.table, err))
	}
	return extents, nil
}

// commit puts the extents in their tables. id is the table as the load saw it.
func (w *loader) commit(s *state, l load, id uuid.UUID, extents []*extent.Extent, derived []derivation) error {
	if l.create != nil {
		if kind, taken := s.taken(l.table); taken {
			return semantic("Entity '%s' of kind '%s' already exists.", l.table, kind)
		}
		made := *l.create
		s.tables[l.table] = &made
	}
	t, err := s.editTable(l.table)
	if err != nil {
		return err
	}
	if t.id != id {
		return badRequest("Table '%s' was dropped and made again during the load; nothing was loaded", l.table)
	}
	if !w.o.TagRace && t.hasIngestBy(l.ifNotExists) {
		return errSkipped
	}
	for _, c := range l.extend {
		if t.column(c.Name) >= 0 {
			return badRequest("Table '%s' got a column '%s' during the load; nothing was loaded", l.table, c.Name)
		}
	}
	t.columns = append(t.columns[:len(t.columns):len(t.columns)], l.extend...)
	if l.replace {
		t.extents = nil
	}
	w.put(s, t, extents)
	return w.putAll(s, derived)
}

// putAll adds extents to tables.
func (w *loader) putAll(s *state, all []derivation) error {
	for _, d := range all {
		t, err := s.editTable(d.table)
		if err != nil {
			return err
		}
		w.put(s, t, d.extents)
	}
	return nil
}

// put adds extents to t, which editTable gave, unless its rows do not live at all.
func (w *loader) put(s *state, t *table, extents []*extent.Extent) {
	if len(extents) == 0 || !s.keepsRows(t) {
		return
	}
	t.addExtents(extents)
	w.merge(s, t)
}

// column is the place of a column, or -1.
func (t *table) column(name string) int {
	for i, c := range t.columns {
		if c.Name == name {
			return i
		}
	}
	return -1
}
