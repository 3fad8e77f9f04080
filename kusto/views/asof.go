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
// watermark may expire; the others are still correct. The error names the oldest
// time that can be asked for. With orEmpty the function has no rows, instead of an
// error, where no run was committed by then: one tenant of many may be newer.
func asOfFunction(prefix string, t tvmexport.Table, s Source) Function {
	lets, rows := s.State(t, asOfParameter)
	none, checks := "toscalar(Visible | count) == 0", ""
	oldest := fmt.Sprintf(`let Oldest = toscalar(%s
    | where Table == %s and State == %s
    | summarize min(At));
`, kql.RunsTable, kql.Literal(t.Name), kql.Literal(kql.CommittedState))
	if t.LoadType == tvmexport.Snapshot {
		lets += fmt.Sprintf(`let Gone = toscalar(Visible
    | join kind=leftouter (
%s        | summarize Found = count() by RunId) on RunId
    | where Rows > coalesce(Found, 0)
    | count);
`, indented(indented(s.of(t, "Visible", asOfParameter))))
		oldest = s.oldestState(t, none+" and not("+orEmptyParameter+") or Gone > 0")
		checks = failUnless("Gone == 0", t.Name+": rows of the snapshot of ", " are gone from "+s.Table+", by its retention or by hand; ")
	}
	checks = fmt.Sprintf("| where assert(isnotnull(%s), %s)\n", asOfParameter, kql.Literal(t.Name+": the time is null; before the first run there is none to ask for")) +
		failUnless(orEmptyParameter+" or not("+none+")", t.Name+": no run was committed at or before ", "; ") + checks
	return read(asOfName(prefix, t), asOfParameter+": datetime"+orEmptyDeclared, asOfDoc(t), lets+oldest+rows+checks+s.Projection(everShown(t, s)))
}

// failUnless is an operator that fails unless the condition holds. Its message has the
// time that is asked for between the two texts, and the oldest possible one at its end.
func failUnless(condition, before, after string) string {
	return fmt.Sprintf(`| where assert(%s, strcat(%s, tostring(%s), %s,
    iff(isnull(Oldest), %s, strcat(%s, tostring(Oldest)))))
`, condition, kql.Literal(before), asOfParameter, kql.Literal(after),
		kql.Literal("no time can be asked for before the next full run"), kql.Literal("the oldest time that can be asked for is "))
}

// oldestState defines the oldest time from which on each state is still there: that
// of the first run, or of the first full run after the last one whose rows are gone.
// Only a function that fails looks for it, because it reads all published rows.
func (s Source) oldestState(t tvmexport.Table, fails string) string {
	found := fmt.Sprintf("%s\n| where Fails", kql.Ident(s.Table))
	if s.Other != nil {
		found = fmt.Sprintf("union (\n    %s\n    | where Fails and RunId in (Placed)\n    | project RunId\n), (\n    %s\n    | where Fails and RunId !in (Placed)\n    | project RunId\n)",
			kql.Ident(s.Table), kql.Ident(s.Other.Table))
	}
	return fmt.Sprintf(`let Fails = %s;
let Every = %s
    | where Fails and Table == %s and State == %s
    | summarize At = min(At), Rows = max(Rows) by RunId, Kind;
let LostAt = toscalar(Every
    | join kind=leftouter (
%s        | summarize Found = count() by RunId) on RunId
    | where Rows > coalesce(Found, 0)
    | summarize max(At));
let Oldest = toscalar(Every
    | where isnull(LostAt) or (Kind == %s and At > LostAt)
    | summarize min(At));
`, fails, kql.RunsTable, kql.Literal(t.Name), kql.Literal(kql.CommittedState), indented(indented(found+"\n")), kql.Literal(string(tvmexport.FullRun)))
}

// asOfParameter is the time that is asked for, and orEmptyParameter whether a table
// without a run by then has no rows.
const (
	asOfParameter    = "t"
	orEmptyParameter = "orEmpty"
	orEmptyDeclared  = ", " + orEmptyParameter + ": bool = false"
)

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
	doc += "; no rows with orEmpty where no run was committed by then"
	if len(t.Volatile) > 0 {
		doc += "; " + strings.Join(t.Volatile, ", ") + " may be older than that: a change in them alone is not fetched"
	}
	return doc
}
