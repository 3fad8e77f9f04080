package tvmexport

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// Column is a column at the source; Type is the canonical Kusto type.
type Column struct {
	Name string `json:"name"`
	Type string `json:"type"` // bool int long real decimal datetime timespan string guid dynamic
}

// ColumnPolicy is which columns of a table are published, and which of them as
// pseudonyms: keyed hashes of their values. The zero ColumnPolicy publishes
// all columns unchanged.
type ColumnPolicy struct {
	Include      []string // nothing but these; empty: all
	Exclude      []string
	Pseudonymise []string // text columns
	Key          string   // identifies the key of pseudonyms; not the key itself
}

// IsZero says whether all columns are published as they are.
func (c ColumnPolicy) IsZero() bool {
	return len(c.Include) == 0 && len(c.Exclude) == 0 && len(c.Pseudonymise) == 0
}

// Excludes says whether a column is not published.
func (c ColumnPolicy) Excludes(column string) bool {
	return slices.Contains(c.Exclude, column) || len(c.Include) > 0 && !slices.Contains(c.Include, column)
}

// Pseudonymises says whether a column is published as a pseudonym.
func (c ColumnPolicy) Pseudonymises(column string) bool {
	return slices.Contains(c.Pseudonymise, column)
}

// WithPolicy returns the table with a column policy; its Columns are the published
// ones. It is an error if the table cannot work with the policy.
func (t Table) WithPolicy(c ColumnPolicy) (Table, error) {
	if c.IsZero() {
		return t, nil
	}
	fail := func(hint, format string, args ...any) (Table, error) {
		return t, &Error{Op: "choose columns", Table: t.Name, Action: Stop, Cause: Usage, Err: fmt.Errorf(format, args...), Hint: hint}
	}
	if w := t.Watermark; t.LoadType != Snapshot && w != "" && w != IngestionTime && (c.Excludes(w) || c.Pseudonymises(w)) {
		return fail("remove it from tables."+t.Name, "the column %s is the watermark of the table: it must be published unchanged", w)
	}
	for _, name := range c.Pseudonymise {
		i := slices.IndexFunc(t.Columns, func(k Column) bool { return k.Name == name })
		if i >= 0 && t.Columns[i].Type != "string" {
			return fail("exclude it instead", "the column %s has type %s; only text can be pseudonymised", name, t.Columns[i].Type)
		}
	}
	t.Policy = c
	t.Columns = slices.DeleteFunc(slices.Clone(t.Columns), func(k Column) bool { return c.Excludes(k.Name) })
	if len(t.Columns) == 0 {
		return fail("leave at least one column", "no column would be published")
	}
	return t, nil
}

// KeyVisibility returns how published rows hide the key of the partitions:
// "hidden" or "masked"; "" if they show it.
func (t Table) KeyVisibility() string {
	visibility := ""
	for _, column := range append(slices.Clone(t.Key.Hashed), t.Key.Column) {
		switch {
		case column == "":
		case t.Policy.Excludes(column):
			visibility = cmp.Or(visibility, "hidden")
		case t.Policy.Pseudonymises(column):
			visibility = cmp.Or(visibility, "masked")
		}
	}
	return visibility
}

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

// Unread is how many values of a column do not fit the type that the source
// declares. Records keep them as text; a typed table has no value there.
type Unread struct {
	Column string  `json:"column"`
	Type   string  `json:"type"`
	Values int64   `json:"values"`
	Batch  BatchID `json:"batch,omitempty"` // that holds the first of them
	Line   int64   `json:"line,omitempty"`  // of the first of them, in its batch
}

// UnreadValues is the number of values of all columns.
func UnreadValues(list []Unread) int64 {
	n := int64(0)
	for _, u := range list {
		n += u.Values
	}
	return n
}

// UnreadReason says what was not read in a sentence for people and the audit,
// by column and count; "" if all was read. No value is in it.
func UnreadReason(list []Unread) string {
	if len(list) == 0 {
		return ""
	}
	parts := make([]string, len(list))
	for i, u := range list {
		parts[i] = fmt.Sprintf("%s (%s) %d", u.Column, u.Type, u.Values)
	}
	return fmt.Sprintf("values that do not fit the type of their column, kept as text in the records: %s", strings.Join(parts, ", "))
}
