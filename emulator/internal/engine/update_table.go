package engine

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/tvmexport/tvmexport/emulator/internal/engine/command"
	"github.com/tvmexport/tvmexport/emulator/internal/engine/extent"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// mostUpdated is how many records one .update table can delete, by its page.
const mostUpdated = 5_000_000

// replacement is what .update table deletes from and adds to a table.
type replacement struct {
	target  *table
	deleted []thinned
	moved   []piece
	come    []*extent.Extent
}

// updateTable is .update table: it marks rows as deleted and adds others, both
// computed from the tables before the command, in one transaction. See
// https://learn.microsoft.com/kusto/management/update-table-command.
func updateTable(ctx context.Context, s *session, c *command.UpdateTable) (*rows, error) {
	properties := []string{"whatif", "distributed"}
	if c.From != "" {
		properties = append(properties, "extenttagstomove")
	}
	if err := checkProperties(c.With, properties...); err != nil {
		return nil, err
	}
	tags, err := stringList("extentTagsToMove", c.With["extenttagstomove"])
	if err != nil {
		return nil, err
	}
	if _, _, err := s.table(c.Table, Admin); err != nil {
		return nil, err
	}
	if c.From != "" {
		if _, _, err := s.table(c.From, Admin); err != nil {
			return nil, err
		}
	}
	return s.operate(ctx, "TableUpdate", c.Async, func(ctx context.Context, _ operation) (*rows, error) {
		sc, err := s.scope()
		if err != nil {
			return nil, err
		}
		var r replacement
		if r.target, err = sc.state.table(c.Table); err != nil {
			return nil, err
		}
		ordinals, err := matchingOrdinals(ctx, s, sc, r.target, definitions(c.Query)+quoteName(c.Delete))
		if err != nil {
			return nil, err
		}
		if len(ordinals) > mostUpdated {
			return nil, badRequest("The command would delete %d records of table '%s'; one command can delete %d", len(ordinals), c.Table, mostUpdated)
		}
		r.deleted = thin(r.target, ordinals)
		if c.From != "" {
			err = r.move(sc, c.From, tags)
		} else {
			err = r.append(ctx, s, definitions(c.Query)+quoteName(c.Append))
		}
		if err != nil {
			return nil, err
		}
		if truth(given(c.With, "whatif")) {
			return r.rows(), nil
		}
		return r.rows(), r.commit(ctx, s, sc)
	})
}

// definitions ends a list of let statements.
func definitions(text string) string {
	return strings.TrimRight(text, "; \t\r\n") + ";\n"
}

// move adds the extents of another table of the same schema that carry one of the
// tags, or all without tags.
func (r *replacement) move(sc scope, from string, tags []string) error {
	source, err := sc.state.table(from)
	if err != nil {
		return err
	}
	if source.name == r.target.name {
		return badRequest("Extents of table '%s' cannot move to itself", from)
	}
	if err := sameSchema(source, r.target); err != nil {
		return err
	}
	for _, x := range source.extents {
		if len(tags) > 0 && !slices.ContainsFunc(tags, x.HasTag) {
			continue
		}
		r.moved = append(r.moved, piece{source.name, x})
		r.come = append(r.come, x.Moved(newID(), source.columns, r.target.columns, time.Time{}))
	}
	return checkViewsOnMove(sc.state, moving{to: r.target.name, move: r.moved})
}

// sameSchema refuses tables whose columns differ in a name or type.
func sameSchema(source, target *table) error {
	if len(source.columns) != len(target.columns) {
		return badRequest("Tables '%s' and '%s' must have the same schema: they have %d and %d columns", source.name, target.name, len(source.columns), len(target.columns))
	}
	return fits(source, target)
}

// append adds the rows of a query, whose columns match the table's by their order and type.
func (r *replacement) append(ctx context.Context, s *session, query string) error {
	columns, source, err := s.source(ctx, query)
	if err != nil {
		return err
	}
	if err := matches(columns, r.target.schema()); err != nil {
		return badRequest("Invalid query for update: %v", err)
	}
	r.come, err = s.e.loader.write(r.target.columns, load{table: r.target.name, untimed: r.target.untimed()}, source)
	return err
}

// commit runs the update policies over the rows that come, and does everything at once.
func (r *replacement) commit(ctx context.Context, s *session, sc scope) error {
	derived, err := s.e.loader.derive(ctx, sc, arrival{load: load{principal: s.call.Principal, table: r.target.name}, source: r.target, extents: r.come})
	if err != nil {
		return err
	}
	return sc.db.update(func(state *state) error {
		t, err := state.table(r.target.name)
		if err != nil {
			return err
		}
		if t.id != r.target.id {
			return notFound(CodeTableNotFound, "Table", r.target.name)
		}
		if err := state.thin(r.target.name, r.deleted); err != nil {
			return err
		}
		if err := state.take(r.moved); err != nil {
			return err
		}
		return s.e.loader.putAll(state, append(derived, derivation{r.target.name, r.come}))
	})
}

// rows has the columns of the page.
func (r *replacement) rows() *rows {
	out := &rows{columns: []value.Column{stringColumn("Table"), stringColumn("Action"), guidColumn("ExtentId"), longColumn("RowCount")}}
	for _, x := range r.deleted {
		out.add(value.NewString(r.target.name), value.NewString("Delete"), guidValue(x.before.ID), value.NewLong(x.rows))
	}
	for _, x := range r.come {
		out.add(value.NewString(r.target.name), value.NewString("Create"), guidValue(x.ID), value.NewLong(x.RowCount()-x.DeletedRowCount()))
	}
	return out
}
