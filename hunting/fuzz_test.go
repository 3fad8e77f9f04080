package hunting

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/tvmexport/tvmexport"
)

// Whatever an answer holds, rows that come out are JSON objects on one line,
// in UTF-8.
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

// Whatever the encoding says, reading ends, and never without an error where
// the text does not end.
func FuzzBody(f *testing.F) {
	f.Add([]byte(`{"results":[]}`), "")
	f.Add([]byte("x\x9c\xab\x56"), "deflate")
	f.Add([]byte{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255}, "gzip")
	f.Fuzz(func(t *testing.T, text []byte, encoding string) {
		b, err := openBody(&http.Response{Body: io.NopCloser(bytes.NewReader(text)), Header: http.Header{"Content-Encoding": {encoding}}})
		if err != nil {
			return
		}
		defer b.close()
		var rows []countRow
		if err := b.countRows(&rows); err == nil && encoding == "" && !json.Valid(text) && utf8.Valid(text) {
			t.Errorf("%q was read to its end", text)
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
