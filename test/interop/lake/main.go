// Lake writes a Delta table, or reads one, for suite.py: lake write|append|read FOLDER.
// What was written or read is printed as JSON, a line for each version.
package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/lake/delta"
	"github.com/tvmexport/tvmexport/lake/parquet"
	"github.com/tvmexport/tvmexport/lake/store"
	"github.com/tvmexport/tvmexport/lake/store/local"
)

// columns has a column of each type; the last one is in later versions only.
var columns = []tvmexport.Column{
	{Name: "DeviceId", Type: "string"},
	{Name: "Exposed", Type: "bool"},
	{Name: "Score", Type: "int"},
	{Name: "Bytes", Type: "long"},
	{Name: "Cvss", Type: "real"},
	{Name: "Seen", Type: "datetime"},
	{Name: "Tags", Type: "dynamic"},
	{Name: "Ref", Type: "guid"},
	{Name: "Later", Type: "string"},
}

const (
	versions    = 23
	rowsPerFile = 50
	app         = "tvmexport/Devices"
)

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	if len(os.Args) != 3 {
		return errors.New("usage: lake write|append|vacuum|read FOLDER")
	}
	s, err := local.Open(os.Args[2])
	if err != nil {
		return err
	}
	table := delta.Open(s, "devices", delta.Options{Engine: "tvmexport/interop", CheckpointEvery: 7})
	switch os.Args[1] {
	case "write":
		for n := range int64(versions) {
			if err := write(ctx, s, table, n); err != nil {
				return err
			}
		}
		return print(ctx, s, table)
	case "append":
		now, err := table.Snapshot(ctx)
		if err != nil {
			return err
		}
		last, _ := now.Txn(app)
		if err := write(ctx, s, table, last+1); err != nil {
			return err
		}
		return print(ctx, s, table)
	case "read":
		return print(ctx, s, table)
	}
	return fmt.Errorf("there is no command %s", os.Args[1])
}

// shown are the columns of a version.
func shown(n int64) []tvmexport.Column {
	if n < versions/2 {
		return columns[:len(columns)-1]
	}
	return columns
}

// write commits a version: a new file, and every third time without the oldest one.
func write(ctx context.Context, s store.Store, table *delta.Table, n int64) error {
	name := fmt.Sprintf("run=%d/part ä+%%20=%d.parquet", n, n)
	u, err := s.Create(ctx, table.File(name))
	if err != nil {
		return err
	}
	defer u.Abort()
	w, err := parquet.NewWriter(u, shown(n), parquet.NewCodec())
	if err != nil {
		return err
	}
	for i := range int64(rowsPerFile) {
		if err := w.Append(row(n, i)[:len(shown(n))]); err != nil {
			return err
		}
	}
	sum, err := w.Close()
	if err != nil {
		return err
	}
	info, err := u.Commit(ctx)
	if err != nil {
		return err
	}
	if err := parquet.Check(store.NewReaderAt(ctx, s, info), info.Size, sum); err != nil {
		return err
	}
	_, err = table.Commit(ctx, nil, func(_ context.Context, now *delta.Snapshot) (delta.Transaction, error) {
		x := delta.Transaction{
			Txn:  delta.Txn{AppID: app, Version: n},
			Add:  []delta.Add{{Path: name, Size: sum.Bytes, Stats: sum.Stats, Tags: map[string]string{"sha256": sum.SHA256}}},
			Note: json.RawMessage(fmt.Sprintf(`{"run":"run-%d"}`, n)),
		}
		if n%3 == 2 {
			for f := range now.Files() {
				x.Remove = append(x.Remove, f.Path)
				break
			}
		}
		if n == 0 || n == versions/2 {
			schema, err := delta.SchemaOf(shown(n))
			if err != nil {
				return x, err
			}
			x.Metadata = &delta.Metadata{Name: "Devices", Schema: schema, Configuration: map[string]string{
				delta.DeletedFileRetention: delta.Interval(365 * 24 * time.Hour), delta.LogRetention: delta.Interval(365 * 24 * time.Hour),
			}}
		}
		return x, nil
	})
	return err
}

// row is a row with values that are easily read wrongly.
func row(n, i int64) []parquet.Value {
	text := func(format string, args ...any) parquet.Value { return parquet.Text(fmt.Appendf(nil, format, args...)) }
	r := []parquet.Value{
		text("device-%d-%d", n, i), parquet.Bool(i%2 == 0), parquet.Int(i - 25), parquet.Int(math.MaxInt64 - i),
		parquet.Real(float64(i) / 8), parquet.Time(time.Date(2026, 11, 1, 0, 0, int(i), 123456000, time.UTC)),
		text(`{"n":%d,"t":["ü","%s"]}`, i, `\u0000`), text("00000000-0000-0000-0000-%012d", i), text("later %d", i),
	}
	if i%10 == 9 {
		clear(r[1:])
	}
	if i == 11 {
		r[4], r[7] = parquet.Real(math.Inf(1)), text("")
	}
	return r
}

// line is what is printed of a version.
type line struct {
	Version int64   `json:"version"`
	Millis  int64   `json:"millis"`
	Txn     int64   `json:"txn"`
	Files   int     `json:"files"`
	Rows    [][]any `json:"rows"` // sorted by the first column
	Error   string  `json:"error,omitempty"`
}

// print prints all versions.
func print(ctx context.Context, s store.Store, table *delta.Table) error {
	newest, err := table.Snapshot(ctx)
	if err != nil {
		return err
	}
	out := json.NewEncoder(os.Stdout)
	for v := range newest.Version + 1 {
		l := line{Version: v}
		if err := l.read(ctx, s, table); err != nil {
			l.Rows, l.Error = nil, err.Error()
		}
		if err := out.Encode(l); err != nil {
			return err
		}
	}
	return nil
}

func (l *line) read(ctx context.Context, s store.Store, table *delta.Table) error {
	at, err := table.At(ctx, l.Version)
	if err != nil {
		return err
	}
	l.Millis, l.Files, l.Rows = at.Time.UnixMilli(), at.Len(), [][]any{}
	l.Txn, _ = at.Txn(app)
	columns, err := at.Columns()
	if err != nil {
		return err
	}
	for f := range at.Files() {
		info, err := s.Stat(ctx, table.File(f.Path))
		if err != nil {
			return err
		}
		r, err := parquet.NewReader(store.NewReaderAt(ctx, s, info), info.Size, columns)
		if err != nil {
			return err
		}
		for row, err := range r.Rows(ctx, nil) {
			if err != nil {
				return err
			}
			l.Rows = append(l.Rows, plain(columns, row))
		}
	}
	slices.SortFunc(l.Rows, func(a, b []any) int { return cmp.Compare(a[0].(string), b[0].(string)) })
	return nil
}

// plain is a row for JSON: times in microseconds, infinity as text.
func plain(columns []tvmexport.Column, row []parquet.Value) []any {
	out := make([]any, len(row))
	for i, v := range row {
		switch {
		case v.IsNull():
		case columns[i].Type == "bool":
			out[i] = v.Bool()
		case columns[i].Type == "real" && math.IsInf(v.Real(), 0):
			out[i] = fmt.Sprint(v.Real())
		case columns[i].Type == "real":
			out[i] = v.Real()
		case slices.Contains([]string{"int", "long", "datetime"}, columns[i].Type):
			out[i] = v.Int()
		default:
			out[i] = string(v.Text())
		}
	}
	return out
}
