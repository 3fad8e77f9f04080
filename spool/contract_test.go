package spool

import (
	"context"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/contract"
)

// newSource makes a Source that waits for nothing, and checks at the end that it leaves
// no file and no goroutine.
func newSource(t *testing.T, behind tvmexport.ListingSource, o Options) *Source {
	t.Helper()
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	others := goleak.IgnoreCurrent()
	s, err := New(behind, o)
	if err != nil {
		t.Fatal(err)
	}
	s.pause = func(ctx context.Context, _ time.Duration) error { return context.Cause(ctx) }
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		isEmpty(t, o.Dir)
		goleak.VerifyNone(t, others)
	})
	return s
}

func isEmpty(t *testing.T, dir string) {
	t.Helper()
	left, err := os.ReadDir(dir)
	if err != nil || len(left) > 0 {
		t.Errorf("left in the folder: %v, %v", left, err)
	}
}

var (
	snapshot = tvmexport.Table{Name: "T", LoadType: tvmexport.Snapshot, Key: tvmexport.Key{Column: "DeviceId"}}
	events   = tvmexport.Table{Name: "E", LoadType: tvmexport.Incremental, Watermark: "Timestamp", Key: tvmexport.Key{Column: "DeviceId"}}
)

func TestSpoolKeepsTheContract(t *testing.T) {
	for name, prepare := range map[string]func(s *contract.ListingSource){
		"files": func(*contract.ListingSource) {},
		"sized": func(s *contract.ListingSource) { s.Announce = true },
		"pages": func(s *contract.ListingSource) { s.Walk = true },
	} {
		t.Run(name, func(t *testing.T) {
			contract.TestSource(t, func(t *testing.T) contract.SourceHarness { return harness(t, prepare) })
		})
	}
}

// metered is a source with a budget.
type metered struct{ *contract.ListingSource }

func (metered) Begin([]tvmexport.QuotaUsage) {}

func (m metered) QuotaUsage() tvmexport.QuotaUsage {
	return tvmexport.QuotaUsage{Calls: []tvmexport.CallCount{{At: time.Now(), Calls: m.Lists + len(m.Reads)}}}
}

func harness(t *testing.T, prepare func(s *contract.ListingSource)) contract.SourceHarness {
	behind := &contract.ListingSource{}
	prepare(behind)
	s := newSource(t, metered{behind}, Options{})
	at := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	rows, versions := map[string][]contract.Row{}, 0
	add := func(table string, i int, time time.Time) {
		key := fmt.Sprintf("%02x%038x", i*37%256, i)
		rows[table] = append(rows[table], contract.Row{Key: key, Time: time, JSON: fmt.Sprintf(`{"DeviceId":%q,"Timestamp":%s,"n":%d}`, key, stamp(time), i)})
	}
	generate := func(table string) {
		versions++
		var units [][]contract.Row
		for unit := range slices.Chunk(rows[table], 13) {
			units = append(units, unit)
		}
		behind.Generate(table, fmt.Sprint("version ", versions), units...)
		s.Release(table)
	}
	for i := range 60 {
		add("T", i, time.Time{})
		add("E", i, at.Add(-time.Duration(i)*10*time.Minute))
	}
	for _, table := range []string{"T", "E"} { // keys that are no hex digits
		rows[table] = append(rows[table], contract.Row{JSON: `{}`},
			contract.Row{Key: "G1", Time: at.Add(-time.Minute), JSON: `{"DeviceId":"G1","Timestamp":` + stamp(at.Add(-time.Minute)) + `}`})
		generate(table)
	}
	return contract.SourceHarness{
		Source: s, Table: snapshot, Events: events, Keeps: true,
		Rows: func(_ *testing.T, table string) []contract.Row { return rows[table] },
		Change: func(*testing.T) {
			rows["T"] = slices.Delete(slices.Clone(rows["T"]), 3, 6)
			add("T", 1000, time.Time{})
			generate("T")
		},
		Corrupt: func(_ *testing.T, how contract.Corruption) {
			left := s.attempts // of one unit, at all attempts
			switch how {
			case "":
				behind.Corrupt = nil
			case contract.Cut, contract.Duplicated:
				behind.Corrupt = func(u tvmexport.Unit, a *tvmexport.Answer) {
					if u.ID != "part-00000" || left == 0 {
						return
					}
					left--
					if a.Counted = tvmexport.Missing; how == contract.Duplicated {
						a.Counted = a.Rows - 1
					}
				}
			case contract.Reordered:
				slices.Reverse(rows["T"])
				generate("T")
			}
		},
	}
}

// stamp is the JSON of a time, null for the zero time.
func stamp(t time.Time) string {
	if t.IsZero() {
		return "null"
	}
	return t.Format(`"2006-01-02T15:04:05Z"`)
}
