package views

import (
	"fmt"
	"strings"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/kusto/kql"
)

// asOfName is the function that shows a table as of a time.
func asOfName(prefix string, t tvmexport.Table) string { return prefix + t.Name + "AsOf" }

// asOfFunction returns the function for the state as of the last run committed at
// or before a time. The function fails if rows of that state are gone: the rest
// would be a state that the table never had. Rows of a table that follows a
// watermark may expire; the others are still correct.
func asOfFunction(prefix string, t tvmexport.Table, s Source) Function {
	lets, rows := s.State(t, asOfParameter)
	checks := fmt.Sprintf("| where assert(toscalar(Visible | count) > 0, %s)\n",
		kql.Literal(t.Name+": no run was committed at or before that time"))
	if t.LoadType == tvmexport.Snapshot {
		lets += fmt.Sprintf(`let Gone = toscalar(Visible
    | join kind=leftouter (
%s        | summarize Found = count() by RunId) on RunId
    | where Rows > coalesce(Found, 0)
    | count);
`, indented(indented(s.of(t, "Visible", asOfParameter))))
		checks += fmt.Sprintf("| where assert(Gone == 0, %s)\n",
			kql.Literal(t.Name+": rows of the snapshot of that time are gone from "+s.Table+", by its retention or by hand"))
	}
	return read(asOfName(prefix, t), asOfParameter+": datetime", asOfDoc(t), lets+rows+checks+s.Projection(everShown(t, s)))
}

// asOfParameter is the time that is asked for.
const asOfParameter = "t"

// everShown are the columns that readers see, and behind them those that a
// typed table still holds of earlier times.
func everShown(t tvmexport.Table, s Source) []tvmexport.Column {
	shown := t.Visible()[:len(t.Visible()):len(t.Visible())]
	switch {
	case s.Typed:
		return append(shown, lostColumns(s.Columns, shown)...)
	case s.Other != nil:
		return append(shown, lostColumns(s.Other.Columns, shown)...)
	}
	return shown
}

func asOfDoc(t tvmexport.Table) string {
	doc := t.Name + " as of the last run committed at or before t"
	if t.LoadType == tvmexport.Snapshot {
		doc += "; fails where its rows are gone"
	}
	if len(t.Volatile) > 0 {
		doc += "; " + strings.Join(t.Volatile, ", ") + " may be older than that: a change in them alone is not fetched"
	}
	return doc
}
