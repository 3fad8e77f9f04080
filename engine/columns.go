package engine

import (
	"fmt"
	"slices"

	"github.com/tvmexport/tvmexport"
)

// comparedTable is the table as its content is compared with what readers see:
// without the columns that are published as pseudonyms, which the note says.
func comparedTable(t tvmexport.Table) (_ tvmexport.Table, notes []string) {
	if len(t.Policy.Pseudonymise) == 0 {
		return t, nil
	}
	t.Columns = slices.DeleteFunc(slices.Clone(t.Columns), func(c tvmexport.Column) bool { return t.Policy.Pseudonymises(c.Name) })
	return t, []string{"pseudonymised columns were left out of the comparison of content"}
}

// withoutRefused leaves columns out of the typed table and the read functions
// whose names the destination refuses. Records keep them.
func withoutRefused(t tvmexport.Table) (_ tvmexport.Table, notes []string) {
	shown := tvmexport.NameableColumns(t.Visible())
	if len(shown) == len(t.Visible()) {
		return t, nil
	}
	for _, c := range t.Visible() {
		if tvmexport.Nameable(c.Name) {
			continue
		}
		fate := "kept in the records only, and a change in it alone is not fetched"
		if !t.Layout.Raw() {
			fate = "not exported, because the layout has no records"
		}
		notes = append(notes, fmt.Sprintf("Kusto does not support the name of the column %s: it is %s", shortName(c.Name), fate))
	}
	t.Shown = shown
	return t, notes
}

// shortName is a name in quotes, cut where it is long.
func shortName(name string) string {
	const most = 80
	if len(name) <= most {
		return fmt.Sprintf("%q", name)
	}
	return fmt.Sprintf("%.80q... (%d bytes)", name, len(name))
}

// shapeOf is a table as the run met it.
func shapeOf(c *tvmexport.Committed, t tvmexport.Table) tvmexport.Table {
	if c == nil || len(c.Columns) == 0 {
		return t
	}
	t.Columns, t.Shown = c.Columns, c.Shown
	if slices.Equal(t.Shown, t.Columns) {
		t.Shown = nil
	}
	return t
}

// unlikeColumns are the columns in which what readers see can differ from the source
// because a value did not fit its type.
func unlikeColumns(c *tvmexport.Committed) []string {
	if c == nil {
		return nil
	}
	out := slices.Clone(c.Unlike)
	for _, u := range c.Unread {
		if !slices.Contains(out, u.Column) {
			out = append(out, u.Column)
		}
	}
	return out
}
