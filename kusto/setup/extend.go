package setup

import (
	"fmt"
	"slices"

	"github.com/tvmexport/tvmexport/kusto/conn"
	"github.com/tvmexport/tvmexport/kusto/kql"
)

// isShared says whether a table has the shape of the original system, whose programs
// read it too: a table that exists keeps its columns, their types and their order.
func isShared(table string) bool { return table == kql.ConfigurationTable || table == kql.AuditTable }

// inLedger says whether the rows of a table are written by position, so that its
// columns must be in our order.
func inLedger(table string) bool { return table == kql.RunsTable || table == kql.PartitionsTable }

// Extension is the command that gives a table of ours the columns that it lacks;
// "" where it lacks none. A ledger that an older version made may lack columns
// in the middle. Those are put in their place by .alter table, which keeps the
// data of each column that it names, and it names all. A table of the original's
// shape gets only a column without which it cannot be used.
func Extension(table string, found, want []kql.Column) string {
	lack := without(want, found)
	if isShared(table) {
		lack = slices.DeleteFunc(lack, func(c kql.Column) bool { return c.Name == kql.LastRefreshedText || retyped(found, c) })
	}
	if !inLedger(table) || ordered(append(slices.Clone(found), lack...), want) || slices.ContainsFunc(want, func(w kql.Column) bool { return retyped(found, w) }) {
		if len(lack) == 0 {
			return ""
		}
		return fmt.Sprintf(".alter-merge table %s (%s)", kql.Ident(table), kql.Declaration(lack))
	}
	return fmt.Sprintf(".alter table %s (%s)", kql.Ident(table), kql.Declaration(append(slices.Clone(want), without(found, want)...)))
}

// ordered says whether the columns begin with those of want.
func ordered(columns, want []kql.Column) bool {
	return len(columns) >= len(want) && slices.Equal(columns[:len(want)], want)
}

// retyped says whether a column is there with another type.
func retyped(have []kql.Column, want kql.Column) bool {
	return slices.ContainsFunc(have, func(c kql.Column) bool { return c.Name == want.Name && c.Kind != want.Kind })
}

// Unfit says why a table that all source tables share cannot be used.
func Unfit(table string, found conn.TableInfo, want []kql.Column) error {
	lack := kql.Missing(found.Columns, want)
	if table == kql.AuditTable { // in the field with other types, into which values are converted
		lack = kql.MissingNames(found.Columns, want)
	}
	var err error
	switch {
	case lack != "":
		err = fmt.Errorf("table %s has no column %s", table, lack)
	case inLedger(table) && !ordered(found.Columns, want):
		err = fmt.Errorf("the columns of table %s are not in the order in which rows are written", table)
	default:
		return nil
	}
	hint := "it was not made by tvmexport init: rename it and run tvmexport init"
	if found.Folder == kql.Folder && (isShared(table) || !slices.ContainsFunc(want, func(w kql.Column) bool { return retyped(found.Columns, w) })) {
		hint = conn.InitHint("") + ": an older version made the table, and init adds the column and keeps the rows"
	}
	return conn.RefusedError("check", "", err, hint)
}
