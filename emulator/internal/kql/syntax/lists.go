package syntax

import (
	"maps"
	"slices"
	"strings"
)

// operators are what read reads.
var operators = func() map[string]bool {
	names := map[string]bool{}
	for name := range strings.FieldsSeq(`as consume count distinct evaluate extend facet filter find fork getschema invoke join limit lookup
		make-series mv-apply mv-expand mvexpand order parse parse-kv parse-where partition project project-away project-keep project-rename
		project-reorder render sample sample-distinct scan search serialize sort summarize take top top-hitters top-nested union where`) {
		names[name] = true
	}
	return names
}()

// Operators are the names of the tabular operators that are read and of the tables by
// themselves, sorted; RefusedOperators those that are refused by name.
func Operators() []string {
	return slices.Sorted(slices.Values(append(slices.Collect(maps.Keys(operators)), "datatable", "print", "range", macroName)))
}

// RefusedOperators are the names of the operators and tables that are refused by name, sorted.
func RefusedOperators() []string {
	return slices.Sorted(slices.Values(append(slices.Collect(maps.Keys(refusedOperators)), "external_table", "externaldata")))
}
