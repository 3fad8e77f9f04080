package lake

import (
	"encoding/json"
	"testing"
	"unicode/utf8"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/internal/fingerprint"
	"github.com/tvmexport/tvmexport/internal/wire"
	"github.com/tvmexport/tvmexport/lake/parquet"
)

var everyType = []tvmexport.Column{
	{Name: "S", Type: "string"},
	{Name: "B", Type: "bool"},
	{Name: "I", Type: "int"},
	{Name: "L", Type: "long"},
	{Name: "R", Type: "real"},
	{Name: "T", Type: "datetime"},
	{Name: "D", Type: "dynamic"},
	{Name: "G", Type: "guid"},
	{Name: "P", Type: "timespan"},
	{Name: "N", Type: "decimal"},
	{Name: "Partition", Type: "string"},
	{Name: "s", Type: "string"},
}

// through is a record as readers get it back.
func through(t *testing.T, record string) (row []parquet.Value, back string, ok bool) {
	t.Helper()
	l, _ := layoutOf(nil, everyType)
	row, err := newEncoder(l).row([]byte(record))
	if err != nil {
		return nil, "", false
	}
	text, err := newDecoder(l, everyType).record(row)
	if err != nil {
		t.Fatalf("%s was written and cannot be read: %v", record, err)
	}
	return row, string(text), true
}

var records = []string{
	`{}`,
	`{"S":"","B":true,"I":-1,"L":9223372036854775807,"R":1.5,"T":"2026-11-23T06:00:00Z","D":{"a":[1,null]},"G":"6f9619ff-8b86-d011-b42d-00cf4fc964ff","P":"1.02:03:04","N":"12345678901234567890.123"}`,
	`{"S":null,"B":null,"I":null,"L":null,"R":null,"T":null,"D":null,"G":null,"P":null,"N":null}`,
	`{"T":"2026-11-23T06:00:00.1234567Z"}`,
	`{"T":"0001-01-01T00:00:00Z"}`,
	`{"T":"9999-12-31T23:59:59.9999999Z"}`,
	`{"T":"yesterday","B":"true","I":"7","L":1e3,"R":"1.5","D":"text","G":7,"P":3,"N":1.10}`,
	`{"I":2147483648,"L":9223372036854775808,"R":1e400}`,
	`{"R":"NaN"}`, `{"R":"-Infinity"}`, `{"R":-0.0}`, `{"L":-0}`,
	`{"S":"tab\t \u0000 \ud83d\ude00 é 日本"}`,
	`{"Partition":"a column of the source","s":"another case","Absent":{"x":1}}`,
	`{"S":{"an":"object"},"D":"\"quoted\""}`,
}

// FuzzRecord: what is written and read back has the fingerprint of the record.
func FuzzRecord(f *testing.F) {
	for _, r := range records {
		f.Add(r)
	}
	f.Fuzz(func(t *testing.T, record string) {
		if !json.Valid([]byte(record)) || !utf8.ValidString(record) {
			return
		}
		_, back, ok := through(t, record)
		if !ok || repeats(record) {
			return
		}
		hasher := fingerprint.NewHasher(everyType, "")
		want, err := hasher.Row([]byte(record))
		if err != nil {
			return
		}
		got, err := hasher.Row([]byte(back))
		if err != nil || got != want {
			t.Fatalf("%q is read back as %q, which has another fingerprint (%v)", record, back, err)
		}
	})
}

// repeats says whether a record has a name twice, which no row of a source has.
func repeats(record string) bool {
	seen := map[string]bool{}
	for m := wire.MembersOf([]byte(record)); ; {
		if _, ok := m.Next(nil); !ok {
			return false
		}
		var name string
		if json.Unmarshal([]byte(`"`+string(m.Key)+`"`), &name) != nil || seen[name] {
			return true
		}
		seen[name] = true
	}
}

// TestRest: the rest has what columns do not hold exactly, and nothing else.
func TestRest(t *testing.T) {
	l, _ := layoutOf(nil, everyType)
	rest := l.index(RestColumn)
	for record, want := range map[string]string{
		`{"S":"a","T":"2026-11-23T06:00:00.123456Z","D":{"a":1}}`: "",
		`{"T":"2026-11-23T06:00:00.1234567Z"}`:                    `{"T":"2026-11-23T06:00:00.1234567Z"}`,
		`{"S":7,"More":[1],"Null":null}`:                          `{"S":7,"More":[1]}`,
	} {
		row, _, ok := through(t, record)
		if !ok {
			t.Fatalf("%s is not written", record)
		}
		if got := string(row[rest].Text()); got != want {
			t.Errorf("the rest of %s is %s, want %s", record, got, want)
		}
	}
}

// TestNamesOfColumns: a column that Delta cannot tell from another one has its type in its name.
func TestNamesOfColumns(t *testing.T) {
	l, added := layoutOf([]tvmexport.Column{{Name: "A", Type: "long"}}, []tvmexport.Column{{Name: "A", Type: "string"}, {Name: "a", Type: "long"}, {Name: "RunId", Type: "string"}})
	want := []string{"A_string", "a_long", "RunId_string"}
	for i, c := range added {
		if c.Name != want[i] {
			t.Errorf("column %d is %s, want %s", i, c.Name, want[i])
		}
	}
	if len(added) != len(want) || l.index(RestColumn) < 0 {
		t.Errorf("%d columns are new, want %d, and the lineage", len(added), len(want))
	}
}
