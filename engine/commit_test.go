package engine

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tvmexport/tvmexport"
)

func TestRecordsOf(t *testing.T) {
	hour := func(n int) tvmexport.Window {
		start := time.Date(2026, 11, 1, n, 0, 0, 0, time.UTC)
		return tvmexport.Window{From: start, To: start.Add(time.Hour)}
	}
	printOf := func(n int64) tvmexport.Fingerprint {
		return tvmexport.Fingerprint{Known: true, Sums: [3]int64{n, n, n}}
	}
	batch := func(w tvmexport.Window, parts []tvmexport.Partition, counts []int64, prints ...tvmexport.Fingerprint) tvmexport.BatchInfo {
		return tvmexport.BatchInfo{Slice: tvmexport.Slice{Window: w, Partitions: parts}, Counts: counts, Fingerprints: tvmexport.NewFingerprints(prints...)}
	}
	type parts = []tvmexport.Partition
	all := tvmexport.Window{}
	tests := []struct {
		name    string
		batches []tvmexport.BatchInfo
		want    []tvmexport.PartitionRecord
	}{
		{name: "nothing"},
		{name: "sorted, without empty ones", batches: []tvmexport.BatchInfo{
			batch(all, parts{"b0", "a0"}, []int64{2, 1}, printOf(2), printOf(1)),
			batch(all, parts{"a1"}, []int64{0}, printOf(0)),
		}, want: []tvmexport.PartitionRecord{{Partition: "a0", Rows: 1, Fingerprint: printOf(1)}, {Partition: "b0", Rows: 2, Fingerprint: printOf(2)}}},
		{name: "a divided partition is added up", batches: []tvmexport.BatchInfo{
			batch(all, parts{"a00", "a01"}, []int64{3, 4}, printOf(3), printOf(4)),
			batch(all, parts{"a02"}, []int64{5}, printOf(5)),
		}, want: []tvmexport.PartitionRecord{{Partition: "a0", Rows: 12, Fingerprint: printOf(12)}}},
		{name: "of a fingerprint that is not known none is known", batches: []tvmexport.BatchInfo{
			batch(all, parts{"a00"}, []int64{3}, printOf(3)),
			batch(all, parts{"a01", "b0"}, []int64{4, 1}),
			batch(all, parts{"a02"}, []int64{5}, printOf(5)),
		}, want: []tvmexport.PartitionRecord{{Partition: "a0", Rows: 12}, {Partition: "b0", Rows: 1}}},
		{name: "windows stay apart", batches: []tvmexport.BatchInfo{
			batch(hour(2), parts{""}, []int64{2}, printOf(2)),
			batch(tvmexport.Window{Null: true}, parts{""}, []int64{7}, printOf(7)),
			batch(hour(1), parts{""}, []int64{1}, printOf(1)),
			batch(tvmexport.Window{From: hour(1).From, To: hour(2).To}, parts{""}, []int64{3}, printOf(3)),
			batch(hour(1), parts{""}, []int64{1}, printOf(1)),
			batch(all, parts{""}, []int64{5}, printOf(5)),
		}, want: []tvmexport.PartitionRecord{
			{Rows: 5, Fingerprint: printOf(5)},
			{Window: tvmexport.Window{Null: true}, Rows: 7, Fingerprint: printOf(7)},
			{Window: hour(1), Rows: 2, Fingerprint: printOf(2)},
			{Window: tvmexport.Window{From: hour(1).From, To: hour(2).To}, Rows: 3, Fingerprint: printOf(3)},
			{Window: hour(2), Rows: 2, Fingerprint: printOf(2)},
		}},
	}
	run := tvmexport.Run{Table: tvmexport.Table{LoadType: tvmexport.Snapshot}, Depth: 2}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := recordsOf(tt.batches, run)
			if len(got)+len(tt.want) > 0 && !cmp.Equal(got, tt.want) {
				t.Error(cmp.Diff(tt.want, got))
			}
		})
	}
}
