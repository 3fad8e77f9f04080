package kusto

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/tvmexport/tvmexport"
)

// function is a stored function; the body includes its braces.
type function struct{ name, doc, body string }

// readFunction is the function that shows a table as Defender does: its
// columns and types, rows of committed runs only, no lineage.
func readFunction(prefix string, t tvmexport.Table, raw []column) function {
	lets, rows := visible(t, raw)
	body := "{\n" + indented(lets+rows+projection(t.Columns)) + "}"
	f := function{name: prefix + t.Name, body: body}
	sum := sha256.Sum256([]byte(f.body))
	f.doc = fmt.Sprintf("%s as Defender shows it: the newest committed state (tvmexport %s)", t.Name, hex.EncodeToString(sum[:4]))
	return f
}

func indented(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		b.WriteString("    " + line)
	}
	return b.String()
}

// visible is the query of the rows that readers see, in two parts: what it
// defines, and the rows of the published table. With a committed full run they
// are those of the newest one and of the committed runs after it, else of all
// committed runs. A run of a Snapshot after its full one replaces the
// partitions that it records. Where the published table has no column RunId,
// rows are told apart by the tag that publishing gives extents.
func visible(t tvmexport.Table, raw []column) (lets, rows string) {
	lets, rows = committedRows(t, raw)
	return lets, rows + asRecords(raw)
}

func committedRows(t tvmexport.Table, raw []column) (lets, rows string) {
	lets = fmt.Sprintf(`let Runs = %s
    | where Table == %s and State == %s;
let Full = toscalar(Runs | where Kind == %s | summarize max(At));
let Visible = Runs
    | where isnull(Full) or At >= Full
    | distinct RunId;
`, runsTable, literal(t.Name), literal(committed), literal(string(tvmexport.FullRun)))
	rows = ident(t.Destination) + "\n"
	switch {
	case shared(t, raw):
		legacy, rows := sharedRows(t)
		return lets + legacy, rows
	case foreign(raw):
		return lets, rows + fmt.Sprintf("| where %s in (Visible)\n", publishedBy)
	case !lineage(raw):
		return lets, rows + "| where RunId in (Visible)\n"
	case t.LoadType == tvmexport.Snapshot:
		lets += fmt.Sprintf(`let Replaced = toscalar(Visible | count) > 1;
let Held = %s
    | where Table == %s
    | join kind=inner (Runs | where isnull(Full) or At >= Full | project RunId, At) on RunId
    | summarize arg_max(At, RunId) by Partition
    | project Row = strcat(RunId, "|", Partition);
`, partitionsTable, literal(t.Name))
		return lets, rows + "| where RunId in (Visible)\n| where not(Replaced) or strcat(RunId, \"|\", Partition) in (Held)\n"
	}
	// Rows without a watermark come again with each run.
	return lets, rows + "| where RunId in (Visible)\n" + fmt.Sprintf("| where not(Partition startswith_cs %s) or RunId == toscalar(Runs | summarize arg_max(At, RunId) | project RunId)\n",
		literal(tvmexport.NullWatermark))
}

// conversions turn a member of Records into a value of a type
// (https://learn.microsoft.com/kusto/query/scalar-functions#conversion-functions).
var conversions = map[string]string{
	"bool": "tobool", "int": "toint", "long": "tolong", "real": "toreal", "decimal": "todecimal",
	"datetime": "todatetime", "timespan": "totimespan", "string": "tostring", "guid": "toguid",
}

// projection shows the columns of Records; Records itself where none are known.
func projection(columns []tvmexport.Column) string {
	if len(columns) == 0 {
		return "| project Records\n"
	}
	var b strings.Builder
	for i, c := range columns {
		lead, end := "          ", ",\n"
		if i == 0 {
			lead = "| project "
		}
		if i == len(columns)-1 {
			end = "\n"
		}
		member := member(c.Name)
		if convert, ok := conversions[c.Type]; ok {
			member = convert + "(" + member + ")"
		}
		b.WriteString(lead + ident(c.Name) + " = " + member + end)
	}
	return b.String()
}

// member is a member of Records.
func member(name string) string {
	return "Records" + memberOf(name)
}

func memberOf(name string) string {
	if ident(name) != name {
		return "[" + literal(name) + "]"
	}
	return "." + name
}

// latest is the function that people read the configuration by.
func latest() function {
	return function{
		name: latestView,
		doc:  "The newest row of " + configurationTable + " for each source table",
		body: fmt.Sprintf(`{
    %s
    | extend WrittenAt = ingestion_time()
    | summarize arg_max(WrittenAt, *) by SourceTable
    | project-away WrittenAt
}`, configurationTable),
	}
}

// create is the command that makes the function.
func (f function) create(verb string) string {
	return fmt.Sprintf("%s function with (docstring = %s, folder = %s, skipvalidation = \"true\") %s() %s",
		verb, literal(f.doc), literal(folder), ident(f.name), f.body)
}
