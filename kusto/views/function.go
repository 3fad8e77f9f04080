package views

import (
	"fmt"
	"strings"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/kusto/kql"
)

// Function is a stored function; the body includes its braces.
type Function struct {
	Name   string
	What   string // how it shows its table, after the table's name
	params string // what is between its parentheses
	doc    string
	body   string
	Calls  []string // the stored functions that the body calls
}

// read makes a function over what readers see of a table.
func read(name, params, doc, body string) Function {
	return Function{Name: name, params: params, doc: doc, body: "{\n" + indented(body) + "}"}
}

// ReadFunctions are those of a table: the current state, the state as of a
// time, and what changed between two.
func ReadFunctions(prefix string, t tvmexport.Table, s Source) []Function {
	current := currentFunction(prefix, t, s)
	current.What = " as in Defender"
	if len(t.Visible()) == 0 || !s.IsBounded() || !s.HasLineage() {
		return []Function{current}
	}
	asOf := asOfFunction(prefix, t, s)
	asOf.What = " as of a time"
	changes := changesFunction(prefix, t, s)
	changes.What = ", what changed between two times"
	return []Function{current, asOf, changes}
}

// currentFunction shows a table as Defender does: its columns and types, rows
// of committed runs only, no lineage.
func currentFunction(prefix string, t tvmexport.Table, s Source) Function {
	lets, rows := s.State(t, "")
	return read(prefix+t.Name, "", t.Name+" as Defender shows it: the newest committed state", lets+rows+s.Projection(t.Visible()))
}

// indented is text with each line four blanks to the right.
func indented(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		b.WriteString("    " + line)
	}
	return b.String()
}

// Latest is the function that people read the configuration by.
func Latest() Function {
	return Function{
		Name: kql.LatestView,
		doc:  "The newest row of " + kql.ConfigurationTable + " for each source table",
		body: fmt.Sprintf(`{
    %s
    | extend WrittenAt = ingestion_time()
    | summarize arg_max(WrittenAt, *) by SourceTable
    | project-away WrittenAt
}`, kql.ConfigurationTable),
	}
}

// Text is what the function does: its parameters and its body. [kql.SameFunction]
// compares it with that of a stored function.
func (f Function) Text() string { return "(" + f.params + ") " + f.body }

// Doc is the function's docstring.
func (f Function) Doc() string { return f.doc }

// Create is the command that makes the function.
func (f Function) Create(verb string) string {
	return fmt.Sprintf("%s function with (docstring = %s, folder = %s, skipvalidation = \"true\") %s%s",
		verb, kql.Literal(f.doc), kql.Literal(kql.Folder), kql.Ident(f.Name), f.Text())
}
