package engine

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// newFleet is a bench with tables in the databases a and b, one that nobody may read, and a group
// of all, and of one that does not exist, in db.
func newFleet(t *testing.T) *bench {
	b := newBench(t, func(o *Options) {
		o.ClusterURI = "https://127.0.0.1:8443"
		o.Address = func(host string) (string, bool, bool) {
			return "https://" + host, host == "127.0.0.1:2", host == "127.0.0.1:1" || host == "127.0.0.1:2"
		}
	})
	for db, rows := range map[string]string{"a": "(1, 'x'), (2, 'y')", "b": "(3, 'x')", "Secret": "(9, 'x')"} {
		b.CreateDatabase(db)
		b.in(db, `.create table T (n:long, s:string)`)
		b.in(db, `.set-or-append T <| print r = dynamic([`+strings.NewReplacer("(", "[", ")", "]", "'", `"`).Replace(rows)+`]) | mv-expand r | project n = tolong(r[0]), s = tostring(r[1])`)
		b.in(db, `.create function Twice(k:long = 1) { T | extend m = 2 * n * k, home = current_database() }`)
		if db != "Secret" {
			b.in(db, `.add database `+db+` viewers ('aadapp=v')`)
		}
	}
	b.in("b", `.create table OnlyHere (z:long)`)
	b.in("b", `.alter-merge table T (extra:string)`)
	b.in("a", `.create function with (skipvalidation=true) Broken() { Gone | count }`)
	b.run(`.add database db viewers ('aadapp=v')`)
	b.run(`.create entity_group Two (database('a'), cluster('https://127.0.0.1:8443').database('b'))`)
	b.run(`.create entity_group All (database('a'), database('b'), database('Secret'), database('nowhere'))`)
	b.run(`.create entity_group Lost (database('Secret'), database('nowhere'))`)
	b.run(`.create entity_group Far (database('a'), cluster('far.westeurope').database('b'))`)
	b.run(`.create entity_group Again (database('a'), cluster('127.0.0.1').database('A'))`)
	b.run(`.create entity_group Here (cluster('127.0.0.1'))`)
	return b
}

// in runs a command in a database.
func (b *bench) in(db, csl string) {
	b.Helper()
	if _, err := b.Command(b.Context(), Call{Principal: root, Database: db, Text: csl}); err != nil {
		b.Fatalf("%s: %s: %v", db, csl, err)
	}
}

// asked runs a query as the viewer of a, b and db, and gives its rows, or its refusal, and its warnings.
func (b *bench) asked(csl string, options map[string]any) (rows []string, warnings []string) {
	b.Helper()
	r, err := b.Query(b.Context(), Call{Principal: principal("v"), Database: "db", Text: csl, Options: options})
	if err != nil {
		return []string{"refused: " + err.Error()}, nil
	}
	for _, table := range r.Tables {
		warnings = append(warnings, table.Warnings...)
		for row, err := range table.Rows {
			if err != nil {
				return append(rows, "failed: "+err.Error()), warnings
			}
			rows = append(rows, text(row))
		}
	}
	slices.Sort(rows)
	return rows, warnings
}

// The pages are https://learn.microsoft.com/kusto/query/macro-expand-operator and
// https://learn.microsoft.com/kusto/query/union-operator.
func TestMacroExpand(t *testing.T) {
	b := newFleet(t)
	const far = "The cluster 'far.westeurope' is not this one"
	tests := []struct {
		name, query string
		want        []string // or a part of a refusal
		warnings    []string
	}{
		{"stored group", "macro-expand Two as X (X.T | project n)", []string{"1", "2", "3"}, nil},
		{"group in the text", "macro-expand entity_group [database('a'), cluster('localhost').database('b')] as X (X.T | count)", []string{"1", "2"}, nil},
		{"group of a let", "let G = entity_group [database('b')]; macro-expand G as X (X.T | project n)", []string{"3"}, nil},
		{"let comes before stored", "let Two = entity_group [database('b')]; macro-expand Two as X (X.T | project n)", []string{"3"}, nil},
		{"unused let", "let G = entity_group [database('nowhere')]; print 1", []string{"1"}, nil},
		{"operators behind", "macro-expand Two as X (X.T | summarize c = count() by s) | summarize sum(c) by s", []string{"x | 2", "y | 1"}, nil},
		{"join in each entity", "macro-expand Two as X (X.T | join kind=inner (X.T | project s, k = n) on s | project n, k)", []string{"1 | 1", "2 | 2", "3 | 3"}, nil},
		{"outer columns", "macro-expand kind=outer Two as X (X.T) | project n, extra", []string{"1 | ", "2 | ", "3 | "}, nil},
		{"inner columns", "macro-expand kind=inner Two as X (X.T) | getschema | project ColumnName", []string{"n", "s"}, nil},
		{"outer is the default", "macro-expand Two as X (X.T) | getschema | project ColumnName", []string{"extra", "n", "s"}, nil},
		{"function", "macro-expand Two as X (X.Twice | project n, m, home)", []string{"1 | 2 | a", "2 | 4 | a", "3 | 6 | b"}, nil},
		{"function with an argument", "macro-expand Two as X (X.Twice(10) | project m)", []string{"20", "40", "60"}, nil},
		{"name of the database", "macro-expand Two as X (X.T | project n, X.$current_database, e = X.$current_cluster_endpoint)", []string{
			"1 | a | https://127.0.0.1:8443", "2 | a | https://127.0.0.1:8443", "3 | b | https://127.0.0.1:8443",
		}, nil},
		{"name without a table", "macro-expand isfuzzy=true All as X (print d = X.$current_database)", []string{"a", "b"}, []string{
			"Failed to resolve entity 'database('Secret')'", "Failed to resolve entity 'database('nowhere')'",
		}},
		{"let in the subquery", "macro-expand Two as X (let f = (k:long) { X.T | where n >= k }; let c = toscalar(X.T | count); f(2) | project n, c)", []string{"2 | 2", "3 | 1"}, nil},
		{"names of the query", "let least = 2; macro-expand Two as X (X.T | where n >= least | project n)", []string{"2", "3"}, nil},
		{"materialize for each entity", "macro-expand Two as X (let m = materialize(X.T | project n); m | join kind=inner (m | summarize t = sum(n)) on $left.n == $right.t | project n)", []string{"3"}, nil},
		{"nested", "macro-expand Two as X (macro-expand entity_group [database('b')] as Y (X.T | join kind=inner (Y.T | project s, k = n) on s | project x = X.$current_database, y = Y.$current_database, n, k))", []string{
			"a | b | 1 | 3", "b | b | 3 | 3",
		}, nil},
		{"as a leg", "union (macro-expand Two as X (X.T | project n)), (print n = 0)", []string{"0", "1", "2", "3"}, nil},
		{"within materialize and toscalar", "let m = materialize(macro-expand Two as X (X.T | project n)); m | where n == toscalar(m | summarize max(n))", []string{"3"}, nil},
		{"cluster", "macro-expand Here as X (X.database('b').T | project n)", []string{"3"}, nil},
		{"endpoint of a cluster", "macro-expand Here as X (print X.$current_cluster_endpoint)", []string{"https://127.0.0.1:8443"}, nil},
		{"tables", "macro-expand entity_group [database('a').T, database('b').T] as X (X | count)", []string{"1", "2"}, nil},
		{"fuzzy", "macro-expand isfuzzy=true All as X (X.T | project n)", []string{"1", "2", "3"}, []string{
			"Failed to resolve entity 'database('Secret')'", "Failed to resolve entity 'database('nowhere')'",
		}},
		{"fuzzy, a table that one lacks", "macro-expand isfuzzy=true kind=outer Two as X (X.OnlyHere | count)", []string{"0"}, []string{"Failed to resolve entity 'database('a').OnlyHere'"}},
		{"fuzzy, a function that one lacks", "macro-expand isfuzzy=true Two as X (X.Broken())", []string{"refused: none of the entities could be resolved"}, nil},
		{"not fuzzy", "macro-expand All as X (X.T)", []string{"refused: Failed to resolve entity 'database('Secret')'"}, nil},
		{"not fuzzy, a table that one lacks", "macro-expand Two as X (X.OnlyHere)", []string{"refused: named 'OnlyHere'"}, nil},
		{"fuzzy does not forgive other errors", "macro-expand isfuzzy=true Two as X (X.T | where extra == 'x')", []string{"refused: Failed to resolve scalar expression named 'extra'"}, nil},
		{"nothing is there, next to what is", "union isfuzzy=true (print a=1), (macro-expand isfuzzy=true Lost as X (X.T))", []string{"1"}, []string{
			"Failed to resolve entity 'database('Secret')'", "Failed to resolve entity 'database('nowhere')'", "Failed to resolve entity 'Lost'",
		}},
		{"nothing is there, next to what is, strictly", "union (print a=1), (macro-expand isfuzzy=true Lost as X (X.T))", []string{"refused: none of the entities could be resolved"}, nil},
		{"nothing is there", "macro-expand isfuzzy=true Lost as X (X.T)", []string{"refused: none of the entities could be resolved"}, nil},
		{"best effort", "set best_effort=true; macro-expand All as X (X.T | project n)", []string{"1", "2", "3"}, []string{
			"Failed to resolve entity 'database('Secret')'", "Failed to resolve entity 'database('nowhere')'",
		}},
		{"best effort with nothing", "set best_effort; macro-expand Lost as X (X.T)", []string{"refused: none of the entities could be resolved"}, nil},
		{"a cluster that does not answer", "macro-expand isfuzzy=true Far as X (X.T)", []string{"refused: " + far}, nil},
		{"a cluster that does not answer, best effort", "set best_effort=true; macro-expand isfuzzy=true Far as X (X.T | project n)", []string{"1", "2"}, []string{"Failed to resolve entity 'cluster('far.westeurope')'"}},
		{"another address", "macro-expand entity_group [cluster('https://127.0.0.1:1').database('b')] as X (X.T | project n, X.$current_cluster_endpoint)", []string{"3 | https://127.0.0.1:1"}, nil},
		{"another address that is down", "macro-expand isfuzzy=true entity_group [database('a'), cluster('https://127.0.0.1:2/').database('b')] as X (X.T)", []string{"refused: The cluster 'https://127.0.0.1:2/' does not answer"}, nil},
		{"another address that is down, best effort", "set best_effort=true; union database('a').T, cluster('https://127.0.0.1:2').database('b').T | project n", []string{"1", "2"}, []string{"Failed to resolve entity 'cluster('https://127.0.0.1:2')'"}},
		{"twice", "macro-expand Again as X (X.T)", []string{"refused: names the database 'A' twice is not supported here"}, nil},
		{"several kinds", "macro-expand entity_group [database('a'), cluster('localhost')] as X (X.T)", []string{"refused: Database expected."}, nil},
		{"no entity", "macro-expand entity_group [1 + 2] as X (X.T)", []string{"refused: Syntax error"}, nil},
		{"no entity, a function", "macro-expand entity_group [now()] as X (X.T)", []string{"refused: Cluster, Database or Table expected."}, nil},
		{"unknown group", "macro-expand Nothing as X (X.T)", []string{"refused: Failed to resolve entity group named 'Nothing'"}, nil},
		{"a table is no group", "let U = datatable(a:long)[1]; macro-expand U as X (X.T)", []string{"refused: 'U' is no group of entities"}, nil},
		{"group of another database", "macro-expand database('a').G as X (X.T)", []string{"refused: in another database or cluster cannot be referenced"}, nil},
		{"one name for both", "macro-expand Two as X (macro-expand Two as X (X.T))", []string{"refused: is that of an outer macro-expand"}, nil},
		{"two results", "macro-expand Two as X (X.T; X.T)", []string{"refused: the subquery must have one tabular expression"}, nil},
		{"no result", "macro-expand Two as X (let a = 1)", []string{"refused: the subquery must have one tabular expression"}, nil},
		{"another statement", "macro-expand Two as X (set notruncation; X.T)", []string{"refused: the subquery can have let statements"}, nil},
		{"the entity itself", "macro-expand Two as X (X | count)", []string{"refused: A scalar expression cannot be used where a table is expected"}, nil},
		{"the entity as a value", "macro-expand Two as X (print X)", []string{"refused: The database 'X' cannot be used where a scalar"}, nil},
		{"database of a cluster entity", "macro-expand Here as X (print X.$current_database)", []string{"refused: '$current_database' of a cluster is not supported here"}, nil},
		{"behind a pipe", "print 1 | macro-expand Two as X (X.T)", []string{"refused: macro-expand cannot be behind a pipe"}, nil},
		{"the form with in", "macro-expand X in Two (X.T)", []string{"refused: 'macro-expand X in G' is not supported here"}, nil},
		{"without a name", "macro-expand Two (Two.T)", []string{"refused: macro-expand without a name for its entities is not supported here"}, nil},
		{"entity_group()", "macro-expand entity_group('Two') as X (X.T)", []string{"refused: entity_group() is not supported here"}, nil},
		{"a parameter without a page", "macro-expand force_remote=true Two as X (X.T)", []string{"refused: macro-expand with 'force_remote' is not supported here"}, nil},
		{"kind", "macro-expand kind=left Two as X (X.T)", []string{"refused: kind 'left' is not known"}, nil},
		{"empty group", "macro-expand entity_group [] as X (X.T)", []string{"refused: Syntax error"}, nil},

		{"union of functions", "union isfuzzy=true database('a').Twice, database('b').Twice | project m, home", []string{"2 | a", "4 | a", "6 | b"}, nil},
		{"fuzzy union", "union isfuzzy=true database('a').T, database('Secret').T, database('nowhere').Twice(2) | project n", []string{"1", "2"}, []string{
			"Failed to resolve entity 'database('Secret').T'", "Failed to resolve entity 'database('nowhere').Twice'",
		}},
		{"fuzzy union of a function that lacks its table", "union isfuzzy=true database('a').T, database('a').Broken | project n", []string{"1", "2"}, []string{"Failed to resolve entity 'database('a').Gone'"}},
		{"fuzzy union of a pattern", "union isfuzzy=true (print n = 1), Nope* | project n", []string{"1"}, []string{"Failed to resolve entity 'Nope*'"}},
		{"fuzzy union does not forgive other errors", "union isfuzzy=true (print n = 1), (print n = 2 | where nope)", []string{"refused: Failed to resolve scalar expression named 'nope'"}, nil},
		{"best effort of union", "set best_effort=true; union (print n = 1), Nope, (cluster('far.westeurope').database('b').T)", []string{"1"}, []string{
			"Failed to resolve entity 'Nope'", "Failed to resolve entity 'cluster('far.westeurope')'",
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rows, warnings := b.asked(tt.query, nil)
			if len(tt.want) == 1 && strings.HasPrefix(tt.want[0], "refused: ") {
				if part := strings.TrimPrefix(tt.want[0], "refused: "); len(rows) != 1 || !strings.HasPrefix(rows[0], "refused: ") || !strings.Contains(rows[0], part) {
					t.Errorf("%s\ngot %q, want a refusal with %q", tt.query, rows, part)
				}
				return
			}
			if d := cmp.Diff(tt.want, rows); d != "" {
				t.Errorf("%s: rows (-want +got):\n%s", tt.query, d)
			}
			if d := cmp.Diff(tt.warnings, warnings); d != "" {
				t.Errorf("%s: warnings (-want +got):\n%s", tt.query, d)
			}
		})
	}
}

// best_effort as a property of the request is that of a set statement.
func TestBestEffortOfTheRequest(t *testing.T) {
	b := newFleet(t)
	const query = "macro-expand All as X (X.T | project n)"
	for value, answered := range map[any]bool{true: true, "true": true, false: false, nil: false} {
		rows, warnings := b.asked(query, map[string]any{"best_effort": value})
		if (len(rows) == 3 && len(warnings) == 2) != answered {
			t.Errorf("best_effort = %v: %q, warnings %q", value, rows, warnings)
		}
	}
}

// Groups can be referenced in the database that the query runs in only, also indirectly.
func TestGroupsOfOtherDatabases(t *testing.T) {
	b := newFleet(t)
	b.run(`.create function Fleet() { macro-expand Two as X (X.T | project n) }`)
	b.want("Fleet", "1", "2", "3")
	_, err := b.Query(t.Context(), Call{Principal: root, Database: "a", Text: "database('db').Fleet"})
	if err == nil || !strings.Contains(err.Error(), "Failed to resolve entity group named 'Two'") {
		t.Errorf("a group of another database: %v", err)
	}
	_, err = b.Query(t.Context(), Call{Principal: root, Database: "a", Text: "macro-expand Two as X (X.T)"})
	if err == nil || !strings.Contains(err.Error(), "Failed to resolve entity group named 'Two'") {
		t.Errorf("a group of another database: %v", err)
	}
}

// The pages are those below https://learn.microsoft.com/kusto/management/entity-groups.
func TestEntityGroups(t *testing.T) {
	b := newBench(t)
	const c1, c2 = `["cluster('c1').database('d1')"]`, `["cluster('c1').database('d1')","cluster('c2').database('d2')"]`
	for _, tt := range []struct{ csl, want string }{
		{`.create entity_group MyEntityGroup (cluster('c1').database('d1'), cluster('c2').database('d2'))`, "MyEntityGroup | " + c2},
		{`.create entity_group MyEntityGroup ifnotexists (cluster('c9').database('d1'))`, "MyEntityGroup | " + c2},
		{`.create entity_group ifnotexists MyEntityGroup (cluster('c9').database('d1'))`, "MyEntityGroup | " + c2},
		{`.alter entity_group MyEntityGroup (cluster('c1').database('d1'))`, "MyEntityGroup | " + c1},
		{`.alter-merge entity_group MyEntityGroup (cluster("c2").database(@'d2'))`, "MyEntityGroup | " + c2},
		{`.alter-merge entity_group MyEntityGroup (cluster('c2').database('d2'), cluster('c1').database('d1'))`, "MyEntityGroup | " + c2},
		{`.create-or-alter entity_group ['Second one'] (database('it\'s'))`, `Second one | ["database('it\\'s')"]`},
		{`.create-or-alter entity_group ['Second one'] (cluster('c1'))`, `Second one | ["cluster('c1')"]`},
		{`.show entity_group MyEntityGroup`, "MyEntityGroup | " + c2},
		{`.show entity_groups | where Name startswith 'My' | project Name`, "MyEntityGroup"},
		{`.show entity_group | count`, "2"},
		{`.drop entity_group ['Second one']`, "MyEntityGroup | " + c2},
	} {
		b.want(tt.csl, tt.want)
	}
	for csl, want := range map[string]string{
		`.create entity_group MyEntityGroup (database('d'))`:                         "MyEntityGroup",
		`.alter entity_group Nope (database('d'))`:                                   "Entity ID 'Nope' of kind 'EntityGroup' was not found",
		`.alter-merge entity_group Nope (database('d'))`:                             "Entity ID 'Nope' of kind 'EntityGroup' was not found",
		`.drop entity_group Nope`:                                                    "Entity ID 'Nope' of kind 'EntityGroup' was not found",
		`.show entity_group Nope`:                                                    "Entity ID 'Nope' of kind 'EntityGroup' was not found",
		`.create entity_group G ()`:                                                  "An entity, such as cluster('c').database('d'), expected",
		`.create entity_group G (database('d'), database("d"))`:                      "twice is not supported",
		`.create entity_group G (database('d'), cluster('c'))`:                       "entities of different kinds",
		`.create entity_group G (database(''))`:                                      "A name, as a string, expected",
		`.create entity_group G (database('d').T)`:                                   "expected, not '.'",
		`.create-merge entity_group G (database('d'))`:                               "not known or not supported",
		`.drop entity_group MyEntityGroup ifexists`:                                  "expected, not 'ifexists'",
		`.create entity_group G (now())`:                                             "An entity, such as",
		`.create entity_group ['` + strings.Repeat("x", 1025) + `'] (database('d'))`: "is not valid",
	} {
		if _, _, err := b.try(root, csl); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", csl, err, want)
		}
	}
	b.want(`.show database db schema as csl script | where * has 'entity_group'`, `.create-or-alter entity_group MyEntityGroup (cluster('c1').database('d1'), cluster('c2').database('d2'))`)
	b.want(`.show schema as json | project parse_json(DatabaseSchema).Databases.db.EntityGroups`, `{"MyEntityGroup":`+c2+`}`)
	for _, csl := range []string{`.show entity_groups`, `.create entity_group G (database('d'))`, `.drop entity_group MyEntityGroup`} {
		b.fails(principal("n"), csl, CodeForbidden, "administer database 'db'")
	}
}

// In an Eventhouse the engine's name of a database is a GUID; groups can use either name.
func TestMacroExpandInAnEventhouse(t *testing.T) {
	b := newBench(t, func(o *Options) { o.Eventhouse, o.ClusterURI = true, "https://127.0.0.1:8443" })
	b.CreateDatabase("a")
	b.in("a", `.create table T (n:long)`)
	b.run(`.create entity_group ByName (database('a'))`)
	b.run(`.create entity_group ByID (database('` + b.DatabaseName("a") + `'))`)
	for _, group := range []string{"ByName", "ByID"} {
		b.want("macro-expand "+group+" as X (X.T | count | project d = X.$current_database)", b.DatabaseName("a"))
	}
}

// The size of a query grows with the group; macro-expand within macro-expand is bounded.
func TestMacroExpandOfAThousand(t *testing.T) {
	b := newBench(t)
	var members []string
	for n := range 1000 {
		name := "d" + strconv.Itoa(n)
		b.CreateDatabase(name)
		members = append(members, "database('"+name+"')")
	}
	b.run(`.create entity_group All (` + strings.Join(members, ", ") + `)`)
	long := "print n = 1" + strings.Repeat(" | where n > 0", 100)
	b.want("macro-expand All as X ("+long+") | count", "1000")
	b.fails(root, "macro-expand All as X (macro-expand All as Y ("+long+"))", CodeBadRequest, "The query is too complex")
}

// A group is in the state of a database: a change replaces it.
func TestEntityGroupSnapshot(t *testing.T) {
	b := newFleet(t)
	before := b.databases.catalog("db", root)
	b.run(`.alter entity_group Two (database('a'))`)
	entities, ok := before.EntityGroup("Two")
	if !ok || len(entities) != 2 {
		t.Errorf("the group before the change has %q", entities)
	}
}
