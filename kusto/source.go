package kusto

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/kusto/kql"
)

// source is the table that readers' queries take a table's rows from: the
// typed one, or Raw, whose records are converted as they are read.
type source struct {
	table   string
	columns []kql.Column // of that table
	typed   bool
	other   *source // the other published table, where it has runs that this one has not
}

// tables are all that its rows and the runs that count are read from.
func (s source) tables() []string {
	out := []string{kql.RunsTable, kql.PartitionsTable, s.table}
	if s.other != nil {
		out = append(out, s.other.table)
	}
	return out
}

// lineage says whether rows carry their run and their partition.
func (s source) lineage() bool { return lineage(s.columns) }

// bounded says whether rows carry the beginning of their run.
func (s source) bounded() bool {
	return slices.Contains(s.columns, kql.Column{Name: "ExportedAt", Kind: "datetime"})
}

// values are the expressions for columns over rows of the source.
func (s source) values(columns []tvmexport.Column) []string {
	out := make([]string, len(columns))
	if s.other != nil {
		for i, c := range columns {
			out[i] = kql.Ident(c.Name)
		}
		return out
	}
	if s.typed {
		for i, h := range holdings(s.columns, columns) {
			out[i] = h.value()
		}
		return out
	}
	for i, c := range columns {
		out[i] = fromRecord(recordColumn, c)
	}
	return out
}

// value is the expression for one column.
func (s source) value(c tvmexport.Column) string { return s.values([]tvmexport.Column{c})[0] }

// projection shows columns; the record itself where none are known.
func (s source) projection(columns []tvmexport.Column) string {
	if len(columns) == 0 {
		return "| project " + recordColumn + "\n"
	}
	var b strings.Builder
	for i, value := range s.values(columns) {
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

// state is the query of the rows that readers see of a table, now or, where
// at names a datetime, as of then: what it defines, and the rows.
//
// With a committed full run they are those of the newest one and of the
// committed runs after it, else of all committed runs. A run of a Snapshot
// after its full one replaces the partitions that it records. Rows carry the
// time at which their run began, so that nothing older than the full run is
// looked at; the ledger's partitions are bounded likewise. Where the table has
// no column RunId, rows are told apart by the tag that publishing gives extents.
func (s source) state(t tvmexport.Table, at string) (lets, rows string) {
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
	if s.bounded() {
		lets += "let Since = toscalar(Visible | summarize min(Began));\n"
	}
	lets += s.placed(t)
	if shared(t, s.columns) {
		legacy, rows := sharedRows(t)
		return lets + legacy, rows + asRecords(s.columns)
	}
	rows = s.of(t, "Visible", at)
	switch {
	case !s.lineage():
	case t.LoadType == tvmexport.Snapshot:
		recorded := ""
		if s.bounded() {
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
	return lets, rows + s.records()
}

// records gives the record its name, where rows have one.
func (s source) records() string {
	if s.typed || s.other != nil {
		return ""
	}
	return asRecords(s.columns)
}

// of is the rows of the runs that the table called runs lists, not newer than
// at. Where they stand in two tables, they come in the columns that are shown.
func (s source) of(t tvmexport.Table, runs, at string) string {
	bound := ""
	if s.bounded() {
		bound = "| where ExportedAt >= Since" // the runs' own times, to the tick
		if at != "" {
			bound += " and ExportedAt <= " + at
		}
		bound += "\n"
	}
	by := "RunId"
	if foreign(s.columns) {
		by = publishedBy
	}
	if s.other == nil {
		return fmt.Sprintf("%s\n%s| where %s in (%s | project RunId)\n", kql.Ident(s.table), bound, by, runs)
	}
	part := func(from source, where string) string {
		return indented(fmt.Sprintf("%s\n%s| where RunId in (%s | where RunId %s (Placed) | project RunId)\n%s",
			kql.Ident(from.table), bound, runs, where, from.traced(everShown(t, s))))
	}
	return "union (\n" + part(s.alone(), "in") + "), (\n" + part(*s.other, "!in") + ")\n"
}

// alone is the table without the other one.
func (s source) alone() source {
	s.other = nil
	return s
}

// traced shows columns and where their rows came from.
func (s source) traced(columns []tvmexport.Column) string {
	return strings.TrimSuffix(s.projection(columns), "\n") + ",\n          RunId,\n          Partition,\n          ExportedAt\n"
}

// placed defines, where rows stand in two tables, the runs that are in this
// one: as their publications say.
func (s source) placed(t tvmexport.Table) string {
	if s.other == nil {
		return ""
	}
	return fmt.Sprintf(`let Placed = %s
    | where Table == %s and State == %s and tostring(Detail.layout) %s (%s)
    | project RunId;
`, kql.RunsTable, kql.Literal(t.Name), kql.Literal(kql.PublishingState), map[bool]string{true: "in", false: "!in"}[s.typed],
		map[bool]string{true: kql.Literals([]tvmexport.Layout{tvmexport.TypedOnly, tvmexport.Both}), false: kql.Literal(string(tvmexport.TypedOnly))}[s.typed])
}
