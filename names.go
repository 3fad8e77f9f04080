package tvmexport

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// mostName is how long a name may be at the destination.
const mostName = 1024

// Nameable says whether a column of the destination can have the name: letters,
// digits, underscores, spaces, dots and dashes, no two underscores at either end
// (https://learn.microsoft.com/kusto/query/schema-entities/entity-names).
func Nameable(name string) bool {
	return name != "" && len(name) <= mostName && strings.TrimSpace(name) == name &&
		!strings.HasPrefix(name, "__") && !strings.HasSuffix(name, "__") &&
		!strings.ContainsFunc(name, func(r rune) bool {
			return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("_-. ", r)
		})
}

// NameableColumns are those whose names the destination takes.
func NameableColumns(columns []Column) []Column {
	refused := func(c Column) bool { return !Nameable(c.Name) }
	if !slices.ContainsFunc(columns, refused) {
		return columns
	}
	return slices.DeleteFunc(slices.Clone(columns), refused)
}

// withoutRefused leaves columns out of the typed table and the read functions
// whose names the destination refuses. Records keep them.
func withoutRefused(t Table) (_ Table, notes []string) {
	shown := NameableColumns(t.Visible())
	if len(shown) == len(t.Visible()) {
		return t, nil
	}
	for _, c := range t.Visible() {
		if Nameable(c.Name) {
			continue
		}
		fate := "kept in the records only, and a change in it alone is not fetched"
		if !t.Layout.Raw() {
			fate = "not exported, since the layout has no records"
		}
		notes = append(notes, fmt.Sprintf("the column %s has a name that Kusto does not take: it is %s", shortName(c.Name), fate))
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
