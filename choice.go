package tvmexport

import (
	"cmp"
	"fmt"
	"slices"
)

// Choice is which columns of a table are published, and which of them as
// pseudonyms: keyed hashes of their values. The zero Choice is all of them as
// they are.
type Choice struct {
	Include      []string // nothing but these; empty: all
	Exclude      []string
	Pseudonymise []string // text columns
	Key          string   // tells keys of pseudonyms apart; not the key
}

// IsZero says whether all columns are published as they are.
func (c Choice) IsZero() bool {
	return len(c.Include) == 0 && len(c.Exclude) == 0 && len(c.Pseudonymise) == 0
}

// Hides says whether a column is not published.
func (c Choice) Hides(column string) bool {
	return slices.Contains(c.Exclude, column) || len(c.Include) > 0 && !slices.Contains(c.Include, column)
}

// Masks says whether a column is published as a pseudonym.
func (c Choice) Masks(column string) bool { return slices.Contains(c.Pseudonymise, column) }

// Choose is the table with a choice of its columns: Columns are the published
// ones. What the choice would spoil is an error.
func (t Table) Choose(c Choice) (Table, error) {
	if c.IsZero() {
		return t, nil
	}
	fail := func(hint, format string, args ...any) (Table, error) {
		return t, &Error{Op: "choose columns", Table: t.Name, Action: Stop, Cause: Usage, Err: fmt.Errorf(format, args...), Hint: hint}
	}
	if w := t.Watermark; t.LoadType != Snapshot && w != "" && w != IngestionTime && (c.Hides(w) || c.Masks(w)) {
		return fail("take it out of tables."+t.Name, "the column %s is the watermark that the table follows: it must be published as it is", w)
	}
	for _, name := range c.Pseudonymise {
		i := slices.IndexFunc(t.Columns, func(k Column) bool { return k.Name == name })
		if i >= 0 && t.Columns[i].Type != "string" {
			return fail("exclude it instead", "the column %s is of type %s; only text can be published as a pseudonym", name, t.Columns[i].Type)
		}
	}
	t.Choice = c
	t.Columns = slices.DeleteFunc(slices.Clone(t.Columns), func(k Column) bool { return c.Hides(k.Name) })
	if len(t.Columns) == 0 {
		return fail("leave at least one column", "no column would be published")
	}
	return t, nil
}

// Guise is in what way published rows do not show the key that partitions are
// made of: "hidden" or "masked"; "" if they show it.
func (t Table) Guise() string {
	guise := ""
	for _, column := range append(slices.Clone(t.Key.Hashed), t.Key.Column) {
		switch {
		case column == "":
		case t.Choice.Hides(column):
			guise = cmp.Or(guise, "hidden")
		case t.Choice.Masks(column):
			guise = cmp.Or(guise, "masked")
		}
	}
	return guise
}

// comparedTable is the table as its content is compared with what readers see:
// without the columns that are published as pseudonyms, which the note says.
func comparedTable(t Table) (_ Table, notes []string) {
	if len(t.Choice.Pseudonymise) == 0 {
		return t, nil
	}
	t.Columns = slices.DeleteFunc(slices.Clone(t.Columns), func(c Column) bool { return t.Choice.Masks(c.Name) })
	return t, []string{"columns published as pseudonyms were left out of the comparison of content"}
}
