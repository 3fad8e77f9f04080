package engine

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/tvmexport/tvmexport"
)

// A landed batch is reused if the counts confirm it, or cannot decide.
func TestFreshLeavesOutWhatHasChanged(t *testing.T) {
	hour := time.Date(2026, 11, 1, 7, 0, 0, 0, time.UTC)
	windows := fillBins([]tvmexport.Count{{Start: hour, Rows: 10}, {Start: hour.Add(time.Hour), Rows: 20}, {Start: hour.Add(2 * time.Hour), Rows: 30}},
		tvmexport.Window{From: hour.Add(-tvmexport.Tick), To: hour.Add(2*time.Hour + 30*time.Minute)}, tvmexport.AllPartitions, time.Hour)
	within := func(from, to time.Duration, rows int64, late bool) tvmexport.BatchInfo {
		return tvmexport.BatchInfo{Rows: rows, Slice: tvmexport.Slice{Window: tvmexport.Window{From: hour.Add(from - tvmexport.Tick), To: hour.Add(to - tvmexport.Tick)}, Partitions: []tvmexport.Partition{tvmexport.AllPartitions}, Late: late}}
	}
	print := func(n int64) tvmexport.Fingerprint { return tvmexport.Fingerprint{Known: true, Sums: [3]int64{n}} }
	parts := []planUnit{{Partition: "0", Rows: 5, Fingerprint: print(1)}, {Partition: "1", Rows: 6, Fingerprint: print(2)}, {Partition: "2", Rows: 7, Fingerprint: print(4)}}
	of := func(rows int64, prints []tvmexport.Fingerprint, ps ...tvmexport.Partition) tvmexport.BatchInfo {
		return tvmexport.BatchInfo{Rows: rows, Fingerprints: tvmexport.NewFingerprints(prints...), Slice: tvmexport.Slice{Partitions: ps}}
	}
	lateHour := []planUnit{{Window: tvmexport.Window{From: hour.Add(-tvmexport.Tick), To: hour.Add(time.Hour - tvmexport.Tick)}, Rows: 10, Late: true}}
	for name, c := range map[string]struct {
		units   []planUnit
		batches []tvmexport.BatchInfo
		want    []int
	}{
		"as it was":                          {parts, []tvmexport.BatchInfo{of(11, nil, "0", "1"), of(7, nil, "2")}, []int{0, 1}},
		"other rows":                         {parts, []tvmexport.BatchInfo{of(12, nil, "0", "1"), of(7, nil, "2")}, []int{1}},
		"as many, but others":                {parts, []tvmexport.BatchInfo{of(11, []tvmexport.Fingerprint{print(1), print(3)}, "0", "1"), of(7, []tvmexport.Fingerprint{print(4)}, "2")}, []int{1}},
		"the whole changed, a part unknown":  {parts, []tvmexport.BatchInfo{of(4, nil, "1"), of(2, nil, "1#0")}, []int{1}},
		"divided, and a part missing":        {parts, []tvmexport.BatchInfo{of(1, nil, "00"), of(1, nil, "01")}, []int{0, 1}},
		"hours as they were":                 {windows, []tvmexport.BatchInfo{within(0, time.Hour, 10, false), within(time.Hour, 2*time.Hour, 20, false)}, []int{0, 1}},
		"an hour that has grown":             {windows, []tvmexport.BatchInfo{within(0, time.Hour, 9, false), within(time.Hour, 2*time.Hour, 20, false)}, []int{1}},
		"an hour that is not counted to end": {windows, []tvmexport.BatchInfo{within(2*time.Hour, 2*time.Hour+20*time.Minute, 4, false)}, []int{0}},
		"a late hour as it was":              {lateHour, []tvmexport.BatchInfo{within(0, time.Hour, 10, true)}, []int{0}},
		"a part of a late hour":              {lateHour, []tvmexport.BatchInfo{within(0, time.Minute, 10, true)}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			var list []tvmexport.OrphanedBatch
			for i, b := range c.batches {
				b.ID = tvmexport.BatchID(rune('a' + i))
				list = append(list, tvmexport.OrphanedBatch{Batch: b})
			}
			var got []int
			for _, l := range dropStale(c.units, list) {
				got = append(got, slices.IndexFunc(list, func(m tvmexport.OrphanedBatch) bool { return m.Batch.ID == l.Batch.ID }))
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Errorf("kept (-want +got):\n%s", d)
			}
		})
	}
}
