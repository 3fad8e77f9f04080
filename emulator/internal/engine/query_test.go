package engine

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestQuery(t *testing.T) {
	b := newBench(t)
	b.run(`.create table T (a:long)`)
	b.ingest("T", longs(1, 5), "drop-by:x")
	b.want(`T | where a > 3 | project b = a * 10`, "40", "50")
	b.want(`T | summarize n = count() by t = ingestion_time()`, "2026-01-02T03:04:05.0000000Z | 5")
	b.want(`T | where extent_tags() has 'drop-by:x' | count`, "5")
	b.want(`print x = now()`, "2026-01-02T03:04:05.0000000Z")
	b.want(`database("db").T | count`, "5")
	b.fails(root, `T | where nope > 3`, CodeBadRequest, "Failed to resolve scalar expression named 'nope'")
	b.fails(root, `Nope | count`, CodeBadRequest, "'Nope'")
	b.fails(root, `T | `, CodeBadRequest, "Request is invalid and cannot be processed: Syntax error: ")
	_, err := b.Query(t.Context(), Call{Principal: root, Database: "db", Text: ".show tables"})
	if e, ok := errors.AsType[*Error](err); !ok || !strings.Contains(e.Message, "cannot be sent to the query endpoint") {
		t.Error(err)
	}
	r, err := b.Query(t.Context(), Call{
		Principal: root, Database: "db", Text: `declare query_parameters(n:long); T | where a == n`,
		Parameters: map[string]string{"n": "4"},
	})
	if err != nil {
		t.Fatal(err)
	}
	for row, err := range r.Tables[0].Rows {
		if err != nil || row[0].Int64() != 4 {
			t.Error(row, err)
		}
	}
}

func TestQueryNeedsViewer(t *testing.T) {
	b := newBench(t)
	b.run(`.create table T (a:long)`)
	b.CreateDatabase("secret")
	b.run(`.add database db viewers ('aadapp=v')`)
	b.run(`.add database db ingestors ('aadapp=i')`)
	b.as(principal("v"), `T | count`)
	b.fails(principal("i"), `T | count`, CodeForbidden, "is not authorized to read database 'db'")
	b.fails(principal("v"), `database("secret").T | count`, CodeBadRequest, "")
	b.run(`.alter table T policy restricted_view_access true`)
	b.fails(principal("v"), `T | count`, CodeForbidden, "read table 'T' in database 'db', whose view access is restricted")
	b.fails(root, `T | count`, CodeForbidden, "read table 'T' in database 'db', whose view access is restricted")
	b.run(`.add database db unrestrictedviewers ('aadapp=v')`)
	b.run(`.add database db unrestrictedviewers ('` + root.FQN() + `')`)
	b.want(`T | count`, "0")
	b.as(principal("v"), `T | count`)
}

func TestResultLimits(t *testing.T) {
	b := newBench(t)
	tests := []struct {
		csl     string
		options map[string]any
		rows    int
		fails   string
	}{
		{"range x from 1 to 500000 step 1", nil, 500000, ""},
		{"range x from 1 to 500001 step 1", nil, 500000, "internal record count limit 500000 (E_QUERY_RESULT_SET_TOO_LARGE"},
		{"set notruncation; range x from 1 to 500001 step 1", nil, 500001, ""},
		{"range x from 1 to 500001 step 1", map[string]any{"notruncation": true}, 500001, ""},
		{"range x from 1 to 500001 step 1", map[string]any{"truncationmaxrecords": 600000.0}, 500001, ""},
		{"range x from 1 to 11 step 1", map[string]any{"truncationmaxrecords": 10.0}, 10, "internal record count limit 10 "},
		{"set truncationmaxrecords=3; range x from 1 to 11 step 1", nil, 3, "internal record count limit 3 "},
		{"range x from 1 to 11 step 1 | extend s = 'aaaaaaaaaa'", map[string]any{"truncationmaxsize": 100.0}, 5, "internal data size limit 100 "},
	}
	for _, tt := range tests {
		r, err := b.Query(t.Context(), Call{Principal: root, Database: "db", Text: tt.csl, Options: tt.options})
		if err != nil {
			t.Errorf("%s: %v", tt.csl, err)
			continue
		}
		n := 0
		var last error
		for _, err := range r.Tables[0].Rows {
			if last = err; err == nil {
				n++
			}
		}
		if n != tt.rows || (last == nil) != (tt.fails == "") || last != nil && !strings.Contains(last.Error(), tt.fails) {
			t.Errorf("%s with %v: %d rows, %v", tt.csl, tt.options, n, last)
		}
	}
}

func TestQueryTimeout(t *testing.T) {
	b := newBench(t)
	for _, options := range []map[string]any{{"servertimeout": "00:00:00.0000001"}, {"servertimeout": "00:00:00.0010000"}} {
		r, err := b.Query(t.Context(), Call{
			Principal: root, Database: "db", Options: options,
			Text: "set notruncation; range x from 1 to 1000000000 step 1 | where x % 1000000007 == 1",
		})
		if err != nil {
			t.Fatal(err)
		}
		var last error
		for _, err := range r.Tables[0].Rows {
			last = err
		}
		if e, ok := errors.AsType[*Error](last); !ok || e.Code != CodeTimeout || e.Status != 504 {
			t.Errorf("%v: %v", options, last)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	r, err := b.Query(ctx, Call{Principal: root, Database: "db", Text: "range x from 1 to 1000000000 step 1 | where x % 1000000007 == 1"})
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	for _, err := range r.Tables[0].Rows {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("after cancel: %v", err)
		}
		break
	}
}

func TestPipelines(t *testing.T) {
	b := newBench(t)
	b.run(`.create tables A (a:long), B (a:long) with (folder="f")`)
	b.ingest("A", longs(1, 3), "drop-by:x")
	b.ingest("A", longs(1, 2), "drop-by:x")
	b.want(`.show tables | where TableName == 'B' | project TableName, Folder`, "B | f")
	b.want(`.show table A extents where tags has 'drop-by:x' | summarize sum(RowCount)`, "5")
	b.fails(root, `.show tables | where Nope == 1`, CodeBadRequest, "'Nope'")
	b.want(`.show operations | where Operation == "DataIngestPull" | count`, "2")
	b.run(`.drop extents <| .show table A extents | where RowCount == 2`)
	b.wantValues("A", 1, 2, 3)
	b.run(`.set-or-append Tables <| .show tables | project TableName`)
	b.want(`Tables | order by TableName asc`, "A", "B")
}

// After a semicolon there is a whole query, to which the command's result is a table:
// https://learn.microsoft.com/kusto/management/#combining-queries-and-management-commands.
func TestQueriesBehindCommands(t *testing.T) {
	b := newBench(t)
	b.run(`.create table A (a:long)`)
	b.run(`.create table B (a:long) with (folder="f")`)
	b.ingest("A", longs(1, 2))
	b.want(`.show tables; $command_results | count`, "2")
	b.want(`.show tables;`+"\n"+`let useless = (n: string) { strcat(n, '-') }; $command_results | where Folder == "f" | extend x = useless(TableName) | project x`, "B-")
	b.want(`.show tables; $command_results | join kind=inner ($command_results) on TableName | count;`, "2")
	b.want(`.show tables; A | count`, "2")
	b.run(`.set-or-append Names <| .show tables; $command_results | project TableName`)
	b.want(`Names | order by TableName asc`, "A", "B")
	r, err := b.Command(b.Context(), Call{Principal: root, Database: "db", Text: `.show tables | count; A | project a; print x = 7`})
	if err != nil || len(r.Tables) != 3 || r.Tables[1].Columns[0].Name != "a" || r.Tables[2].Columns[0].Name != "x" {
		t.Errorf("results of three statements: %+v, %v", r, err)
	}
	b.fails(root, `.set-or-append Two <| .show tables | project TableName; $command_results | count`, CodeBadRequest, "one result")
	b.fails(root, `.show tables; let x = 1`, CodeBadRequest, "no tabular statement")
	b.fails(root, `.show tables | count; .drop table A`, CodeBadRequest, "SYN0002")
	b.fails(root, `.show tables; .drop table A`, CodeBadRequest, "send one at a time")
	if _, err := b.Command(b.Context(), Call{Principal: root, Database: "db", Text: `set notruncation; .drop table A`}); err == nil || !strings.Contains(err.Error(), "can only follow the command") {
		t.Errorf("set before a command: %v", err)
	}
	b.fails(root, `$command_results`, CodeBadRequest, "'$command_results'")
	b.want(`A | count`, "2")
}

func TestSetAndAppend(t *testing.T) {
	b := newBench(t)
	b.run(`.create table S (a:long)`)
	b.ingest("S", longs(1, 3))
	if got := b.cells(`.set T with (folder="f") <| S | project x = a, s = tostring(a)`, "RowCount"); !cmp.Equal(got, []string{"3"}) {
		t.Error(got)
	}
	b.want(`.show table T cslschema`, "T | x:long,s:string | db | f | ")
	b.fails(root, `.set T <| S`, CodeBadRequest, "Entity 'T' of kind 'Table' already exists.")
	b.fails(root, `.append U <| S`, CodeTableNotFound, "'U'")
	b.run(`.append T <| print other = 9, name = "n"`) // by position, not by name
	b.want(`T | where x == 9`, "9 | n")
	b.fails(root, `.append T <| print s = "n", x = 9`, CodeBadRequest, "Query schema does not match table schema. QuerySchema=('string','long'), TableSchema=('long','string')")
	b.fails(root, `.append T <| print x = long(9)`, CodeBadRequest, "QuerySchema=('long'), TableSchema=('long','string')")
	b.run(`.append T with (extend_schema=true) <| print x = long(10), s = "z", d = dynamic({"a":1})`)
	b.want(`T | where x >= 9 | order by x asc | project x, d`, "9 | null", `10 | {"a":1}`)
	b.run(`.set-or-replace T <| print x = long(1), s = "only", d = dynamic(null)`)
	b.want(`T`, "1 | only | null")
	b.run(`.set-or-append V <| range a from 1 to 2 step 1`)
	b.wantValues("V", 1, 2)
	b.fails(root, `.set-or-append V <| V | where nope`, CodeBadRequest, "'nope'")
	b.fails(root, `.set-or-append V <| V | where assert(toscalar(V | summarize max(a)) < 2, "too much")`, CodeBadRequest, "too much")
	b.wantValues("V", 1, 2)
	b.fails(root, `.set-or-append V <| .drop table T`, CodeBadRequest, "Only a .show command can be the source of rows")
	b.fails(root, `.set-or-append V with (tags='x') <| V`, CodeBadRequest, "The property tags must be a JSON array of strings")
}

func TestGuardedAppend(t *testing.T) {
	b := newBench(t)
	b.run(`.create tables L (a:long), T (a:long)`)
	b.ingest("L", longs(1, 3))
	publish := `.set-or-append T with (tags='["ingest-by:run1/0"]', ingestIfNotExists='["run1/0"]', creationTime='2020-01-01') <| L`
	if got := b.run(publish); len(got) != 1 {
		t.Errorf("first: %v", got)
	}
	if got := b.run(publish); len(got) != 0 {
		t.Errorf("second: %v", got)
	}
	b.wantValues("T", 1, 2, 3)
	if got := b.cells(`.show table T extents where tags has 'ingest-by:run1/0'`, "RowCount", "MaxCreatedOn"); !cmp.Equal(got, []string{"3 | 2020-01-01T00:00:00.0000000Z"}) {
		t.Error(got)
	}
	id := b.cells(`.set-or-append async T with (tags='["ingest-by:run1/1"]') <| L | take 1`, "OperationId")[0]
	b.running.Wait()
	if got := b.cells(`.show operation `+id+` details`, "RowCount"); !cmp.Equal(got, []string{"1"}) {
		t.Error(got)
	}
	if got := b.cells(`.show operations `+id, "Operation", "State"); !cmp.Equal(got, []string{"TableSetOrAppend | Completed"}) {
		t.Error(got)
	}
}

func TestFunctions(t *testing.T) {
	b := newBench(t)
	b.run(`.create table T (a:long)`)
	b.ingest("T", longs(1, 3))
	b.want(`.create function with (docstring="d", folder="f") F(least:long) { T | where a >= least }`,
		"F | (least:long) | { T | where a >= least } | f | d")
	b.want(`F(2) | count`, "2")
	b.want(`.create-or-alter function F(least:long) { T | where a > least }`, "F | (least:long) | { T | where a > least } | f | d")
	b.want(`F(2)`, "3")
	b.fails(root, `.create function F() { T }`, CodeBadRequest, "already exists")
	b.want(`.create function ifnotexists F() { T }`, "F | (least:long) | { T | where a > least } | f | d")
	b.fails(root, `.create function G() { T | where nope == 1 }`, CodeBadRequest, "'nope'")
	b.run(`.create function with (skipvalidation=true) G() { T | where nope == 1 }`)
	b.run(`.create function H(x:(a:long), y:string="q") { x | extend y }`)
	b.run(`.create function Twice(x:long) { x * 2 }`)
	b.want(`T | project Twice(a) | take 1`, "2")
	b.want(`.show function H`, `H | (x:(a:long), y:string="q") | { x | extend y } |  | `)
	b.want(`.alter function H docstring "hh"`, `H | (x:(a:long), y:string="q") | { x | extend y } |  | hh`)
	if got := b.cells(`.show functions`, "Name"); !cmp.Equal(got, []string{"F", "G", "H", "Twice"}) {
		t.Error(got)
	}
	b.run(`.drop function G`)
	b.run(`.drop functions (H, Nope) ifexists`)
	b.fails(root, `.drop function G`, CodeEntityNotFound, "Entity ID 'G' of kind 'Function' was not found.")
	// A function hides the table of its name, and reads it by that name.
	b.run(`.create function U() { T | where a == 1 }`)
	b.want(`U`, "1")
	b.want(`U()`, "1")
}

func TestMaterializedViews(t *testing.T) {
	b := newBench(t)
	b.run(`.create table T (k:string, n:long)`)
	b.run(`.set-or-append T <| datatable(k:string, n:long)["a",1,"b",5,"a",3]`)
	if got := b.cells(`.create materialized-view with (folder="f") V on table T { T | summarize arg_max(n, *) by k }`,
		"Name", "SourceTable", "Query", "IsHealthy", "IsEnabled", "Folder"); !cmp.Equal(got, []string{"V | T | T | summarize arg_max(n, *) by k | true | true | f"}) {
		t.Error(got)
	}
	b.want(`V | order by k asc | project k, n`, "a | 3", "b | 5")
	b.run(`.set-or-append T <| print k = "b", n = long(7)`)
	b.want(`V | where k == "b" | project n`, "7")
	b.fails(root, `.create materialized-view V on table T { T | summarize count() by k }`, CodeBadRequest, "already exists")
	b.run(`.create-or-alter materialized-view V on table T { T | summarize n = count() by k }`)
	b.want(`V | order by k asc`, "a | 2", "b | 2")
	b.fails(root, `.create materialized-view W on table T { T | where n > 1 }`, CodeBadRequest, "must end in a summarize operator")
	b.fails(root, `.create materialized-view W on table X { X | summarize count() by k }`, CodeTableNotFound, "'X'")
	if got := b.cells(`.show materialized-views`, "Name"); !cmp.Equal(got, []string{"V"}) {
		t.Error(got)
	}
	b.want(`.show materialized-view V schema`, "V | k:string,n:long | db | f | ")
	b.run(`.drop materialized-view V`)
	b.fails(root, `V`, CodeBadRequest, "'V'")
}

func TestDeleteRecords(t *testing.T) {
	b := newBench(t)
	b.run(`.create table T (a:long)`)
	b.ingest("T", longs(1, 3))
	b.ingest("T", longs(4, 3))
	b.want(`.delete table T records with (whatif=true) <| T | where a % 2 == 0`, "3")
	b.wantValues("T", 1, 2, 3, 4, 5, 6)
	if got := b.run(`.delete table T records <| T | where a % 2 == 0`); len(got) != 2 {
		t.Error(got)
	}
	b.wantValues("T", 1, 3, 5)
	if got := b.cells(`.show table T extents | order by RowCount asc, DeletedRowCount asc`, "RowCount", "DeletedRowCount"); !cmp.Equal(got, []string{"3 | 1", "3 | 2"}) {
		t.Error(got)
	}
	b.want(`T | count`, "3")
	b.fails(root, `.delete table T records <| T | summarize by a`, CodeBadRequest, "may only filter table 'T'")
	b.run(`.delete table T records <| T`)
	b.wantValues("T")
}

func TestDatabaseScripts(t *testing.T) {
	b := newBench(t)
	script := func(with string) string {
		return ".execute database script " + with + " <|\n.create table A (a:long)\n// a comment\n.show tables\n.drop table Nope\n.create function\n F() {\n A\n}\n"
	}
	cells := func(csl string) []string { b.Helper(); return b.cells(csl, "CommandType", "Result") }
	if got := cells(script("")); !cmp.Equal(got, []string{"TableCreate | Completed", "TablesShow | Skipped", "TableDrop | Failed"}) {
		t.Error(got)
	}
	b.run(`.drop table A`)
	if got := cells(script("with (ContinueOnErrors=true)")); !cmp.Equal(got, []string{"TableCreate | Completed", "TablesShow | Skipped", "TableDrop | Failed", "FunctionCreate | Completed"}) {
		t.Error(got)
	}
	b.run(`.drop table A`)
	b.fails(root, script("with (ThrowOnErrors=true)"), CodeTableNotFound, "Entity ID 'Nope'")
	b.want(`.show tables | project TableName`, "A") // a script is no transaction
	b.fails(root, script("with (ThrowOnErrors=true, ContinueOnErrors=true)"), CodeBadRequest, "do not work together")
	b.fails(root, ".execute database script <| nothing", CodeBadRequest, "The script has no commands")
}

func TestUpdatePolicies(t *testing.T) {
	policy := func(query string, more string) string {
		return fmt.Sprintf(`.alter table D policy update @'[{"IsEnabled":true,"Source":"S","Query":"%s"%s}]'`, query, more)
	}
	setUp := func(t *testing.T) *bench {
		b := newBench(t)
		b.run(`.create tables S (a:long), D (x:string)`)
		return b
	}
	t.Run("derives", func(t *testing.T) {
		b := setUp(t)
		b.run(policy("S | where a > 1 | project tostring(a)", `,"PropagateIngestionProperties":true`))
		b.ingest("S", longs(1, 3), "drop-by:x")
		b.want(`D | order by x asc`, "2", "3")
		if got := b.cells(`.show table D extents`, "Tags"); !cmp.Equal(got, []string{"drop-by:x"}) {
			t.Error(got)
		}
		b.ingest("S", longs(9, 1))
		b.want(`D | order by x asc`, "2", "3", "9") // only the new rows are derived from
		b.run(`.set-or-append S <| print a = long(7)`)
		b.want(`D | where x == "7"`, "7")
	})
	t.Run("transactional", func(t *testing.T) {
		b := setUp(t)
		b.run(policy("S | where assert(toscalar(S | summarize max(a)) < 2, ''too much'') | project tostring(a)", `,"IsTransactional":true`))
		_, err := b.Ingest(t.Context(), Ingestion{Principal: root, Database: "db", Table: "S", Rows: longs(1, 3)})
		if e, ok := errors.AsType[*Error](err); !ok || e.Code != codeUpdateFailed || !strings.Contains(e.Message, "Failed to invoke update policy. Target Table = 'D'") {
			t.Error(err)
		}
		b.wantValues("S")
		b.want(`D | count`, "0")
	})
	t.Run("not transactional", func(t *testing.T) {
		b := setUp(t)
		b.run(policy("S | where assert(toscalar(S | summarize max(a)) < 2, ''too much'') | project tostring(a)", ""))
		b.ingest("S", longs(1, 3))
		b.wantValues("S", 1, 2, 3)
		b.want(`D | count`, "0")
		if got := b.cells(`.show ingestion failures`, "Table", "OperationKind", "OriginatesFromUpdatePolicy", "ErrorCode", "FailureKind"); !cmp.Equal(got,
			[]string{"D | UpdatePolicy | true | UpdatePolicy_IngestionError | Permanent"}) {
			t.Error(got)
		}
	})
	t.Run("no rows live in the source", func(t *testing.T) {
		b := setUp(t)
		b.run(policy("S | project tostring(a)", `,"IsTransactional":true`))
		b.run(`.alter-merge table S policy retention softdelete = 0d`)
		b.ingest("S", longs(1, 2))
		b.wantValues("S")
		b.want(`D | count`, "2")
	})
	t.Run("moves derive too", func(t *testing.T) {
		b := setUp(t)
		b.run(policy("S | project tostring(a)", ""))
		b.run(`.create table S0 (a:long)`)
		b.ingest("S0", longs(1, 2), "drop-by:x")
		b.run(`.move extents all from table S0 to table S`)
		b.want(`D | count`, "2")
	})
	t.Run("checked when set", func(t *testing.T) {
		b := setUp(t)
		b.fails(root, policy("S", ""), codeUpdateSchema, "QuerySchema=('long'), TableSchema=('string')")
		b.fails(root, policy("S | where nope == 1", ""), codeUpdateFailed, "'nope'")
		b.fails(root, `.alter table D policy update @'[{"IsEnabled":true,"Source":"D","Query":"D"}]'`, codeUpdateCyclic, "cannot be its own source")
	})
	t.Run("chains and circles", func(t *testing.T) {
		b := setUp(t)
		b.run(`.create tables E (x:string), F (a:long)`)
		b.run(policy("S | project tostring(a)", ""))
		b.run(`.alter table E policy update @'[{"IsEnabled":true,"Source":"D","Query":"D | project strcat(x, x)"}]'`)
		b.ingest("S", longs(4, 1))
		b.want(`E`, "44")
		b.run(`.alter table S policy update @'[{"IsEnabled":true,"Source":"E","Query":"E | project tolong(x)","IsTransactional":true}]'`)
		_, err := b.Ingest(t.Context(), Ingestion{Principal: root, Database: "db", Table: "S", Rows: longs(1, 1)})
		if err == nil {
			if got := b.cells(`.show ingestion failures`, "ErrorCode"); len(got) == 0 || got[0] != codeUpdateCyclic {
				t.Error(got)
			}
		}
	})
}

func TestQueriesSeeOneMoment(t *testing.T) {
	b := newBench(t)
	b.run(`.create tables A (a:long), B (a:long)`)
	b.ingest("A", longs(1, 1))
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range 200 {
			from, to := "A", "B"
			if i%2 == 1 {
				from, to = to, from
			}
			if _, _, err := b.try(root, `.move extents all from table `+from+` to table `+to); err != nil {
				t.Error(err)
				return
			}
		}
	}()
	for {
		b.want(`union A, B | count`, "1")
		select {
		case <-done:
			return
		default:
		}
	}
}
