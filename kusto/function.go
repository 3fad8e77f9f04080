package kusto

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/kusto/kql"
)

// function is a stored function; the body includes its braces.
type function struct {
	name   string
	what   string // how it shows its table, after the table's name
	params string // what stands between its parentheses
	doc    string
	body   string
	calls  string // the stored function that the body calls; "" for none
}

// read makes a function over what readers see of a table. The end of its
// docstring names its body, so that a changed one is told from it.
func read(name, params, doc, body string) function {
	f := function{name: name, params: params, body: "{\n" + indented(body) + "}"}
	sum := sha256.Sum256([]byte(params + f.body))
	f.doc = fmt.Sprintf("%s (tvmexport %s)", doc, hex.EncodeToString(sum[:4]))
	return f
}

// readFunctions are those of a table: the current state, the state as of a
// time, and what changed between two.
func readFunctions(prefix string, t tvmexport.Table, s source) []function {
	current := currentFunction(prefix, t, s)
	current.what = " as in Defender"
	if len(t.Visible()) == 0 || !s.bounded() || !s.lineage() {
		return []function{current}
	}
	asOf := asOfFunction(prefix, t, s)
	asOf.what = " as of a time"
	changes := changesFunction(prefix, t, s)
	changes.what = ", what changed between two times"
	return []function{current, asOf, changes}
}

// currentFunction shows a table as Defender does: its columns and types, rows
// of committed runs only, no lineage.
func currentFunction(prefix string, t tvmexport.Table, s source) function {
	lets, rows := s.state(t, "")
	return read(prefix+t.Name, "", t.Name+" as Defender shows it: the newest committed state", lets+rows+s.projection(t.Visible()))
}

func indented(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		b.WriteString("    " + line)
	}
	return b.String()
}

// latest is the function that people read the configuration by.
func latest() function {
	return function{
		name: kql.LatestView,
		doc:  "The newest row of " + kql.ConfigurationTable + " for each source table",
		body: fmt.Sprintf(`{
    %s
    | extend WrittenAt = ingestion_time()
    | summarize arg_max(WrittenAt, *) by SourceTable
    | project-away WrittenAt
}`, kql.ConfigurationTable),
	}
}

// create is the command that makes the function.
func (f function) create(verb string) string {
	return fmt.Sprintf("%s function with (docstring = %s, folder = %s, skipvalidation = \"true\") %s(%s) %s",
		verb, kql.Literal(f.doc), kql.Literal(kql.Folder), kql.Ident(f.name), f.params, f.body)
}
