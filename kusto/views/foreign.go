package views

import (
	"fmt"
	"slices"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/internal/fingerprint"
	"github.com/tvmexport/tvmexport/kusto/kql"
)

// IsForeign says whether somebody else made a published table: ours have a
// column for the run.
func IsForeign(raw []kql.Column) bool {
	return !slices.Contains(raw, kql.Column{Name: "RunId", Kind: "string"})
}

// IsShared says whether rows of another exporter can be among those that readers
// see: the state that it left of a Snapshot is none of theirs.
func IsShared(t tvmexport.Table, raw []kql.Column) bool {
	return IsForeign(raw) && t.LoadType != tvmexport.Snapshot
}

// PublishedBy is the run that an extent's tag names, "" if the extent is not
// ours. Extents with different drop-by tags are never merged
// (https://learn.microsoft.com/kusto/management/extent-tags).
var PublishedBy = fmt.Sprintf("extract(%s, 1, tostring(extent_tags()))", kql.Literal(`drop-by:tvmexport:([0-9A-Za-z._~-]+)`))

// sharedRows are the committed rows of a published table that somebody else
// made and filled: ours by their tag, and those that came before a takeover.
// Rows without a time of ingestion can only be older.
func sharedRows(t tvmexport.Table) (lets, rows string) {
	lets = fmt.Sprintf(`let Legacy = toscalar(Visible
    | where Kind == %s
    | summarize max(At));
`, kql.Literal(string(tvmexport.LegacyRun)))
	return lets, fmt.Sprintf(`%s
| extend PublishedBy = %s
| where PublishedBy in (Visible | project RunId) or (isempty(PublishedBy) and isnotnull(Legacy) and (isnull(ingestion_time()) or ingestion_time() <= Legacy))
`, kql.Ident(t.Destination), PublishedBy)
}

// RecordContent returns an expression that is equal for records of equal content,
// for every exporter: bools may be 0 and 1, a dynamic may be its text, and there
// may be members that are not columns. It omits columns that are published as
// pseudonyms. root is an expression of the record.
func RecordContent(t tvmexport.Table, root string) string {
	if len(t.Columns) == 0 {
		return "tostring(" + root + ")"
	}
	kinds := make(map[string]string, len(t.Columns))
	var columns []tvmexport.Column
	for _, c := range t.Columns {
		kinds[c.Name] = c.Type
		if !t.Policy.Pseudonymises(c.Name) {
			columns = append(columns, c)
		}
	}
	return fingerprint.Row(columns, func(name string) string {
		member := root + kql.Member(name)
		if convert, ok := kql.Conversions[kinds[name]]; ok {
			return convert + "(" + member + ")"
		}
		return "parse_json(tostring(" + member + "))"
	})
}

// CountByHour counts published rows by hour of the watermark. Equal rows of
// another exporter count once.
func CountByHour(t tvmexport.Table, from Source) string {
	if !IsShared(t, from.Columns) {
		return fmt.Sprintf("| summarize Rows = count() by Start = bin(%s, 1h)\n", WatermarkOf(t, from))
	}
	return fmt.Sprintf(`| extend Ours = isnotempty(PublishedBy)
| extend Content = iff(Ours, "", %s)
| summarize Copies = count() by Start = bin(%s, 1h), Ours, Content
| summarize Rows = sum(iff(Ours, Copies, 1)) by Start
`, RecordContent(t, RecordColumn), WatermarkOf(t, from))
}
