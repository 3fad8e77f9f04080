package extent

import (
	"context"
	"fmt"
	"math"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/tvmexport/tvmexport/emulator/internal/disk"
	"github.com/tvmexport/tvmexport/emulator/internal/kql"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

var schema = []Column{
	{1, "b", value.Bool},
	{2, "i", value.Int},
	{3, "l", value.Long},
	{4, "r", value.Real},
	{5, "m", value.Decimal},
	{6, "t", value.DateTime},
	{7, "s", value.TimeSpan},
	{8, "x", value.String},
	{9, "g", value.GUID},
	{10, "d", value.Dynamic},
}

var (
	day   = time.Date(2026, 1, 2, 3, 4, 5, 600, time.UTC)
	write = func(t testing.TB, s *Store, columns []Column, tags []string, rows ...[]value.Value) []*Extent {
		t.Helper()
		w := NewWriter(s, columns, tags, day, day)
		for _, row := range rows {
			if err := w.Append(row); err != nil {
				t.Fatal(err)
			}
		}
		x, err := w.Extents()
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
)

// read gives the rows of a scan as text.
func read(t testing.TB, r *Relation, q kql.Request) []string {
	t.Helper()
	var out []string
	for row, err := range r.Scan(t.Context(), q) {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, show(row))
	}
	return out
}

func show(row []value.Value) string {
	parts := make([]string, len(row))
	for i, v := range row {
		parts[i] = v.String()
		if v.IsNull() {
			parts[i] = "null"
		}
	}
	return strings.Join(parts, "|")
}

func must(v value.Value, err error) value.Value {
	if err != nil {
		panic(err)
	}
	return v
}

func TestEveryKindComesBack(t *testing.T) {
	rows := [][]value.Value{
		{
			value.NewBool(true), value.NewInt(math.MinInt32), value.NewLong(math.MaxInt64), value.NewReal(1.5),
			must(value.NewDecimal("12345678901234567890.25")), value.NewDateTime(day), value.NewTimeSpan(-1), value.NewString("ä\x00z"),
			must(value.NewGUID("11111111-2222-3333-4444-555555555555")), value.DynamicJSON(`{"a":[1,null],"t":"2026-01-02T03:04:05Z"}`),
		},
		{
			value.Null(value.Bool), value.Null(value.Int), value.Null(value.Long), value.Null(value.Real), value.Null(value.Decimal),
			value.Null(value.DateTime), value.Null(value.TimeSpan), value.NewString(""), value.Null(value.GUID), value.Null(value.Dynamic),
		},
		{
			value.NewBool(false), value.NewInt(math.MaxInt32), value.NewLong(math.MinInt64), value.NewReal(math.Inf(-1)),
			must(value.NewDecimal("-1")), value.DateTimeFromTicks(0), value.NewTimeSpan(math.MaxInt64), value.NewString(strings.Repeat("x", 100)),
			must(value.NewGUID("00000000-0000-0000-0000-000000000000")), value.DynamicJSONTyped(`{"t":"2026-01-02T03:04:05Z"}`),
		},
	}
	x := write(t, NewStore(disk.Folder{}, 0), schema, nil, rows...)
	r := &Relation{Schema: schema, Extents: x}
	n := 0
	for row, err := range r.Scan(t.Context(), kql.Request{}) {
		if err != nil {
			t.Fatal(err)
		}
		for c := range schema {
			want, got := rows[n][c], row[c]
			if got.Kind() != want.Kind() || got.IsNull() != want.IsNull() || got.String() != want.String() || got.IsTyped() != want.IsTyped() {
				t.Errorf("row %d, column %s: got %v (%v, null %t, typed %t), want %v (%v, null %t, typed %t)", n, schema[c].Name,
					got, got.Kind(), got.IsNull(), got.IsTyped(), want, want.Kind(), want.IsNull(), want.IsTyped())
			}
		}
		n++
	}
	if n != 3 {
		t.Errorf("%d rows, want 3", n)
	}
	if at, ok := rows[2][9].Field("t"); !ok || at.String() != "2026-01-02T03:04:05.0000000Z" {
		t.Errorf("typed field: %v", at)
	}
}

// Texts that are known to be JSON stay so, next to the same texts of which nothing is
// known, in a dictionary and without one.
func TestJSONComesBack(t *testing.T) {
	for name, text := range map[string]string{"short": `{"a":1}`, "long": `["` + strings.Repeat("x", dictionaryText) + `"]`} {
		t.Run(name, func(t *testing.T) {
			known, ok := value.JSONString(value.DynamicJSON(text))
			if !ok {
				t.Fatal("no JSON")
			}
			rows := [][]value.Value{{known}, {value.NewString(text)}, {known}, {value.NewString("")}, {value.NewString(text)}}
			r := &Relation{Schema: one[:1], Extents: write(t, NewStore(disk.Folder{}, 0), one[:1], nil, rows...)}
			n := 0
			for row, err := range r.Scan(t.Context(), kql.Request{}) {
				if err != nil {
					t.Fatal(err)
				}
				if row[0] != rows[n][0] {
					t.Errorf("row %d: %v, known %t, want %v, known %t", n, row[0], row[0].IsJSON(), rows[n][0], rows[n][0].IsJSON())
				}
				n++
			}
			if n != len(rows) {
				t.Errorf("%d rows, want %d", n, len(rows))
			}
		})
	}
}

var one = []Column{{1, "k", value.String}, {2, "n", value.Long}}

// numbered is n rows k = "%04d" of i / 100, n = i.
func numbered(n int) [][]value.Value {
	rows := make([][]value.Value, n)
	for i := range rows {
		rows[i] = []value.Value{value.NewString(fmt.Sprintf("%04d", i/100)), value.NewLong(int64(i))}
	}
	return rows
}

func TestBlockBoundaries(t *testing.T) {
	for _, n := range []int{0, 1, rowsPerBlock - 1, rowsPerBlock, rowsPerBlock + 1, 3*rowsPerBlock + 7} {
		x := write(t, NewStore(disk.Folder{}, 0), one, nil, numbered(n)...)
		got := read(t, &Relation{Schema: one, Extents: x}, kql.Request{})
		if len(got) != n {
			t.Fatalf("%d rows written, %d read", n, len(got))
		}
		for i, row := range got {
			if want := fmt.Sprintf("%04d|%d|", i/100, i); !strings.HasPrefix(row, want) {
				t.Fatalf("row %d of %d: %s", i, n, row)
			}
		}
		if n == 0 && len(x) != 0 {
			t.Error("an extent without rows")
		}
	}
}

func TestHiddenColumns(t *testing.T) {
	x := write(t, NewStore(disk.Folder{}, 0), one, []string{"ingest-by:a", "b"}, numbered(1)...)
	got := read(t, &Relation{Schema: one, Extents: x}, kql.Request{})
	want := []string{`0000|0|2026-01-02T03:04:05.0000006Z|` + x[0].ID.String() + `|["ingest-by:a","b"]`}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestConditionsSkipBlocks(t *testing.T) {
	x := write(t, NewStore(disk.Folder{}, 0), one, nil, numbered(3*rowsPerBlock)...)
	r := &Relation{Schema: one, Extents: x}
	tests := []struct {
		name  string
		where []kql.Condition
		rows  int
	}{
		{"nothing known", nil, 3 * rowsPerBlock},
		{"prefix in the first block", []kql.Condition{{Column: 0, Prefixes: []string{"0000"}}}, rowsPerBlock},
		{"prefix in none", []kql.Condition{{Column: 0, Prefixes: []string{"x"}}}, 0},
		{"empty prefix in all", []kql.Condition{{Column: 0, Prefixes: []string{""}}}, 3 * rowsPerBlock},
		{"one of two prefixes", []kql.Condition{{Column: 0, Prefixes: []string{"x", "0000"}}}, rowsPerBlock},
		{"prefix that spans blocks", []kql.Condition{{Column: 0, Prefixes: []string{"00"}}}, 3 * rowsPerBlock},
		{"from", []kql.Condition{{Column: 1, From: value.NewLong(2 * rowsPerBlock)}}, rowsPerBlock},
		{"to", []kql.Condition{{Column: 1, To: value.NewLong(rowsPerBlock - 1)}}, rowsPerBlock},
		{"to the next", []kql.Condition{{Column: 1, To: value.NewLong(rowsPerBlock)}}, 2 * rowsPerBlock},
		{"of another kind", []kql.Condition{{Column: 1, From: value.NewReal(1e9)}}, 3 * rowsPerBlock},
		{"both", []kql.Condition{{Column: 0, Prefixes: []string{"0000"}}, {Column: 1, From: value.NewLong(rowsPerBlock)}}, 0},
		{"a column that is not there", []kql.Condition{{Column: 9, Prefixes: []string{"x"}}}, 3 * rowsPerBlock},
	}
	for _, tt := range tests {
		if got := len(read(t, r, kql.Request{Where: tt.where})); got != tt.rows {
			t.Errorf("%s: %d rows, want %d", tt.name, got, tt.rows)
		}
	}
}

func TestLongStringsAreBounded(t *testing.T) {
	long := strings.Repeat("a", zoneText)
	rows := [][]value.Value{{value.NewString(long + "m"), value.NewLong(0)}, {value.NewString(long), value.NewLong(1)}}
	r := &Relation{Schema: one, Extents: write(t, NewStore(disk.Folder{}, 0), one, nil, rows...)}
	for prefix, want := range map[string]int{long + "m": 2, long + "z": 2, "aa": 2, "ab": 0, "b": 0, "A": 0} {
		if got := len(read(t, r, kql.Request{Where: []kql.Condition{{Column: 0, Prefixes: []string{prefix}}}})); got != want {
			t.Errorf("prefix %.5q...: %d rows, want %d", prefix, got, want)
		}
	}
}

func TestDictionaryGivesWay(t *testing.T) {
	var rows [][]value.Value
	for i := range 1000 {
		rows = append(rows, []value.Value{value.NewString(fmt.Sprint(i % (dictionarySize + 10))), value.NewLong(1)})
	}
	got := read(t, &Relation{Schema: one, Extents: write(t, NewStore(disk.Folder{}, 0), one, nil, rows...)}, kql.Request{Need: []bool{true, false}})
	for i, row := range got {
		if want := fmt.Sprint(i%(dictionarySize+10)) + "|null|"; !strings.HasPrefix(row, want) {
			t.Fatalf("row %d is %s", i, row)
		}
	}
}

func TestColumnsOfOtherSchemas(t *testing.T) {
	x := write(t, NewStore(disk.Folder{}, 0), one, nil, numbered(1)...)
	wider := []Column{{2, "renamed", value.Long}, {7, "added", value.Dynamic}, {1, "k", value.String}}
	got := read(t, &Relation{Schema: wider, Extents: x}, kql.Request{})
	if !strings.HasPrefix(got[0], "0|null|0000|") {
		t.Errorf("got %s", got[0])
	}
}

func TestMoveMergeAndDelete(t *testing.T) {
	s := NewStore(disk.Folder{}, 0)
	a := write(t, s, one, []string{"drop-by:a", "x"}, numbered(3)...)[0]
	b := write(t, s, one, []string{"x", "y"}, numbered(2)...)[0]
	later := day.Add(time.Hour)
	target := []Column{{21, "n", value.Long}, {22, "k", value.String}}
	moved := a.Moved(uuid.New(), one, target, later)
	m := Merge(uuid.New(), []*Extent{moved, b.Moved(uuid.New(), one, target, time.Time{})})
	if diff := cmp.Diff([]string{"drop-by:a", "x", "y"}, m.Tags); diff != "" {
		t.Error(diff)
	}
	if m.RowCount() != 5 || m.Segments() != 2 || !m.MinCreatedOn.Equal(day) || !m.MaxCreatedOn.Equal(later) {
		t.Errorf("merged: %d rows, %d segments, created %v to %v", m.RowCount(), m.Segments(), m.MinCreatedOn, m.MaxCreatedOn)
	}
	d := m.Delete([]int64{0, 4}).Delete([]int64{1})
	if d.RowCount() != 5 || d.DeletedRowCount() != 3 || m.DeletedRowCount() != 0 {
		t.Errorf("deleted %d of %d, in the original %d", d.DeletedRowCount(), d.RowCount(), m.DeletedRowCount())
	}
	var got []string
	for _, row := range read(t, &Relation{Schema: target, Extents: []*Extent{d}, Ordinals: true}, kql.Request{}) {
		got = append(got, strings.Join(strings.Split(row, "|")[:4], "|"))
	}
	want := []string{"2|0000|2|2026-01-02T04:04:05.0000006Z", "0|0000|3|2026-01-02T03:04:05.0000006Z"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestSpillsToFiles(t *testing.T) {
	dir := t.TempDir()
	s := NewStore(disk.Folder{Dir: dir}, 1)
	x := write(t, s, one, nil, numbered(2*rowsPerBlock)...)
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 1 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	r := &Relation{Schema: one, Extents: x}
	if got := read(t, r, kql.Request{}); len(got) != 2*rowsPerBlock || !strings.HasPrefix(got[rowsPerBlock], "0040|4096|") {
		t.Errorf("%d rows", len(got))
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if files, _ := os.ReadDir(dir); len(files) != 0 {
		t.Error("files are left after Close")
	}
	for _, err := range r.Scan(t.Context(), kql.Request{}) {
		if err == nil {
			t.Fatal("a row from a closed store")
		}
	}
	if err := NewWriter(s, one, nil, day, day).store.keep(&block{}, []byte("xy")); err == nil {
		t.Error("a closed store keeps data")
	}
}

func TestFilesOfNobodyAreRemoved(t *testing.T) {
	dir := t.TempDir()
	s := NewStore(disk.Folder{Dir: dir}, 1)
	b := &block{}
	if err := s.keep(b, make([]byte, volumeSize)); err != nil {
		t.Fatal(err)
	}
	left := func() int {
		s.mu.Lock()
		defer s.mu.Unlock()
		return len(s.volumes)
	}
	if left() != 1 {
		t.Fatal("no file was made")
	}
	runtime.KeepAlive(b)
	b = nil
	for range 100 {
		runtime.GC()
		runtime.Gosched()
		if left() == 0 {
			return
		}
	}
	t.Error("the file of a block that nothing refers to is still there")
}

func TestScanEndsWithItsContext(t *testing.T) {
	x := write(t, NewStore(disk.Folder{}, 0), one, nil, numbered(2*rowsPerBlock)...)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	n := 0
	var last error
	for _, err := range (&Relation{Schema: one, Extents: x}).Scan(ctx, kql.Request{}) {
		n++
		last = err
		cancel()
	}
	if n != rowsPerBlock+1 || last == nil {
		t.Errorf("%d rows after the context ended, last error %v", n, last)
	}
}

func TestAppendRefusesOtherKinds(t *testing.T) {
	w := NewWriter(NewStore(disk.Folder{}, 0), one, nil, day, day)
	if err := w.Append([]value.Value{value.NewString("a")}); err == nil {
		t.Error("a short row is taken")
	}
	if err := w.Append([]value.Value{value.NewLong(1), value.NewLong(1)}); err == nil {
		t.Error("a long is treated as a string")
	}
}

func FuzzDecode(f *testing.F) {
	for _, k := range []value.Kind{value.Long, value.String, value.Dynamic, value.Real} {
		e := encoder{kind: k}
		e.reset()
		switch k {
		case value.Long:
			e.add(value.NewLong(7))
		case value.String:
			e.add(value.NewString("seven"))
		case value.Dynamic:
			e.add(value.DynamicJSON(`{"a":7}`))
		default:
			e.add(value.NewReal(7))
		}
		f.Add(uint8(k), uint8(1), e.flush(nil))
	}
	f.Fuzz(func(t *testing.T, kind, rows uint8, data []byte) {
		if kind == 0 || value.Kind(kind) > value.Dynamic || value.Kind(kind) == value.Dynamic {
			return // dynamics trust the text that was stored
		}
		out := make([]value.Value, rows)
		if _, err := decode(value.Kind(kind), data, nil, out); err == nil {
			for i, v := range out {
				if v.Kind() != value.Kind(kind) {
					t.Fatalf("row %d of kind %v", i, v.Kind())
				}
			}
		}
	})
}

func BenchmarkScan(b *testing.B) {
	rows := numbered(100_000)
	r := &Relation{Schema: one, Extents: write(b, NewStore(disk.Folder{}, 0), one, nil, rows...)}
	for name, need := range map[string][]bool{"count": {false, false}, "string": {true, false}, "all": {true, true}} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				n := 0
				for range r.Scan(b.Context(), kql.Request{Need: slices.Concat(need, []bool{false, false, false})}) {
					n++
				}
				if n != len(rows) {
					b.Fatal(n)
				}
			}
			b.ReportMetric(float64(len(rows)*b.N)/b.Elapsed().Seconds()/1e6, "Mrows/s")
		})
	}
}
