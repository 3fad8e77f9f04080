package engine

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/tvmexport/tvmexport"
)

// addUnread adds what was not read elsewhere, by column.
func addUnread(list, more []tvmexport.Unread) []tvmexport.Unread {
	for _, u := range more {
		i := slices.IndexFunc(list, func(k tvmexport.Unread) bool { return k.Column == u.Column })
		if i < 0 {
			list = append(slices.Clip(list), u)
			continue
		}
		list = slices.Clone(list)
		list[i].Values += u.Values
	}
	slices.SortFunc(list, func(a, b tvmexport.Unread) int { return cmp.Compare(a.Column, b.Column) })
	return list
}

// mostUnread takes for each column the larger count: both are of the same rows.
func mostUnread(list, other []tvmexport.Unread) []tvmexport.Unread {
	for _, u := range other {
		i := slices.IndexFunc(list, func(k tvmexport.Unread) bool { return k.Column == u.Column })
		switch {
		case i < 0:
			list = addUnread(list, []tvmexport.Unread{u})
		case list[i].Values < u.Values:
			list = slices.Clone(list)
			list[i].Values = u.Values
		}
	}
	return list
}

// whereUnread names the first row of each column that has such a value.
func whereUnread(u tvmexport.Unread) string {
	if u.Batch == "" {
		return ""
	}
	return fmt.Sprintf("%s: the first is at line %d of batch %s", u.Column, u.Line, u.Batch)
}

// tellUnread says of the parts that differ in content alone where that comes
// from values that were not read: both sides are asked again, without the
// columns that have such values. It asks only where there are such columns and
// such parts.
func (e *Exporter) tellUnread(ctx context.Context, state tvmexport.StateCounter, c *Comparison, parts comparedParts, columns []string) error {
	if len(columns) == 0 || !slices.ContainsFunc(c.Differences, Difference.inContent) {
		return nil
	}
	parts.query.Table.Volatile = slices.Concat(parts.query.Table.Volatile, columns)
	source, err := checkedCount(ctx, e.source(c.Table.Name), parts.query)
	if err != nil {
		return err
	}
	readers, err := state.State(ctx, parts.query)
	if err != nil {
		return err
	}
	without := Comparison{Table: c.Table, Run: c.Run}
	without.differ(source.Parts, readers, parts)
	for i, d := range c.Differences {
		still := slices.ContainsFunc(without.Differences, func(w Difference) bool { return w.Partition == d.Partition && w.Window == d.Window })
		if d.inContent() && !still {
			c.Differences[i].Why = fmt.Sprintf("the rows differ only in %s: the source had values there that do not match the column type; records keep them as text, and the typed table has no value",
				strings.Join(columns, ", "))
		}
	}
	return nil
}

// inContent says whether both sides have as many rows as were recorded.
func (d Difference) inContent() bool {
	return d.Source == d.Readers && (d.Recorded == tvmexport.Missing || d.Recorded == d.Readers)
}
