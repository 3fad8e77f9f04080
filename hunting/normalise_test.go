package hunting

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tvmexport/tvmexport"
)

// rowsOf keeps what it is given.
type rowsOf struct{ keys, rows []string }

func (r *rowsOf) WriteRow(key, row []byte) error {
	r.keys, r.rows = append(r.keys, string(key)), append(r.rows, string(row))
	return nil
}

const mark = "0123abcd:"

func read(t *testing.T, api API, table tvmexport.Table, asText []string, text string) (*rowsOf, *normaliser, error) {
	t.Helper()
	n := normaliserOf(api, table, asText)
	var got rowsOf
	b, err := openBody(&http.Response{Body: io.NopCloser(strings.NewReader(text)), Header: http.Header{}})
	if err != nil {
		t.Fatal(err)
	}
	return &got, n, b.rows(n, &got)
}

func normaliserOf(api API, table tvmexport.Table, asText []string) *normaliser {
	return newNormaliser(api, tvmexport.Slice{Table: table}, mark, asText, table.Columns)
}

var configuration = tvmexport.Table{
	Name: "T", Key: tvmexport.Key{Column: "DeviceId"},
	Columns: []tvmexport.Column{
		{Name: "DeviceId", Type: "string"},
		{Name: "IsCompliant", Type: "bool"},
		{Name: "Timestamp", Type: "datetime"},
		{Name: "Context", Type: "dynamic"},
		{Name: "Score", Type: "real"},
		{Name: "ReportId", Type: "long"},
	},
}

// Rows as published captures show them, and what is published.
func TestRows(t *testing.T) {
	tests := []struct {
		name   string
		api    API
		asText []string
		row    string
		want   string
	}{
		{
			"graph bool with sidecar", Graph, nil,
			`{"DeviceId":"c2","IsCompliant@odata.type":"#SByte","IsCompliant":0,"Timestamp":"2026-07-19T21:46:29Z"}`,
			`{"DeviceId":"c2","IsCompliant":false,"Timestamp":"2026-07-19T21:46:29Z"}`,
		},
		{
			"graph sidecar behind its value", Graph, nil,
			`{"DeviceId":"c2","IsCompliant":1,"IsCompliant@odata.type":"#SByte"}`,
			`{"DeviceId":"c2","IsCompliant":true}`,
		},
		{
			"graph nulls", Graph, nil,
			`{"DeviceId":"c2","IsCompliant":{},"Timestamp":{},"Score":{},"ReportId":{}}`,
			`{"DeviceId":"c2","IsCompliant":null,"Timestamp":null,"Score":null,"ReportId":null}`,
		},
		{
			"graph empty list", Graph, nil,
			`{"DeviceId":"c2","Context@odata.type":"#Collection(String)","Context":[]}`,
			`{"DeviceId":"c2","Context":[]}`,
		},
		{
			"graph objects in a list are text on the wire", Graph, nil,
			`{"DeviceId":"c2","Context@odata.type":"#Collection(String)","Context":["{\"a\":1}","plain"]}`,
			`{"DeviceId":"c2","Context":[{"a":1},"plain"]}`,
		},
		{
			"graph bags carry a type at every depth", Graph, nil,
			`{"DeviceId":"c2","Context":{"@odata.type":"#microsoft.graph.security.dynamicColumnValue","a":{"@odata.type":"#x","b":true},"n@odata.type":"#Int64","n":9007199254740993}}`,
			`{"DeviceId":"c2","Context":{"a":{"b":true},"n":9007199254740993}}`,
		},
		{
			"dynamic as text tells null, bag and string apart", Graph,
			[]string{"Context"},
			`{"DeviceId":"c2","Context":"[null]"}`, `{"DeviceId":"c2","Context":null}`,
		},
		{
			"an empty bag", Graph,
			[]string{"Context"},
			`{"DeviceId":"c2","Context":"[{}]"}`, `{"DeviceId":"c2","Context":{}}`,
		},
		{
			"a string that holds JSON", Graph,
			[]string{"Context"},
			`{"DeviceId":"c2","Context":"[\"{\\\"a\\\":1}\"]"}`, `{"DeviceId":"c2","Context":"{\"a\":1}"}`,
		},
		{
			"a bag", Graph,
			[]string{"Context"},
			`{"DeviceId":"c2","Context":"[{\"at\": \"2023-10-05T16:48:39.0000000Z\",\n\"n\":[1,2]}]"}`,
			`{"DeviceId":"c2","Context":{"at":"2023-10-05T16:48:39.0000000Z","n":[1,2]}}`,
		},
		{
			"integers keep all digits", XDR, nil,
			`{"DeviceId":"c2","ReportId":9223372036854775807}`, `{"DeviceId":"c2","ReportId":9223372036854775807}`,
		},
		{
			"datetimes keep their digits, reals their fraction", XDR, nil,
			`{"DeviceId":"c2","Timestamp":"2020-05-28T07:06:58.4340352Z","Score":10.0}`,
			`{"DeviceId":"c2","Timestamp":"2020-05-28T07:06:58.4340352Z","Score":10.0}`,
		},
		{
			"legacy nulls and nested JSON", MDE, nil,
			`{"DeviceId":"c2","IsCompliant":null,"Context":{"a": [1, {"b": {}}]}}`,
			`{"DeviceId":"c2","IsCompliant":null,"Context":{"a":[1,{"b":{}}]}}`,
		},
		{
			"legacy keys are never sidecars", XDR, nil,
			`{"DeviceId":"c2","X@odata.type":"mine"}`, `{"DeviceId":"c2","X@odata.type":"mine"}`,
		},
		{
			"values that do not fit what the answer declares are text", XDR, nil,
			`{"DeviceId":"c2","Declared":"12","IsOdd":2,"At":"yesterday","Count":1.5,"Size":"7"}`,
			`{"DeviceId":"c2","Declared":"12","IsOdd":"2","At":"yesterday","Count":"1.5","Size":7}`,
		},
		{
			"values that do not fit the catalogue pass", XDR, nil,
			`{"DeviceId":"c2","IsCompliant":2,"Timestamp":"yesterday","ReportId":[ 1 ]}`,
			`{"DeviceId":"c2","IsCompliant":2,"Timestamp":"yesterday","ReportId":[1]}`,
		},
		{
			"reals that are no numbers", XDR, nil,
			`{"DeviceId":"c2","Score":"NaN"}`, `{"DeviceId":"c2","Score":"NaN"}`,
		},
		{
			"blanks go", Graph, nil,
			"{ \"DeviceId\" : \"c2\" ,\n\t\"IsCompliant\": true , \"Score\" :1e3}", `{"DeviceId":"c2","IsCompliant":true,"Score":1e3}`,
		},
		{
			"keys that begin with a small letter", Graph, nil,
			`{"deviceId":"c2","timestamp":"2026-07-19T21:46:29Z"}`, `{"DeviceId":"c2","Timestamp":"2026-07-19T21:46:29Z"}`,
		},
		{
			"invalid UTF-8 is replaced", Graph, nil,
			"{\"DeviceId\":\"c2\",\"Name\":\"a\xffb\"}", "{\"DeviceId\":\"c2\",\"Name\":\"a\uFFFDb\"}",
		},
		{
			"a lone surrogate in a text", Graph,
			[]string{"Context"},
			`{"DeviceId":"c2","Context":"[\"\ud800\"]"}`, "{\"DeviceId\":\"c2\",\"Context\":\"\uFFFD\"}",
		},
		{
			"what Kusto has no text for is null", Graph,
			[]string{"Context"},
			`{"DeviceId":"c2","Context":""}`, `{"DeviceId":"c2","Context":null}`,
		},
		{
			"a scalar", Graph,
			[]string{"Context"},
			`{"DeviceId":"c2","Context":"[9007199254740993]"}`, `{"DeviceId":"c2","Context":9007199254740993}`,
		},
		{
			"legacy text of a list", XDR,
			[]string{"Context"},
			`{"DeviceId":"c2","Context":"[[1,{\"a\":null}]]"}`, `{"DeviceId":"c2","Context":[1,{"a":null}]}`,
		},
		{
			"graph empty bag within a bag", Graph, nil,
			`{"DeviceId":"c2","Context":{"a":{"@odata.type":"#microsoft.graph.security.dynamicColumnValue"},"b":{}}}`,
			`{"DeviceId":"c2","Context":{"a":{},"b":null}}`,
		},
		{
			"unknown columns pass", Graph, nil,
			`{"DeviceId":"c2","New":"x","NewNull":{},"NewNumber":7}`, `{"DeviceId":"c2","New":"x","NewNull":null,"NewNumber":7}`,
		},
		{
			"non-ASCII and escapes", Graph, nil,
			`{"DeviceId":"c\u0032","Büro":"naïve \"quoted\" 🚀"}`, `{"DeviceId":"c\u0032","Büro":"naïve \"quoted\" 🚀"}`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, _, err := read(t, tt.api, configuration, tt.asText, `{"schema":[
				{"name":"Declared","type":"String"},{"name":"IsOdd","type":"SByte"},{"name":"At","type":"DateTime"},
				{"name":"Count","type":"Int32"},{"name":"Size","type":"Int64"}],"results":[`+tt.row+`]}`)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff([]string{tt.want}, got.rows); d != "" {
				t.Error(d)
			}
			if got.keys[0] != "c2" {
				t.Errorf("key %q, want c2", got.keys[0])
			}
		})
	}
}

func TestTheAnswersSchemaCountsMoreThanTheCatalogue(t *testing.T) {
	got, n, err := read(t, XDR, configuration, []string{"Context"}, `{"Stats":{"ExecutionTime":0.03},
		"Schema":[{"Name":"DeviceId","Type":"String"},{"Name":"IsNew","Type":"SByte"},{"Name":"Context","Type":"String"}],
		"Results":[{"DeviceId":"a","IsNew":1,"Context":"[[]]"}]}`)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{`{"DeviceId":"a","IsNew":true,"Context":[]}`}, got.rows); d != "" {
		t.Error(d)
	}
	want := []tvmexport.Column{{Name: "DeviceId", Type: "string"}, {Name: "IsNew", Type: "bool"}, {Name: "Context", Type: "dynamic"}}
	if d := cmp.Diff(want, n.schema.declared); d != "" {
		t.Error(d)
	}
}

func TestMisfitsAreCounted(t *testing.T) {
	_, n, err := read(t, XDR, configuration, nil,
		`{"Schema":[{"Name":"At","Type":"DateTime"}],"Results":[{"DeviceId":"a","At":"x"},{"DeviceId":"b","At":7},{"DeviceId":"c","At":null}]}`)
	if err != nil {
		t.Fatal(err)
	}
	want := []tvmexport.Unread{{Column: "At", Type: "datetime", Values: 2, Line: 1}}
	if d := cmp.Diff(want, n.unread()); d != "" {
		t.Error(d)
	}
}

// A schema behind the rows is checked against what they were read by.
func TestSchemaBehindTheRows(t *testing.T) {
	const rows = `{"results":[{"DeviceId":"a","IsCompliant":1,"Late":1}],"schema":[{"name":"DeviceId","type":"String"},{"name":"IsCompliant","type":"SByte"}`
	if _, _, err := read(t, Graph, configuration, nil, rows+`]}`); err != nil {
		t.Errorf("it agrees with the catalogue, but %v", err)
	}
	_, n, err := read(t, Graph, configuration, nil, rows+`,{"name":"Late","type":"SByte"}]}`)
	if !errors.Is(err, errSchemaLate) {
		t.Errorf("it says something new, but %v", err)
	}
	late := configuration
	late.Columns = n.schema.declared
	got, _, err := read(t, Graph, late, nil, rows+`,{"name":"Late","type":"SByte"}]}`)
	if err != nil || got.rows[0] != `{"DeviceId":"a","IsCompliant":true,"Late":true}` {
		t.Errorf("%s, %v", got.rows, err)
	}
}

// A table without a string column gets one more column, which is not published.
func TestCountColumnIsNotPublished(t *testing.T) {
	table := tvmexport.Table{Name: "T", Columns: []tvmexport.Column{{Name: "N", Type: "long"}}}
	got, n, err := read(t, Graph, table, nil, `{"schema":[{"name":"N","type":"Int64"},{"name":"CountOfAnswer","type":"String"}],
		"results":[{"N":1,"CountOfAnswer":""},{"N":{},"CountOfAnswer":"`+mark+`1"}]}`)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{`{"N":1}`}, got.rows); d != "" || n.counted != 1 {
		t.Errorf("counted %d, %s", n.counted, d)
	}
	if d := cmp.Diff(table.Columns, n.schema.declared); d != "" {
		t.Error(d)
	}
}

func TestTheCountIsNotARow(t *testing.T) {
	row := `{"DeviceId":"` + mark + `2","IsCompliant":{},"Context":""}`
	for _, order := range []string{`{"DeviceId":"a"},{"DeviceId":"b"},` + row, row + `,{"DeviceId":"a"},{"DeviceId":"b"}`} {
		got, n, err := read(t, Graph, configuration, []string{"Context"}, `{"schema":[],"results":[`+order+`]}`)
		if err != nil {
			t.Fatal(err)
		}
		if len(got.rows) != 2 || n.counted != 2 || n.written != 2 {
			t.Errorf("%d rows, counted %d", len(got.rows), n.counted)
		}
	}
	_, n, err := read(t, Graph, configuration, nil, `{"schema":[],"results":[{"DeviceId":"a"}]}`)
	if err != nil || n.counted != tvmexport.Missing {
		t.Errorf("counted %d (%v), want it missing", n.counted, err)
	}
}

func TestHashedKeys(t *testing.T) {
	table := tvmexport.Table{Name: "KB", Key: tvmexport.Key{Hashed: []string{"A", "B"}}, Columns: []tvmexport.Column{{Name: "A", Type: "string"}, {Name: "B", Type: "string"}}}
	got, _, err := read(t, Graph, table, nil, `{"results":[{"B":"y","A":"x\u0041"},{"A":"x"}]}`)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{
		"c5c7780a8dc5f8ab107b3fe0763751c35355f0ec11c49dd07bac6e8292839542", // of xA|y
		"a10629cfa782abfe970abb6e7517c772cc811ac2f3d0178c46fdae3e95959b4f", // of x|
	} {
		if got.keys[i] != want {
			t.Errorf("key %d is %s, want %s", i, got.keys[i], want)
		}
	}
}

func TestBrokenAnswersAreErrors(t *testing.T) {
	whole := `{"schema":[{"name":"DeviceId","type":"String"}],"results":[{"DeviceId":"a","Context":"[1]"},{"DeviceId":"b"}]}`
	if _, _, err := read(t, Graph, configuration, []string{"Context"}, whole); err != nil {
		t.Fatal(err)
	}
	for cut := range len(whole) {
		if _, _, err := read(t, Graph, configuration, []string{"Context"}, whole[:cut]); err == nil {
			t.Errorf("cut behind %q: no error", whole[:cut])
		}
	}
	for _, text := range []string{
		whole + "x", whole + whole, `[]`, `{}`, `{"schema":[]}`, `{"results":{}}`, `{"results":[1]}`, `{"results":null}`,
		`{"results":[{"DeviceId":"a","Context":"[1"}]}`, `{"results":[{"DeviceId":"a","Context":"x"}]}`,
		`{"results":[{"DeviceId":"` + mark + `many"}]}`, `{"results":[{"DeviceId":"` + mark + `-1"}]}`,
		`{"results":[{"DeviceId":"` + mark + `0"},{"DeviceId":"` + mark + `0"}]}`,
		`{"results":[{"DeviceId":"a","Context":"[1,2]"}]}`, `{"results":[{"DeviceId":"a","DeviceId":"a"}]}`,
		`{"results":[],"results":[]}`, `{"results":[],"schema":7}`, "<html>502</html>", "",
	} {
		if _, _, err := read(t, Graph, configuration, []string{"Context"}, text); err == nil {
			t.Errorf("%q: no error", text)
		}
	}
}
