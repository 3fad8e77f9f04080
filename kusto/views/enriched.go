package views

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/catalog"
	"github.com/tvmexport/tvmexport/kusto/kql"
)

// The tables of the enriched function.
const (
	enrichedTable = "DeviceTvmSoftwareVulnerabilities"
	enrichedBy    = "TvmSoftwareVulnerabilities"
)

// addedColumns are those that the enriched function takes from the export.
var addedColumns = []string{
	"FirstSeenTimestamp", "LastSeenTimestamp", "ExploitabilityLevel", "CvssScore", "RbacGroupId", "RbacGroupName", "DiskPaths", "RegistryPaths",
}

// EnrichedTables are the source tables whose current functions the enriched function calls.
func EnrichedTables() []string { return []string{enrichedTable, enrichedBy} }

// EnrichedName is the name of the enriched function.
func EnrichedName(prefix string) string { return prefix + enrichedTable + "Enriched" }

// Enriched is a function that shows the vulnerabilities of hunting with what the export
// knows of them. Each row of hunting comes exactly once: of a key that the export has
// twice, the row that was seen last counts, and of two seen at the same time the one with
// the higher number of its device group. A column that the export does not publish is null. If a
// table loses a column of the key at the source, the rows of hunting come without the rest.
func Enriched(prefix string) Function {
	pair, _ := catalog.PairOf(enrichedTable)
	export, _ := catalog.Lookup(enrichedBy)
	keys, pairedBy, away := make([]string, len(pair.Key)), make([]string, len(pair.Key)), make([]string, 0, 2*len(pair.Key))
	for i, column := range pair.Key {
		name := "Same" + column
		keys[i] = fmt.Sprintf("%s = tolower(tostring(column_ifexists(%s, \"\")))", name, kql.Literal(column))
		pairedBy[i], away = name, append(away, name, name+"1")
	}
	added := make([]string, len(addedColumns))
	for i, name := range addedColumns {
		at := slices.IndexFunc(export.Columns, func(c tvmexport.Column) bool { return c.Name == name })
		added[i] = fmt.Sprintf("%s = column_ifexists(%s, %s)", name, kql.Literal(name), nullOf(export.Columns[at].Type))
	}
	body := fmt.Sprintf(`%s()
| extend %s
| join kind=leftouter hint.shufflekey = %s (
    %s()
    | where isnotempty(tostring(column_ifexists(%s, "")))
    | project %s,
              %s
    | extend SeenLast = coalesce(LastSeenTimestamp, datetime(1900-01-01)) + coalesce(tolong(RbacGroupId), 0) * 1tick
    | summarize hint.shufflekey = %s arg_max(SeenLast, %s) by %s) on %s
| project-away SeenLast, %s
`,
		kql.Ident(prefix+enrichedTable), strings.Join(keys, ", "), pairedBy[0],
		kql.Ident(prefix+enrichedBy), kql.Literal(pair.Filled),
		strings.Join(keys, ",\n              "), strings.Join(added, ",\n              "),
		pairedBy[0], strings.Join(addedColumns, ", "), strings.Join(pairedBy, ", "), strings.Join(pairedBy, ", "),
		strings.Join(away, ", "))
	f := read(EnrichedName(prefix), "", enrichedTable+" with "+strings.Join(addedColumns, ", ")+" of "+enrichedBy, body)
	f.Calls, f.What = []string{prefix + enrichedTable, prefix + enrichedBy}, " with columns of "+enrichedBy
	return f
}

// nullOf is the null of a type; text has none.
func nullOf(kind string) string {
	if kind == "string" {
		return `""`
	}
	return kind + "(null)"
}
