package formats_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tvmexport/tvmexport/emulator/internal/formats"
)

// FuzzDecode reads anything as every format: nothing panics, every value is of
// its column's kind, every failure is an *Error, and what a JSON line gives
// agrees with encoding/json about validity.
func FuzzDecode(f *testing.F) {
	for _, in := range []string{
		`{"a":1,"b":{"c":"x"},"d":[1,2]}`, "{\"a\":1}\n{bad\n", `[{"a":1},{"a":2}]`, "1,\"x\"\"y\",\r\n2,,", "\xEF\xBB\xBF{}", `{"a":"\ud800"}`, `{"d":[{"n":1},{"m":2}]}`,
		"{\"a\":1}\n{\"a\":2.0,\"c\":\"\\u0041\"}\r\n{\"a\":3\n}\n{\"a\":4}", `{"a":1} {"a":2}`, `{"d":["2026-01-02T03:04:05Z"],"b":{"c":{"x":1e2}}}`,
	} {
		f.Add(in)
	}
	c := columns(f, "a:long b:dynamic c:string d:dynamic e:datetime g:guid r:dynamic")
	m := mapping(f, "json", `[{"column":"a","path":"$.a"},{"column":"b","path":"$.b"},{"column":"c","path":"$.b.c"},
		{"column":"d","path":"$.d","transform":"PropertyBagArrayToDictionary"},{"column":"e","path":"$.d[0]","transform":"DateTimeFromUnixSeconds"},
		{"column":"r","path":"$","transform":"DropMappedFields"}]`)
	f.Fuzz(func(t *testing.T, in string) {
		for _, s := range []formats.Source{
			{Format: "json"},
			{Format: "json", Mapping: m, HasMapping: true},
			{Format: "multijson", Mapping: m, HasMapping: true},
			{Format: "csv"},
			{Format: "tsv", IgnoreFirstRecord: true},
			{Format: "txt"},
			{Format: "raw"},
		} {
			rows, err := texts(t, strings.NewReader(in), s, c)
			if _, ok := errors.AsType[*formats.Error](err); err != nil && !ok {
				t.Fatalf("%s: %v is no *Error", s.Format, err)
			}
			if s.Format == "multijson" && !strings.HasPrefix(in, "\xEF\xBB\xBF") { // blanks in front are read in another way, and change nothing
				again, errAgain := texts(t, strings.NewReader(" "+in), s, c)
				if diff := cmp.Diff(again, rows); diff != "" || (err == nil) != (errAgain == nil) {
					t.Fatalf("%s %q: %v, with a blank in front %v (-with +without):\n%s", s.Format, in, err, errAgain, diff)
				}
			}
			if s.Format == "json" && !strings.ContainsAny(in, "\n\r") && strings.Count(in, "[")+strings.Count(in, "{") < 1000 {
				line := strings.Trim(strings.TrimPrefix(in, "\xEF\xBB\xBF"), " \t\v\f\u0085\u00A0")
				valid := strings.HasPrefix(line, "{") && json.Valid([]byte(line))
				if valid != (len(rows) == 1) {
					t.Fatalf("%q: valid JSON %v, %d rows", in, valid, len(rows))
				}
			}
		}
	})
}

// FuzzParseMapping reads anything as a mapping; one that is taken can be used.
func FuzzParseMapping(f *testing.F) {
	for _, in := range []string{
		`[{"column":"a","path":"$['x y'].z[1]"}]`, `[{"Column":"a","Properties":{"Ordinal":"0"}}]`, `[{"column":"a","Properties":{"ConstValue":null,"Path":"$"}}]`, `[{"column":"a","path":"$.[\"b\"]","transform":"BytesAsBase64"}]`,
	} {
		f.Add(in)
	}
	c := columns(f, "a:dynamic")
	f.Fuzz(func(t *testing.T, in string) {
		for _, kind := range []string{"json", "csv"} {
			m, err := formats.ParseMapping(kind, in)
			if err != nil {
				continue
			}
			_, err = texts(t, strings.NewReader(`{"a":{"b":[1]}}`), formats.Source{Format: kind, Mapping: m, HasMapping: true}, c)
			if _, ok := errors.AsType[*formats.Error](err); err != nil && !ok {
				t.Fatalf("%v is no *Error", err)
			}
		}
	})
}

// BenchmarkLanding decodes what the exporter lands: an unchanged record and a
// few fields next to it.
func BenchmarkLanding(b *testing.B) {
	line := `{"r":{"DeviceId":"0123456789abcdef0123456789abcdef01234567","DeviceName":"host-1.contoso.com","OSPlatform":"Windows11","OSVersion":"10.0.26100.1","OSArchitecture":"x64","SoftwareVendor":"microsoft","SoftwareName":"edge","SoftwareVersion":"120.0.2210.91","CveId":"CVE-2025-12345","VulnerabilitySeverityLevel":"High","RecommendedSecurityUpdate":"","CveMitigationStatus":null},"b":"3f-0001-aaaa","n":17,"p":"3f"}` + "\n"
	in := strings.Repeat(line, 2000)
	c := columns(b, "Record:dynamic BatchId:string Line:long Partition:string")
	s := formats.Source{Format: "json", HasMapping: true, Mapping: mapping(b, "json",
		`[{"column":"Record","path":"$.r"},{"column":"BatchId","path":"$.b"},{"column":"Line","path":"$.n"},{"column":"Partition","path":"$.p"}]`)}
	b.SetBytes(int64(len(in)))
	b.ReportAllocs()
	for b.Loop() {
		n := 0
		for _, err := range formats.Decode(strings.NewReader(in), s, c) {
			if err != nil {
				b.Fatal(err)
			}
			n++
		}
		if n != 2000 {
			b.Fatal(n)
		}
	}
}
