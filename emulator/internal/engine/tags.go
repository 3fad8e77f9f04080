package engine

import (
	"context"
	"slices"
	"strings"

	"github.com/tvmexport/tvmexport/emulator/internal/engine/command"
	"github.com/tvmexport/tvmexport/emulator/internal/engine/extent"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// changeTags is .drop table T extent tags, .alter and .alter-merge extent
// tags. An extent whose tags change gets another id.
func changeTags(ctx context.Context, s *session, c *command.ChangeTags) (*rows, error) {
	if err := checkProperties(c.With, "extentcreatedonfrom", "extentcreatedonto"); err != nil {
		return nil, err
	}
	if c.Table != "" {
		if _, _, err := s.table(c.Table, Admin); err != nil {
			return nil, err
		}
	}
	return s.operate(ctx, "ExtentTagsChange", c.Async, func(ctx context.Context, _ operation) (*rows, error) {
		sc, err := s.scope()
		if err != nil {
			return nil, err
		}
		span, err := rangeOf(c.With)
		if err != nil {
			return nil, err
		}
		changes, err := tagChanges(ctx, s, sc.state, c)
		if err != nil {
			return nil, err
		}
		pieces := make([]piece, 0, len(changes))
		r := &rows{columns: stringColumns("OriginalExtentId", "ResultExtentId", "ResultExtentTags", "Details")}
		news := map[string][]*extent.Extent{}
		for _, change := range changes {
			if !span.includes(change.extent) || slices.Equal(change.tags, change.extent.Tags) {
				continue
			}
			x := change.extent.WithTags(change.tags)
			x.ID = newID()
			pieces = append(pieces, change.piece)
			news[change.table] = append(news[change.table], x)
			r.addText(change.extent.ID.String(), x.ID.String(), strings.Join(x.Tags, tagSeparator), "")
		}
		if err := requireAdminOf(s, pieces); err != nil {
			return nil, err
		}
		err = sc.db.update(func(state *state) error {
			if err := state.take(pieces); err != nil {
				return err
			}
			for name, extents := range news {
				t, err := state.editTable(name)
				if err != nil {
					return err
				}
				t.addExtents(extents)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		return r, nil
	})
}

// tagChange is an extent and its new tags.
type tagChange struct {
	piece
	tags []string
}

func tagChanges(ctx context.Context, s *session, state *state, c *command.ChangeTags) ([]tagChange, error) {
	if c.Verb == command.Drop {
		gone, err := droppedTags(ctx, s, c)
		if err != nil {
			return nil, err
		}
		t, err := state.table(c.Table)
		if err != nil {
			return nil, err
		}
		var changes []tagChange
		for _, x := range t.extents {
			kept := slices.DeleteFunc(slices.Clone(x.Tags), func(tag string) bool { return slices.Contains(gone, tag) })
			changes = append(changes, tagChange{piece{t.name, x}, kept})
		}
		return changes, nil
	}
	pieces, err := queriedPieces(ctx, s, state, c.Query)
	if err != nil {
		return nil, err
	}
	var changes []tagChange
	for _, p := range pieces {
		tags := slices.Clone(c.Tags)
		if c.Verb == command.AlterMerge {
			tags = slices.Clone(p.extent.Tags)
			for _, tag := range c.Tags {
				if !slices.Contains(tags, tag) {
					tags = append(tags, tag)
				}
			}
		}
		changes = append(changes, tagChange{p, tags})
	}
	return changes, nil
}

// droppedTags are those of the command, or of the column Tags of its query's
// rows, each of which may hold several.
func droppedTags(ctx context.Context, s *session, c *command.ChangeTags) ([]string, error) {
	if c.Query == "" {
		return c.Tags, nil
	}
	columns, source, err := s.source(ctx, c.Query)
	if err != nil {
		return nil, err
	}
	at := slices.IndexFunc(columns, func(col value.Column) bool { return equalFold(col.Name, "tags") })
	if at < 0 {
		return nil, badRequest("The query must give a column Tags: %s", excerpt(c.Query))
	}
	gone := slices.Clone(c.Tags)
	for row, err := range source {
		if err != nil {
			return nil, asError(err)
		}
		for tag := range strings.SplitSeq(row[at].String(), tagSeparator) {
			if tag != "" && !slices.Contains(gone, tag) {
				gone = append(gone, tag)
			}
		}
	}
	return gone, nil
}
