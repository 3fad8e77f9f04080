package kusto

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/kusto/kql"
)

// TestRowsOfOperators: rows of MigrationConfiguration as people write them: with nulls, in any case of letters, twice,
// with line breaks, with two times that differ, in a table with more columns in another order.
func TestRowsOfOperators(t *testing.T) {
	at := time.Date(2026, 11, 20, 4, 5, 6, 700, time.UTC)
	const note = "LastRefreshedTimeInString and LastRefreshedTime in MigrationConfiguration say different times: LastRefreshedTime counts"
	type row struct {
		table, into, column, text, load string
		at                              time.Time
		active                          string
	}
	for name, c := range map[string]struct {
		rows []row // each appended by itself
		want tvmexport.Order
		err  bool
	}{
		"nothing": {[]row{{active: "bool(null)"}}, tvmexport.Order{Into: "Raw", Load: "", Active: false}, true},
		"the table alone": {
			[]row{{table: "T", active: "bool(null)"}},
			tvmexport.Order{Table: "T", Into: "TRaw", Load: tvmexport.Snapshot},
			false,
		},
		"lower case, blanks and line breaks": {
			[]row{{table: "T", into: " Elsewhere\n", column: "Timestamp\r\n", load: " full\n", active: "true"}},
			tvmexport.Order{Table: "T", Into: "Elsewhere", Column: "Timestamp", Load: tvmexport.FullThenIncr, Active: true},
			false,
		},
		"the same twice": {
			[]row{{table: "T", column: "Timestamp", load: "INCR", at: at, active: "true"}, {table: "T", column: "Timestamp", load: "INCR", at: at, active: "true"}},
			tvmexport.Order{Table: "T", Into: "TRaw", Column: "Timestamp", Load: tvmexport.Incremental, From: at, Active: true},
			false,
		},
		"a text that says the same": {
			[]row{{table: "T", column: "Timestamp", load: "Incr", at: at, text: "2026-11-20 04:05:06", active: "true"}},
			tvmexport.Order{Table: "T", Into: "TRaw", Column: "Timestamp", Load: tvmexport.Incremental, From: at, Active: true},
			false,
		},
		"a text that says something else": {
			[]row{{table: "T", column: "Timestamp", load: "Incr", at: at, text: "2026-11-19T04:05:06Z", active: "true"}},
			tvmexport.Order{Table: "T", Into: "TRaw", Column: "Timestamp", Load: tvmexport.Incremental, From: at, Active: true, Note: note},
			false,
		},
		"a text alone": {
			[]row{{table: "T", column: "Timestamp", load: "Incr", text: "yesterday\nevening", active: "true"}},
			tvmexport.Order{Table: "T", Into: "TRaw", Column: "Timestamp", Load: tvmexport.Incremental, Active: true, Note: note},
			false,
		},
		"the time of a snapshot": {
			[]row{{table: "T", load: "snapshot ", at: at, active: "true"}, {table: "T", load: "Snapshot", at: at.Add(time.Hour), active: "true"}, {table: "T", column: "Timestamp", load: "incr", at: at, active: "true"}},
			tvmexport.Order{Table: "T", Into: "TRaw", Column: "Timestamp", Load: tvmexport.Incremental, Active: true},
			false,
		},
		"a snapshot, and another time": {
			[]row{{table: "T", at: at, active: "true"}, {table: "T", column: "Timestamp", load: "incr", at: at.Add(tvmexport.Tick), active: "true"}},
			tvmexport.Order{Table: "T", Into: "TRaw", Column: "Timestamp", Load: tvmexport.Incremental, From: at.Add(tvmexport.Tick), Active: true},
			false,
		},
		"a time in the future": {
			[]row{{table: "T", column: "Timestamp", load: "Incr", at: at.AddDate(90, 0, 0), active: "true"}},
			tvmexport.Order{Table: "T", Into: "TRaw", Column: "Timestamp", Load: tvmexport.Incremental, From: at.AddDate(90, 0, 0), Active: true},
			false,
		},
	} {
		t.Run(name, func(t *testing.T) {
			onStage(t, func(s stage) {
				s.asAdmin(".create table MigrationConfiguration (Note:string, IsActive:bool, Undated:long, LoadType:string, LastRefreshedTimeInString:string, LastRefreshedTime:datetime, WatermarkColumn:string, WrittenAt:string, DestinationTable:string, SourceTable:string)")
				for _, r := range c.rows {
					s.asAdmin(fmt.Sprintf(".set-or-append MigrationConfiguration <| print 'by hand', %s, long(7), %s, %s, %s, %s, 'me', %s, %s",
						r.active, kql.Literal(r.load), kql.Literal(r.text), kql.Datetime(r.at), kql.Literal(r.column), kql.Literal(r.into), kql.Literal(r.table)))
					time.Sleep(time.Minute)
				}
				got, err := s.client.Orders(s.Context())
				s.must(err)
				if len(got) != 1 || (got[0].Err != nil) != c.err {
					t.Fatalf("orders %+v", got)
				}
				got[0].Err = nil
				if d := cmp.Diff(c.want, got[0]); d != "" {
					t.Errorf("(-want +got):\n%s", d)
				}
			})
		})
	}
}
