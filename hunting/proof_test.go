package hunting

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tvmexport/tvmexport"
)

const at = `"Now":"2026-11-23T12:00:00Z"`

// An answer to a count that does not prove itself, or holds a value that the
// query cannot give, is asked for again, and decides nothing.
func TestCountsThatProveNothing(t *testing.T) {
	parts := tvmexport.CountQuery{Table: inventory, Depth: 1}
	printed := parts
	printed.Fingerprints = true
	below := tvmexport.CountQuery{Table: inventory, Within: "3", Depth: 1}
	only := tvmexport.CountQuery{Table: inventory, Only: []tvmexport.Partition{"3", "4"}, Depth: 1}
	hashed := tvmexport.CountQuery{Table: inventory, Within: "3f#a", Depth: 1}
	bins := tvmexport.CountQuery{Table: events, Window: tvmexport.Window{From: noon, To: noon.Add(3 * time.Hour)}, Bin: time.Hour}
	tests := []struct {
		name string
		q    tvmexport.CountQuery
		rows string
		want string
	}{
		{"empty", parts, ``, "lacks its proof row"},
		{"cut before the proof", parts, `{"Part":"3","Rows":5}`, "has 1 parts and lacks its proof row"},
		{"cut within", parts, `{"Part":"3","Rows":5},{"Proof":"NONCE:2.6",` + at + `}`, "1 parts with 5 rows, but its proof says 2 parts with 6 rows"},
		{"a part repeated", parts, `{"Part":"3","Rows":5},{"Part":"3","Rows":5},{"Proof":"NONCE:1.5",` + at + `}`, "2 parts with 10 rows"},
		{"a part repeated in the place of another", parts, `{"Part":"3","Low":"3","High":"3","Rows":5},{"Part":"3","Low":"3","High":"3","Rows":5},{"Proof":"NONCE:2.10",` + at + `}`, "contains a part twice"},
		{"other numbers", parts, `{"Part":"3","Rows":5},{"Proof":"NONCE:1.6",` + at + `}`, "1 parts with 5 rows, but its proof says 1 parts with 6 rows"},
		{"the proof repeated", parts, `{"Proof":"NONCE:0.0",` + at + `},{"Proof":"NONCE:0.0",` + at + `}`, "its proof twice"},
		{"of another query", parts, `{"Proof":"00000000000000000000000000000000:0.0",` + at + `}`, "answers another query"},
		{"a proof of words", parts, `{"Proof":"NONCE:a.b",` + at + `}`, "not a pair of numbers"},
		{"a negative proof", parts, `{"Proof":"NONCE:-1.0",` + at + `}`, "not a pair of numbers"},
		{"no clock", parts, `{"Proof":"NONCE:0.0","Now":{}}`, "does not return its time"},
		{"a clock of words", parts, `{"Proof":"NONCE:0.0","Now":"noon"}`, "column Now: its value is not a datetime"},
		{"no count", parts, `{"Part":"3","Rows":null},{"Proof":"NONCE:1.0",` + at + `}`, "has no row count"},
		{"a negative count", parts, `{"Part":"3","Rows":-5},{"Proof":"NONCE:1.0",` + at + `}`, "column Rows: its value is negative"},
		{"a count beyond 64 bits", parts, `{"Part":"3","Rows":9223372036854775808}`, "column Rows: its value is beyond 64 bits"},
		{"a sum beyond 64 bits", parts, `{"Part":"3","Rows":9223372036854775807},{"Part":"4","Rows":1}`, "the sum of its rows exceeds 64 bits"},
		{"a count as text", parts, `{"Part":"3","Rows":"5"}`, "column Rows: its value is not an integer"},
		{"a count with a fraction", parts, `{"Part":"3","Rows":5.0}`, "column Rows: its value is not an integer"},
		{"a part that is a number", parts, `{"Part":3,"Rows":5}`, "column Part: its value is not a text"},
		{"an unknown column", parts, `{"Part":"3","Rows":5,"Count_":5}`, "a column that was not requested"},
		{"a column twice", parts, `{"Part":"3","Rows":5,"Rows":5}`, "column Rows twice"},
		{"no objects", parts, `7`, "not an object"},
		{"a part too deep", parts, `{"Part":"3f","Rows":5},{"Proof":"NONCE:1.5",` + at + `}`, "more than the requested 1 digits"},
		{"a part outside", below, `{"Part":"4f","Rows":5},{"Proof":"NONCE:1.5",` + at + `}`, `outside the requested partition "3"`},
		{"a part that was not named", only, `{"Part":"5","Rows":5},{"Proof":"NONCE:1.5",` + at + `}`, "a part that was not requested"},
		{"a part in the place of another", parts, `{"Part":"4","Low":"3a","High":"3f","Rows":5},{"Proof":"NONCE:1.5",` + at + `}`, "has keys of another part"},
		{"no digits of a hash", hashed, `{"Part":"ax","Rows":5},{"Proof":"NONCE:1.5",` + at + `}`, "not 2 digits of a hash"},
		{"digits of another hash", hashed, `{"Part":"b1","Rows":5},{"Proof":"NONCE:1.5",` + at + `}`, "not 2 digits of a hash"},
		{"a fingerprint of words", printed, `{"Part":"3","Rows":5,"PrintA":"x","PrintB":1,"PrintC":1}`, "column PrintA: its value is not an integer"},
		{"a negative fingerprint", printed, `{"Part":"3","Rows":5,"PrintA":-1,"PrintB":1,"PrintC":1}`, "column PrintA: its value is negative"},
		{"half a fingerprint", printed, `{"Part":"3","Rows":5,"PrintA":1,"PrintB":1},{"Proof":"NONCE:1.5",` + at + `}`, "1 of its 1 fingerprints are incomplete"},
		{"some without a fingerprint", printed, `{"Part":"3","Rows":5,"PrintA":1,"PrintB":1,"PrintC":1},{"Part":"4","Rows":1},{"Proof":"NONCE:2.6",` + at + `}`, "1 of its 2 fingerprints are incomplete"},
		{"a fingerprint too large", printed, `{"Part":"3","Rows":1,"PrintA":1099511627777,"PrintB":1,"PrintC":1},{"Proof":"NONCE:1.1",` + at + `}`, "too large for 1 rows"},
		{"a step before the window", bins, `{"Start":"2026-11-23T11:00:00Z","Rows":5},{"Proof":"NONCE:1.5",` + at + `}`, "outside the requested window"},
		{"a step behind the window", bins, `{"Start":"2026-11-23T16:00:00Z","Rows":5},{"Proof":"NONCE:1.5",` + at + `}`, "outside the requested window"},
		{"a step twice", bins, `{"Start":"2026-11-23T13:00:00Z","Rows":5},{"Start":"2026-11-23T13:00:00Z","Rows":5},{"Proof":"NONCE:2.10",` + at + `}`, "time step twice"},
		{"steps that overlap", bins, `{"Start":"2026-11-23T13:00:00Z","Rows":5},{"Start":"2026-11-23T13:30:00Z","Rows":5},{"Proof":"NONCE:2.10",` + at + `}`, "two that overlap"},
		{"rows without a time in a window", bins, `{"Start":{},"Rows":5},{"Proof":"NONCE:1.5",` + at + `}`, "without a time"},
	}
	for _, api := range []API{Graph, XDR, MDE} {
		for _, tt := range tests {
			t.Run(fmt.Sprintf("%v/%s", api, tt.name), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s := &service{reply: func(int, string) answer { return answer{body: `{"Results":[` + tt.rows + `]}`} }}
					counts, err := s.client(t, func(o *Options) { o.API = api }).Count(t.Context(), tt.q)
					if err == nil || !strings.Contains(err.Error(), tt.want) {
						t.Fatalf("%+v, %v", counts, err)
					}
					if tvmexport.ActionOf(err) != tvmexport.Stop || tvmexport.CauseOf(err) != tvmexport.Integrity || len(s.at) != 3 || counts.Calls != 3 {
						t.Errorf("%d calls, %v", len(s.at), err)
					}
				})
			})
		}
	}
}

// A corrupt answer is requested again, and the correct one counts.
func TestSpoiledCountIsMadeAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &service{reply: func(n int, _ string) answer {
			if n == 1 {
				return answer{body: `{"results":[{"Part":"3","Rows":5}]}`}
			}
			return answer{body: `{"results":[{"Part":"3","Low":"3","High":"3","Rows":5},{"Part":"4","Low":"4a","High":"4b","Rows":1},{"Proof":"NONCE:2.6",` + at + `}]}`}
		}}
		got, err := s.client(t, nil).Count(t.Context(), tvmexport.CountQuery{Table: inventory, Depth: 1})
		if err != nil || len(got.Parts) != 2 || got.Calls != 2 {
			t.Errorf("%+v, %v", got, err)
		}
	})
}

// A service that computes no fingerprints gives none, and is believed.
func TestCountWithoutAnyFingerprint(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &service{reply: func(int, string) answer {
			return answer{body: `{"results":[{"Part":"3","Low":"3a","High":"3a","Rows":5,"PrintA":{},"PrintB":{},"PrintC":{}},{"Part":"4","Low":"4","High":"4f","Rows":1,"PrintA":null,"PrintB":null,"PrintC":null},{"Proof":"NONCE:2.6",` + at + `}]}`}
		}}
		got, err := s.client(t, nil).Count(t.Context(), tvmexport.CountQuery{Table: inventory, Depth: 1, Fingerprints: true})
		if err != nil || len(got.Parts) != 2 || got.Parts[0].Fingerprint.Known || got.Parts[1].Fingerprint.Known {
			t.Errorf("%+v, %v", got, err)
		}
	})
}

// A count with more parts than an answer holds was cut: less is asked for.
func TestCountCutAtTheLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &service{reply: func(_ int, query string) answer {
			if !strings.Contains(query, "Part =") {
				return answer{body: `{"results":[{"Rows":160000,"Proof":"NONCE:1.160000",` + at + `}]}`}
			}
			var b strings.Builder
			for i := range 100_000 {
				fmt.Fprintf(&b, `{"Part":"x%05d","Rows":1},`, i)
			}
			return answer{body: `{"results":[` + strings.TrimSuffix(b.String(), ",") + `]}`}
		}}
		got, err := s.client(t, nil).Count(t.Context(), tvmexport.CountQuery{Table: inventory, Depth: 4})
		if err != nil || !got.Even || got.Parts[0].Rows != 160000>>16+1 || len(s.at) != 2 {
			t.Errorf("%d calls, %d parts, %v", len(s.at), len(got.Parts), err)
		}
	})
}

// The columns of a table are those of an answer that proves itself.
func TestSchemasThatProveNothing(t *testing.T) {
	const a = `{"Table":"A","ColumnName":"DeviceId","ColumnOrdinal":0,"ColumnType":"string"}`
	const b = `{"Table":"A","ColumnName":"Score","ColumnOrdinal":1,"ColumnType":"real"}`
	const proof, three = `{"Table":"NONCE:2","ColumnName":"","ColumnOrdinal":{},"ColumnType":""}`, `{"Table":"NONCE:3","ColumnName":"","ColumnOrdinal":null,"ColumnType":""}`
	for name, tt := range map[string]struct{ rows, want string }{
		"good":                  {a + "," + b + "," + proof, ""},
		"good in another order": {proof + "," + b + "," + a, ""},
		"empty":                 {"", "lacks its proof row"},
		"cut before the proof":  {a + "," + b, "has 2 columns and lacks its proof row"},
		"cut within":            {a + "," + proof, "has 1 columns, but its proof says otherwise"},
		"a column repeated":     {a + "," + b + "," + b + "," + three, "does not have each column of a table once"},
		"a column missing":      {b + "," + b + "," + proof, "does not have each column of a table once"},
		"two of one name":       {a + `,{"Table":"A","ColumnName":"DeviceId","ColumnOrdinal":1,"ColumnType":"string"},` + proof, "two columns with the same name"},
		"a column without name": {a + `,{"Table":"A","ColumnName":"","ColumnOrdinal":1,"ColumnType":"string"},` + proof, "does not have each column"},
		"the proof repeated":    {a + "," + b + "," + proof + "," + proof, "its proof twice"},
		"of another query":      {a + "," + b + `,{"Table":"00000000000000000000000000000000:2","ColumnOrdinal":0}`, "lacks its proof row"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &service{reply: func(int, string) answer { return answer{body: `{"results":[` + tt.rows + `]}`} }}
				got, err := s.client(t, nil).Schemas(t.Context(), []string{"A", "B"})
				if tt.want == "" {
					if err != nil || fmt.Sprint(got) != "map[A:[{DeviceId string} {Score real}]]" {
						t.Error(got, err)
					}
					return
				}
				if err == nil || !strings.Contains(err.Error(), tt.want) || tvmexport.CauseOf(err) != tvmexport.Integrity || len(s.at) != 3 {
					t.Errorf("%d calls, %v, %v", len(s.at), got, err)
				}
			})
		})
	}
}

func TestColumnsThatProveNothing(t *testing.T) {
	const schema, row = `{"Name":"A","Type":"Int64"},{"Name":"ProofNONCE","Type":"String"}`, `{"A":null,"ProofNONCE":"NONCE:"}`
	for name, tt := range map[string]struct{ schema, rows, want string }{
		"no row":            {schema, ``, "its proof row 0 times"},
		"two rows":          {schema, row + "," + row, "its proof row 2 times"},
		"of another query":  {schema, `{"A":null,"ProofNONCE":"x"}`, "answers another query"},
		"a schema cut":      {`{"Name":"A","Type":"Int64"}`, row, "ends before the last column"},
		"a column repeated": {`{"Name":"A","Type":"Int64"},` + schema, row, "two columns with the same name"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &service{reply: func(int, string) answer {
					return answer{body: `{"schema":[` + tt.schema + `],"results":[` + tt.rows + `]}`}
				}}
				got, err := s.client(t, nil).Columns(t.Context(), "My_CL")
				if err == nil || !strings.Contains(err.Error(), tt.want) || tvmexport.CauseOf(err) != tvmexport.Integrity || len(s.at) != 3 {
					t.Errorf("%d calls, %v, %v", len(s.at), got, err)
				}
			})
		})
	}
}

// A column with the name that a fetch gives to its count is published like any other.
func TestColumnNamedLikeTheCount(t *testing.T) {
	for _, columns := range [][]tvmexport.Column{
		{{Name: "Id", Type: "string"}, {Name: countColumn, Type: "string"}},
		{{Name: "Id", Type: "long"}, {Name: countColumn, Type: "long"}},
	} {
		synctest.Test(t, func(t *testing.T) {
			table := tvmexport.Table{Name: "My_CL", Columns: columns}
			mark, value := markColumn(table), map[string]string{"string": `"7"`, "long": "7"}[columns[0].Type]
			s := &service{reply: func(int, string) answer {
				return answer{body: `{"results":[{"Id":` + value + `,"CountOfAnswer":` + value + `},{"` + mark + `":"NONCE:1"}]}`}
			}}
			var got rowsOf
			a, err := s.client(t, nil).Fetch(t.Context(), tvmexport.Slice{Table: table, Partitions: []tvmexport.Partition{tvmexport.AllPartitions}}, &got)
			if err != nil || !a.Complete() || len(got.rows) != 1 || got.rows[0] != `{"Id":`+value+`,"CountOfAnswer":`+value+`}` {
				t.Errorf("%q, %+v, %v", got.rows, a, err)
			}
		})
	}
}
