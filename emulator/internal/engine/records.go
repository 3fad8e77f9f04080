package engine

import (
	"context"
	"strings"

	"github.com/tvmexport/tvmexport/emulator/internal/engine/command"
	"github.com/tvmexport/tvmexport/emulator/internal/engine/extent"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// deleteRecords is .delete table T records: rows are marked, not removed. The
// predicate is a query of the table that only filters. See
// https://learn.microsoft.com/kusto/concepts/data-soft-delete.
func deleteRecords(ctx context.Context, s *session, c *command.DeleteRecords) (*rows, error) {
	if err := checkProperties(c.With, "whatif"); err != nil {
		return nil, err
	}
	if _, err := s.scopeFor(Admin); err != nil {
		return nil, err
	}
	return s.operate(ctx, "TableDeleteRecords", c.Async, func(ctx context.Context, _ operation) (*rows, error) {
		sc, t, err := s.table(c.Table, Admin)
		if err != nil {
			return nil, err
		}
		ordinals, err := matchingOrdinals(ctx, s, sc, t, c.Query)
		if err != nil {
			return nil, err
		}
		if truth(given(c.With, "whatif")) {
			r := &rows{columns: []value.Column{longColumn("RecordsMatchPredicate")}}
			r.add(value.NewLong(int64(len(ordinals))))
			return r, nil
		}
		r := &rows{columns: stringColumns("OriginalExtentId", "ResultExtentId", "ResultExtentTags", "Details")}
		thinned := thin(t, ordinals)
		for _, x := range thinned {
			r.addText(x.before.ID.String(), x.after.ID.String(), strings.Join(x.after.Tags, tagSeparator), "")
		}
		err = sc.db.update(func(state *state) error { return state.thin(c.Table, thinned) })
		if err != nil {
			return nil, err
		}
		return r, nil
	})
}

// thinned is an extent before and after rows of it were marked as deleted.
type thinned struct {
	before, after *extent.Extent
	rows          int64 // that were marked
}

// thin marks the rows with these ordinals, which are sorted, as deleted.
func thin(t *table, ordinals []int64) []thinned {
	var all []thinned
	var first int64
	for _, x := range t.extents {
		n := 0
		for n < len(ordinals) && ordinals[n] < first+x.RowCount() {
			ordinals[n] -= first
			n++
		}
		first += x.RowCount()
		if n == 0 {
			continue
		}
		y := x.Delete(ordinals[:n])
		y.ID = newID()
		all = append(all, thinned{x, y, int64(n)})
		ordinals = ordinals[n:]
	}
	return all
}

// thin replaces extents of a table. It fails if one of them does not exist any more.
// It changes the state within update alone.
func (s *state) thin(name string, all []thinned) error {
	gone := make([]piece, len(all))
	come := make([]*extent.Extent, len(all))
	for i, x := range all {
		gone[i], come[i] = piece{name, x.before}, x.after
	}
	if err := s.take(gone); err != nil {
		return err
	}
	t, err := s.editTable(name)
	if err != nil {
		return err
	}
	t.addExtents(come)
	return nil
}

// matchingOrdinals is the ordinals of the rows that the predicate gives, sorted: the
// table gets a column with them for this query, and what drops that column is
// more than a predicate.
func matchingOrdinals(ctx context.Context, s *session, sc scope, t *table, predicate string) ([]int64, error) {
	relation := &extent.Relation{Schema: t.columns, Extents: t.extents, Ordinals: true}
	catalog := s.e.databases.catalog(sc.db.name, s.call.Principal).with(t.name, relation)
	q, err := catalog.compile(s.call, predicate)
	if err != nil {
		return nil, err
	}
	if len(q.Statements) != 1 {
		return nil, badRequest("The predicate must be one statement: %s", excerpt(predicate))
	}
	at := place(q.Statements[0].Columns(), extent.OrdinalColumn)
	if at != len(t.columns) {
		return nil, badRequest("The predicate may only filter table '%s': %s", t.name, excerpt(predicate))
	}
	var ordinals []int64
	for row, err := range q.Statements[0].Rows(ctx) {
		if err != nil {
			return nil, asError(err)
		}
		n := row[at].Int64()
		if len(ordinals) > 0 && n <= ordinals[len(ordinals)-1] {
			return nil, badRequest("The predicate may only filter table '%s': %s", t.name, excerpt(predicate))
		}
		ordinals = append(ordinals, n)
	}
	return ordinals, nil
}
