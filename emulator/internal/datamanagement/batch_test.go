package datamanagement

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

type change = func(m, properties map[string]any)

func flush(m, _ map[string]any)       { m["FlushImmediately"] = true }
func unknownSize(m, _ map[string]any) { delete(m, "RawDataSize") }

func set(name string, v any) change {
	return func(_, properties map[string]any) { properties[name] = v }
}

const (
	shortPolicy = `.alter table T policy ingestionbatching '{"MaximumBatchingTimeSpan":"00:00:30","MaximumNumberOfItems":3,"MaximumRawDataSizeMB":100}'`
	second      = time.Second
)

// When a batch is sealed: https://learn.microsoft.com/kusto/management/batching-policy.
func TestSealing(t *testing.T) {
	tests := map[string]struct {
		options Options
		sent    []change
		none    time.Duration // until when nothing may be there
		all     time.Duration // from when everything is
		batches int64
	}{
		"time":               {sent: []change{nil, nil}, none: 29 * second, all: 31 * second, batches: 1},
		"time of the option": {options: Options{Batching: 2 * second}, sent: []change{nil, nil}, none: second, all: 3 * second, batches: 1},
		"items":              {sent: []change{nil, nil, nil}, batches: 1},
		"size": {
			sent:    []change{nil, func(m, _ map[string]any) { m["RawDataSize"] = 100 << 20 }},
			batches: 1,
		},
		"FlushImmediately takes the open batch along": {sent: []change{nil, flush}, batches: 1},
		"unknown size is alone":                       {sent: []change{unknownSize, unknownSize}, batches: 2},
		"ingest-by is alone": {
			sent:    []change{set("tags", `["ingest-by:1"]`), set("tags", `["ingest-by:2"]`)},
			batches: 2,
		},
		"ingestIfNotExists is alone": {sent: []change{set("ingestIfNotExists", `["1"]`)}, batches: 1},
		"other tags share a batch": {
			sent: []change{set("tags", `["drop-by:1"]`), set("tags", `["drop-by:1"]`)},
			none: 29 * second, all: 31 * second, batches: 1,
		},
		"different tags do not": {
			sent: []change{set("tags", `["drop-by:1"]`), set("tags", `["drop-by:2"]`)},
			none: 29 * second, all: 31 * second, batches: 2,
		},
		"different creation times do not": {
			sent: []change{nil, set("creationTime", "2020-01-01T00:00:00Z")},
			none: 29 * second, all: 31 * second, batches: 2,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, tt.options, shortPolicy)
				for i, c := range tt.sent {
					b.send(string(rune('0'+i))+",x\n", c)
				}
				if tt.none > 0 {
					time.Sleep(tt.none)
					synctest.Wait()
					if got := b.rows(); len(got) != 0 {
						t.Errorf("after %v there are rows %v", tt.none, got)
					}
				}
				time.Sleep(tt.all - tt.none)
				synctest.Wait()
				if got := b.rows(); len(got) != len(tt.sent) {
					t.Errorf("after %v there are rows %v, want %d", tt.all, got, len(tt.sent))
				}
				if got := b.service.Stats(); got.Batches != tt.batches || got.Blobs != int64(len(tt.sent)) {
					t.Errorf("stats = %+v, want %d batches", got, tt.batches)
				}
			})
		})
	}
}

// What Deliver says happens.
func TestDelivery(t *testing.T) {
	tests := map[string]struct {
		outcomes []Outcome
		at       map[time.Duration][]string // rows then
		failures int                        // in .show ingestion failures
	}{
		"as usual":  {[]Outcome{{}}, map[time.Duration][]string{3 * second: {`1 "x"`}}, 0},
		"lost":      {[]Outcome{}, map[time.Duration][]string{time.Hour: nil}, 0},
		"duplicate": {[]Outcome{{}, {}}, map[time.Duration][]string{3 * second: {`1 "x"`, `1 "x"`}}, 0},
		"late": {
			[]Outcome{{After: time.Hour}},
			map[time.Duration][]string{3 * second: nil, time.Hour: nil, time.Hour + 3*second: {`1 "x"`}},
			0,
		},
		"transient": {
			[]Outcome{{Transient: true}},
			map[time.Duration][]string{3 * second: nil, 12 * second: {`1 "x"`}},
			1,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			for at, want := range tt.at {
				synctest.Test(t, func(t *testing.T) {
					b := newBench(t, Options{
						Batching: 2 * second, Retry: 7 * second,
						Deliver: func(m Message) ([]Outcome, bool) { return tt.outcomes, m.Table == "T" },
					})
					b.send("1,x\n", nil)
					time.Sleep(at)
					synctest.Wait()
					if d := cmp.Diff(want, b.rows()); d != "" {
						t.Errorf("after %v (-want +got)\n%s", at, d)
					}
					if got := b.command(".show ingestion failures"); len(got) != tt.failures {
						t.Errorf("failures = %v, want %d", got, tt.failures)
					}
				})
			}
		})
	}
}

// A message that nobody can read does no harm, and Close leaves open batches.
func TestBadMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, Options{})
		for _, text := range []string{"", "?", "bm90IGpzb24=", `{"Id":7}`, `{"DatabaseName":"db","TableName":"T"}`} {
			b.putText(text)
		}
		b.send("1,x\n", nil)
		synctest.Wait()
		if got := b.service.Stats(); got.Messages != 6 || got.Failed != 5 {
			t.Errorf("stats = %+v, want 6 messages of which 5 failed", got)
		}
	})
}
