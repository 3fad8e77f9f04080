package hunting

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/internal/wire"
)

// For every answer, the resulting rows are JSON objects on one line, in UTF-8.
func FuzzRows(f *testing.F) {
	f.Add(`{"DeviceId":"c2","IsCompliant@odata.type":"#SByte","IsCompliant":0,"Context":"[{}]"}`, "[]", true)
	f.Add(`{"DeviceId":"c2","Context":["{\"a\":{}}",{"@odata.type":"x"}]}`, `[{"Name":"Context","Type":"Object"}]`, false)
	f.Add("{\"a\" : {\n\"b\":[ ]}, \"\\u0041\":1}", `[{"name":"a","type":"SByte"},{"name":"A","type":"Int64"}]`, false)
	f.Add(`{"DeviceId":"a","Timestamp":"2026-07-19T21:46:29Z","Score":"NaN"},{"Timestamp":7}`, `[{"name":"Timestamp","type":"DateTime"}]`, false)
	f.Fuzz(func(t *testing.T, rows, schema string, asText bool) {
		var columns []string
		if asText {
			columns = []string{"Context"}
		}
		for _, api := range []API{Graph, XDR} {
			for _, text := range []string{`{"schema":` + schema + `,"results":[` + rows + `]}`, `{"results":[` + rows + `],"schema":` + schema + `}`} {
				b, err := openBody(&http.Response{Body: io.NopCloser(strings.NewReader(text)), Header: http.Header{}})
				if err != nil {
					t.Fatal(err)
				}
				var got rowsOf
				_ = b.rows(normaliserOf(api, configuration, columns), &got)
				for _, r := range got.rows {
					if !json.Valid([]byte(r)) || r[0] != '{' || strings.ContainsAny(r, "\n\r") || !utf8.ValidString(r) {
						t.Errorf("%q came out of %q", r, rows)
					}
				}
			}
		}
	})
}

// What the scanner accepts is what encoding/json accepts, and it wants more
// exactly where more could make it so.
func FuzzScan(f *testing.F) {
	for _, text := range []string{`{"a":[1,-2.5e+3,"\u00e9\n",{},[],null,true,false]}`, `"a long string, longer than eight bytes é"`, `[01]`, `{"a":1,}`, `[1 2]`, "\"\x1f\"", `nul`, `-`, `1.`, `"\ud8"`} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		// A blank behind it ends a number.
		s := wire.Scan{Text: append(bytes.Clone(text), ' ')}
		end := s.Value(s.Blanks(0), 0)
		whole := end >= 0 && s.Blanks(end) == len(s.Text)
		if valid := json.Valid(text); valid != whole {
			t.Errorf("%q: valid %v, the scanner says %d of %d", text, valid, end, len(s.Text))
		}
		if foreign := bytes.ContainsFunc(text, func(r rune) bool { return r >= 0x80 }); whole && s.Foreign != foreign {
			t.Errorf("%q: foreign %v, want %v", text, s.Foreign, foreign)
		}
		if !whole {
			return
		}
		for cut := range end {
			part := wire.Scan{Text: text[:cut]}
			if got := part.Value(part.Blanks(0), 0); got == wire.Invalid {
				t.Errorf("%q, cut at %d, is called invalid", text, cut)
			}
		}
	})
}

// Rows are the same however the answer comes in pieces.
func TestPieces(t *testing.T) {
	text := strings.ReplaceAll(inventoryRows(20), `"[[]]"`, `"[{\"a\":[1,\"x\"]}]"`)
	var want rowsOf
	for size := 1; size < 700; size += 1 + size/16 {
		b, err := openBody(&http.Response{Body: io.NopCloser(&pieces{text, size}), Header: http.Header{}})
		if err != nil {
			t.Fatal(err)
		}
		b.Stream = wire.NewStreamSize(&pieces{text, size}, 16)
		var got rowsOf
		if err := b.rows(normaliserOf(Graph, benchTable, []string{"CveTags"}), &got); err != nil {
			t.Fatal(err)
		}
		if size == 1 {
			want = got
		}
		if len(got.rows) != 20 || !slices.Equal(got.rows, want.rows) || !slices.Equal(got.keys, want.keys) {
			t.Fatalf("pieces of %d bytes: other rows", size)
		}
		if b.Read() != int64(len(text)) {
			t.Fatalf("%d bytes read of %d", b.Read(), len(text))
		}
	}
}

// pieces gives a text piece by piece.
type pieces struct {
	text string
	size int
}

func (p *pieces) Read(b []byte) (int, error) {
	n := copy(b, p.text[:min(p.size, len(p.text))])
	p.text = p.text[n:]
	if n == 0 && len(b) > 0 {
		return 0, io.EOF
	}
	return n, nil
}

// For every encoding, reading ends, and it reports an error if the text does not
// end.
func FuzzBody(f *testing.F) {
	f.Add([]byte(`{"results":[]}`), "")
	f.Add([]byte("x\x9c\xab\x56"), "deflate")
	f.Add([]byte{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255}, "gzip")
	f.Fuzz(func(t *testing.T, text []byte, encoding string) {
		b, err := openBody(&http.Response{Body: io.NopCloser(bytes.NewReader(text)), Header: http.Header{"Content-Encoding": {encoding}}})
		if err != nil {
			return
		}
		var rows []schemaRow
		if err := b.schemaRows(&rows); err == nil && encoding == "" && !json.Valid(text) && utf8.Valid(text) {
			t.Errorf("%q was read to its end", text)
		}
	})
}

// For every answer to a count, the result agrees with the answer's proof.
func FuzzCounts(f *testing.F) {
	f.Add(`{"Part":"3f","Low":"3fa","High":"3fb","Rows":5,"PrintA":7,"PrintB":{},"PrintC":null},{"Proof":"0123abcd:1.5","Now":"2026-11-23T12:00:00Z"}`, 0)
	f.Add(`{"Start":"2026-11-23T11:00:00Z","Start@odata.type":"#DateTime","Rows":5},{"Start":{},"Rows":2},{"Proof":"0123abcd:2.7","Now":"2026-11-23T12:00:00Z"}`, 1)
	f.Add(`{"Rows":7,"Proof":"0123abcd:1.7","Now":"2026-11-23T12:00:00Z"}`, 2)
	f.Add(`{"Rows":9223372036854775807},{"Rows":1},{"Rows":-1},{"Rows":"1"},{"Proof":"0123abcd:01.+1"}`, 0)
	f.Fuzz(func(t *testing.T, rows string, form int) {
		b, err := openBody(&http.Response{Body: io.NopCloser(strings.NewReader(`{"results":[` + rows + `]}`)), Header: http.Header{}})
		if err != nil {
			t.Fatal(err)
		}
		q := tvmexport.CountQuery{Table: inventory, Depth: 1, Fingerprints: true}
		got := tally{mark: mark, begin: func() countReader { return newPartReader(q) }}
		switch form & 3 {
		case 1:
			q = tvmexport.CountQuery{Table: events, Bin: time.Hour, Nulls: true}
			got.begin = func() countReader { return newBinReader(q) }
		case 2:
			got.begin = func() countReader { return &wholeReader{q: q} }
		}
		if readTallies(b, []*tally{&got}) != nil || got.complete() != nil {
			return
		}
		counts, err := got.read()
		if err != nil {
			return
		}
		var sum int64
		for _, c := range counts {
			if sum += c.Rows; c.Rows < 0 || sum < 0 {
				t.Fatalf("%d rows came out of %q", c.Rows, rows)
			}
		}
		if sum != got.proof.rows || got.rows != got.proof.parts {
			t.Errorf("%d rows in %d parts came out of %q", sum, got.rows, rows)
		}
	})
}

func inventoryRows(n int) string {
	var text strings.Builder
	text.WriteString(`{"schema":[{"name":"DeviceId","type":"String"},{"name":"IsCompliant","type":"SByte"}],"results":[`)
	for i := range n {
		if i > 0 {
			text.WriteByte(',')
		}
		fmt.Fprintf(&text, `{"DeviceId":"%040x","DeviceName":"host-%d.contoso.example","OSPlatform":"Windows11","OSVersion":"10.0.26100.4061","OSArchitecture":"x64","SoftwareVendor":"microsoft","SoftwareName":"edge_chromium-based","SoftwareVersion":"138.0.3351.%d","CveId":"CVE-2026-%d","VulnerabilitySeverityLevel":"High","RecommendedSecurityUpdate":"July 2026 Security Updates","RecommendedSecurityUpdateId":"5062553","CveTags":"[[]]","CveMitigationStatus":"","AadDeviceId":"%036d","IsCompliant@odata.type":"#SByte","IsCompliant":%d}`, i*7919, i, i, 10000+i, i, i%2)
	}
	text.WriteString(`]}`)
	return text.String()
}

var benchTable = tvmexport.Table{Name: "T", Key: tvmexport.Key{Column: "DeviceId"}, Columns: []tvmexport.Column{{Name: "DeviceId", Type: "string"}, {Name: "CveTags", Type: "dynamic"}}}

func normalise(tb testing.TB, text string) {
	body, err := openBody(&http.Response{Body: io.NopCloser(strings.NewReader(text)), Header: http.Header{}})
	if err != nil {
		tb.Fatal(err)
	}
	if err := body.rows(normaliserOf(Graph, benchTable, []string{"CveTags"}), discard{}); err != nil {
		tb.Fatal(err)
	}
}

// Memory does not grow with the rows of an answer.
func TestNoAllocationPerRow(t *testing.T) {
	few, many := inventoryRows(100), inventoryRows(5000)
	a := testing.AllocsPerRun(5, func() { normalise(t, few) })
	b := testing.AllocsPerRun(5, func() { normalise(t, many) })
	if b > a+10 {
		t.Errorf("100 rows take %.0f allocations, 5000 take %.0f", a, b)
	}
}

func BenchmarkRows(b *testing.B) {
	text := inventoryRows(20_000)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		normalise(b, text)
	}
}

// No scalar is lost: the record holds the value itself, or its text. What is
// not counted as unread is the same value in the form of the column's type.
func FuzzScalars(f *testing.F) {
	for i, v := range []string{`"2025-04-05T13:59:21"`, `"INF"`, `7.5`, `"7.5"`, `1e400`, `12345678901234567890`, `"\ud800"`, `"x\u0000"`, `true`, `-0.0`, `"P1D"`} {
		f.Add(uint8(i), v)
	}
	wires := []string{"String", "SByte", "Int32", "Int64", "Double", "SqlDecimal", "DateTime", "TimeSpan", "Guid", "Object"}
	f.Fuzz(func(t *testing.T, kind uint8, value string) {
		var said any
		d := json.NewDecoder(strings.NewReader(value))
		d.UseNumber()
		if !utf8.ValidString(value) || !json.Valid([]byte(value)) || d.Decode(&said) != nil || said == nil {
			return
		}
		switch said.(type) {
		case map[string]any, []any:
			return
		}
		wire := wires[int(kind)%len(wires)]
		got, n, err := read(t, XDR, configuration, nil, `{"schema":[{"name":"V","type":"`+wire+`"}],"results":[{"V":`+value+`}]}`)
		if err != nil {
			t.Fatalf("%s %s: %v", wire, value, err)
		}
		var row struct{ V any }
		d = json.NewDecoder(strings.NewReader(got.rows[0]))
		d.UseNumber()
		if err := d.Decode(&row); err != nil {
			t.Fatalf("%s %s: %s: %v", wire, value, got.rows[0], err)
		}
		if row.V == nil {
			t.Fatalf("%s %s became null", wire, value)
		}
		text, kept := fmt.Sprint(said), fmt.Sprint(row.V)
		if text == kept {
			return
		}
		if len(n.unread()) > 0 {
			t.Fatalf("%s %s is counted as not read, and is %s", wire, value, got.rows[0])
		}
		if !sameValue(wire, strings.TrimSpace(text), kept) {
			t.Fatalf("%s %s became %s", wire, value, got.rows[0])
		}
	})
}
