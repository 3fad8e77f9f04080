package catalog

import "slices"

// Source is where the rows of a table come from.
type Source string

// The sources.
const (
	Hunting    Source = "hunting"    // Advanced Hunting, by queries
	Assessment Source = "assessment" // the export assessment APIs, by files or pages
)

// SourceOf is the source of a table. Tables that the catalogue does not know are
// read by Advanced Hunting.
func SourceOf(name string) Source {
	if i, ok := Lookup(name); ok {
		return i.Source
	}
	return Hunting
}

// Assessments is the tables of the export assessment APIs, sorted.
func Assessments() []string {
	return slices.DeleteFunc(Names(), func(name string) bool { return SourceOf(name) != Assessment })
}
