package views

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/kusto/kql"
)

// Source is the table that readers' queries take a table's rows from: the
// typed one, or Raw, whose records are converted as they are read.
type Source struct {
	Table   string
	Columns []kql.Column // of that table
	Typed   bool
	Other   *Source // the other published table, where it has runs that this one has not
}

// Tables are all that its rows and the runs that count are read from.
func (s Source) Tables() []string {
	out := []string{kql.RunsTable, kql.PartitionsTable, s.Table}
	if s.Other != nil {
		out = append(out, s.Other.Table)
	}
	return out
}

// HasLineage says whether rows carry their run and their partition.
func (s Source) HasLineage() bool { return HasLineage(s.Columns) }

// IsBounded says whether rows carry the beginning of their run.
func (s Source) IsBounded() bool {
	return slices.Contains(s.Columns, kql.Column{Name: "ExportedAt", Kind: "datetime"})
}

// Values are the expressions for columns over rows of the source.
func (s Source) Values(columns []tvmexport.Column) []string {
	out := make([]string, len(columns))
	if s.Other != nil {
		for i, c := range columns {
			out[i] = kql.Ident(c.Name)
		}
		return out
	}
	if s.Typed {
		for i, h := range Holdings(s.Columns, columns) {
			out[i] = h.Value()
		}
		return out
	}
	for i, c := range columns {
		out[i] = fromRecord(RecordColumn, c)
	}
	return out
}

// value is the expression for one column.
func (s Source) value(c tvmexport.Column) string { return s.Values([]tvmexport.Column{c})[0] }

// Projection shows columns; the record itself where none are known.
func (s Source) Projection(columns []tvmexport.Column) string {
	if len(columns) == 0 {
		return "| project " + RecordColumn + "\n"
	}
	var b strings.Builder
	for i, value := range s.Values(columns) {
		lead, end := "          ", ",\n"
		if i == 0 {
			lead = "| project "
		}
		if i == len(columns)-1 {
			end = "\n"
		}
		name := kql.Ident(columns[i].Name)
		if value != name {
			value = name + " = " + value
		}
		b.WriteString(lead + value + end)
	}
	return b.String()
}

// State is the query of the rows that readers see of a table, now or, where
// at names a datetime, as of then: what it defines, and the rows.
//
// With a committed full run they are those of the newest one and of the
// committed runs after it, else of all committed runs. A run of a Snapshot
// after its full one replaces the partitions that it records. Rows carry the
// time at which their run began, so that nothing older than the full run is
// looked at; the ledger's partitions are bounded likewise. Where the table has
// no column RunId, the tag that publishing gives extents identifies rows.
func (s Source) State(t tvmexport.Table, at string) (lets, rows string) {
	until := ""
	if at != "" {
		until = " and At <= " + at
	}
	lets = fmt.Sprintf(`let Commits = %s
    | where Table == %s and State == %s%s
    | summarize At = min(At), Began = min(coalesce(todatetime(Detail.startedAt), datetime(1900-01-01))), Rows = max(Rows) by RunId, Kind;
let FullAt = toscalar(Commits | where Kind == %s | summarize max(At));
let Visible = Commits
    | where isnull(FullAt) or At >= FullAt;
`, kql.RunsTable, kql.Literal(t.Name), kql.Literal(kql.CommittedState), until, kql.Literal(string(tvmexport.FullRun)))
	if s.IsBounded() {
		lets += "let Since = toscalar(Visible | summarize min(Began));\n"
	}
	lets += s.placed(t)
	if IsShared(t, s.Columns) {
		legacy, rows := sharedRows(t)
		return lets + legacy, rows + AsRecords(s.Columns)
	}
	rows = s.of(t, "Visible", at)
	switch {
	case !s.HasLineage():
	case t.LoadType == tvmexport.Snapshot:
		recorded := ""
		if s.IsBounded() {
			recorded = " and (isnull(ingestion_time()) or ingestion_time() >= Since)"
		}
		lets += fmt.Sprintf(`let Full = toscalar(Visible | where Kind == %s | summarize arg_max(At, RunId) | project RunId);
let Replaced = materialize(%s
    | where Table == %s%s
    | where RunId in (Visible | where Kind != %s | project RunId)
    | join kind=inner (Visible | project RunId, At) on RunId
    | summarize arg_max(At, RunId) by Partition
    | project Partition, Row = strcat(RunId, "|", Partition));
`, kql.Literal(string(tvmexport.FullRun)), kql.PartitionsTable, kql.Literal(t.Name), recorded, kql.Literal(string(tvmexport.FullRun)))
		rows += "| where RunId == Full and Partition !in (Replaced | project Partition) or strcat(RunId, \"|\", Partition) in (Replaced | project Row)\n"
	default:
		// Rows without a watermark come again with each run.
		lets += "let Newest = toscalar(Visible | summarize arg_max(At, RunId) | project RunId);\n"
		rows += fmt.Sprintf("| where not(Partition startswith_cs %s) or RunId == Newest\n", kql.Literal(tvmexport.NullWatermark))
	}
	return lets, rows + s.Records()
}

// Records gives the record its name, where rows have one.
func (s Source) Records() string {
	if s.Typed || s.Other != nil {
		return ""
	}
	return AsRecords(s.Columns)
}

// of returns the rows of the runs that the table called runs lists, not newer than
// at. If they are in two tables, of returns only the columns that are shown.
func (s Source) of(t tvmexport.Table, runs, at string) string {
	bound := ""
	if s.IsBounded() {
		bound = "| where ExportedAt >= Since" // the runs' own times, to the tick
		if at != "" {
			bound += " and ExportedAt <= " + at
		}
		bound += "\n"
	}
	by := "RunId"
	if IsForeign(s.Columns) {
		by = PublishedBy
	}
	if s.Other == nil {
		return fmt.Sprintf("%s\n%s| where %s in (%s | project RunId)\n", kql.Ident(s.Table), bound, by, runs)
	}
	part := func(from Source, where string) string {
		return indented(fmt.Sprintf("%s\n%s| where RunId in (%s | where RunId %s (Placed) | project RunId)\n%s",
			kql.Ident(from.Table), bound, runs, where, from.traced(everShown(t, s))))
	}
	return "union (\n" + part(s.Alone(), "in") + "), (\n" + part(*s.Other, "!in") + ")\n"
}

// Alone is the table without the other one.
func (s Source) Alone() Source {
	s.Other = nil
	return s
}

// traced shows columns and where their rows came from.
func (s Source) traced(columns []tvmexport.Column) string {
	return strings.TrimSuffix(s.Projection(columns), "\n") + ",\n          RunId,\n          Partition,\n          ExportedAt\n"
}

// placed defines, if rows are in two tables, the runs in this one, according to
// their publications.
func (s Source) placed(t tvmexport.Table) string {
	if s.Other == nil {
		return ""
	}
	return fmt.Sprintf(`let Placed = %s
    | where Table == %s and State == %s and tostring(Detail.layout) %s (%s)
    | project RunId;
`, kql.RunsTable, kql.Literal(t.Name), kql.Literal(kql.PublishingState), map[bool]string{true: "in", false: "!in"}[s.Typed],
		map[bool]string{true: kql.Literals([]tvmexport.Layout{tvmexport.TypedOnly, tvmexport.Both}), false: kql.Literal(string(tvmexport.TypedOnly))}[s.Typed])
}

// HasLineage says whether published rows carry their run and their partition.
func HasLineage(raw []kql.Column) bool {
	return slices.Contains(raw, kql.Column{Name: "RunId", Kind: "string"}) && slices.Contains(raw, kql.Column{Name: "Partition", Kind: "string"})
}

// WatermarkOf is the watermark of a published row.
func WatermarkOf(t tvmexport.Table, from Source) string {
	return from.value(tvmexport.Column{Name: t.Watermark, Type: "datetime"})
}
