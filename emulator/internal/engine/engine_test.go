package engine

import (
	"errors"
	"iter"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

const tenant = "99999999-0000-0000-0000-000000000000"

func principal(app string) Principal {
	return Principal{ObjectID: "o-" + app, AppID: app, TenantID: tenant, Name: "app " + app}
}

var (
	root  = principal("root")
	start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
)

// bench is an engine with one database, "db", whose clock stands still.
type bench struct {
	testing.TB
	*Engine
	clock time.Time
}

func newBench(t testing.TB, change ...func(*Options)) *bench {
	b := &bench{TB: t, clock: start}
	o := Options{Now: func() time.Time { return b.clock }, Admins: []Principal{root}}
	for _, c := range change {
		c(&o)
	}
	b.Engine = New(o)
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	b.CreateDatabase("db")
	return b
}

func text(row []value.Value) string {
	parts := make([]string, len(row))
	for i, v := range row {
		parts[i] = v.String()
		if v.IsNull() {
			parts[i] = "null"
		}
	}
	return strings.Join(parts, " | ")
}

// try runs a text as p and gives the columns and rows of the answer.
func (b *bench) try(p Principal, csl string) (columns []string, rows [][]string, err error) {
	b.Helper()
	c := Call{Principal: p, Database: "db", Text: csl, ActivityID: "22222222-2222-2222-2222-222222222222"}
	do := b.Query
	if strings.HasPrefix(strings.TrimSpace(csl), ".") {
		do = b.Command
	}
	r, err := do(b.Context(), c)
	if err != nil {
		return nil, nil, err
	}
	if len(r.Tables) != 1 {
		b.Fatalf("%s: %d tables", csl, len(r.Tables))
	}
	for _, col := range r.Tables[0].Columns {
		columns = append(columns, col.Name)
	}
	for row, err := range r.Tables[0].Rows {
		if err != nil {
			return columns, rows, err
		}
		if len(row) < len(columns) {
			b.Fatalf("%s: a row of %d values for %d columns", csl, len(row), len(columns))
		}
		cells := make([]string, len(columns))
		for i := range cells {
			cells[i] = text(row[i : i+1])
		}
		rows = append(rows, cells)
	}
	return columns, rows, nil
}

// as runs a text as p, which must succeed, and gives the rows as text.
func (b *bench) as(p Principal, csl string) []string {
	b.Helper()
	_, rows, err := b.try(p, csl)
	if err != nil {
		b.Fatalf("%s\n%v", csl, err)
	}
	lines := make([]string, len(rows))
	for i, r := range rows {
		lines[i] = strings.Join(r, " | ")
	}
	return lines
}

func (b *bench) run(csl string) []string { b.Helper(); return b.as(root, csl) }

// cells runs a text as root and gives the named columns of the rows.
func (b *bench) cells(csl string, names ...string) []string {
	b.Helper()
	columns, rows, err := b.try(root, csl)
	if err != nil {
		b.Fatalf("%s\n%v", csl, err)
	}
	var lines []string
	for _, row := range rows {
		var parts []string
		for _, n := range names {
			found := false
			for i, c := range columns {
				if c == n {
					parts, found = append(parts, row[i]), true
				}
			}
			if !found {
				b.Fatalf("%s: no column %s among %v", csl, n, columns)
			}
		}
		lines = append(lines, strings.Join(parts, " | "))
	}
	return lines
}

// want runs a text as root and compares its rows.
func (b *bench) want(csl string, lines ...string) {
	b.Helper()
	if diff := cmp.Diff(lines, b.run(csl)); diff != "" {
		b.Errorf("%s\n%s", csl, diff)
	}
}

// fails runs a text as p, which must end in an error with the code whose
// message holds part.
func (b *bench) fails(p Principal, csl, code, part string) {
	b.Helper()
	_, _, err := b.try(p, csl)
	e, ok := errors.AsType[*Error](err)
	if !ok {
		b.Errorf("%s\nerror %v, want a *Error with %q", csl, err, part)
		return
	}
	if e.Code != code || !strings.Contains(e.Message, part) {
		b.Errorf("%s\n%s: %s\nwant %s: ...%s...", csl, e.Code, e.Message, code, part)
	}
}

// longs is n rows of one long, from first on.
func longs(first, n int) iter.Seq2[[]value.Value, error] {
	return func(yield func([]value.Value, error) bool) {
		for i := range n {
			if !yield([]value.Value{value.NewLong(int64(first + i))}, nil) {
				return
			}
		}
	}
}

// ingest loads rows, which have the columns of the table.
func (b *bench) ingest(table string, rows iter.Seq2[[]value.Value, error], tags ...string) IngestResult {
	b.Helper()
	r, err := b.Ingest(b.Context(), Ingestion{Principal: root, Database: "db", Table: table, Rows: rows, Tags: tags})
	if err != nil {
		b.Fatal(err)
	}
	return r
}

func TestDefineTables(t *testing.T) {
	b := newBench(t)
	b.want(`.create table T (a:string, b:long) with (folder="f", docstring="d")`,
		`T | {"Name":"T","OrderedColumns":[{"Name":"a","Type":"System.String","CslType":"string"},{"Name":"b","Type":"System.Int64","CslType":"long"}]} | db | f | d`)
	b.want(`.create table T (a:string) with (folder="g", docstring="e")`, // as documented: the table stays as it is
		`T | {"Name":"T","OrderedColumns":[{"Name":"a","Type":"System.String","CslType":"string"},{"Name":"b","Type":"System.Int64","CslType":"long"}]} | db | f | d`)
	b.want(`.create-merge table T (c:dynamic, a:string)`,
		`T | {"Name":"T","OrderedColumns":[{"Name":"a","Type":"System.String","CslType":"string"},{"Name":"b","Type":"System.Int64","CslType":"long"},{"Name":"c","Type":"System.Object","CslType":"dynamic"}]} | db | f | d`)
	b.fails(root, `.create-merge table T (a:long)`, CodeBadRequest, "Column 'a' of table 'T' is of type string and cannot become long")
	b.want(`.show table T cslschema`, `T | a:string,b:long,c:dynamic | db | f | d`)
	b.run(`.alter table T (c:dynamic, ['d e']:real, a:string)`)
	b.want(`.show table T cslschema`, `T | c:dynamic,['d e']:real,a:string | db | f | d`)
	b.want(`.create-merge tables T (a:string), ['U V'] (x:int)`, `T | db | f | d`, `U V | db |  | `)
	b.want(`.show tables`, `T | db | f | d`, `U V | db |  | `)
	b.want(`.show table T`, `c | System.Object`, `d e | System.Double`, `a | System.String`)
	b.want(`.rename tables T=['U V'], ['U V']=T`, `T | db |  | `, `U V | db | f | d`)
	b.want(`.create table W based-on ['U V'] with (folder="w")`,
		`W | {"Name":"W","OrderedColumns":[{"Name":"c","Type":"System.Object","CslType":"dynamic"},{"Name":"d e","Type":"System.Double","CslType":"real"},{"Name":"a","Type":"System.String","CslType":"string"}]} | db | w | d`)
	b.want(`.drop table T ifexists`, `U V | db | f | d`, `W | db | w | d`)
	b.want(`.drop table T ifexists`, `U V | db | f | d`, `W | db | w | d`)
	b.fails(root, `.drop table T`, CodeTableNotFound, "Entity ID 'T' of kind 'Table' was not found.")
	b.fails(root, `.alter-merge table T (x:int)`, CodeTableNotFound, "Entity ID 'T'")
	b.fails(root, `.create table X (a:int, a:int)`, CodeBadRequest, "two columns named 'a'")
	b.fails(root, `.create table ['T | take 1; .drop table W'] (a:int)`, CodeBadRequest, "is not valid")
	b.fails(root, `.create table X (a:int) with (frolder="x")`, CodeBadRequest, "The property 'frolder' is not known")
}

func TestDroppedColumnsDoNotComeBack(t *testing.T) {
	b := newBench(t)
	b.run(`.create table T (a:long)`)
	b.ingest("T", longs(1, 3))
	b.run(`.alter-merge table T (b:string)`)
	b.run(`.drop column T.a`)
	b.run(`.alter-merge table T (a:long)`)
	r, _ := b.Catalog("db", root).Table("", "T")
	n := 0
	for row, err := range r.Scan(t.Context(), kqlAll) {
		if err != nil {
			t.Fatal(err)
		}
		if got := text(row[:2]); got != " | null" {
			t.Errorf("row %s", got)
		}
		n++
	}
	if n != 3 {
		t.Errorf("%d rows", n)
	}
}

func TestShowSchema(t *testing.T) {
	b := newBench(t)
	b.run(`.create table T (a:string, t:datetime)`)
	b.run(`.create function with (skipvalidation=true) F(x:long=1, T:(a:string)) { T | where b == x }`)
	b.want(`.show database db schema`,
		"db |  |  |  | false | false |  | v1.2 |  | ",
		"db | T |  |  | false | false |  |  |  | ",
		"db | T | a | System.String | false | false |  |  |  | ",
		"db | T | t | System.DateTime | false | false |  |  |  | ")
	b.want(`.show database schema as json`, `{"Databases":{"db":{"Name":"db","Tables":{"T":{"Name":"T","Folder":"","DocString":"","OrderedColumns":`+
		`[{"Name":"a","Type":"System.String","CslType":"string"},{"Name":"t","Type":"System.DateTime","CslType":"datetime"}]}},`+
		`"ExternalTables":{},"MaterializedViews":{},"EntityGroups":{},"MajorVersion":1,"MinorVersion":2,"Functions":{"F":{"Name":"F",`+
		`"InputParameters":[{"Name":"x","Type":"System.Int64","CslType":"long","CslDefaultValue":"1"},{"Name":"T","Columns":[{"Name":"a","Type":"System.String","CslType":"string"}]}],`+
		`"Body":"{ T | where b == x }","Folder":"","DocString":"","FunctionKind":"Unknown","OutputColumns":[]}},"DatabaseAccessMode":"ReadWrite"}}}`)
	b.want(`.show database db schema as csl script`,
		`.create-merge table T (a:string, t:datetime)`,
		`.create-or-alter function with (folder = "", docstring = "", skipvalidation = "true") F(x:long=1, T:(a:string)) { T | where b == x }`)
	b.want(`.show table T schema as json`,
		`T | {"Name":"T","OrderedColumns":[{"Name":"a","Type":"System.String","CslType":"string"},{"Name":"t","Type":"System.DateTime","CslType":"datetime"}]} | db |  | `)
	b.fails(root, `.show table X schema as json`, CodeTableNotFound, "Entity ID 'X' of kind 'Table' was not found.")
	b.fails(root, `.show database X schema`, CodeDatabaseNotFound, "Entity ID 'X' of kind 'Database' was not found.")
}

func TestMappings(t *testing.T) {
	b := newBench(t)
	b.run(`.create table T (a:string)`)
	m := `[{"column":"a","Properties":{"Path":"$"}}]`
	row := `M | Json | ` + m + ` | 2026-01-02T03:04:05.0000000Z | db | T`
	b.want(`.create table T ingestion json mapping "M" '`+m+`'`, row)
	b.fails(root, `.create table T ingestion json mapping "M" '`+m+`'`, CodeBadRequest, "already exists")
	b.want(`.create-or-alter table T ingestion json mapping "M" '`+m+`'`, row)
	b.fails(root, `.alter table T ingestion json mapping "N" '`+m+`'`, CodeEntityNotFound, "'N'")
	b.want(`.create database db ingestion csv mapping "C" '[{"column":"a","Properties":{"Ordinal":"0"}}]'`,
		`C | Csv | [{"column":"a","Properties":{"Ordinal":"0"}}] | 2026-01-02T03:04:05.0000000Z | db | `)
	b.want(`.show table T ingestion mappings`, row)
	b.want(`.show table T ingestion json mapping "M"`, row)
	b.fails(root, `.show table T ingestion csv mapping "M"`, CodeEntityNotFound, "'M'")
	b.fails(root, `.create table T ingestion avro mapping "M" '[]'`, CodeBadRequest, "not supported by this emulator")
	b.fails(root, `.create table T ingestion json mapping "X" 'no'`, CodeBadRequest, "The mapping 'X' is not valid")
	if got := b.run(`.drop table T ingestion json mapping "M"`); len(got) != 0 {
		t.Errorf("left: %v", got)
	}
	b.fails(root, `.drop table T ingestion json mapping "M"`, CodeEntityNotFound, "'M'")
}

func TestPolicies(t *testing.T) {
	b := newBench(t)
	b.run(`.create tables T (a:string), U (a:string)`)
	b.want(`.show table T policy ingestionbatching`, `IngestionBatchingPolicy | [db].[T] | null |  | Table`)
	if got, want := b.BatchingPolicy("db", "T"), (BatchingPolicy{5 * time.Minute, 500, 1024}); got != want {
		t.Errorf("default batching %v", got)
	}
	b.run(`.alter database db policy ingestionbatching '{"MaximumBatchingTimeSpan":"00:01:00"}'`)
	b.run(`.alter table T policy ingestionbatching '{"MaximumBatchingTimeSpan":"00:00:30","MaximumNumberOfItems":20,"MaximumRawDataSizeMB":300}'`)
	if got, want := b.BatchingPolicy("db", "T"), (BatchingPolicy{30 * time.Second, 20, 300}); got != want {
		t.Errorf("batching of T %v", got)
	}
	if got, want := b.BatchingPolicy("db", "U"), (BatchingPolicy{time.Minute, 500, 1024}); got != want {
		t.Errorf("batching of U %v", got)
	}
	b.fails(root, `.alter table T policy ingestionbatching '{"MaximumBatchingTimeSpan":"00:00:05"}'`, CodeBadRequest, "is not between 00:00:10 and 00:30:00")
	b.fails(root, `.alter table T policy retention '{'`, CodeBadRequest, "is not valid JSON")
	b.want(`.alter-merge table T policy retention softdelete = 7d recoverability = disabled`,
		`RetentionPolicy | [db].[T] | {"Recoverability":"Disabled","SoftDeletePeriod":"7.00:00:00"} |  | Table`)
	b.want(`.alter-merge table T policy retention recoverability = enabled`,
		`RetentionPolicy | [db].[T] | {"Recoverability":"Enabled","SoftDeletePeriod":"7.00:00:00"} |  | Table`)
	b.want(`.alter table T policy caching hot = 30d`,
		`CachingPolicy | [db].[T] | {"DataHotSpan":{"Value":"30.00:00:00"},"IndexHotSpan":{"Value":"30.00:00:00"}} |  | Table`)
	b.want(`.delete table T policy caching`, `CachingPolicy | [db].[T] | null |  | Table`)
	if b.StreamingEnabled("db", "T") {
		t.Error("streaming is on by default")
	}
	b.want(`.alter tables (T, U) policy streamingingestion enable`,
		`StreamingIngestionPolicy | [db].[T] | {"IsEnabled":true,"HintAllocatedRate":null} |  | Table`,
		`StreamingIngestionPolicy | [db].[U] | {"IsEnabled":true,"HintAllocatedRate":null} |  | Table`)
	if !b.StreamingEnabled("db", "T") {
		t.Error("streaming is off after it was enabled")
	}
	b.want(`.alter table T policy extent_tags_retention '[{"TagPrefix":"ingest-by:","RetentionPeriod":"7.00:00:00"}]'`,
		`ExtentTagsRetentionPolicy | [db].[T] | [{"TagPrefix":"ingest-by:","RetentionPeriod":"7.00:00:00"}] |  | Table`)
	b.want(`.show table * policy extent_tags_retention`,
		`ExtentTagsRetentionPolicy | [db].[T] | [{"TagPrefix":"ingest-by:","RetentionPeriod":"7.00:00:00"}] |  | Table`,
		`ExtentTagsRetentionPolicy | [db].[U] | null |  | Table`)
	b.fails(root, `.alter table T policy update '[{"IsEnabled":true,"Source":"Nope","Query":"Nope"}]'`, CodeTableNotFound, "'Nope'")
}

func TestShowThings(t *testing.T) {
	b := newBench(t)
	if got := b.cells(`.show databases`, "DatabaseName", "IsCurrent", "DatabaseAccessMode"); !cmp.Equal(got, []string{"db | true | ReadWrite"}) {
		t.Error(got)
	}
	if got := b.cells(`.show database details`, "DatabaseName", "RetentionPolicy"); !cmp.Equal(got, []string{`db | {"SoftDeletePeriod":"36500.00:00:00","Recoverability":"Enabled"}`}) {
		t.Error(got)
	}
	if got := b.cells(`.show version`, "ServiceType"); !cmp.Equal(got, []string{"Engine"}) {
		t.Error(got)
	}
	b.run(`.create table T (a:long)`)
	b.ingest("T", longs(0, 10))
	if got := b.cells(`.show table T details`, "TableName", "TotalExtents", "TotalRowCount", "MinExtentsCreationTime"); !cmp.Equal(got, []string{"T | 1 | 10 | 2026-01-02T03:04:05.0000000Z"}) {
		t.Error(got)
	}
	b.fails(root, `.show journal`, CodeBadRequest, "The command '.show journal' is not known or not supported by this emulator.")
	b.fails(root, `.show tables (`, CodeBadRequest, "Syntax error: Query could not be parsed: The incomplete fragment is unexpected")
	_, err := b.Command(t.Context(), Call{Principal: root, Database: "nope", Text: ".show tables"})
	if e, ok := errors.AsType[*Error](err); !ok || e.Code != CodeDatabaseNotFound {
		t.Error(err)
	}
	want := map[string]int64{
		".show databases": 1, ".show database details": 1, ".show version": 1, ".create table": 1,
		".show table details": 1, ".show": 2, ".show tables": 1,
	}
	if diff := cmp.Diff(want, b.Stats().Commands); diff != "" {
		t.Error(diff)
	}
	if b.Stats().RowsIngested != 10 {
		t.Error(b.Stats().RowsIngested)
	}
}
