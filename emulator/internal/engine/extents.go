package engine

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/tvmexport/tvmexport/emulator/internal/engine/command"
	"github.com/tvmexport/tvmexport/emulator/internal/engine/extent"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// piece is an extent and the table that has it.
type piece struct {
	table  string
	extent *extent.Extent
}

// tagSeparator separates the tags of an extent in results.
const tagSeparator = "\r\n"

// showExtents is .show table|tables|database|cluster ... extents.
func showExtents(s *session, c *command.ShowExtents) (*rows, error) {
	r := &rows{columns: []value.Column{
		guidColumn("ExtentId"), stringColumn("DatabaseName"), stringColumn("TableName"), timeColumn("MaxCreatedOn"),
		realColumn("OriginalSize"), realColumn("ExtentSize"), realColumn("CompressedSize"), realColumn("IndexSize"),
		longColumn("Blocks"), longColumn("Segments"), stringColumn("ExtentContainerId"), longColumn("RowCount"),
		timeColumn("MinCreatedOn"), stringColumn("Tags"), stringColumn("Kind"), longColumn("DeletedRowCount"),
	}}
	add := func(db *database, t *table) {
		for _, x := range t.extents {
			if len(c.IDs) > 0 && !slices.Contains(c.IDs, x.ID) || !hasTags(x, c.Tags) {
				continue
			}
			size := value.NewReal(float64(x.CompressedSize()))
			r.add(guidValue(x.ID), value.NewString(db.name), value.NewString(t.name), timeValue(x.MaxCreatedOn),
				value.NewReal(float64(x.OriginalSize())), size, size, value.NewReal(0),
				value.NewLong(int64(x.Blocks())), value.NewLong(int64(x.Segments())), value.NewString(db.id.String()),
				value.NewLong(x.RowCount()), timeValue(x.MinCreatedOn), value.NewString(strings.Join(x.Tags, tagSeparator)),
				value.NewString("V3"), value.NewLong(x.DeletedRowCount()))
		}
	}
	switch c.Scope {
	case command.Table:
		for _, name := range c.Names {
			sc, t, err := s.table(name, Monitor)
			if err != nil {
				return nil, err
			}
			add(sc.db, t)
		}
		return r, nil
	case command.Database:
		name := ""
		if len(c.Names) > 0 {
			name = c.Names[0]
		}
		sc, err := s.named(name, Monitor)
		if err != nil {
			return nil, err
		}
		for _, t := range sc.state.sortedTables() {
			add(sc.db, t)
		}
		return r, nil
	}
	for _, d := range s.e.databases.sorted() {
		if sc := s.e.databases.scope(d); sc.permits(s.call.Principal, Monitor) {
			for _, t := range sc.state.sortedTables() {
				add(d, t)
			}
		}
	}
	return r, nil
}

// hasTags says whether an extent meets all conditions: has is a whole tag,
// contains a part of one in any case.
func hasTags(x *extent.Extent, filters []command.TagFilter) bool {
	for _, f := range filters {
		found := x.HasTag(f.Text)
		if f.Contains {
			found = slices.ContainsFunc(x.Tags, func(tag string) bool {
				return strings.Contains(strings.ToLower(tag), strings.ToLower(f.Text))
			})
		}
		if found == f.Not {
			return false
		}
	}
	return true
}

// createdRange is the properties extentCreatedOnFrom and extentCreatedOnTo.
type createdRange struct{ from, to time.Time }

func rangeOf(with command.Properties) (createdRange, error) {
	var c createdRange
	for name, at := range map[string]*time.Time{"extentcreatedonfrom": &c.from, "extentcreatedonto": &c.to} {
		text, ok := with[name]
		if !ok {
			continue
		}
		v, ok := value.ParseDateTime(text)
		if !ok {
			return c, badRequest("%s '%s' is not a datetime", name, text)
		}
		*at = v.Time()
	}
	return c, nil
}

func (c createdRange) includes(x *extent.Extent) bool {
	return (c.from.IsZero() || !x.MinCreatedOn.Before(c.from)) && (c.to.IsZero() || !x.MaxCreatedOn.After(c.to))
}

// queriedPieces finds the extents that a query names by its columns ExtentId and
// TableName. One that is not there is an error: somebody dropped, moved or
// merged it since.
func queriedPieces(ctx context.Context, s *session, state *state, query string) ([]piece, error) {
	columns, source, err := s.source(ctx, query)
	if err != nil {
		return nil, err
	}
	id, name := place(columns, "ExtentId"), place(columns, "TableName")
	if id < 0 {
		return nil, badRequest("The query must give a column ExtentId and a column TableName: %s", excerpt(query))
	}
	var found []piece
	for row, err := range source {
		if err != nil {
			return nil, asError(err)
		}
		x, err := uuid.Parse(row[id].String())
		if err != nil {
			return nil, badRequest("'%s' is not the id of an extent", row[id].String())
		}
		table := ""
		if name >= 0 {
			table = row[name].String()
		}
		p, err := state.piece(x, table)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(found, p) {
			found = append(found, p)
		}
	}
	return found, nil
}

// piece finds an extent by its id, in the named table or in any for "".
func (s *state) piece(id uuid.UUID, table string) (piece, error) {
	for _, t := range s.sortedTables() {
		if table != "" && t.name != table {
			continue
		}
		for _, x := range t.extents {
			if x.ID == id {
				return piece{t.name, x}, nil
			}
		}
	}
	e := notFound(CodeEntityNotFound, "Extent", id.String())
	if table != "" {
		e.Message = strings.TrimSuffix(e.Message, ".") + " in table '" + table + "'."
	}
	return piece{}, e
}

func (s *state) byIDs(ids command.IDs, table string) ([]piece, error) {
	var found []piece
	for _, id := range ids {
		p, err := s.piece(id, table)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(found, p) {
			found = append(found, p)
		}
	}
	return found, nil
}

// take removes pieces from their tables. All must still be there. Only for
// the state that update gives.
func (s *state) take(pieces []piece) error {
	for _, p := range pieces {
		t, err := s.editTable(p.table)
		if err != nil {
			return err
		}
		i := slices.Index(t.extents, p.extent)
		if i < 0 {
			return notFound(CodeEntityNotFound, "Extent", p.extent.ID.String())
		}
		t.extents = slices.Delete(slices.Clone(t.extents), i, i+1)
	}
	return nil
}

// requireAdminOf refuses a caller who is not admin of every piece's table.
func requireAdminOf(s *session, pieces []piece) error {
	checked := map[string]bool{}
	for _, p := range pieces {
		if checked[p.table] {
			continue
		}
		checked[p.table] = true
		if _, _, err := s.table(p.table, Admin); err != nil {
			return err
		}
	}
	return nil
}

// dropExtents is .drop extents in its forms. One that names a table needs its
// admin, another the database's.
func dropExtents(ctx context.Context, s *session, c *command.DropExtents) (*rows, error) {
	sc, err := s.scope()
	if err != nil {
		return nil, err
	}
	if c.Table != "" {
		_, _, err = s.table(c.Table, Admin)
	} else {
		err = sc.require(s.call.Principal, Admin)
	}
	if err != nil {
		return nil, err
	}
	var pieces []piece
	switch {
	case len(c.IDs) > 0:
		pieces, err = sc.state.byIDs(c.IDs, c.Table)
	case c.Query != "":
		pieces, err = queriedPieces(ctx, s, sc.state, c.Query)
	default:
		pieces, err = olderPieces(s, sc.state, c)
	}
	if err != nil {
		return nil, err
	}
	r := &rows{columns: []value.Column{guidColumn("ExtentId"), stringColumn("TableName"), timeColumn("CreatedOn")}}
	for _, p := range pieces {
		r.add(guidValue(p.extent.ID), value.NewString(p.table), timeValue(p.extent.MaxCreatedOn))
	}
	if c.WhatIf {
		return r, nil
	}
	return r, sc.db.update(func(state *state) error { return state.take(pieces) })
}

// olderPieces is the extents of a table or of all, older than the command says.
func olderPieces(s *session, state *state, c *command.DropExtents) ([]piece, error) {
	before := time.Time{}
	if c.Older != "" {
		v, ok := value.ParseTimeSpan(c.Older)
		if !ok {
			return nil, badRequest("'%s' is not an age", c.Older)
		}
		before = s.e.now().Add(-time.Duration(v.Ticks()) * 100)
	}
	var found []piece
	for _, t := range state.sortedTables() {
		if !c.AllTables && t.name != c.Table {
			continue
		}
		for _, x := range t.extents {
			if (before.IsZero() || x.MaxCreatedOn.Before(before)) && (c.Limit == 0 || len(found) < c.Limit) {
				found = append(found, piece{t.name, x})
			}
		}
	}
	return found, nil
}
