package fleet

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/kusto/kql"
	"github.com/tvmexport/tvmexport/kusto/views"
)

// Names in the fleet's database.
const (
	Group     = "FleetTenants"   // the entity group of the tenants' databases
	Databases = "FleetDatabases" // the function that says whose database it is
	Coverage  = "FleetCoverage"  // the function that says which tenants answer
)

// States of a tenant in FleetCoverage.
const (
	Answered = "answered"
	Missing  = "missing"
)

// tenantColumn is the column with the tenant's name. A column of this name in a table gets an
// underscore behind it.
const (
	tenantColumn = "Tenant"
	otherColumn  = "Tenant_"
	keyColumn    = "FleetKey" // what a row says of its database, as FleetDatabases has it
)

// incomplete is what the docstring of each function over the tenants says.
const incomplete = ": rows of every tenant that answers. A tenant whose database is missing, is not readable for you, or lacks this function or table is left out without an error: " +
	Coverage + "() names it. With set best_effort=true a cluster that does not answer is left out too"

// function is a stored function of the fleet's database.
type function struct{ name, params, doc, body string }

// text is what the function does: its parameters and its body.
func (f function) text() string { return "(" + f.params + ") {\n" + indented(f.body) + "}" }

func (f function) create() string {
	return fmt.Sprintf(".create-or-alter function with (docstring = %s, folder = %s, skipvalidation = \"true\") %s%s",
		kql.Literal(f.doc), kql.Literal(kql.Folder), kql.Ident(f.name), f.text())
}

func indented(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		b.WriteString("    " + line)
	}
	return b.String()
}

// functions are all functions of the fleet's database.
func (o Options) functions() []function {
	key := keyText(byDatabase(o.Tenants))
	out := []function{o.databases(), coverage(key)}
	runs := acrossText("X."+kql.RunsTable, key)
	audits := acrossText("X."+kql.AuditTable+"\n| extend RecordCount = tolong(RecordCount)", key) // int or long, by the version that made it
	out = append(out,
		function{name: kql.RunsTable, doc: "The ledgers" + incomplete, body: runs},
		function{name: kql.AuditTable, doc: "The audits" + incomplete, body: audits})
	for _, t := range o.Tables {
		out = append(out, o.ofTable(t, key)...)
	}
	return out
}

// forms are how functions of a table are called, in the order of [views.ReadFunctions]. A tenant
// without a run by then has no rows: it must not fail the others.
var forms = []struct{ params, arguments, doc string }{
	{"", "", ""},
	{"t: datetime", "(t, true)", " as of t, without tenants that had no run by then"},
	{"from: datetime, ['to']: datetime", "(from, ['to'], true)", ", what changed between from and to, without tenants that had no run by from"},
}

// ofTable makes the functions of a table: those that each tenant's database has.
func (o Options) ofTable(t tvmexport.Table, key string) []function {
	shapes := map[string][]kql.Column{t.Destination: kql.RawColumns, t.Typed(): views.TypedColumns(t.Visible())}
	var out []function
	for i, f := range views.ReadFunctions(o.Prefix, t, views.ReadersOf(t, shapes)) {
		rows := "X." + kql.Ident(f.Name) + forms[i].arguments
		if slices.ContainsFunc(t.Visible(), func(c tvmexport.Column) bool { return c.Name == tenantColumn }) {
			rows += "\n| project-rename " + otherColumn + " = " + tenantColumn
		}
		out = append(out, function{name: f.Name, params: forms[i].params, doc: t.Name + forms[i].doc + incomplete, body: acrossText(rows, key)})
	}
	return out
}

// acrossText is the rows of all tenants with the name of each. A database without a name in
// FleetDatabases shows under its own name, so that its rows are not lost or mixed with others.
func acrossText(rows, key string) string {
	return macroText(rows, key) + fmt.Sprintf(`| lookup kind=leftouter (%s | project %s, %s) on %s
| extend %s = iff(isempty(%s), %s, %s)
| project-away %s
| project-reorder %s
`, Databases, keyColumn, tenantColumn, keyColumn, tenantColumn, tenantColumn, keyColumn, tenantColumn, keyColumn, tenantColumn)
}

// macroText runs a query in each database of the group.
func macroText(rows, key string) string {
	return fmt.Sprintf("macro-expand kind=outer isfuzzy=true %s as X (\n%s)\n", Group, indented(rows+"\n| extend "+keyColumn+" = "+key+"\n"))
}

// keyText is the expression by which a row knows its database: its name, or, where several
// clusters have one of that name, the name behind the cluster's host.
func keyText(byDatabase bool) string {
	const database = "tolower(X.$current_database)"
	if byDatabase {
		return database
	}
	return `strcat(extract(@"^(?:https?://)?([^/]+?)(?::443)?(?:/.*)?$", 1, tolower(X.$current_cluster_endpoint)), "/", ` + database + ")"
}

// databases is the function that says whose a database is: a row for each name that it has.
func (o Options) databases() function {
	alone := byDatabase(o.Tenants)
	var rows []string
	for _, t := range o.Tenants {
		for _, name := range t.names() {
			if !alone {
				name = host(t.Cluster) + "/" + name
			}
			rows = append(rows, fmt.Sprintf("    %s, %s, %s, %s", kql.Literal(t.Name), kql.Literal("https://"+host(t.Cluster)), kql.Literal(t.Database), kql.Literal(name)))
		}
	}
	return function{
		name: Databases, doc: "The database of each tenant, as configured when init --fleet ran",
		body: fmt.Sprintf("datatable (%s:string, Cluster:string, Database:string, %s:string) [\n%s\n]\n", tenantColumn, keyColumn, strings.Join(rows, ",\n")),
	}
}

// coverage is the function that lists each tenant once, the one that is missing or was last
// exported the longest time ago first.
func coverage(key string) function {
	answers := macroText(fmt.Sprintf(`X.%s
| where State == %s
| summarize Commits = count(), FirstCommit = min(At), LastCommit = max(At), Tables = make_set(Table)`, kql.RunsTable, kql.Literal(kql.CommittedState)), key)
	return function{
		name: Coverage,
		doc: "Each configured tenant once: " + Answered + ", or " + Missing + " where its database is missing, is not readable for you, or has no ledger; with its first and last commit, " +
			"the age of the last, and the tables that have one. With set best_effort=true a tenant whose cluster does not answer is " + Missing + ", else the query fails",
		// With a part that always resolves: macro-expand fails if no tenant answers
		// (https://learn.microsoft.com/kusto/query/union-operator, isfuzzy and best_effort).
		body: "let Answers = union isfuzzy=true\n    (datatable (Commits:long, FirstCommit:datetime, LastCommit:datetime, Tables:dynamic, " + keyColumn + ":string) []),\n    (\n" +
			indented(indented(answers)) + fmt.Sprintf(`    )
    | lookup kind=inner (%[1]s | project %[2]s, %[3]s) on %[2]s
    | project-away %[2]s;
%[1]s
| distinct %[3]s, Cluster, Database
| lookup kind=leftouter Answers on %[3]s
| project %[3]s, State = iff(isnull(Commits), %[4]s, %[5]s), LastCommit, Age = now() - LastCommit, FirstCommit, Tables, Cluster, Database
| order by State desc, LastCommit asc, %[3]s asc
`, Databases, keyColumn, tenantColumn, kql.Literal(Missing), kql.Literal(Answered)),
	}
}
