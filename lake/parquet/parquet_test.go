package parquet_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/lake/parquet"
)

// codec is that of all files of the tests.
var codec = parquet.NewCodec()

// columns has one column of each type, and names that Go cannot have.
var columns = []tvmexport.Column{
	{Name: "Text", Type: "string"},
	{Name: "bool", Type: "bool"},
	{Name: "An int", Type: "int"},
	{Name: "_long-1", Type: "long"},
	{Name: "real.1", Type: "real"},
	{Name: "Zeit", Type: "datetime"},
	{Name: "D", Type: "dynamic"},
	{Name: "G", Type: "guid"},
	{Name: "dec", Type: "decimal"},
	{Name: "span", Type: "timespan"},
}

var day = time.Date(2026, 11, 30, 1, 2, 3, 123456000, time.UTC)

// row is row i of n; every seventh is null.
func row(i int) []parquet.Value {
	if i%7 == 6 {
		return make([]parquet.Value, len(columns))
	}
	return []parquet.Value{
		parquet.Text(fmt.Appendf(nil, "text %d", i)), parquet.Bool(i%2 == 0), parquet.Int(int64(i) - 3), parquet.Int(math.MaxInt64 - int64(i)),
		parquet.Real(float64(i) / 4), parquet.Time(day.Add(time.Duration(i) * time.Microsecond)), parquet.Text(fmt.Appendf(nil, `{"n":%d}`, i)),
		parquet.Text([]byte("00000000-0000-0000-0000-000000000000")), parquet.Text([]byte("1.50")), parquet.Text([]byte("-1.02:03:04")),
	}
}

func write(t testing.TB, n int) ([]byte, parquet.Summary) {
	t.Helper()
	var b bytes.Buffer
	w, err := parquet.NewWriter(&b, columns, codec)
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		if err := w.Append(row(i)); err != nil {
			t.Fatal(err)
		}
	}
	s, err := w.Close()
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes(), s
}

// same says whether values are equal.
func same(a, b parquet.Value) bool {
	return a.IsNull() == b.IsNull() && a.Int() == b.Int() && bytes.Equal(a.Text(), b.Text())
}

func TestRoundTrip(t *testing.T) {
	for _, n := range []int{0, 1, 255, 256, 257, 70_000} {
		file, s := write(t, n)
		if s.Rows != int64(n) || s.Bytes != int64(len(file)) {
			t.Errorf("%d rows: the summary has %d rows and %d bytes, the file has %d bytes", n, s.Rows, s.Bytes, len(file))
		}
		if err := parquet.Check(bytes.NewReader(file), int64(len(file)), s); err != nil {
			t.Error(err)
		}
		r, err := parquet.NewReader(bytes.NewReader(file), int64(len(file)), columns)
		if err != nil {
			t.Fatal(err)
		}
		i := 0
		for got, err := range r.Rows(t.Context(), nil) {
			if err != nil {
				t.Fatal(err)
			}
			for c, want := range row(i) {
				if !same(got[c], want) {
					t.Fatalf("row %d, column %s differs: %q %d", i, columns[c].Name, got[c].Text(), got[c].Int())
				}
			}
			i++
		}
		if i != n {
			t.Errorf("read %d rows of %d", i, n)
		}
	}
}

// Columns are read in the order that the reader wants; those that the file does
// not have are null.
func TestReadsChosenColumns(t *testing.T) {
	file, _ := write(t, 3)
	r, err := parquet.NewReader(bytes.NewReader(file), int64(len(file)), []tvmexport.Column{columns[3], {Name: "later", Type: "string"}, columns[0]})
	if err != nil {
		t.Fatal(err)
	}
	for got, err := range r.Rows(t.Context(), nil) {
		if err != nil {
			t.Fatal(err)
		}
		if got[0].Int() < math.MaxInt64-3 || !got[1].IsNull() || !strings.HasPrefix(string(got[2].Text()), "text ") {
			t.Errorf("row: %v", got)
		}
	}
	if _, err := parquet.NewReader(bytes.NewReader(file), int64(len(file)), []tvmexport.Column{{Name: "Text", Type: "long"}}); err == nil || !strings.Contains(err.Error(), "Text") {
		t.Errorf("another type: %v, want an error that names the column", err)
	}
}

func TestStatistics(t *testing.T) {
	var b bytes.Buffer
	w, err := parquet.NewWriter(&b, []tvmexport.Column{
		{Name: "s", Type: "string"},
		{Name: "n", Type: "int"},
		{Name: "r", Type: "real"},
		{Name: "t", Type: "datetime"},
		{Name: "d", Type: "dynamic"},
		{Name: "empty", Type: "long"},
	}, codec)
	if err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("z", 40)
	for _, r := range [][]parquet.Value{
		{parquet.Text([]byte("a")), parquet.Int(-5), parquet.Real(1.5), parquet.Time(day), parquet.Text([]byte("{}")), {}},
		{{}, parquet.Int(7), parquet.Real(-2), parquet.Time(day.Add(-time.Hour)), {}, {}},
		{parquet.Text([]byte(long)), {}, {}, {}, {}, {}},
	} {
		if err := w.Append(r); err != nil {
			t.Fatal(err)
		}
	}
	s, err := w.Close()
	if err != nil {
		t.Fatal(err)
	}
	var got, want any
	if err := json.Unmarshal([]byte(s.Stats), &got); err != nil {
		t.Fatal(err)
	}
	text := `{"numRecords":3,
		"minValues":{"s":"a","n":-5,"r":-2,"t":"2026-11-30T00:02:03.123Z"},
		"maxValues":{"s":"` + long[:32] + "\uFFFD" + `","n":7,"r":1.5,"t":"2026-11-30T01:02:03.124Z"},
		"nullCount":{"s":1,"n":1,"r":1,"t":1,"d":2,"empty":3}}`
	if err := json.Unmarshal([]byte(text), &want); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// A file that is cut at any byte is an error, never fewer rows and never a panic.
func TestCutFile(t *testing.T) {
	file, s := write(t, 20)
	for n := range file {
		cut := bytes.NewReader(file[:n])
		if err := parquet.Check(cut, int64(n), s); err == nil {
			t.Fatalf("cut at %d: Check finds no error", n)
		}
		r, err := parquet.NewReader(cut, int64(n), columns)
		if err != nil {
			continue
		}
		rows := 0
		for _, e := range r.Rows(t.Context(), nil) {
			if err = e; err == nil {
				rows++
			}
		}
		if err == nil && rows != 20 {
			t.Fatalf("cut at %d: %d rows and no error", n, rows)
		}
	}
}

func TestRowOfAnotherWidth(t *testing.T) {
	w, err := parquet.NewWriter(&bytes.Buffer{}, columns, codec)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Append(nil); err == nil {
		t.Error("a row without values is written")
	}
	if _, err := w.Close(); err == nil {
		t.Error("a file is complete after a failed row")
	}
}

type full struct{ left int }

func (f *full) Write(p []byte) (int, error) {
	if f.left -= len(p); f.left < 0 {
		return 0, errors.New("disk full")
	}
	return len(p), nil
}

func TestFullDisk(t *testing.T) {
	file, _ := write(t, 20)
	for n := 0; n < len(file); n += 11 {
		w, err := parquet.NewWriter(&full{n}, columns, codec)
		for i := 0; i < 20 && err == nil; i++ {
			err = w.Append(row(i))
		}
		if err == nil {
			_, err = w.Close()
		}
		if err == nil || !strings.Contains(err.Error(), "disk full") {
			t.Fatalf("after %d bytes: %v", n, err)
		}
	}
}
