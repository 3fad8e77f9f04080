package engine

import (
	"context"
	"slices"
	"time"

	"github.com/tvmexport/tvmexport/emulator/internal/engine/command"
	"github.com/tvmexport/tvmexport/emulator/internal/engine/extent"
)

// moveRows has the columns of the pages on .move and .replace extents.
func moveRows() *rows {
	return &rows{columns: stringColumns("OriginalExtentId", "ResultExtentId", "Details")}
}

// moving is a move, or a replacement, of extents: one transaction.
type moving struct {
	to         string
	drop       []piece // of the table to
	move       []piece
	ingestedOn time.Time // zero: rows keep their ingestion time
}

var moveProperties = []string{"setnewingestiontime", "extentcreatedonfrom", "extentcreatedonto"}

// moveExtents is .move extents.
func moveExtents(ctx context.Context, s *session, c *command.MoveExtents) (*rows, error) {
	if err := checkProperties(c.With, moveProperties...); err != nil {
		return nil, err
	}
	if _, _, err := s.table(c.To, Admin); err != nil {
		return nil, err
	}
	if c.From != "" {
		if _, _, err := s.table(c.From, Admin); err != nil {
			return nil, err
		}
	}
	return s.operate(ctx, "ExtentsMove", c.Async, func(ctx context.Context, _ operation) (*rows, error) {
		sc, err := s.scope()
		if err != nil {
			return nil, err
		}
		m := moving{to: c.To}
		switch {
		case c.All:
			t, err := sc.state.table(c.From)
			if err != nil {
				return nil, err
			}
			for _, x := range t.extents {
				m.move = append(m.move, piece{t.name, x})
			}
		case len(c.IDs) > 0:
			m.move, err = sc.state.byIDs(c.IDs, c.From)
		default:
			m.move, err = queriedPieces(ctx, s, sc.state, c.Query)
		}
		if err != nil {
			return nil, err
		}
		return m.do(ctx, s, sc, c.With)
	})
}

// replaceExtents is .replace extents.
func replaceExtents(ctx context.Context, s *session, c *command.ReplaceExtents) (*rows, error) {
	if err := checkProperties(c.With, moveProperties...); err != nil {
		return nil, err
	}
	if _, _, err := s.table(c.Table, Admin); err != nil {
		return nil, err
	}
	return s.operate(ctx, "ExtentsReplace", c.Async, func(ctx context.Context, _ operation) (*rows, error) {
		sc, err := s.scope()
		if err != nil {
			return nil, err
		}
		m := moving{to: c.Table}
		if m.drop, err = queriedPieces(ctx, s, sc.state, c.Drop); err != nil {
			return nil, err
		}
		if m.move, err = queriedPieces(ctx, s, sc.state, c.Move); err != nil {
			return nil, err
		}
		for _, p := range m.drop {
			if p.table != c.Table {
				return nil, badRequest("Extent '%s' is in table '%s': .replace extents drops only extents of table '%s'", p.extent.ID, p.table, c.Table)
			}
			if slices.Contains(m.move, p) {
				return nil, badRequest("Extent '%s' cannot be both dropped and moved", p.extent.ID)
			}
		}
		return m.do(ctx, s, sc, c.With)
	})
}

// do moves and replaces. Update policies of other tables that read the target see the
// rows that come, without their tags.
func (m moving) do(ctx context.Context, s *session, sc scope, with command.Properties) (*rows, error) {
	span, err := rangeOf(with)
	if err != nil {
		return nil, err
	}
	outside := func(p piece) bool { return !span.includes(p.extent) }
	m.drop, m.move = slices.DeleteFunc(m.drop, outside), slices.DeleteFunc(m.move, outside)
	if err := requireAdminOf(s, m.move); err != nil {
		return nil, err
	}
	if truth(given(with, "setnewingestiontime")) {
		m.ingestedOn = s.e.now()
	}
	target, err := sc.state.table(m.to)
	if err != nil {
		return nil, err
	}
	if err := checkViewsOnMove(sc.state, m); err != nil {
		return nil, err
	}
	var come []*extent.Extent
	r := moveRows()
	for _, p := range m.move {
		source, err := sc.state.table(p.table)
		if err != nil {
			return nil, err
		}
		if err := fits(source, target); err != nil {
			return nil, err
		}
		x := p.extent.Moved(newID(), source.columns, target.columns, m.ingestedOn)
		come = append(come, x)
		r.addText(p.extent.ID.String(), x.ID.String(), "")
	}
	for _, p := range m.drop {
		r.addText(p.extent.ID.String(), "", "")
	}
	derived, err := s.e.loader.derive(ctx, sc, arrival{load: load{principal: s.call.Principal, table: m.to}, source: target, extents: come})
	if err != nil {
		return nil, err
	}
	err = sc.db.update(func(state *state) error {
		if err := state.take(m.drop); err != nil {
			return err
		}
		if err := state.take(m.move); err != nil {
			return err
		}
		t, err := state.editTable(m.to)
		if err != nil {
			return err
		}
		if t.id != target.id {
			return notFound(CodeTableNotFound, "Table", m.to)
		}
		t.addExtents(come)
		return s.e.loader.putAll(state, derived)
	})
	if err != nil {
		return nil, err
	}
	return r, nil
}

// fits refuses a move where a column of the source is missing in the target
// or has another type there.
func fits(source, target *table) error {
	for _, c := range source.columns {
		i := target.column(c.Name)
		if i < 0 {
			return badRequest("Extents of table '%s' cannot move to table '%s': it has no column '%s'", source.name, target.name, c.Name)
		}
		if target.columns[i].Kind != c.Kind {
			return badRequest("Extents of table '%s' cannot move to table '%s': column '%s' is of type %v there, not %v",
				source.name, target.name, c.Name, target.columns[i].Kind, c.Kind)
		}
	}
	return nil
}
