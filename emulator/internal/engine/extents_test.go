package engine

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/tvmexport/tvmexport/emulator/internal/kql"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

var kqlAll = kql.Request{}

// values is the first column of the rows of a table, sorted.
func (b *bench) values(table string) []int64 {
	b.Helper()
	r, ok := b.Catalog("db", root).Table("", table)
	if !ok {
		b.Fatalf("no table %s", table)
	}
	var all []int64
	for row, err := range r.Scan(b.Context(), kqlAll) {
		if err != nil {
			b.Fatal(err)
		}
		all = append(all, row[0].Int64())
	}
	slices.Sort(all)
	return all
}

func (b *bench) wantValues(table string, want ...int64) {
	b.Helper()
	if diff := cmp.Diff(want, b.values(table)); diff != "" {
		b.Errorf("%s: %s", table, diff)
	}
}

func (b *bench) tagged(table string, rows iter.Seq2[[]value.Value, error], tag string) (IngestResult, error) {
	return b.Ingest(b.Context(), Ingestion{
		Principal: root, Database: "db", Table: table, Rows: rows, Tags: []string{"ingest-by:" + tag}, IfNotExists: []string{tag},
	})
}

func TestIngestIfNotExists(t *testing.T) {
	b := newBench(t)
	b.run(`.create tables T (a:long), U (a:long)`)
	r, err := b.tagged("T", longs(1, 2), "x")
	if err != nil || r.Skipped || r.RowCount != 2 || len(r.ExtentIDs) != 1 {
		t.Fatal(r, err)
	}
	r, err = b.tagged("T", longs(1, 2), "x")
	if err != nil || !r.Skipped || r.RowCount != 0 || len(r.ExtentIDs) != 0 {
		t.Fatal(r, err)
	}
	if r, err = b.tagged("U", longs(1, 2), "x"); err != nil || r.Skipped {
		t.Fatal("the tag of another table counts", r, err)
	}
	if r, err = b.tagged("T", longs(3, 1), "X"); err != nil || r.Skipped {
		t.Fatal("tags differ by case", r, err)
	}
	b.wantValues("T", 1, 2, 3)
	b.run(`.drop table T extent tags ('ingest-by:x')`)
	if r, err = b.tagged("T", longs(4, 1), "x"); err != nil || r.Skipped {
		t.Fatal("a dropped tag counts", r, err)
	}
	b.wantValues("T", 1, 2, 3, 4)
}

// barrier returns rows that can be read only when n loads have begun, so that all
// loads pass their first check of the tags.
func barrier(n int, rows iter.Seq2[[]value.Value, error]) func() iter.Seq2[[]value.Value, error] {
	var begun sync.WaitGroup
	begun.Add(n)
	return func() iter.Seq2[[]value.Value, error] {
		return func(yield func([]value.Value, error) bool) {
			begun.Done()
			begun.Wait()
			rows(yield)
		}
	}
}

func TestConcurrentLoadsWithOneTag(t *testing.T) {
	for race, want := range map[bool]int{false: 1, true: 2} {
		b := newBench(t, func(o *Options) { o.TagRace = race })
		b.run(`.create table T (a:long)`)
		rows := barrier(2, longs(7, 1))
		var loads sync.WaitGroup
		for range 2 {
			loads.Go(func() {
				if _, err := b.tagged("T", rows(), "x"); err != nil {
					t.Error(err)
				}
			})
		}
		loads.Wait()
		if got := len(b.values("T")); got != want {
			t.Errorf("race %t: %d rows, want %d", race, got, want)
		}
	}
}

func TestFailedIngestionLeavesNothing(t *testing.T) {
	b := newBench(t)
	b.run(`.create table T (a:long)`)
	bad := errors.New("bad blob")
	op := uuid.MustParse("33333333-2222-3333-4444-555555555555")
	_, err := b.Ingest(t.Context(), Ingestion{
		Principal: root, Database: "db", Table: "T", OperationID: op,
		Rows: func(yield func([]value.Value, error) bool) {
			if yield([]value.Value{value.NewLong(1)}, nil) {
				yield(nil, bad)
			}
		},
	})
	if !errors.Is(err, bad) {
		t.Fatal(err)
	}
	b.wantValues("T")
	if got := b.cells(`.show operations `+op.String(), "Operation", "State", "Status"); !cmp.Equal(got, []string{"DataIngestPull | Failed | bad blob"}) {
		t.Error(got)
	}
}

func TestShowExtents(t *testing.T) {
	b := newBench(t)
	b.run(`.create tables T (a:long), U (a:long)`)
	_, err := b.Ingest(t.Context(), Ingestion{
		Principal: root, Database: "db", Table: "T", Rows: longs(1, 5),
		Tags: []string{"ingest-by:x", "drop-by:Day 1"}, CreationTime: start.AddDate(-1, 0, 0),
	})
	if err != nil {
		t.Fatal(err)
	}
	b.ingest("T", longs(1, 3))
	b.ingest("U", longs(1, 2), "ingest-by:x")
	show := func(csl string) []string { return b.cells(csl, "TableName", "RowCount", "Tags", "MaxCreatedOn") }
	one := "T | 5 | ingest-by:x\r\ndrop-by:Day 1 | 2025-01-02T03:04:05.0000000Z"
	two := "T | 3 |  | 2026-01-02T03:04:05.0000000Z"
	three := "U | 2 | ingest-by:x | 2026-01-02T03:04:05.0000000Z"
	for csl, want := range map[string][]string{
		`.show table T extents`:                                                           {one, two},
		`.show table T extents where tags has 'ingest-by:x'`:                              {one},
		`.show table T extents where tags has 'ingest-by'`:                                nil,
		`.show table T extents where tags has 'drop-by:day 1'`:                            nil,
		`.show table T extents where tags contains 'DAY'`:                                 {one},
		`.show table T extents where tags !contains 'DAY' and tags !has 'y'`:              {two},
		`.show table T extents where tags !has 'ingest-by:x' and tags contains 'ingest'`:  nil,
		`.show database db extents where tags has 'ingest-by:x'`:                          {one, three},
		`.show database extents`:                                                          {one, two, three},
		`.show tables (T, U) extents hot`:                                                 {one, two, three},
		`.show cluster extents`:                                                           {one, two, three},
		`.show table U extents (33333333-2222-3333-4444-555555555555)`:                    nil,
		`.show table U extents (` + b.cells(".show table U extents", "ExtentId")[0] + `)`: {three},
	} {
		if diff := cmp.Diff(want, show(csl)); diff != "" {
			t.Errorf("%s\n%s", csl, diff)
		}
	}
}

func TestMerges(t *testing.T) {
	const loads = mergeAt
	tests := []struct {
		name    string
		tag     func(i int) []string
		policy  string
		off     bool
		extents int
		tags    int
	}{
		{name: "no tags", tag: func(int) []string { return nil }, extents: 1},
		{name: "tags unite", tag: func(i int) []string { return []string{fmt.Sprint("ingest-by:", i)} }, extents: 1, tags: loads},
		{name: "equal drop-by", tag: func(int) []string { return []string{"drop-by:a"} }, extents: 1, tags: 1},
		{name: "two drop-by", tag: func(i int) []string { return []string{fmt.Sprint("drop-by:", i%2)} }, extents: loads},
		{name: "policy", tag: func(int) []string { return nil }, policy: `{"AllowMerge":false,"AllowRebuild":false}`, extents: loads},
		{name: "knob", tag: func(int) []string { return nil }, off: true, extents: loads},
	}
	for _, tt := range tests {
		b := newBench(t, func(o *Options) { o.NoMerge = tt.off })
		b.run(`.create table T (a:long)`)
		if tt.policy != "" {
			b.run(`.alter table T policy merge '` + tt.policy + `'`)
		}
		for i := range loads {
			b.ingest("T", longs(i, 1), tt.tag(i)...)
		}
		tags := b.cells(`.show table T extents`, "Tags")
		if len(tags) != tt.extents || tt.extents == 1 && len(strings.Fields(tags[0])) != tt.tags {
			t.Errorf("%s: extents with tags %q", tt.name, tags)
		}
		if got := b.values("T"); len(got) != loads || got[0] != 0 || got[loads-1] != loads-1 {
			t.Errorf("%s: rows %v", tt.name, got)
		}
	}
}

func TestMoveExtents(t *testing.T) {
	b := newBench(t)
	b.run(`.create tables S (a:long), T (b:string, a:long), N (x:long), Y (a:string)`)
	first := b.ingest("S", longs(1, 2), "drop-by:x").ExtentIDs[0].String()
	b.ingest("S", longs(3, 1))
	b.fails(root, `.move extents all from table S to table N`, CodeBadRequest, "it has no column 'a'")
	b.fails(root, `.move extents all from table S to table Y`, CodeBadRequest, "column 'a' is of type string there, not long")
	moved := b.cells(`.move extents from table S to table T (`+first+`)`, "OriginalExtentId", "ResultExtentId", "Details")
	now := b.cells(`.show table T extents where tags has 'drop-by:x'`, "ExtentId")
	if len(now) != 1 || !cmp.Equal(moved, []string{first + " | " + now[0] + " | "}) || now[0] == first {
		t.Errorf("moved %v, there %v", moved, now)
	}
	b.wantValues("S", 3)
	b.fails(root, `.move extents from table S to table T (`+first+`)`, CodeEntityNotFound, "'"+first+"' of kind 'Extent' was not found in table 'S'")
	b.fails(root, `.move extents from table S to table T (`+b.cells(`.show table S extents`, "ExtentId")[0]+`, `+first+`)`, CodeEntityNotFound, first)
	b.wantValues("S", 3)
	b.clock = start.Add(time.Hour)
	b.run(`.move extents to table T with (setNewIngestionTime=true) <| .show table S extents`)
	b.wantValues("S")
	if got := b.cells(`.show table T extents`, "RowCount", "MaxCreatedOn"); !cmp.Equal(got, []string{
		"2 | 2026-01-02T03:04:05.0000000Z", "1 | 2026-01-02T04:04:05.0000000Z",
	}) {
		t.Error(got)
	}
}

func TestReplaceExtents(t *testing.T) {
	b := newBench(t)
	b.run(`.create tables T (a:long), S (a:long)`)
	publish := `.replace extents in table T <| {.show table T extents where tags has 'drop-by:b'}, {.show table S extents where tags has 'att:%d'}`
	b.ingest("T", longs(100, 1))
	for attempt := range 3 { // publishing again replaces, and never adds
		_, err := b.Ingest(t.Context(), Ingestion{
			Principal: root, Database: "db", Table: "S", Rows: longs(1, 2),
			Tags: []string{"drop-by:b", fmt.Sprint("att:", attempt)},
		})
		if err != nil {
			t.Fatal(err)
		}
		rows := b.run(fmt.Sprintf(publish, attempt))
		if want := min(attempt+1, 2); len(rows) != want {
			t.Errorf("attempt %d: %v", attempt, rows)
		}
		b.wantValues("T", 1, 2, 100)
		b.wantValues("S")
	}
	b.fails(root, `.replace extents in table T <| {.show table T extents}, {.show table T extents}`, CodeBadRequest, "cannot be both dropped and moved")
	b.fails(root, `.replace extents in table T <| {.show tables}, {.show table S extents}`, CodeBadRequest, "The query must give a column ExtentId")
	b.wantValues("T", 1, 2, 100)
}

func TestDropExtents(t *testing.T) {
	b := newBench(t)
	b.run(`.create tables T (a:long), U (a:long)`)
	id := b.ingest("T", longs(1, 1)).ExtentIDs[0].String()
	b.clock = start.AddDate(0, 0, 5)
	b.ingest("T", longs(2, 1), "x")
	b.ingest("U", longs(3, 1), "x")
	b.want(`.drop extents whatif <| .show table T extents`, id+" | T | 2026-01-02T03:04:05.0000000Z",
		b.cells(`.show table T extents where tags has "x"`, "ExtentId")[0]+" | T | 2026-01-07T03:04:05.0000000Z")
	b.want(`.drop extents older 4 days from all tables`, id+" | T | 2026-01-02T03:04:05.0000000Z")
	b.wantValues("T", 2)
	b.run(`.drop extents <| .show database db extents where tags has 'x'`)
	b.wantValues("T")
	b.wantValues("U")
	b.fails(root, `.drop extents (`+id+`) from T`, CodeEntityNotFound, id)
	b.ingest("T", longs(1, 1))
	b.run(`.clear table T data`)
	b.wantValues("T")
}

func TestExtentTags(t *testing.T) {
	b := newBench(t)
	b.run(`.create table T (a:long)`)
	b.ingest("T", longs(1, 1), "drop-by:a", "b")
	b.ingest("T", longs(2, 1), "c")
	tags := func() []string { return b.cells(`.show table T extents`, "Tags") }
	b.run(`.drop table T extent tags ('b', 'nope')`)
	if got := tags(); !cmp.Equal(got, []string{"c", "drop-by:a"}) {
		t.Errorf("%q", got)
	}
	b.run(`.alter-merge extent tags ('d', 'c') <| .show table T extents where tags has 'c'`)
	b.run(`.alter extent tags ('e') <| .show table T extents where tags has 'drop-by:a'`)
	if got := tags(); !cmp.Equal(got, []string{"c\r\nd", "e"}) {
		t.Errorf("%q", got)
	}
	b.run(`.drop table T extent tags <| .show table T extents`)
	if got := tags(); !cmp.Equal(got, []string{"", ""}) {
		t.Errorf("%q", got)
	}
	b.wantValues("T", 1, 2)
}

func TestAsyncCommands(t *testing.T) {
	b := newBench(t)
	b.run(`.create tables S (a:long), T (a:long)`)
	b.ingest("S", longs(1, 2))
	id := b.cells(`.move async extents all from table S to table T`, "OperationId")[0]
	b.running.Wait()
	if got := b.cells(`.show operations `+id, "OperationId", "Operation", "State", "Status", "ShouldRetry"); !cmp.Equal(got, []string{id + " | ExtentsMove | Completed |  | false"}) {
		t.Error(got)
	}
	if got := b.cells(`.show operation `+id+` details`, "Details"); !cmp.Equal(got, []string{""}) {
		t.Error(got)
	}
	b.wantValues("T", 1, 2)
	id = b.cells(`.move async extents from table S to table T (33333333-2222-3333-4444-555555555555)`, "OperationId")[0]
	b.running.Wait()
	got := b.cells(`.show operations (`+id+`)`, "State", "Status")
	if len(got) != 1 || !strings.HasPrefix(got[0], "BadInput | Request is invalid and cannot be processed: Entity ID '33333333-2222-3333-4444-555555555555'") {
		t.Error(got)
	}
	b.fails(root, `.show operation `+id+` details`, CodeBadRequest, "has no details: its state is BadInput")
	b.fails(root, `.show operation 33333333-2222-3333-4444-555555555555 details`, CodeEntityNotFound, "'Operation'")
}

func TestSnapshotIsolation(t *testing.T) {
	b := newBench(t)
	b.run(`.create tables A (a:long), B (a:long)`)
	ctx, stop := context.WithCancel(t.Context())
	var writers sync.WaitGroup
	writers.Go(func() { // one row moves to and fro, so that it is in exactly one of the tables
		b.ingest("A", longs(1, 1))
		for from, to := "A", "B"; ctx.Err() == nil; from, to = to, from {
			if _, _, err := b.try(root, `.move extents all from table `+from+` to table `+to); err != nil {
				t.Error(err)
				return
			}
		}
	})
	defer writers.Wait()
	defer stop()
	for range 300 {
		c := b.Catalog("db", root)
		n := 0
		for _, name := range []string{"A", "B", "A", "B"} {
			r, _ := c.Table("", name)
			for _, err := range r.Scan(t.Context(), kqlAll) {
				if err != nil {
					t.Fatal(err)
				}
				n++
			}
		}
		if n != 2 && n != 0 { // 0 before the row came
			t.Fatalf("one moment shows the row %d times in two readings", n)
		}
	}
}
