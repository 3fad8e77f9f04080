package lake_test

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/contract"
	"github.com/tvmexport/tvmexport/lake"
	"github.com/tvmexport/tvmexport/lake/parquet"
	"github.com/tvmexport/tvmexport/lake/store"
	"github.com/tvmexport/tvmexport/lake/store/local"
)

// TestContract runs the suite that every Destination passes.
func TestContract(t *testing.T) {
	contract.TestDestination(t, func(t *testing.T) contract.Harness {
		// The decoders of the last case have channels of its bubble: two collections empty the pool.
		runtime.GC()
		runtime.GC()
		root := t.TempDir()
		s, err := local.Open(root)
		if err != nil {
			t.Fatal(err)
		}
		c := lake.New(lake.Options{Store: s, Version: "v1.2.3"})
		t.Cleanup(func() {
			if err := c.Close(); err != nil {
				t.Error(err)
			}
		})
		snapshot := tvmexport.Table{Name: "T", Destination: "TRaw", LoadType: tvmexport.Snapshot, Columns: []tvmexport.Column{{Name: "DeviceId", Type: "string"}}}
		snapshot.Key.Column = "DeviceId"
		events := tvmexport.Table{
			Name: "E", Destination: "ERaw", LoadType: tvmexport.Incremental, Watermark: "Timestamp",
			Columns: []tvmexport.Column{{Name: "Timestamp", Type: "datetime"}, {Name: "DeviceId", Type: "string"}},
		}
		configure := func(t *testing.T, row contract.ConfigRow) {
			err := c.Configure(context.Background(), lake.Configured{
				Table: row.Table, Into: row.Into, Watermark: row.Watermark, Load: row.Load, Refreshed: row.From, Active: row.Active,
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		for _, table := range []tvmexport.Table{snapshot, events} {
			configure(t, contract.ConfigRow{Table: table.Name, Into: table.Destination, Load: string(table.LoadType), Watermark: table.Watermark, Active: true})
		}
		return contract.Harness{
			Destination: c, Table: snapshot, Events: events, Wait: time.Second, Once: true,
			Published: func(t *testing.T, run tvmexport.RunID) int { return rowsOf(t, s, filepath.Join(root, "T"), run) },
			Configure: configure,
			Lose: func(t *testing.T, run tvmexport.RunID) {
				if err := os.RemoveAll(filepath.Join(root, "T", "data", string(run))); err != nil {
					t.Fatal(err)
				}
			},
			Raise: func(t *testing.T, to tvmexport.StoredShape) { raise(t, root, to) },
		}
	})
}

// rowsOf counts the rows of a run in the files of a table.
func rowsOf(t *testing.T, s store.Store, folder string, run tvmexport.RunID) (n int) {
	t.Helper()
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".parquet") || strings.Contains(path, "_delta_log") {
			return err
		}
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		i, err := f.Stat()
		if err != nil {
			return err
		}
		r, err := parquet.NewReader(f, i.Size(), []tvmexport.Column{{Name: lake.RunColumn, Type: "string"}})
		if err != nil {
			return err
		}
		for row, err := range r.Rows(t.Context(), nil) {
			if err != nil {
				return err
			}
			if string(row[0].Text()) == string(run) {
				n++
			}
		}
		return nil
	})
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return n
}

// raise writes another stored shape, as another version of the program does.
func raise(t *testing.T, root string, to tvmexport.StoredShape) {
	t.Helper()
	name := filepath.Join(root, "_tvmexport", "lake.json")
	text := []byte(`{"shape":1000,"version":"` + to.Version + `"}`)
	if to == (tvmexport.StoredShape{}) {
		text = []byte(`{"shape":1,"version":"v1.2.3"}`)
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, text, 0o666); err != nil {
		t.Fatal(err)
	}
}
