package contract_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/contract"
)

func TestFakeSourceKeepsTheContract(t *testing.T) {
	contract.TestSource(t, func(*testing.T) contract.SourceHarness {
		at := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
		s := &contract.Source{}
		s.SetNow(at)
		rows := map[string][]contract.Row{}
		add := func(table string, i int, time time.Time) {
			key := fmt.Sprintf("%02x%038x", i*37%256, i)
			rows[table] = append(rows[table], contract.Row{Key: key, Time: time, JSON: fmt.Sprintf(`{"DeviceId":%q,"n":%d}`, key, i)})
		}
		for i := range 60 {
			add("T", i, time.Time{})
			add("E", i, at.Add(-time.Duration(i)*10*time.Minute))
		}
		// Keys that are no hex digits.
		for _, table := range []string{"T", "E"} {
			rows[table] = append(rows[table], contract.Row{Key: "", JSON: `{}`}, contract.Row{Key: "G1", Time: at.Add(-time.Minute), JSON: `{"DeviceId":"G1"}`})
			s.Set(table, rows[table])
		}
		table := tvmexport.Table{Name: "T", LoadType: tvmexport.Snapshot, Key: tvmexport.Key{Column: "DeviceId"}}
		events := tvmexport.Table{Name: "E", LoadType: tvmexport.Incremental, Watermark: "Timestamp", Key: tvmexport.Key{Column: "DeviceId"}}
		return contract.SourceHarness{
			Source: s, Table: table, Events: events,
			Rows: func(_ *testing.T, table string) []contract.Row { return rows[table] },
			Change: func(*testing.T) {
				rows["T"] = slices.Delete(slices.Clone(rows["T"]), 3, 6)
				add("T", 1000, time.Time{})
				s.Set("T", rows["T"])
			},
			Corrupt: func(_ *testing.T, how contract.Corruption) {
				switch how {
				case "":
					s.Corrupt = nil
				case contract.Cut, contract.Duplicated:
					s.Corrupt = func(_ tvmexport.Slice, a *tvmexport.Answer) {
						s.Corrupt = nil
						a.Counted++ // one more than was written
						if how == contract.Duplicated {
							a.Counted -= 2
						}
					}
				case contract.Reordered:
					list := slices.Clone(rows["T"])
					slices.Reverse(list)
					s.Set("T", list)
				}
			},
		}
	})
}
