package engine

import (
	"strings"
	"testing"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/internal/jsonnames"
)

// Lines of landed batches are read by later versions, and by earlier ones while a fleet is upgraded.
func TestLandingLines(t *testing.T) {
	at := time.Date(2026, 11, 29, 13, 5, 7, 123456700, time.UTC)
	run := tvmexport.Run{
		ID: "20261129T130507Z-0123456789ab", Previous: "20261128T130507Z-0123456789ab", Kind: tvmexport.DeltaRun, Depth: 2, StartedAt: at,
		Tenant: "11111111-2222-3333-4444-555555555555",
		Table: tvmexport.Table{
			Name: "T", LoadType: tvmexport.Snapshot, Watermark: "Timestamp", Key: tvmexport.Key{Column: "DeviceId"},
			Columns: []tvmexport.Column{{Name: "DeviceId", Type: "string"}, {Name: "Timestamp", Type: "datetime"}},
		},
	}
	known := tvmexport.Fingerprint{Known: true, Sums: [3]int64{1, 2, 3}}
	unread := []tvmexport.Unread{{Column: "N", Type: "long", Values: 2, Batch: "R.0001", Line: 1}}
	var lines []string
	for _, c := range []struct {
		load   tvmexport.LoadType
		slice  tvmexport.Slice
		prints []tvmexport.Fingerprint
		unread []tvmexport.Unread
	}{
		{load: tvmexport.Snapshot, slice: tvmexport.Slice{Partitions: []tvmexport.Partition{"3", "4f", "~"}}},
		{load: tvmexport.Snapshot, slice: tvmexport.Slice{Partitions: []tvmexport.Partition{"3"}}, prints: []tvmexport.Fingerprint{known}, unread: unread},
		{load: tvmexport.Snapshot, slice: tvmexport.Slice{Partitions: []tvmexport.Partition{""}}},
		{load: tvmexport.Incremental, slice: tvmexport.Slice{Window: tvmexport.Window{From: at, To: at.Add(time.Hour)}, Partitions: []tvmexport.Partition{""}, Late: true}},
		{load: tvmexport.Incremental, slice: tvmexport.Slice{Window: tvmexport.Window{Null: true}, Partitions: []tvmexport.Partition{"3#a", "3#b"}}},
	} {
		run.Table.LoadType = c.load
		c.slice.Table = run.Table
		var out strings.Builder
		l := newBatchEncoder(tvmexport.BatchID(run.ID)+".0001", run, c.slice, &out)
		l.unread = c.unread
		if err := l.WriteRow([]byte("3f"), []byte(`{"DeviceId":"3f","N":1}`)); err != nil {
			t.Fatal(err)
		}
		if err := l.close(tvmexport.NewFingerprints(c.prints...)); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")...)
	}
	jsonnames.Kept(t, "landing_lines", lines)
}
