package kusto

import (
	"fmt"
	"slices"
)

// ledger are the tables whose rows are written by position: their columns come
// in our order.
func ledger(table string) bool { return table == runsTable || table == partitionsTable }

// extension is the command that gives a table of ours the columns that it lacks;
// "" where it lacks none. A ledger that an older version made may lack columns
// in the middle. Those are put in their place by .alter table, which keeps the
// data of each column that it names, and it names all.
func extension(table string, found, want []column) string {
	lack := without(want, found)
	if !ledger(table) || ordered(append(slices.Clone(found), lack...), want) || slices.ContainsFunc(want, func(w column) bool { return retyped(found, w) }) {
		if len(lack) == 0 {
			return ""
		}
		return fmt.Sprintf(".alter-merge table %s (%s)", ident(table), declaration(lack))
	}
	return fmt.Sprintf(".alter table %s (%s)", ident(table), declaration(append(slices.Clone(want), without(found, want)...)))
}

// ordered says whether the columns begin with those of want.
func ordered(columns, want []column) bool {
	return len(columns) >= len(want) && slices.Equal(columns[:len(want)], want)
}

// retyped says whether a column is there with another type.
func retyped(have []column, want column) bool {
	return slices.ContainsFunc(have, func(c column) bool { return c.name == want.name && c.kind != want.kind })
}

// unfit says why a table that all source tables share cannot be used.
func unfit(table string, found tableInfo, want []column) error {
	lack := lacking(found.columns, want)
	if table == auditTable { // in the field with other types, into which values are converted
		lack = lackingNames(found.columns, want)
	}
	var err error
	switch {
	case lack != "":
		err = fmt.Errorf("table %s has no column %s", table, lack)
	case ledger(table) && !ordered(found.columns, want):
		err = fmt.Errorf("the columns of table %s are not in the order in which rows are written", table)
	default:
		return nil
	}
	hint := "it was not made by tvmexport init: rename it and run tvmexport init"
	if found.folder == folder && !slices.ContainsFunc(want, func(w column) bool { return retyped(found.columns, w) }) {
		hint = initHint("") + ": an older version made the table, and init adds the column and keeps the rows"
	}
	return refused("check", "", err, hint)
}
