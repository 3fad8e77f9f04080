package kusto

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/tvmexport/tvmexport"
)

// function is a stored function; the body includes its braces.
type function struct{ name, doc, body string }

// readFunction is the function that shows a table as Defender does: its
// columns and types, rows of committed runs only, no lineage. With a committed
// full run the rows are those of the newest one and of the committed runs
// after it, else of all committed runs. Where the published table has no
// column RunId, rows are told apart by the tag that publishing gives extents.
func readFunction(prefix string, t tvmexport.Table, raw []column) function {
	var b strings.Builder
	fmt.Fprintf(&b, `{
    let Runs = %s
        | where Table == %s and State == %s;
    let Full = toscalar(Runs | where Kind == %s | summarize max(At));
    let Visible = Runs
        | where isnull(Full) or At >= Full
        | distinct RunId;
    %s
`, runsTable, literal(t.Name), literal(committed), literal(string(tvmexport.FullRun)), ident(t.Destination))
	if slices.Contains(raw, column{"RunId", "string"}) {
		b.WriteString("    | where RunId in (Visible)\n")
		if slices.Contains(raw, column{"Partition", "string"}) {
			// Rows without a watermark come again with each run.
			fmt.Fprintf(&b, "    | where not(Partition startswith_cs %s) or RunId == toscalar(Runs | summarize arg_max(At, RunId) | project RunId)\n", literal(tvmexport.NullWatermark))
		}
	} else {
		fmt.Fprintf(&b, "    | where extract(%s, 1, tostring(extent_tags())) in (Visible)\n",
			literal(`drop-by:tvmexport:([0-9A-Za-z._~-]+)`))
	}
	b.WriteString(projection(t.Columns))
	b.WriteString("}")
	f := function{name: prefix + t.Name, body: b.String()}
	sum := sha256.Sum256([]byte(f.body))
	f.doc = fmt.Sprintf("%s as Defender shows it: the newest committed state (tvmexport %s)", t.Name, hex.EncodeToString(sum[:4]))
	return f
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
		return "    | project Records\n"
	}
	var b strings.Builder
	for i, c := range columns {
		lead, end := "              ", ",\n"
		if i == 0 {
			lead = "    | project "
		}
		if i == len(columns)-1 {
			end = "\n"
		}
		member := "Records." + c.Name
		if ident(c.Name) != c.Name {
			member = "Records[" + literal(c.Name) + "]"
		}
		if convert, ok := conversions[c.Type]; ok {
			member = convert + "(" + member + ")"
		}
		b.WriteString(lead + ident(c.Name) + " = " + member + end)
	}
	return b.String()
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
