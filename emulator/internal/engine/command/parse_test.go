package command

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

var (
	id1 = uuid.MustParse("11111111-2222-3333-4444-555555555555")
	id2 = uuid.MustParse("a1111111-2222-3333-4444-55555555555f")
)

func TestParse(t *testing.T) {
	ab := []value.Column{{Name: "a", Kind: value.String}, {Name: "b c", Kind: value.Dynamic}}
	tests := []struct {
		src     string
		keyword string
		command any
	}{
		{
			`.create table T (a:string, ['b c']:dynamic) with (folder="f", docstring='it\'s')`, ".create table",
			&DefineTables{Verb: Create, Tables: []TableDef{{"T", ab}}, With: Properties{"folder": "f", "docstring": "it's"}},
		},
		{
			".create-merge  table\n['my T'] ( a : string , ['b c'] : dynamic )", ".create-merge table",
			&DefineTables{Verb: CreateMerge, Tables: []TableDef{{"my T", ab}}},
		},
		{
			`.create-merge tables A (x:long), B (y:datetime, z:bool)`, ".create-merge tables",
			&DefineTables{Verb: CreateMerge, Tables: []TableDef{
				{"A", []value.Column{{Name: "x", Kind: value.Long}}},
				{"B", []value.Column{{Name: "y", Kind: value.DateTime}, {Name: "z", Kind: value.Bool}}},
			}},
		},
		{
			`.create table A based-on ["B"] ifnotexists with (hidden=true)`, ".create table based-on",
			&CloneTable{Name: "A", Source: "B", IfNotExists: true, With: Properties{"hidden": "true"}},
		},
		{
			`.alter-merge table T (a:string)`, ".alter-merge table",
			&DefineTables{Verb: AlterMerge, Tables: []TableDef{{"T", ab[:1]}}},
		},
		{`.alter table T folder "x"`, ".alter table folder", &Describe{Scope: Table, Name: "T", Folder: true, Text: "x"}},
		{`.rename tables A=B, C=D ifexists`, ".rename tables", &RenameTables{Pairs: [][2]string{{"B", "A"}, {"D", "C"}}, IfExists: true}},
		{`.drop table T ifexists`, ".drop table", &DropEntities{Scope: Table, Names: []string{"T"}, IfExists: true}},
		{`.drop tables (A, ['B']) ifexists`, ".drop tables", &DropEntities{Scope: Table, Names: []string{"A", "B"}, IfExists: true, Many: true}},
		{`.drop column T.c`, ".drop column", &DropColumns{Table: "T", Columns: []string{"c"}}},
		{
			`.create-or-alter table T ingestion json mapping "M" '[{"column":"a","Properties":{"Path":"$"}}]'`, ".create-or-alter table ingestion mapping",
			&DefineMapping{Verb: CreateOrAlter, Scope: Table, Entity: "T", Kind: "json", Name: "M", Text: `[{"column":"a","Properties":{"Path":"$"}}]`},
		},
		{
			".create database D ingestion csv mapping 'M'\n```\n[]\n```", ".create database ingestion mapping",
			&DefineMapping{Verb: Create, Scope: Database, Entity: "D", Kind: "csv", Name: "M", Text: "\n[]\n"},
		},
		{
			`.show table T ingestion json mapping "M"`, ".show table ingestion mappings",
			&ShowMappings{Scope: Table, Entity: "T", Kind: "json", Name: "M"},
		},
		{`.show table T ingestion mappings`, ".show table ingestion mappings", &ShowMappings{Scope: Table, Entity: "T"}},
		{
			`.drop table T ingestion csv mapping "M"`, ".drop table ingestion mapping",
			&DropMapping{Scope: Table, Entity: "T", Kind: "csv", Name: "M"},
		},
		{
			`.create-or-alter function with (docstring="d", skipvalidation=true) F(a:long = 1, T:(x:string)) { T | where a == '}' }`,
			".create-or-alter function", &DefineFunction{
				Verb: CreateOrAlter, With: Properties{"docstring": "d", "skipvalidation": "true"},
				Name: "F", Parameters: "(a:long = 1, T:(x:string))", Body: ` T | where a == '}' `,
			},
		},
		{
			".create function ifnotexists ['my f'] () {\n// don't\n  T\n}\n", ".create function",
			&DefineFunction{Verb: Create, IfNotExists: true, Name: "my f", Parameters: "()", Body: "\n// don't\n  T\n"},
		},
		{
			`.create async ifnotexists materialized-view with (backfill=true) V on table T { T | summarize arg_max(t, *) by k }`, ".create materialized-view",
			&DefineView{
				Verb: Create, Async: true, IfNotExists: true, With: Properties{"backfill": "true"}, Name: "V", Source: "T",
				Query: " T | summarize arg_max(t, *) by k ",
			},
		},
		{
			`.alter table T policy retention '{"SoftDeletePeriod":"10.00:00:00"}'`, ".alter table policy retention",
			&AlterPolicy{Verb: Alter, Scope: Table, Names: []string{"T"}, Policy: "retention", JSON: `{"SoftDeletePeriod":"10.00:00:00"}`},
		},
		{
			`.alter-merge table T policy retention softdelete = 7d recoverability = disabled`, ".alter-merge table policy retention",
			&AlterPolicy{
				Verb: AlterMerge, Scope: Table, Names: []string{"T"}, Policy: "retention",
				Settings: []Setting{{Name: "softdelete", Value: "7d"}, {Name: "recoverability", Value: "disabled"}},
			},
		},
		{
			`.alter database D policy caching hot = 30d, hot_window = datetime(2021-01-01) .. datetime(2021-02-01)`, ".alter database policy caching",
			&AlterPolicy{Verb: Alter, Scope: Database, Names: []string{"D"}, Policy: "caching", Settings: []Setting{
				{Name: "hot", Value: "30d"}, {Name: "hot_window", Value: "2021-01-01", Until: "2021-02-01"},
			}},
		},
		{
			`.alter tables (A, B) policy streamingingestion enable`, ".alter table policy streamingingestion",
			&AlterPolicy{Verb: Alter, Scope: Table, Names: []string{"A", "B"}, Policy: "streamingingestion", Word: "enable"},
		},
		{
			`.alter table T policy update @'[{"Source":"it''s"}]'`, ".alter table policy update",
			&AlterPolicy{Verb: Alter, Scope: Table, Names: []string{"T"}, Policy: "update", JSON: `[{"Source":"it's"}]`},
		},
		{`.show table * policy caching`, ".show table policy caching", &ShowPolicy{Scope: Table, Name: "*", Policy: "caching"}},
		{`.delete table T policy merge`, ".delete table policy merge", &DeletePolicy{Scope: Table, Name: "T", Policy: "merge"}},
		{
			`.add database D ingestors ('aadapp=a;t', "aaduser=u") 'why'`, ".add database ingestors",
			&ChangePrincipals{Verb: Add, Scope: Database, Name: "D", Role: "ingestors", Principals: []string{"aadapp=a;t", "aaduser=u"}, Note: "why"},
		},
		{
			`.set table T admins none skip-results`, ".set table admins",
			&ChangePrincipals{Verb: Set, Scope: Table, Name: "T", Role: "admins", SkipResults: true},
		},
		{`.show database D principals`, ".show database principals", &ShowPrincipals{Scope: Database, Name: "D"}},
		{`.show principal roles`, ".show principal roles", &ShowRoles{}},
		{
			`.set-or-append async T with (tags='["ingest-by:a"]', ingestIfNotExists = '["a"]', creationTime=datetime(2026-01-02T03:04:05Z)) <| S | where x == 'it // is' `,
			".set-or-append", &Load{Verb: SetOrAppend, Async: true, Table: "T", Query: "S | where x == 'it // is'", With: Properties{
				"tags": `["ingest-by:a"]`, "ingestifnotexists": `["a"]`, "creationtime": "2026-01-02T03:04:05Z",
			}},
		},
		{`.set table <| print 1`, ".set", &Load{Verb: Set, Table: "table", Query: "print 1"}},
		{
			".ingest inline into table T with (format=\"json\") <|\n{\"a\":\"don't\"}\n{\"b\":1}", ".ingest inline",
			&IngestInline{Table: "T", With: Properties{"format": "json"}, Data: "{\"a\":\"don't\"}\n{\"b\":1}"},
		},
		{`.ingest inline into table T [1,"a"]`, ".ingest inline", &IngestInline{Table: "T", Data: `1,"a"`}},
		{
			`.show table T extents where tags has 'drop-by:a' and tags !contains "x"`, ".show table extents",
			&ShowExtents{Scope: Table, Names: []string{"T"}, Tags: []TagFilter{{Text: "drop-by:a"}, {Contains: true, Not: true, Text: "x"}}},
		},
		{
			`.show table T extents (11111111-2222-3333-4444-555555555555, "a1111111-2222-3333-4444-55555555555f")`, ".show table extents",
			&ShowExtents{Scope: Table, Names: []string{"T"}, IDs: IDs{id1, id2}},
		},
		{`.show database D extents`, ".show database extents", &ShowExtents{Scope: Database, Names: []string{"D"}}},
		{
			`.move async extents from table S to table T with (setNewIngestionTime=true) (11111111-2222-3333-4444-555555555555)`, ".move extents",
			&MoveExtents{Async: true, From: "S", To: "T", IDs: IDs{id1}, With: Properties{"setnewingestiontime": "true"}},
		},
		{`.move extents all from table S to table T`, ".move extents", &MoveExtents{All: true, From: "S", To: "T"}},
		{`.move extents to table T <| .show table S extents`, ".move extents", &MoveExtents{To: "T", Query: ".show table S extents"}},
		{
			`.replace extents in table T <| {.show table T extents where tags has 'a}'}, { print ExtentId=pack("a", dynamic({})) }`, ".replace extents",
			&ReplaceExtents{Table: "T", Drop: ".show table T extents where tags has 'a}'", Move: `print ExtentId=pack("a", dynamic({}))`},
		},
		{`.drop extents (11111111-2222-3333-4444-555555555555) from T`, ".drop extents", &DropExtents{IDs: IDs{id1}, Table: "T"}},
		{`.drop extents whatif <| .show table T extents`, ".drop extents", &DropExtents{WhatIf: true, Query: ".show table T extents"}},
		{`.drop extents older 10 days from all tables limit 5`, ".drop extents", &DropExtents{AllTables: true, Older: "10d", Limit: 5}},
		{
			`.drop table T extent tags ('a','b') with (extentCreatedOnFrom='2026-01-01')`, ".drop table extent tags",
			&ChangeTags{Verb: Drop, Table: "T", Tags: []string{"a", "b"}, With: Properties{"extentcreatedonfrom": "2026-01-01"}},
		},
		{
			`.alter-merge extent tags ('a') <| .show table T extents`, ".alter-merge extent tags",
			&ChangeTags{Verb: AlterMerge, Tags: []string{"a"}, Query: ".show table T extents"},
		},
		{`.clear table T data`, ".clear table data", &ClearTable{Name: "T"}},
		{`.clear table T cache streamingingestion schema`, ".clear table cache streamingingestion schema", &ClearSchemaCache{Table: "T"}},
		{`.drop table T ifexists skip-seal`, ".drop table", &DropEntities{Scope: Table, Names: []string{"T"}, IfExists: true}},
		{`.clear database cache streamingingestion schema`, ".clear database cache streamingingestion schema", &ClearSchemaCache{}},
		{`.add database users ('aadapp=a;t')`, ".add database users", &ChangePrincipals{Verb: Add, Scope: Database, Role: "users", Principals: []string{"aadapp=a;t"}}},
		{`.set database viewers none`, ".set database viewers", &ChangePrincipals{Verb: Set, Scope: Database, Role: "viewers"}},
		{
			`.delete async table T records with (whatif=true) <| T | where a == 1`, ".delete table records",
			&DeleteRecords{Async: true, Table: "T", With: Properties{"whatif": "true"}, Query: "T | where a == 1"},
		},
		{`.show operations 11111111-2222-3333-4444-555555555555`, ".show operations", &ShowOperations{IDs: IDs{id1}}},
		{`.show operation "11111111-2222-3333-4444-555555555555" details`, ".show operation details", &ShowOperationDetails{ID: id1}},
		{`.show ingestion failures with (OperationId="11111111-2222-3333-4444-555555555555")`, ".show ingestion failures", &ShowFailures{OperationID: id1}},
		{`.show ingestion failures with (OperationId = guid(11111111-2222-3333-4444-555555555555))`, ".show ingestion failures", &ShowFailures{OperationID: id1}},
		{`.show database schema as json`, ".show database schema", &ShowSchema{Scope: Database, Form: SchemaJSON}},
		{`.show table T cslschema`, ".show table cslschema", &ShowSchema{Scope: Table, Names: []string{"T"}, Form: SchemaCSL}},
		{`.show databases`, ".show databases", &ShowDatabases{}},
		{`.show version`, ".show version", &ShowVersion{}},
		{`.show tables details`, ".show tables details", &ShowTables{Details: true}},
		{`.show table details`, ".show table", &ShowTables{Names: []string{"details"}, One: true}},
		{"// first\n.show tables // all", ".show tables", &ShowTables{}},
		{`.refresh database 'D' table 'T' cache ingestionbatchingpolicy`, ".refresh cache", &RefreshCache{}},
		{
			".execute database script with (ThrowOnErrors=true) <|\n.create table A (x:long)\n//\n // .drop table A\n\n//\n  .drop table B\nifexists\n", ".execute database script",
			&ExecuteScript{With: Properties{"throwonerrors": "true"}, Commands: []string{".create table A (x:long)", ".drop table B\nifexists"}},
		},
	}
	for _, tt := range tests {
		got, err := Parse(tt.src)
		if err != nil {
			t.Errorf("%s\n%v", tt.src, err)
			continue
		}
		if got.Keyword != tt.keyword {
			t.Errorf("%s\nkeyword %q, want %q", tt.src, got.Keyword, tt.keyword)
		}
		if tt.command != nil {
			if diff := cmp.Diff(tt.command, got.Command); diff != "" {
				t.Errorf("%s\n%s", tt.src, diff)
			}
		}
	}
}

func TestParseQueriesBehindCommands(t *testing.T) {
	for src, want := range map[string]string{
		".show tables | where TableName == 'a|b' | project TableName":        "$command_results | where TableName == 'a|b' | project TableName",
		".show table T extents where tags has 'a' | summarize sum(RowCount)": "$command_results | summarize sum(RowCount)",
		".show operations | where State == \"Failed\";":                      `$command_results | where State == "Failed"`,
		".show table T|count": "$command_results | count",
		".show operations 11111111-2222-3333-4444-555555555555 | project State, Status": "$command_results | project State, Status",
		".show tables; // all":                                "",
		".show tables;\nlet n = 1; $command_results | take n": "\nlet n = 1; $command_results | take n",
		".show tables | count; print 1":                       "$command_results | count; print 1",
		".show tables":                                        "",
	} {
		got, err := Parse(src)
		if err != nil || got.Query != want {
			t.Errorf("%s: query %q, %v; want %q", src, got.Query, err, want)
		}
	}
}

func TestParseErrors(t *testing.T) {
	tests := []struct {
		src, reason  string
		line, column int
		unsupported  bool
	}{
		{"T | take 1", "A management command, which begins with a dot, expected, not 'T'.", 1, 1, false},
		{"set notruncation; .show tables", "A management command, which begins with a dot, expected, not 'set': statements of a query can only follow the command.", 1, 1, false},
		{"let x = 1; .show tables", "A management command, which begins with a dot, expected, not 'let': statements of a query can only follow the command.", 1, 1, false},
		{".show tables ; .drop table T", "The end of the command expected, not another command: send one at a time, or use '.execute database script'.", 1, 16, false},
		{".drop table T ;; .show tables", "The end of the command expected, not another command: send one at a time, or use '.execute database script'.", 1, 18, false},
		{"", "The incomplete fragment is unexpected: A management command, which begins with a dot, expected at the end of the command.", 1, 1, false},
		{".", "The incomplete fragment is unexpected: The name of a management command expected at the end of the command.", 1, 2, false},
		{". show tables", "The name of a management command expected, not 'show'.", 1, 3, false},
		{".purge table T records <| where a", "The command '.purge' is not known or not supported by this emulator.", 1, 2, true},
		{".show\ntabels", "The command '.show tabels' is not known or not supported by this emulator.", 2, 1, true},
		{".create table T (a:text)", "A column type (bool, datetime, decimal, dynamic, guid, int, long, real, string or timespan) expected, not 'text'.", 1, 20, false},
		{".create table T (a:string", "The incomplete fragment is unexpected: ')' expected at the end of the command.", 1, 26, false},
		{".create table T | take 1; .drop table X", "'(' expected, not '|'.", 1, 17, false},
		{".drop table T T", "The end of the command expected, not 'T'.", 1, 15, false},
		{".alter table T policy unknown '{}'", "The policy 'unknown' is not known or not supported by this emulator.", 1, 23, true},
		{".set-or-append T <| ", "The incomplete fragment is unexpected: A query expected at the end of the command.", 1, 21, false},
		{".create function F() { T", "The incomplete fragment is unexpected: '}' expected at the end of the command.", 1, 25, false},
		{".drop extents (x) from T", "A guid expected, not 'x'.", 1, 16, false},
		{".show table T details 'x", "The string literal does not end.", 1, 23, false},
		{".ingest into table T ('https://x') ", "'.ingest into table' from storage is not supported by this emulator: queue the blob at the ingestion endpoint, or use '.ingest inline'.", 1, 9, true},
	}
	for _, tt := range tests {
		_, err := Parse(tt.src)
		e, ok := err.(*Error)
		if !ok {
			t.Errorf("%s: no error", tt.src)
			continue
		}
		if e.Reason != tt.reason || e.Line != tt.line || e.Column != tt.column || e.Unsupported != tt.unsupported {
			t.Errorf("%s: %q at %d:%d, unsupported %t", tt.src, e.Reason, e.Line, e.Column, e.Unsupported)
		}
	}
}

func TestParseParameters(t *testing.T) {
	got, err := ParseParameters(`(a:long, b:string = "x", c:timespan=1.5h, T:(x:string, y:long), U:(*))`)
	want := []Parameter{
		{Name: "a", Kind: value.Long},
		{Name: "b", Kind: value.String, Default: `"x"`},
		{Name: "c", Kind: value.TimeSpan, Default: "1.5h"},
		{Name: "T", Tabular: true, Columns: []value.Column{{Name: "x", Kind: value.String}, {Name: "y", Kind: value.Long}}},
		{Name: "U", Tabular: true},
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Error(err, diff)
	}
	for _, bad := range []string{"", "(", "(a)", "(a:x)", "(a:long) b", "(a:long=)"} {
		if _, err := ParseParameters(bad); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

func TestIsCommandAndKeyword(t *testing.T) {
	for src, want := range map[string]string{
		" // comment\n .show tables": ".show", ".CREATE-merge\ttable": ".create-merge", "T | take 1": "", ".": ".",
	} {
		if IsCommand(src) != (want != "") {
			t.Errorf("IsCommand(%q)", src)
		}
		if want != "" && Keyword(src) != want {
			t.Errorf("Keyword(%q) = %q", src, Keyword(src))
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		".create table ['a'] (a:string) with (x=@'y')", ".set-or-append T with (tags='[]') <| x", ".show table T extents (1) where tags !has 'a' | take 1",
		".create function F(a:long) { a }", ".replace extents in table T <| {a},{b}", ".execute script <| .show tables\n.x", ".alter table T policy caching hot=1.5d",
		"```", ".drop extents older 1 days from T", ".create-or-alter materialized-view V on table T {x}",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, src string) {
		s, err := Parse(src)
		switch e, ok := err.(*Error); {
		case err == nil && (s.Command == nil || !strings.HasPrefix(s.Keyword, ".")):
			t.Fatalf("%q: %#v", src, s)
		case err != nil && (!ok || e.Line < 1 || e.Column < 1 || e.Reason == ""):
			t.Fatalf("%q: %#v", src, err)
		}
	})
}
