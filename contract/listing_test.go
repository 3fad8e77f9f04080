package contract_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/contract"
)

func TestFakeListingSourceKeepsTheContract(t *testing.T) {
	for name, prepare := range map[string]func(s *contract.ListingSource){
		"files": func(s *contract.ListingSource) { s.Valid = time.Hour },
		"sized": func(s *contract.ListingSource) { s.Announce = true },
		"pages": func(s *contract.ListingSource) { s.Walk, s.Valid = true, time.Hour },
	} {
		t.Run(name, func(t *testing.T) {
			contract.TestListingSource(t, func(*testing.T) contract.ListingHarness { return listingHarness(prepare) })
		})
	}
}

func listingHarness(prepare func(s *contract.ListingSource)) contract.ListingHarness {
	s := &contract.ListingSource{}
	prepare(s)
	rows, versions := map[string][]contract.Row{}, 0
	generate := func(table string, sizes ...int) {
		versions++
		rows[table] = nil
		var units [][]contract.Row
		for i, n := range sizes {
			var unit []contract.Row
			for k := range n {
				key := fmt.Sprintf("%02x%038x", i, versions*1000+k)
				unit = append(unit, contract.Row{Key: key, Time: time.Now(), JSON: fmt.Sprintf(`{"DeviceId":%q}`, key)})
			}
			units, rows[table] = append(units, unit), append(rows[table], unit...)
		}
		s.Generate(table, fmt.Sprintf("2026-11-20T%02d:00:00Z", versions), units...)
	}
	generate("T", 5, 1, 17)
	generate("E", 3)
	h := contract.ListingHarness{
		Source: s,
		Table:  tvmexport.Table{Name: "T", LoadType: tvmexport.Snapshot, Key: tvmexport.Key{Column: "DeviceId"}},
		Events: tvmexport.Table{Name: "E", LoadType: tvmexport.Snapshot, Key: tvmexport.Key{Column: "DeviceId"}},
		Rows:   func(_ *testing.T, table string) []contract.Row { return rows[table] },
		Generate: func(*testing.T) {
			generate("T", 4, 9)
		},
		Corrupt: func(_ *testing.T, how contract.Corruption) {
			s.Corrupt = func(_ tvmexport.Unit, a *tvmexport.Answer) {
				s.Corrupt = nil
				if a.Counted = tvmexport.Missing; how == contract.Duplicated {
					a.Counted = a.Rows - 1
				}
			}
		},
	}
	if s.Valid > 0 {
		h.Expire = func(*testing.T) { time.Sleep(s.Valid) }
	}
	return h
}
