package kql_test

import (
	"context"
	"errors"
	"iter"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tvmexport/tvmexport/emulator/internal/kql"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// spy is a relation that keeps what scans ask for.
type spy struct {
	*kql.Table
	asked   []kql.Request
	yielded int
}

func (s *spy) Scan(ctx context.Context, r kql.Request) iter.Seq2[[]value.Value, error] {
	s.asked = append(s.asked, r)
	return func(yield func([]value.Value, error) bool) {
		for row, err := range s.Table.Scan(ctx, r) {
			s.yielded++
			if !yield(row, err) {
				return
			}
		}
	}
}

// devices is a table with hidden columns.
func devices(t testing.TB) *spy {
	t.Helper()
	plain := table(t, `datatable(Id:string, N:long, At:datetime, D:dynamic)[
		'aa1', 1, datetime(2026-01-01), dynamic({'x':1}), 'ab2', 2, datetime(2026-01-02), dynamic(null), 'bb3', 3, datetime(2026-01-03), dynamic([1])]`)
	var rows [][]value.Value
	n := 0
	for row := range plain.Scan(context.Background(), kql.Request{}) {
		n++
		id, err := value.NewGUID("00000000-0000-0000-0000-00000000000" + string(rune('0'+n)))
		if err != nil {
			t.Fatal(err)
		}
		tags := value.NewArray([]value.Value{value.NewString("ingest-by:" + string(rune('0'+n)))})
		rows = append(rows, append(row[:len(row):len(row)], value.DateTimeFromTicks(value.UnixEpochTicks+int64(n)*value.TicksPerDay), id, tags))
	}
	hidden, err := plain.WithHidden([]value.Column{
		{Name: kql.HiddenIngestionTime, Kind: value.DateTime}, {Name: kql.HiddenExtentID, Kind: value.GUID}, {Name: kql.HiddenExtentTags, Kind: value.Dynamic},
	}, rows)
	if err != nil {
		t.Fatal(err)
	}
	return &spy{Table: hidden}
}

// TestNeed says which columns scans ask for; the columns are Id, N, At, D and
// the hidden ingestion time, extent id and tags.
func TestNeed(t *testing.T) {
	tests := []struct{ query, need string }{
		{"T", "Id N At D"},
		{"T | count", ""},
		{"T | summarize count()", ""},
		{"T | extend x = strlen(Id) | count", ""},
		{"T | where N > 1 | count", "N"},
		{"T | project Id", "Id"},
		{"T | project-away D | extend N = 1", "Id At"},
		{"T | extend x = N + 1, y = At | project x", "N"},
		{"T | summarize dcount(Id), n = count() by N | project n", "N"},
		{"T | summarize arg_max(At, *) by Id | project Id, N", "Id N At"},
		{"T | sort by At | project Id", "Id At"},
		{"T | top 1 by strlen(Id) | project N", "Id N"},
		{"T | sort by At asc | extend n = row_number() | where n < 3 | project-away n, D, Id", "N At"},
		{"T | join kind=inner (T | project Id, At) on Id | project N", "Id"}, // of the side that is read first
		{"union (T), (T) | project At", "At"},
		{"T | extend t = ingestion_time() | project t", "$IngestionTime"},
		{"T | mv-expand D | count", "D"},
		{"T | distinct Id", "Id"},
		{"T | parse Id with a 'b' * | project N", "Id N"},
		{"let f = (X:(N:long)) { X | summarize sum(N) }; f(T)", "N"},
		{"T | where Id in (T | project Id) | project N", "Id"}, // of the list, which is read first
		{"T | where N in (T | project N) | project At", "N At"},
		{"T | take 2 | project N", "N"},
		{"let m = materialize(T | project Id, N); m | project N", "N"},
		{"T | getschema", "-"},
	}
	for _, tt := range tests {
		relation := devices(t)
		if _, err := answer(catalog{tables: map[string]kql.Relation{"T": relation}}, tt.query); err != nil {
			t.Errorf("%s: %v", tt.query, err)
			continue
		}
		got := "-"
		if len(relation.asked) > 0 {
			var names []string
			for i, c := range append(relation.Columns()[:4:4], relation.Hidden()...) {
				if relation.asked[0].Need[i] {
					names = append(names, c.Name)
				}
			}
			got = strings.Join(names, " ")
		}
		if got != tt.need {
			t.Errorf("%s: asks for %q, want %q", tt.query, got, tt.need)
		}
	}
}

// conditionsText is `Id^aa,ab N[1..2]`; ~ is for what no index serves.
func conditionsText(list []kql.Condition) string {
	names := []string{"Id", "N", "At", "D"}
	var parts []string
	for _, c := range list {
		s := names[c.Column]
		if c.Prefixes != nil {
			s += "^" + strings.Join(c.Prefixes, ",")
			if c.Unindexed {
				s = "~" + s
			}
		} else {
			bound := func(v value.Value) string {
				if v.Kind() == 0 {
					return ""
				}
				return strings.TrimSuffix(v.String(), "T00:00:00.0000000Z")
			}
			s += "[" + bound(c.From) + ".." + bound(c.To) + "]"
		}
		parts = append(parts, s)
	}
	return strings.Join(parts, " ")
}

func TestConditions(t *testing.T) {
	tests := []struct{ query, want string }{
		{"T | where Id startswith_cs 'aa'", "Id^aa"},
		{"T | where Id == 'aa1' and N >= 2", "Id^aa1 N[2..]"},
		{"T | where 'aa1' == Id and 2 > N", "Id^aa1 N[..2]"},
		{"T | where Id in ('aa1', 'bb3') | where N between (1 .. 2)", "Id^aa1,bb3 N[1..2]"},
		{"T | where Id in (dynamic(['aa1', 'bb3']))", "Id^aa1,bb3"},
		{"T | where substring(Id, 0, 2) == 'ab'", "~Id^ab"},
		{"T | where substring(Id, 0, 1) in ('a', 'b')", "~Id^a,b"},
		{"T | where substring(Id, 1, 1) == 'b'", ""},
		{"T | where Id startswith_cs 'a' or Id startswith_cs 'bb' or Id == 'c'", "Id^a,bb,c"},
		{"T | where (Id startswith_cs 'a' or N > 1) and At < datetime(2026-02-01)", "At[..2026-02-01]"},
		{"T | where Id startswith 'a' or Id =~ 'b'", ""},
		{"T | where Id startswith_cs ''", ""},
		{"T | project K = Id, N | extend M = N | where K startswith_cs 'aa' and M == 1", "Id^aa N[1..1]"},
		{"T | extend Id = tolower(Id) | where Id startswith_cs 'aa'", ""},
		{"let s = T | where Id startswith_cs 'b'; s | where N > 0", "Id^b N[0..]"},
		{"T | where At > ago(30d) and At <= now()", "At[2026-10-24T12:00:00.0000000Z..] At[..2026-11-23T12:00:00.0000000Z]"},
		{"let last = toscalar(T2 | project t); T | where At > last", "At[2026-01-02..]"},
		{"let ids = datatable (Id:string) ['aa', 'b']; T | where Id in (ids)", "Id^aa,b"},
		{"let ids = datatable (Id:string) ['']; T | where Id in (ids)", ""},
		{"T | where Id in ((range n from 1 to 300 step 1 | project Id = strcat('a', n)))", "Id^a1,a2,a3,a4,a5,a6,a7,a8,a9"},
		{"T | where substring(Id, 0, 1) in ('b') or Id == 'a'", "~Id^a,b"},
		{"T | where (Id startswith_cs 'a' and not(Id matches regex '^a[0-9]')) or substring(Id, 0, 2) in ('b1', 'b2')", "~Id^a,b1,b2"},
		{"T | where (N > 1 and not(Id startswith_cs 'a')) or Id startswith_cs 'b'", ""},
		{"let ids = datatable (Id:string) ['aa']; T | where Id !in (ids)", ""},
		{"let ids = datatable (Id:string) ['aa']; T | where Id in~ (ids)", ""},
		{"let p = 'a'; T | where Id startswith_cs strcat(p, 'b')", "Id^ab"},
		{"T | take 2 | where Id startswith_cs 'b'", ""},
		{"T | where N > 1 | take 2 | where Id startswith_cs 'b'", "N[1..]"},
		{"T | where not(Id startswith_cs 'a')", ""},
		{"T | where Id !in ('a')", ""},
		{"T | mv-expand D | where Id startswith_cs 'a' and D == 1", "Id^a"},
		{"T | where N == 1.5", "N[1.5..1.5]"},
	}
	for _, tt := range tests {
		relation := devices(t)
		c := catalog{tables: map[string]kql.Relation{"T": relation, "T2": table(t, "print t = datetime(2026-01-02)")}}
		if _, err := answer(c, tt.query); err != nil {
			t.Errorf("%s: %v", tt.query, err)
			continue
		}
		if got := conditionsText(relation.asked[0].Where); got != tt.want {
			t.Errorf("%s: conditions %q, want %q", tt.query, got, tt.want)
		}
		plain, _ := answer(c, tt.query)
		if hinted, err := answer(strictly(c), tt.query); err != nil || !cmp.Equal(plain, hinted) {
			t.Errorf("%s: a relation that follows the conditions changes the answer: %s, %v", tt.query, cmp.Diff(plain, hinted), err)
		}
	}
}

func TestHiddenColumns(t *testing.T) {
	c := catalog{tables: map[string]kql.Relation{"T": devices(t), "Plain": table(t, "print N = 9")}}
	checkAll(t, c, []queryTest{
		{"functions", "T | where N == 2 | project t = ingestion_time(), e = extent_id(), g = extent_tags()", `
			t:datetime e:guid g:dynamic
			1970-01-03T00:00:00.0000000Z | 00000000-0000-0000-0000-000000000002 | ["ingest-by:2"]`},
		{"default name", "T | where N == 1 | project ingestion_time()", `
			$IngestionTime:datetime
			1970-01-02T00:00:00.0000000Z`},
		{"behind operators that keep the rows", "T | where N > 1 | project N | sort by N asc | extend x = 1 | take 1 | project N, ingestion_time() ", `
			N:long $IngestionTime:datetime
			2 | 1970-01-03T00:00:00.0000000Z`},
		{"behind top, materialize and let", "let m = materialize(T | project N); m | top 1 by N | project t = ingestion_time()", `
			t:datetime
			1970-01-04T00:00:00.0000000Z`},
		{"tags in a filter", "T | where extent_tags() has 'ingest-by:3' | project Id", `
			Id:string
			bb3`},
		{"a leg without them", "union (T | project N), Plain | extend t = ingestion_time() | where N > 2", `
			N:long t:datetime
			3 | 1970-01-04T00:00:00.0000000Z
			9 | null`},
		{"not behind summarize", "T | summarize N = max(N) | extend t = ingestion_time()", `
			N:long t:datetime
			3 | null`},
		{"as aggregate arguments", "T | summarize arg_max(ingestion_time(), Id)", `
			$IngestionTime:datetime Id:string
			1970-01-04T00:00:00.0000000Z | bb3`},
		{"not among all columns", "T | take 1 | project-keep N | extend p = pack_all()", `
			N:long p:dynamic
			1 | {"N":1}`},
	})
}

func TestStreaming(t *testing.T) {
	relation := devices(t)
	c := catalog{tables: map[string]kql.Relation{"T": relation}}
	q, err := kql.Compile("T | where N > 0 | extend x = N | project x", environment(c))
	if err != nil {
		t.Fatal(err)
	}
	for range q.Statements[0].Rows(context.Background()) {
		break
	}
	if relation.yielded != 1 {
		t.Errorf("one row was asked for, %d were read", relation.yielded)
	}
	for range q.Statements[0].Rows(context.Background()) {
	}
	if got := q.Statements[0].Stats().RowsScanned; got != 4 {
		t.Errorf("%d rows scanned in both runs, want 4", got)
	}
	relation.yielded = 0
	if _, err := answer(c, "T | take 2"); err != nil || relation.yielded != 2 {
		t.Errorf("take 2 reads %d rows, %v", relation.yielded, err)
	}
}

func TestContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for _, query := range []string{"range x from 1 to 100000000 step 1 | summarize count() by x", "range x from 1 to 100000000 step 1 | sort by x"} {
		q, err := kql.Compile(query, environment(nil))
		if err != nil {
			t.Fatal(err)
		}
		var last error
		for _, err := range q.Statements[0].Rows(ctx) {
			last = err
		}
		if !errors.Is(last, context.Canceled) {
			t.Errorf("%s ends with %v, want %v", query, last, context.Canceled)
		}
	}
}

type failing struct{ *kql.Table }

var errDisk = errors.New("the disk is gone")

func (failing) Scan(context.Context, kql.Request) iter.Seq2[[]value.Value, error] {
	return func(yield func([]value.Value, error) bool) { yield(nil, errDisk) }
}

func TestRelationFails(t *testing.T) {
	c := catalog{tables: map[string]kql.Relation{"T": failing{table(t, "print a = 1")}}}
	for _, query := range []string{"T", "T | count", "T | sort by a", "print x = toscalar(T)", "T | join (T) on a", "union T, T", "T | summarize by a"} {
		if _, err := answer(c, query); !errors.Is(err, errDisk) {
			t.Errorf("%s: %v, want %v", query, err, errDisk)
		}
	}
}

// A statement runs any number of times, also at once.
func TestConcurrentRuns(t *testing.T) {
	c := catalog{tables: map[string]kql.Relation{"T": devices(t).Table}}
	q, err := kql.Compile("let m = materialize(T | where substring(Id, 0, 1) == 'a'); m | extend k = strcat(Id, '-', N + toscalar(m | count)) | summarize make_list(k)", environment(c))
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan string)
	for range 8 {
		go func() {
			var lines []string
			for row, err := range q.Statements[0].Rows(context.Background()) {
				if err != nil {
					lines = append(lines, err.Error())
					break
				}
				lines = append(lines, text(row))
			}
			done <- strings.Join(lines, "\n")
		}()
	}
	for range 8 {
		if diff := cmp.Diff(`["aa1-3","ab2-4"]`, <-done); diff != "" {
			t.Error(diff)
		}
	}
}
