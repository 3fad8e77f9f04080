package lake

import (
	"context"
	"crypto/rand"
	"iter"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/lake/delta"
	"github.com/tvmexport/tvmexport/lake/parquet"
	"github.com/tvmexport/tvmexport/lake/store"
)

// Names of the tables that are about the export itself.
const (
	RunsTable          = "ExportRuns"
	PartitionsTable    = "ExportPartitions"
	ConfigurationTable = "MigrationConfiguration"
	AuditTable         = "MigrationAuditLog"
)

// mostSmallFiles is how many files a table has that gets one with each commit. Then its rows are
// gathered in one.
const mostSmallFiles = 32

// writeFile writes rows into a new file of a Delta table, and reads it back.
func (f *folder) writeFile(ctx context.Context, table string, columns []tvmexport.Column, rows iter.Seq2[[]parquet.Value, error]) (a delta.Add, err error) {
	t := f.table(table)
	a.Path = dataFolder + "/" + rand.Text()[:20] + ".parquet"
	u, err := f.store.Create(ctx, t.File(a.Path))
	if err != nil {
		return a, err
	}
	defer u.Abort()
	w, err := parquet.NewWriter(u, columns, parquet.NewCodec())
	if err != nil {
		return a, f.fail("write", t.File(a.Path), table, err)
	}
	for row, err := range rows {
		if err != nil {
			return a, err
		}
		if err := w.Append(row); err != nil {
			return a, f.fail("write", t.File(a.Path), table, err)
		}
	}
	sum, err := w.Close()
	if err != nil {
		return a, f.fail("write", t.File(a.Path), table, err)
	}
	info, err := u.Commit(ctx)
	if err != nil {
		return a, err
	}
	if err := parquet.Check(store.NewReaderAt(ctx, f.store, info), info.Size, sum); err != nil {
		return a, f.fail("write", t.File(a.Path), table, err)
	}
	a.Size, a.Modified, a.Stats = info.Size, delta.MillisOf(info.Modified), sum.Stats
	return a, nil
}

// each yields rows without errors.
func each(rows [][]parquet.Value) iter.Seq2[[]parquet.Value, error] {
	return func(yield func([]parquet.Value, error) bool) {
		for _, r := range rows {
			if !yield(r, nil) {
				return
			}
		}
	}
}

// appendRows adds rows to a small table once: a second call with the same transaction adds nothing.
func (f *folder) appendRows(ctx context.Context, table string, columns []tvmexport.Column, txn delta.Txn, rows [][]parquet.Value) error {
	s, err := f.snapshot(ctx, table)
	if err != nil {
		return err
	}
	if v, ok := s.Txn(txn.AppID); ok && v >= txn.Version {
		return nil
	}
	x := delta.Transaction{Txn: txn}
	if len(rows) > 0 {
		a, err := f.writeFile(ctx, table, columns, each(rows))
		if err != nil {
			return err
		}
		x.Add = []delta.Add{a}
	}
	done, err := f.table(table).Commit(ctx, s, func(_ context.Context, s *delta.Snapshot) (delta.Transaction, error) {
		if !s.Exists() {
			m, err := f.metadata(table, s, columns)
			x.Metadata = m
			return x, err
		}
		x.Metadata = nil
		return x, nil
	})
	if err != nil {
		return err
	}
	f.keep(table, done.Snapshot)
	if done.Snapshot.Len() > mostSmallFiles {
		f.gather(ctx, table, columns, done.Snapshot)
	}
	return nil
}

// gather puts the rows of a small table into one file. Another writer may be faster: then the
// next commit does it.
func (f *folder) gather(ctx context.Context, table string, columns []tvmexport.Column, s *delta.Snapshot) {
	x := delta.Transaction{Rearrange: true, Operation: "OPTIMIZE"}
	for a := range s.Files() {
		x.Remove = append(x.Remove, a.Path)
	}
	a, err := f.writeFile(ctx, table, columns, f.allRows(ctx, table, s, columns))
	if err == nil {
		x.Add = []delta.Add{a}
		var done delta.Committed
		done, err = f.table(table).Commit(ctx, s, func(context.Context, *delta.Snapshot) (delta.Transaction, error) { return x, nil })
		if err == nil {
			f.keep(table, done.Snapshot)
			return
		}
	}
	f.log.InfoContext(ctx, "lake: small files are not gathered", "table", table, "error", err)
}

// allRows are the rows of a version of a small table.
func (f *folder) allRows(ctx context.Context, table string, s *delta.Snapshot, columns []tvmexport.Column) iter.Seq2[[]parquet.Value, error] {
	r := &reader{f}
	return func(yield func([]parquet.Value, error) bool) {
		for a := range s.Files() {
			for row, err := range r.rows(ctx, table, a, columns) {
				if !yield(row, err) || err != nil {
					return
				}
			}
		}
	}
}
