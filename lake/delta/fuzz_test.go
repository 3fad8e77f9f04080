package delta_test

import (
	"bytes"
	"testing"

	"github.com/tvmexport/tvmexport/lake/delta"
	"github.com/tvmexport/tvmexport/lake/store"
	"github.com/tvmexport/tvmexport/lake/store/local"
)

// FuzzLog reads a log whose second commit, or whose checkpoint and pointer, are anything: the
// table is read, or an error is returned.
func FuzzLog(f *testing.F) {
	f.Add([]byte(`{"add":{"path":"a%20b","partitionValues":{},"size":1,"modificationTime":2,"dataChange":true}}`), false)
	f.Add([]byte(`{"commitInfo":{"timestamp":5,"tvmexportActions":1}}`+"\n"+`{"remove":{"path":"run=0/a b.parquet"}}`), false)
	f.Add([]byte(`{"metaData":{"id":"x","schemaString":"{\"type\":\"struct\",\"fields\":[]}","configuration":null}}`), false)
	f.Add([]byte(`{"protocol":{"minReaderVersion":3,"readerFeatures":["deletionVectors"]}}`), false)
	f.Add([]byte(`{"version":0,"size":1}`), true)
	f.Add([]byte("PAR1"), true)
	f.Fuzz(func(t *testing.T, data []byte, checkpoint bool) {
		s, err := local.Open(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		table := delta.Open(s, "t", delta.Options{CheckpointEvery: -1})
		if _, err := table.Commit(t.Context(), nil, run(t, 0)); err != nil {
			t.Fatal(err)
		}
		names := []string{"t/_delta_log/00000000000000000001.json"}
		if checkpoint {
			names = []string{"t/_delta_log/00000000000000000000.checkpoint.parquet", "t/_delta_log/_last_checkpoint"}
		}
		for _, name := range names {
			if _, err := s.Put(t.Context(), name, bytes.Clone(data), store.IfAbsent()); err != nil {
				t.Fatal(err)
			}
		}
		now, err := table.Snapshot(t.Context())
		if checkpoint && err != nil {
			t.Fatalf("a broken checkpoint hides commits that are there: %v", err)
		}
		if err != nil {
			return
		}
		for a := range now.Files() {
			_ = table.File(a.Path)
		}
		if _, err := now.Columns(); err == nil && now.Version >= 0 {
			if err := table.Checkpoint(t.Context(), now); err != nil {
				return
			}
			again, err := table.At(t.Context(), now.Version)
			if err != nil || again.Len() != now.Len() {
				t.Fatalf("the checkpoint is not read as it was written: %v", err)
			}
		}
	})
}
