package engine

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

func TestDescriptions(t *testing.T) {
	b := newBench(t)
	b.run(`.create table T (k:string, n:long)`)
	b.run(`.create function F() { T }`)
	b.run(`.create materialized-view V on table T { T | summarize count() by k }`)
	b.run(`.alter table T docstring "td"`)
	b.run(`.alter table T folder "tf"`)
	b.run(`.alter function F folder "ff"`)
	b.run(`.alter materialized-view V docstring "vd"`)
	b.want(`.show tables`, "T | db | tf | td")
	b.want(`.show functions`, "F | () | { T } | ff | ")
	if got := b.cells(`.disable materialized-view V`, "DocString", "IsEnabled"); !cmp.Equal(got, []string{"vd | false"}) {
		t.Error(got)
	}
	if got := b.cells(`.enable materialized-view V`, "IsEnabled"); !cmp.Equal(got, []string{"true"}) {
		t.Error(got)
	}
	b.fails(root, `.alter function Nope docstring "x"`, CodeEntityNotFound, "Entity ID 'Nope' of kind 'Function'")
	b.fails(root, `.enable materialized-view Nope`, CodeEntityNotFound, "Entity ID 'Nope' of kind 'MaterializedView'")
	b.fails(root, `.create table F (a:long)`, CodeBadRequest, "Entity 'F' of kind 'Function' already exists.")
}

// A function that is a view is found by wildcards, as a table is; others are not:
// https://learn.microsoft.com/kusto/query/schema-entities/views.
func TestWildcardsFindViews(t *testing.T) {
	b := newBench(t)
	b.run(`.create table T (a:long)`)
	b.ingest("T", longs(1, 2))
	b.run(`.create function with (view=true) V1() { T | extend b = "x" }`)
	b.run(`.create function with (view=true) V2(n:long) { T | where a > n }`)
	b.run(`.create function V3() { T }`)
	b.run(`.create materialized-view VM on table T { T | summarize count() by a }`)
	b.want(`union withsource=s V* | summarize count() by s | order by s asc`, "V1 | 2", "VM | 2")
	b.want(`union * | count`, "6")
	b.want(`search "x" | summarize count() by $table`, "V1 | 2")
	b.fails(root, `union V3*`, CodeBadRequest, "'V3*'")
	b.run(`.create-or-alter function V1() { T }`)
	b.want(`union * | count`, "4")
}

func TestWildcardsInQueries(t *testing.T) {
	b := newBench(t)
	b.run(`.create tables A1 (a:long), A2 (a:long), B1 (a:long)`)
	b.ingest("A1", longs(1, 1))
	b.ingest("A2", longs(2, 1))
	b.ingest("B1", longs(3, 1))
	b.want(`union A* | order by a asc`, "1", "2")
	got, err := b.TableColumns("DB", "A1") // names of databases have no case
	if diff := cmp.Diff([]value.Column{{Name: "a", Kind: value.Long}}, got); diff != "" || err != nil {
		t.Error(err, diff)
	}
	if _, err := b.TableColumns("db", "a1"); err == nil {
		t.Error("names of tables have no case")
	}
}

func TestOperationsOfOthers(t *testing.T) {
	b := newBench(t)
	b.run(`.create table T (a:long)`)
	for _, who := range []string{"x", "y"} {
		b.run(`.add database db users ('aadapp=` + who + `')`)
		b.run(`.add database db ingestors ('aadapp=` + who + `')`)
		b.as(principal(who), `.set-or-append T <| print a = long(1)`)
	}
	count := func(p Principal) string { return b.as(p, `.show operations | count`)[0] }
	if count(principal("x")) != "1" || count(root) != "2" {
		t.Error("who sees which operations")
	}
	id := b.cells(`.show operations | where Principal startswith "aadapp=y;"`, "OperationId")[0]
	b.fails(principal("x"), `.show operation `+id+` details`, CodeEntityNotFound, id)
	b.RecordIngestionFailure(IngestionFailure{Database: "db", Table: "T", Principal: principal("y"), ErrorCode: "BadRequest_X", OperationID: newID()})
	if got := b.as(principal("x"), `.show ingestion failures | count`); got[0] != "0" {
		t.Error(got)
	}
	if got := b.as(principal("y"), `.show ingestion failures | project Table, FailedOn, ErrorCode, ShouldRetry`); got[0] != "T | 2026-01-02T03:04:05.0000000Z | BadRequest_X | false" {
		t.Error(got)
	}
	b.run(`.add database db monitors ('aadapp=x')`)
	if count(principal("x")) != "2" {
		t.Error("a monitor sees all")
	}
}

func TestUpdatePoliciesByArraysAndWildcards(t *testing.T) {
	b := newBench(t)
	b.run(`.create tables S1 (a:long), S2 (a:long), D (a:long)`)
	one := `'[{"IsEnabled":true,"Source":"S1","Query":"S1"}]'`
	b.run(`.alter table D policy update ` + one)
	b.run(`.alter-merge table D policy update ` + one) // the object is there twice now
	b.ingest("S1", longs(1, 1))
	b.wantValues("D", 1, 1)
	b.run(`.alter table D policy update '[{"IsEnabled":true,"Source":"S*","SourceIsWildCard":true,"Query":"S2"},{"IsEnabled":false,"Source":"S1","Query":"S1"}]'`)
	b.ingest("S2", longs(7, 1))
	b.wantValues("D", 1, 1, 7)
	b.run(`.delete table D policy update`)
	b.ingest("S2", longs(8, 1))
	b.wantValues("D", 1, 1, 7)
}

func TestRequestProperties(t *testing.T) {
	tests := []struct {
		options map[string]any
		text    string
		want    limits
	}{
		{nil, "T", limits{rows: defaultMaxRows, bytes: defaultMaxBytes, timeout: defaultTimeout}},
		{map[string]any{"servertimeout": "00:10:00"}, "T", limits{rows: defaultMaxRows, bytes: defaultMaxBytes, timeout: 10 * time.Minute}},
		{map[string]any{"servertimeout": 30.0}, "T", limits{rows: defaultMaxRows, bytes: defaultMaxBytes, timeout: 30 * time.Second}},
		{map[string]any{"servertimeout": "soon"}, "T", limits{rows: defaultMaxRows, bytes: defaultMaxBytes, timeout: defaultTimeout}},
		{map[string]any{"norequesttimeout": true, "notruncation": "true"}, "T", limits{}},
		{map[string]any{"notruncation": false, "truncationmaxrecords": "7"}, "T", limits{rows: 7, bytes: defaultMaxBytes, timeout: defaultTimeout}},
		{nil, "// c\nset truncationmaxsize = 9;\nSET norequesttimeout;\nT | where set == 1", limits{rows: defaultMaxRows, bytes: 9}},
		{nil, "set servertimeout = time(1m); T", limits{rows: defaultMaxRows, bytes: defaultMaxBytes, timeout: time.Minute}},
		{map[string]any{"query_take_max_records": 3.0}, "T", limits{rows: defaultMaxRows, bytes: defaultMaxBytes, take: 3, timeout: defaultTimeout}},
		{nil, "settings | take 1", limits{rows: defaultMaxRows, bytes: defaultMaxBytes, timeout: defaultTimeout}},
	}
	for _, tt := range tests {
		if got := limitsOf(Call{Options: tt.options, Text: tt.text}); got != tt.want {
			t.Errorf("%v, %q: %v, want %v", tt.options, tt.text, got, tt.want)
		}
	}
}

func TestErrorsHaveTheServicesShape(t *testing.T) {
	b := newBench(t)
	_, _, err := b.try(root, `.show tabels`)
	want := &Error{
		Code: "General_BadRequest", Status: 400, Permanent: true, Type: "Kusto.Data.Exceptions.KustoBadRequestException",
		Summary: "Request is invalid and cannot be executed.",
		Message: "Request is invalid and cannot be processed: The command '.show tabels' is not known or not supported by this emulator.",
	}
	if diff := cmp.Diff(want, err); diff != "" {
		t.Error(diff)
	}
	_, _, err = b.try(root, `.drop table`)
	want = &Error{
		Code: "General_BadRequest", Status: 400, Permanent: true, Type: "Kusto.Data.Exceptions.SyntaxException",
		Summary: "Request is invalid and cannot be executed.",
		Message: "Syntax error: Query could not be parsed: The incomplete fragment is unexpected: A table name expected at the end of the command. [line:position=1:12]. Query: '.drop table'",
		Inner: &Inner{
			Code: "SYN0002", Type: "Kusto.Data.Exceptions.SyntaxException", Line: 1, Column: 12,
			Message: "Syntax error: The incomplete fragment is unexpected: A table name expected at the end of the command. [line:position=1:12]",
		},
	}
	if diff := cmp.Diff(want, err); diff != "" {
		t.Error(diff)
	}
	b.run(`.create table T (a:long)`)
	_, _, err = b.try(root, `T | where nope == 1`)
	e, ok := err.(*Error)
	if !ok || e.Inner == nil || e.Inner.Code != "SEM0100" || e.Inner.Type != "Kusto.Data.Exceptions.SemanticException" ||
		!strings.HasPrefix(e.Message, "Request is invalid and cannot be processed: Semantic error: SEM0100: 'where' operator: ") {
		t.Errorf("%#v", err)
	}
	_, _, err = b.try(principal("x"), `.show tables`)
	e, ok = err.(*Error)
	if !ok || e.Code != "Forbidden" || e.Status != 403 || !e.Permanent || e.Summary != "Caller is not authorized to perform this action" ||
		e.Type != "Kusto.DataNode.Exceptions.UnauthorizedDatabaseAccessException" {
		t.Errorf("%#v", err)
	}
}

func TestCloseEndsBackgroundWork(t *testing.T) {
	e := New(Options{Admins: []Principal{root}})
	e.CreateDatabase("db")
	run := func(csl string) error {
		_, err := e.Command(t.Context(), Call{Principal: root, Database: "db", Text: csl})
		return err
	}
	if err := run(`.set-or-append async T <| range a from 1 to 1000000000 step 1`); err != nil {
		t.Fatal(err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	if err := run(`.set-or-append async T <| print 1`); err == nil {
		t.Error("a closed engine begins work in the background")
	}
}
