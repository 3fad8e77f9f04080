package hunting

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tvmexport/tvmexport"
)

func TestCountFallsBackToTheWhole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &service{reply: func(_ int, query string) answer {
			if strings.Contains(query, "substring") {
				return answer{status: 400, body: `{"error":{"message":"substring is not supported. Fix semantic errors in your query."}}`}
			}
			return answer{body: `{"schema":[],"results":[{"Rows":7,"Proof":"NONCE:1.7","Now":"2026-11-23T12:00:00Z"}]}`}
		}}
		got, err := s.client(t, nil).Count(t.Context(), tvmexport.CountQuery{Table: inventory, Within: "3", Depth: 1})
		if err != nil {
			t.Fatal(err)
		}
		if len(got.Parts) != 16 || got.Calls != 2 {
			t.Fatalf("%+v", got)
		}
		want := tvmexport.Partition("30")
		var rows int64
		for _, p := range got.Parts {
			rows += p.Rows
		}
		if got.Parts[0].Partition != want || got.Parts[0].Rows != 1 || rows != 7 {
			t.Errorf("%+v", got.Parts)
		}
	})
}

func TestCountFoldsUnexpectedKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &service{reply: func(int, string) answer {
			return answer{body: `{"schema":[],"results":[
				{"Part":"3f","Low":"3fa","High":"3fb","Rows":5},
				{"Part":"","Low":"","High":"","Rows":2},
				{"Proof":"NONCE:4.12","Part":"","Rows":null,"Now":"2026-11-23T12:00:00.1234567Z"},
				{"Part":"3F","Low":"3FA","High":"3FA","Rows":1},
				{"Part":"X-","Low":"X-1","High":"X-1","Rows":4}]}`}
		}}
		got, err := s.client(t, nil).Count(t.Context(), tvmexport.CountQuery{Table: inventory, Depth: 2})
		if err != nil {
			t.Fatal(err)
		}
		want := fmt.Sprint([]tvmexport.Count{{Partition: "3f", Rows: 5}, {Partition: "~", Rows: 6}, {Partition: "3~", Rows: 1, OneKey: true}})
		if fmt.Sprint(got.Parts) != want {
			t.Errorf("got %v\nwant %v", got.Parts, want)
		}
		if !got.Now.Equal(time.Date(2026, 11, 23, 12, 0, 0, 123_456_700, time.UTC)) {
			t.Errorf("now %s", got.Now)
		}
	})
}

// What a count left out of the hash of rows, a fetch leaves out too.
func TestHashOfRowsIsThatOfTheCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var queries []string
		s := &service{reply: func(_ int, query string) answer {
			queries = append(queries, query)
			switch {
			case strings.Contains(query, "EndOfSupportDate"):
				return answer{status: 400, body: `{"error":{"message":"'extend' operator: Failed to resolve scalar expression named 'EndOfSupportDate'. Fix semantic errors in your query."}}`}
			case strings.Contains(query, "summarize Rows ="):
				return answer{body: `{"results":[{"Part":"a","Low":"a1","High":"a2","Rows":3},{"Proof":"NONCE:1.3","Now":"2026-11-23T12:00:00Z"}]}`}
			}
			return answer{body: good}
		}}
		c := s.client(t, nil)
		got, err := c.Count(t.Context(), tvmexport.CountQuery{Table: inventory, Within: "3f#", Depth: 1})
		if err != nil || len(got.Parts) != 1 || got.Parts[0].Partition != "3f#a" || got.Calls != 2 {
			t.Fatal(got, err)
		}
		if _, err := c.Fetch(t.Context(), tvmexport.Slice{Table: inventory, Partitions: []tvmexport.Partition{"3f#a"}}, discard{}); err != nil {
			t.Fatal(err)
		}
		if last := queries[len(queries)-1]; !strings.Contains(last, "and (hash_sha256(strcat(tostring(DeviceId), '|')) startswith_cs 'a')") {
			t.Error(last)
		}
	})
}

// A count that the gateway gives up on is made again, then more simply.
func TestCountThatTakesTooLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &service{reply: func(_ int, query string) answer {
			if strings.Contains(query, "Part =") {
				return answer{status: 504, body: `{"error":{"code":"UnknownError","message":""}}`}
			}
			return answer{body: `{"results":[{"Rows":32,"Proof":"NONCE:1.32","Now":"2026-11-23T12:00:00Z"}]}`}
		}}
		got, err := s.client(t, nil).Count(t.Context(), tvmexport.CountQuery{Table: inventory, Depth: 1})
		if err != nil || len(got.Parts) != 16 || got.Parts[15].Partition != "f" || got.Parts[15].Rows != 2 || got.Calls != 4 {
			t.Errorf("%+v, %v", got, err)
		}
	})
}

func TestEmptyCountTellsTheTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &service{reply: func(int, string) answer {
			return answer{body: `{"results":[{"Rows":{},"Proof":"NONCE:0.0","Now":"2026-11-23T12:00:00Z"}]}`}
		}}
		got, err := s.client(t, nil).Count(t.Context(), tvmexport.CountQuery{Table: events, Window: tvmexport.Window{From: noon}, Bin: time.Hour, Nulls: true})
		if err != nil || len(got.Parts) != 0 || got.Now.Hour() != 12 || got.Calls != 1 {
			t.Errorf("%+v, %v", got, err)
		}
	})
}

func TestBins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &service{reply: func(int, string) answer {
			return answer{body: `{"results":[{"Start":"2026-11-23T11:00:00Z","Rows":5},{"Start":{},"Rows":2},{"Start":{},"Rows":{},"Proof":"NONCE:2.7","Now":"2026-11-23T12:00:00Z"}]}`}
		}}
		got, err := s.client(t, nil).Count(t.Context(), tvmexport.CountQuery{Table: events, Bin: time.Hour, Nulls: true})
		want := []tvmexport.Count{{Start: time.Date(2026, 11, 23, 11, 0, 0, 0, time.UTC), Rows: 5}, {Rows: 2}}
		if d := cmp.Diff(want, got.Parts); err != nil || d != "" {
			t.Error(d, err)
		}
	})
}
