package formats_test

import (
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tvmexport/tvmexport/emulator/internal/formats"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// columns reads "a:long b:string".
func columns(t testing.TB, schema string) []value.Column {
	t.Helper()
	var list []value.Column
	for _, c := range strings.Fields(schema) {
		name, kind, _ := strings.Cut(c, ":")
		k, ok := value.ParseKind(kind)
		if !ok {
			t.Fatalf("schema %q: no kind %q", schema, kind)
		}
		list = append(list, value.Column{Name: name, Kind: k})
	}
	return list
}

func mapping(t testing.TB, kind, text string) formats.Mapping {
	t.Helper()
	m, err := formats.ParseMapping(kind, text)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// texts decodes everything. A null is shown as <null>.
func texts(t testing.TB, r io.Reader, s formats.Source, c []value.Column) ([][]string, error) {
	t.Helper()
	var rows [][]string
	for row, err := range formats.Decode(r, s, c) {
		if err != nil {
			return rows, err
		}
		var shown []string
		for i, v := range row {
			if v.Kind() != c[i].Kind {
				t.Errorf("column %s holds a %v", c[i].Name, v.Kind())
			}
			if v.IsNull() {
				shown = append(shown, "<null>")
				continue
			}
			shown = append(shown, v.String())
		}
		rows = append(rows, shown)
	}
	return rows, nil
}

func TestJSONTypes(t *testing.T) {
	tests := []struct{ kind, in, want string }{
		// string: https://learn.microsoft.com/kusto/query/scalar-data-types/string
		{"string", `"é\n\u00e9"`, "é\né"},
		{"string", `12.50`, "12.50"},
		{"string", `true`, "true"},
		{"string", `null`, ""},
		{"string", `{"a": [1, 2]}`, `{"a":[1,2]}`},
		{"string", "\"\xff\"", "\uFFFD"},
		// https://learn.microsoft.com/azure/data-explorer/ingest-invalid-data: a misfit is null
		{"long", `9007199254740993`, "9007199254740993"},
		{"long", `"42"`, "42"},
		{"long", `1.5`, "<null>"},
		{"long", `1e3`, "1000"},
		{"long", `9223372036854775808`, "<null>"},
		{"long", `"x"`, "<null>"},
		{"long", `true`, "<null>"},
		{"long", `[1]`, "<null>"},
		{"int", `2147483648`, "<null>"},
		{"int", `-7`, "-7"},
		{"real", `1`, "1.0"},
		{"real", `"NaN"`, "NaN"},
		{"real", `"-Infinity"`, "-Infinity"},
		{"real", `"one"`, "<null>"},
		{"decimal", `"1234567890.123456789012345"`, "1234567890.123456789012345"},
		{"decimal", `0.1`, "0.1"},
		{"bool", `true`, "true"},
		{"bool", `0`, "false"},
		{"bool", `"TRUE"`, "true"},
		{"bool", `"yes"`, "<null>"},
		{"datetime", `"2026-01-02T03:04:05.1234567Z"`, "2026-01-02T03:04:05.1234567Z"},
		{"datetime", `"2026-01-02"`, "2026-01-02T00:00:00.0000000Z"},
		{"datetime", `"2026-01-02T03:04:05+02:00"`, "2026-01-02T01:04:05.0000000Z"},
		{"datetime", `"Sat, 8 Nov 14 15:05:02 GMT"`, "2014-11-08T15:05:02.0000000Z"},
		{"datetime", `"yesterday"`, "<null>"},
		{"datetime", `1`, "<null>"},
		{"timespan", `"1.02:03:04.5"`, "1.02:03:04.5000000"},
		{"timespan", `"long"`, "<null>"},
		{"guid", `"74BE27DE-1E4E-49D9-B579-FE0B331D3642"`, "74be27de-1e4e-49d9-b579-fe0b331d3642"},
		{"guid", `"74be27de"`, "<null>"},
		{"dynamic", `{"a": 1, "d":"2026-01-02T03:04:05Z"}`, `{"a":1,"d":"2026-01-02T03:04:05.0000000Z"}`},
		{"dynamic", `"{\"a\":1}"`, `{"a":1}`},
		{"dynamic", `null`, "<null>"},
		{"dynamic", `[]`, "[]"},
	}
	for _, tt := range tests {
		rows, err := texts(t, strings.NewReader(`{"v":`+tt.in+`}`), formats.Source{Format: "json"}, columns(t, "v:"+tt.kind))
		if err != nil {
			t.Errorf("%s %s: %v", tt.kind, tt.in, err)
		} else if got := rows[0][0]; got != tt.want {
			t.Errorf("%s into %s: got %q, want %q", tt.in, tt.kind, got, tt.want)
		}
	}
}

func TestStringInDynamicStaysString(t *testing.T) {
	for row, err := range formats.Decode(strings.NewReader(`{"v":"{\"a\":1}"}`), formats.Source{Format: "json"}, columns(t, "v:dynamic")) {
		if err != nil {
			t.Fatal(err)
		}
		if s, ok := row[0].Scalar(); !ok || s.Kind() != value.String || row[0].IsBag() {
			t.Errorf("got %v, want a string", row[0])
		}
	}
}

func TestMappedJSON(t *testing.T) {
	tests := []struct{ name, mapping, schema, in, want string }{
		{
			"documented example", `[{"column":"Time","Properties":{"path":"$.timestamp"}},{"Column":"Name","Properties":{"Path":"$.Event.Name"}}]`,
			"Time:datetime Name:string", `{"timestamp":"2019-05-02 15:23:50.0369439","Event":{"Name":"x"}}`, "2019-05-02T15:23:50.0369439Z|x",
		},
		{"flat", `[{"column":"A","path":"$.a","datatype":"long"}]`, "A:long", `{"a":1}`, "1"},
		{
			"whole document and a part", `[{"column":"R","path":"$"},{"column":"A","path":"$.a.b"}]`, "R:dynamic A:long",
			`{"a":{"b":2},"c":3}`, `{"a":{"b":2},"c":3}|2`,
		},
		{
			"brackets", `[{"column":"A","path":"$['x y'].z[1]"},{"column":"B","path":"$.[\"q'r\"]"}]`, "A:long B:string",
			`{"x y":{"z":[1,2]},"q'r":"s"}`, "2|s",
		},
		{"escaped name", `[{"column":"A","path":"$.a"}]`, "A:long", `{"\u0061":5}`, "5"},
		{"missing", `[{"column":"A","path":"$.a.b"},{"column":"S","path":"$.s"}]`, "A:long S:string", `{"a":1}`, "<null>|"},
		{
			"constants", `[{"column":"A","Properties":{"ConstValue":"7"}},{"column":"B","path":"plain"},{"column":"C","Properties":{"ConstValue":{"k":1}}}]`,
			"A:int B:string C:dynamic", `{}`, `7|plain|{"k":1}`,
		},
		{
			"location and line", `[{"column":"L","Properties":{"Transform":"SourceLocation"}},{"column":"N","Properties":{"Transform":"SourceLineNumber"}}]`,
			"L:string N:long", `{}`, "https://a/b|1",
		},
		{
			"unix times", `[{"column":"S","Properties":{"Path":"$.s","Transform":"DateTimeFromUnixSeconds"}},{"column":"M","Properties":{"Path":"$.m","Transform":"DateTimeFromUnixMilliseconds"}},{"column":"U","Properties":{"Path":"$.u","Transform":"DateTimeFromUnixMicroseconds"}},{"column":"N","Properties":{"Path":"$.n","Transform":"DateTimeFromUnixNanoseconds"}}]`,
			"S:datetime M:datetime U:datetime N:string", `{"s":1546300800,"m":1546300800123,"u":1546300800123456,"n":"1546300800123456700"}`,
			"2019-01-01T00:00:00.0000000Z|2019-01-01T00:00:00.1230000Z|2019-01-01T00:00:00.1234560Z|2019-01-01T00:00:00.1234567Z",
		},
		{"unix misfit", `[{"column":"S","Properties":{"Path":"$.s","Transform":"DateTimeFromUnixSeconds"}}]`, "S:datetime", `{"s":"now"}`, "<null>"},
		{
			"dictionary", `[{"column":"D","Properties":{"Path":"$.events","Transform":"PropertyBagArrayToDictionary"}}]`, "D:dynamic",
			`{"events":[{"n1":"v1"},{"n2":"v2"}]}`, `{"n1":"v1","n2":"v2"}`,
		},
		{
			"drop mapped", `[{"column":"A","Properties":{"Path":"$.a"}},{"column":"C","Properties":{"Path":"$.b.c"}},{"column":"R","Properties":{"Path":"$","Transform":"DropMappedFields"}}]`,
			"A:long C:long R:dynamic", `{"a":1,"b":{"c":2,"d":3},"e":4}`, `1|2|{"b":{"d":3},"e":4}`,
		},
		{
			"base64", `[{"column":"A","Properties":{"Path":"$.a","Transform":"BytesAsBase64"}},{"column":"B","Properties":{"Path":"$.b","Transform":"BytesAsBase64"}}]`,
			"A:string B:string", `{"a":"Man","b":[77,97,110]}`, "TWFu|TWFu",
		},
		{"two columns of one field", `[{"column":"A","path":"$.a"},{"column":"B","path":"$.a"}]`, "A:long B:string", `{"a":1}`, "1|1"},
	}
	for _, tt := range tests {
		for _, format := range []string{"json", "multijson"} {
			t.Run(tt.name+"/"+format, func(t *testing.T) {
				s := formats.Source{Format: format, Mapping: mapping(t, "Json", tt.mapping), HasMapping: true, Location: "https://a/b"}
				rows, err := texts(t, strings.NewReader(tt.in), s, columns(t, tt.schema))
				if err != nil {
					t.Fatal(err)
				}
				if got := strings.Join(rows[0], "|"); got != tt.want {
					t.Errorf("got %s, want %s", got, tt.want)
				}
			})
		}
	}
}

func TestLinesOfJSON(t *testing.T) {
	const in = "\xEF\xBB\xBF{\"n\":1}\r\n\r\n{\"n\":2\n{\"n\":3} trailing\n[4]\n\"5\"\n  {\"n\":6}  \n{\"n\":}\n{\"n\":7}"
	var stats formats.Stats
	s := formats.Source{
		Format: "json", Stats: &stats, HasMapping: true,
		Mapping: mapping(t, "json", `[{"column":"n","path":"$.n"},{"column":"at","transform":"SourceLineNumber"}]`),
	}
	rows, err := texts(t, strings.NewReader(in), s, columns(t, "n:long at:long"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([][]string{{"1", "1"}, {"6", "6"}, {"7", "8"}}, rows); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(formats.Stats{Records: 3, Skipped: 5}, stats); diff != "" {
		t.Errorf("stats (-want +got):\n%s", diff)
	}
}

func TestManyJSON(t *testing.T) {
	const in = "{\"n\":1}{\"n\":2}\n\n[{\"n\":3},\n {\"n\":\n4}]\n[]\n{\"n\":5}"
	rows, err := texts(t, strings.NewReader(in), formats.Source{Format: "MultiJson"}, columns(t, "n:long"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([][]string{{"1"}, {"2"}, {"3"}, {"4"}, {"5"}}, rows); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
}

// A line that is one object is read in the way of lines, and all others as before;
// both give the same.
func TestLinesInManyJSON(t *testing.T) {
	c := columns(t, "a:long s:string o:string d:dynamic first:string n:long at:datetime")
	m := mapping(t, "json", `[{"column":"a","path":"$.a"},{"column":"s","path":"$['s x']"},{"column":"o","path":"$.o"},{"column":"d","path":"$.o"},
		{"column":"first","path":"$.o.l[1].k"},{"column":"n","transform":"SourceLineNumber"},{"column":"at","path":"$.at"}]`)
	for _, tt := range []struct{ name, in string }{
		{"plain", `{"a":1,"s x":"ä\t\"","o":{"l":[{},{"k":"v"}]},"at":"2026-01-02T03:04:05Z"}` + "\n" + `{"a":2,"o":[1,2]}` + "\n"},
		{"not as Kusto prints it", `{"a": 1.0, "o":{"x": 1e2, "l": [0, {"k": "\u0041"}]}}` + "\r\n" + `{"a":2,"a":3,"o":"text"}`},
		{"over lines", "{\"a\":1}\n{\"a\":2,\n\"o\":{}}\n{\"a\":3}\n"},
		{"several on a line", `{"a":1}{"a":2}` + "\n" + `{"a":3}`},
		{"a long line", `{"a":1}` + "\n" + `{"a":2,"o":{"l":["` + strings.Repeat("x", 100_000) + `"]}}` + "\n" + `{"a":3}`},
		{"invalid UTF-8", "{\"a\":1,\"o\":{\"x\":\"\xff\"}}\n{\"a\":2}"},
		{"cut", `{"a":1}` + "\n" + `{"a":2`},
		{"deep", `{"o":` + strings.Repeat("[", 1500) + strings.Repeat("]", 1500) + "}\n"},
		{"nulls and misfits", `{"a":null,"o":null,"at":7}` + "\n" + `{"a":"x","s x":true,"at":{}}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var lines, blank formats.Stats
			got, err := texts(t, strings.NewReader(tt.in), formats.Source{Format: "multijson", Mapping: m, HasMapping: true, Stats: &lines}, c)
			want, wantErr := texts(t, strings.NewReader(" "+tt.in), formats.Source{Format: "multijson", Mapping: m, HasMapping: true, Stats: &blank}, c)
			if diff := cmp.Diff(want, got); diff != "" || len(got) == 0 {
				t.Errorf("rows (-want +got):\n%s", diff)
			}
			if lines != blank || (err == nil) != (wantErr == nil) {
				t.Errorf("%+v, %v, want %+v, %v", lines, err, blank, wantErr)
			}
		})
	}
}

func TestSeparated(t *testing.T) {
	tests := []struct{ name, format, in, schema, want string }{
		{"plain", "csv", "1,a\r\n2,b\n", "n:long s:string", "1,a;2,b"},
		{"quotes", "csv", "1,\"a \"\"b\"\",\r\nc\"\n", "n:long s:string", "1,a \"b\",\r\nc"},
		{"quote within", "csv", "1,a\"b\"\n", "n:long s:string", `1,a"b"`},
		{"empty quoted", "csv", "\"\"", "s:string", ""},
		{"empty lines", "csv", "\n1,a\n\n\n2,b", "n:long s:string", "1,a;2,b"},
		{"nulls", "csv", ",\nx,", "n:long s:string", "<null>,;<null>,"},
		{"fewer fields", "csv", "1\n2\n", "n:long s:string", "1,;2,"},
		{"more fields", "csv", "1,a,b\n", "n:long s:string", "1,a"},
		{"tabs", "tsv", "1\ta,b\n", "n:long s:string", "1,a,b"},
		{"pipes", "psv", "1|a\n", "n:long s:string", "1,a"},
		{"semicolons", "scsv", "1;a\n", "n:long s:string", "1,a"},
		{"dynamic", "csv", "\"{\"\"a\"\": 1}\",x\n", "d:dynamic s:string", `{"a":1},x`},
		{"text", "txt", "a,b\nc", "s:string", "a,b;c"},
		{"raw", "raw", "a\nb", "s:string", "a\nb"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rows, err := texts(t, strings.NewReader(tt.in), formats.Source{Format: tt.format}, columns(t, tt.schema))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, r := range rows {
				got = append(got, strings.Join(r, ","))
			}
			if strings.Join(got, ";") != tt.want {
				t.Errorf("got %q, want %q", strings.Join(got, ";"), tt.want)
			}
		})
	}
}

func TestMappedCSV(t *testing.T) {
	s := formats.Source{Format: "csv", HasMapping: true, IgnoreFirstRecord: true, Location: "https://a/b", Mapping: mapping(t, "Csv",
		`[{"Column":"B","Properties":{"Ordinal":"1"}},{"Name":"A","Ordinal":0,"DataType":"long"},{"Column":"C","Properties":{"ConstValue":"2021-01-01T10:32:00"}},`+
			`{"Column":"L","Properties":{"Transform":"SourceLocation"}},{"Column":"N","Properties":{"Transform":"SourceLineNumber"}}]`)}
	rows, err := texts(t, strings.NewReader("a,b\n1,x\n"), s, columns(t, "A:long B:string C:datetime L:string N:long Z:long"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([][]string{{"1", "x", "2021-01-01T10:32:00.0000000Z", "https://a/b", "2", "<null>"}}, rows); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
}

func TestLimits(t *testing.T) {
	long := strings.Repeat("a", 1<<20-1)
	tests := []struct {
		name, kind, in string
		length         int // of the value; -1 is null
		want           formats.Stats
	}{
		{"string of 1 MB", "string", `"` + long + `b"`, 1 << 20, formats.Stats{Records: 1}},
		{"string over 1 MB", "string", `"` + long + `bc"`, 1 << 20, formats.Stats{Records: 1, Truncated: 1}},
		{"object of 1 MB in a string", "string", `["` + long[3:] + `"]`, 1 << 20, formats.Stats{Records: 1}},
		{"object over 1 MB in a string", "string", `["` + long[2:] + `"]`, 1 << 20, formats.Stats{Records: 1, Truncated: 1}},
		{"cut before a rune", "string", `"` + long + `é"`, 1<<20 - 1, formats.Stats{Records: 1, Truncated: 1}},
		{"dynamic of 1 MiB", "dynamic", `"` + long[1:] + `"`, 1<<20 - 2, formats.Stats{Records: 1}},
		{"dynamic over 1 MiB", "dynamic", `"` + long + `b"`, -1, formats.Stats{Records: 1, Nulled: 1}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var stats formats.Stats
			for row, err := range formats.Decode(strings.NewReader(`{"v":`+tt.in+`}`), formats.Source{Format: "json", Stats: &stats}, columns(t, "v:"+tt.kind)) {
				if err != nil {
					t.Fatal(err)
				}
				length := len(row[0].String())
				if row[0].IsNull() {
					length = -1
				}
				if got, want := value.ParseJSON(row[0]), value.DynamicJSON(row[0].Text()); row[0].Kind() == value.String && got != want {
					t.Errorf("parsed as %.40v, want %.40v", got, want)
				}
				if length != tt.length {
					t.Errorf("length %d, want %d", length, tt.length)
				}
			}
			if stats != tt.want {
				t.Errorf("stats %+v, want %+v", stats, tt.want)
			}
		})
	}
}

func TestFailures(t *testing.T) {
	known := mapping(t, "json", `[{"column":"a","path":"$.a"}]`)
	unknown := mapping(t, "json", `[{"column":"z","path":"$.a"}]`)
	tests := []struct {
		name string
		in   string
		s    formats.Source
		code string
		rows int
	}{
		{"empty JSON", "", formats.Source{Format: "json"}, formats.CodeNoRecords, 0},
		{"only bad lines", "x\ny\n", formats.Source{Format: "json"}, formats.CodeNoRecords, 0},
		{"empty CSV", "", formats.Source{Format: "csv"}, formats.CodeNoRecords, 0},
		{"empty many", " \n", formats.Source{Format: "multijson"}, formats.CodeNoRecords, 0},
		{"bad many", `{"a":1}{"a":`, formats.Source{Format: "multijson"}, formats.CodeInvalidBlob, 1},
		{"unclosed array", `[{"a":1}`, formats.Source{Format: "multijson"}, formats.CodeInvalidBlob, 1},
		{"stray bracket", `{"a":1}]`, formats.Source{Format: "multijson"}, formats.CodeInvalidBlob, 1},
		{"scalar", `1`, formats.Source{Format: "multijson"}, formats.CodeInvalidBlob, 0},
		{"nested array", `[[1]]`, formats.Source{Format: "multijson"}, formats.CodeInvalidBlob, 0},
		{"field count", "1,2\n1\n", formats.Source{Format: "csv"}, formats.CodeWrongNumberOfFields, 1},
		{"open quote", "1,\"2\n", formats.Source{Format: "csv"}, formats.CodeClosingQuoteMissing, 0},
		{"format of the service", "x", formats.Source{Format: "parquet"}, formats.CodeFormatNotSupported, 0},
		{"no format", "x", formats.Source{Format: "yaml"}, formats.CodeFormatNotSupported, 0},
		{"kind of mapping", "1", formats.Source{Format: "csv", Mapping: known, HasMapping: true}, formats.CodeInvalidMapping, 0},
		{"column is missing", "{}", formats.Source{Format: "json", Mapping: unknown, HasMapping: true}, formats.CodeInconsistentMapping, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rows, err := texts(t, strings.NewReader(tt.in), tt.s, columns(t, "a:long b:long"))
			failure, ok := errors.AsType[*formats.Error](err)
			if !ok || failure.Code != tt.code {
				t.Errorf("got error %v, want code %s", err, tt.code)
			}
			if len(rows) != tt.rows {
				t.Errorf("%d rows came before it, want %d", len(rows), tt.rows)
			}
		})
	}
}

// broken is a reader that ends in an error of its own.
type broken struct{ io.Reader }

var errBroken = errors.New("connection reset")

func (b broken) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if err == io.EOF {
		err = errBroken
	}
	return n, err
}

func TestReadErrorIsNoFault(t *testing.T) {
	for _, format := range []string{"json", "multijson", "csv", "txt", "raw"} {
		_, err := texts(t, broken{strings.NewReader(`{"a":1}` + "\n" + `{"a":`)}, formats.Source{Format: format}, columns(t, "a:long"))
		if !errors.Is(err, errBroken) {
			t.Errorf("%s: got %v, want the reader's own error", format, err)
		}
	}
}

func TestStop(t *testing.T) {
	for _, format := range []string{"json", "multijson", "csv"} {
		n := 0
		for range formats.Decode(strings.NewReader("{}\n{}\n{}\n"), formats.Source{Format: format}, columns(t, "a:string")) {
			if n++; n == 2 {
				break
			}
		}
		if n != 2 {
			t.Errorf("%s: %d rows", format, n)
		}
	}
}

func TestParseMappingFailures(t *testing.T) {
	for _, tt := range []struct{ kind, text, says string }{
		{"json", `{}`, "not a JSON array"},
		{"json", `[]`, "maps no column"},
		{"json", `[{"path":"$"}]`, "names no Column"},
		{"json", `[{"column":"a"}]`, "neither Path nor ConstValue"},
		{"json", `[{"column":"a","path":"$..b"}]`, "not supported"},
		{"json", `[{"column":"a","path":"$.*"}]`, "not supported"},
		{"json", `[{"column":"a","path":"$[x]"}]`, "not supported"},
		{"json", `[{"column":"a","path":"$['x"}]`, "not closed"},
		{"json", `[{"column":"a","path":"$","transform":"Shout"}]`, "not known"},
		{"json", `[{"column":"a","path":"$","datatype":"text"}]`, "not a data type"},
		{"json", `[{"column":"a","path":"$"},{"column":"a","path":"$.b"}]`, "mapped twice"},
		{"csv", `[{"column":"a","ordinal":"x"}]`, "not a whole number"},
		{"csv", `[{"column":"a"}]`, "neither Ordinal nor ConstValue"},
		{"csv", `[{"column":"a","ordinal":0,"transform":"DropMappedFields"}]`, "SourceLineNumber"},
		{"avro", `[{"column":"a","field":"x"}]`, "not supported"},
	} {
		_, err := formats.ParseMapping(tt.kind, tt.text)
		failure, ok := errors.AsType[*formats.Error](err)
		if !ok || failure.Code != formats.CodeInvalidMapping || !strings.Contains(failure.Reason, tt.says) {
			t.Errorf("%s %s: got %v, want %q", tt.kind, tt.text, err, tt.says)
		}
	}
}

func TestMissing(t *testing.T) {
	m := mapping(t, "json", `[{"column":"a","path":"$.a","datatype":"int"},{"column":"b","path":"$.b","datatype":"string"}]`)
	got := m.Missing(columns(t, "a:long"))
	if diff := cmp.Diff([]value.Column{{Name: "b", Kind: value.String}}, got); diff != "" {
		t.Error(diff)
	}
	rows, err := texts(t, strings.NewReader(`{"a":1,"b":"x"}`), formats.Source{Format: "json", Mapping: m, HasMapping: true}, columns(t, "a:long"))
	if err != nil || cmp.Diff([][]string{{"1"}}, rows) != "" {
		t.Errorf("got %v, %v", rows, err)
	}
}

func TestTransformEdges(t *testing.T) {
	m := mapping(t, "json", `[{"column":"v","Properties":{"Path":"$.v","Transform":"DateTimeFromUnixSeconds"}}]`)
	for in, want := range map[string]string{
		`253402300799`: time.Unix(253402300799, 0).UTC().Format("2006-01-02T15:04:05.0000000Z"),
		`253402300800`: "<null>", `-62135596800`: "0001-01-01T00:00:00.0000000Z", `-62135596801`: "<null>",
		`9223372036854775807`: "<null>", `1e300`: "<null>", `"NaN"`: "<null>", `0.5`: "1970-01-01T00:00:00.5000000Z",
	} {
		rows, err := texts(t, strings.NewReader(`{"v":`+in+`}`), formats.Source{Format: "json", Mapping: m, HasMapping: true}, columns(t, "v:datetime"))
		if err != nil || rows[0][0] != want {
			t.Errorf("%s: got %v, %v, want %s", in, rows, err, want)
		}
	}
}
