package fingerprint

import (
	"crypto/sha256"
	"encoding/json"
	"testing"

	"github.com/tvmexport/tvmexport"
)

var columns = []tvmexport.Column{{Name: "DeviceId", Type: "string"}, {Name: "Score", Type: "real"}, {Name: "Tags", Type: "dynamic"}}

// The order and the spelling of members do not count; each value does.
func TestRowsOfOneContent(t *testing.T) {
	want := Digest(sha256.Sum256([]byte("2:aü3:7.09:[[\"x\",1]]")))
	for _, row := range []string{
		`{"DeviceId":"aü","Score":7,"Tags":["x",1]}`, `{"Tags":[ "x", 1 ],"Score":7.0,"DeviceId":"a\u00fc"}`,
		`{"New":{"a":["}",{}]},"DeviceId":"aü","Score":"7","Tags":["\u0078",1]}`,
		`{ "DeviceId" : "aü", "Score" :7, "New":1, "Tags":["x",1]}`, `{"\u0044eviceId":"aü","DeviceIds":"b","Score":7,"Tags":["x",1]}`,
	} {
		got, err := NewHasher(columns, "").Row([]byte(row))
		if err != nil || got != want {
			t.Errorf("%s: %x, %v, want %x", row, got, err, want)
		}
	}
	if f := want.Fingerprint(); !f.Known || f.Sums[0] != int64(want[0])<<32|int64(want[1])<<24|int64(want[2])<<16|int64(want[3])<<8|int64(want[4]) {
		t.Errorf("the fingerprint is %s", f)
	}
}

// A value that does not fit is counted with its column, and a change of it is noticed.
func TestOddValues(t *testing.T) {
	h := NewHasher(columns, "")
	a, _ := h.Row([]byte(`{"DeviceId":"a","Score":"high"}`))
	if odd := h.Odd(); len(odd) != 1 || odd[0].Name != "Score" {
		t.Errorf("odd columns %v", odd)
	}
	if b, _ := h.Row([]byte(`{"DeviceId":"a","Score":"low"}`)); a == b {
		t.Error("two values have one hash")
	}
	if h.Row([]byte(`{"DeviceId":"a","Score":null}`)); len(h.Odd()) != 0 {
		t.Errorf("odd columns %v of a row that fits", h.Odd())
	}
}

func TestWatchedColumn(t *testing.T) {
	h := NewHasher(columns, "At")
	if _, err := h.Row([]byte(`{"DeviceId":"a","At":"2026-11-20T06:00:00Z"}`)); err != nil {
		t.Fatal(err)
	}
	at, ok := JSONMoment(h.Watched())
	if !ok || at.Hour() != 6 {
		t.Errorf("the watched value is %s, %t", at, ok)
	}
	if _, err := h.Row([]byte(`{"DeviceId":"a"}`)); err != nil || h.Watched() != nil {
		t.Errorf("of a row without it: %q, %v", h.Watched(), err)
	}
}

// What is no object is an error, never a panic; each object that encoding/json reads is
// read here.
func FuzzHasher(f *testing.F) {
	for _, row := range []string{`{"DeviceId":"a","Score":7,"Tags":[1,{"a":"\\"}]}`, `{"a`, `{"a":"\`, `[]`, ``, `{"DeviceId":{}}x`, `{"Score":-}`, `{"a\u0062":1}`} {
		f.Add([]byte(row))
	}
	f.Fuzz(func(t *testing.T, row []byte) {
		_, err := NewHasher(columns, "At").Row(row)
		var object map[string]json.RawMessage
		if json.Unmarshal(row, &object) == nil && object != nil && err != nil {
			t.Errorf("%q: %v", row, err)
		}
	})
}

// The name of a column may have a quote, and then looks like the end of another one.
func TestNamesWithQuotes(t *testing.T) {
	odd := []tvmexport.Column{{Name: `a":1,"b`, Type: "long"}, {Name: "b", Type: "long"}}
	got, err := NewHasher(odd, "").Row([]byte(`{"a":1,"b":2}`))
	if want := Digest(sha256.Sum256([]byte("0:1:2"))); err != nil || got != want {
		t.Errorf("%x, %v, want %x", got, err, want)
	}
}

// A datetime that is recognised without parsing has the text that parsing gives.
func FuzzMoment(f *testing.F) {
	for _, text := range []string{
		"2026-11-20T06:00:00Z", "2026-11-20T06:00:00.1234567Z", "2026-02-30T06:00:00Z", "0000-01-01T00:00:00Z", "0001-01-01T00:00:00Z",
		"2026-11-20T24:00:00Z", "2026-11-20T06:00:00.Z", "2026-11-20T06:00:00.12345678Z", "2026-11-20 06:00:00Z", "2026-11-20T06:00:00+01:00", "20x6-11-20T06:00:00Z",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, ok := appendUsual(nil, []byte(text))
		at, parsed := Moment([]byte(text))
		want := at.Format("2006-01-02T15:04:05.0000000Z")
		if ok && (!parsed || string(got) != want) {
			t.Errorf("%q is %q, parsed %q", text, got, want)
		}
	})
}

// BenchmarkRow hashes a row as those of vulnerabilities are.
func BenchmarkRow(b *testing.B) {
	row := []byte(`{"Id":"1f40_contoso_agent_2.1.0.0_CVE-2025-10001","DeviceId":"1f40000000000000000000000000000000000000","DeviceName":"srv-01.corp.example","OSPlatform":"WindowsServer2022","OSVersion":"10.0.20348.2762","SoftwareVendor":"contoso","SoftwareName":"agent","SoftwareVersion":"2.1.0.0","CveId":"CVE-2025-10001","VulnerabilitySeverityLevel":"High","CvssScore":7.5,"ExploitabilityLevel":"NoExploit","RecommendedSecurityUpdate":null,"SecurityUpdateAvailable":true,"FirstSeenTimestamp":"2026-10-01T09:00:00Z","LastSeenTimestamp":"2026-11-20T04:11:02.5Z","DiskPaths":["c:\\program files\\contoso\\agent.exe"],"RegistryPaths":[],"RbacGroupId":12,"RbacGroupName":"Servers","IsOnboarded":true}`)
	var columns []tvmexport.Column
	for _, c := range []struct{ name, kind string }{
		{"Id", "string"},
		{"DeviceId", "string"},
		{"DeviceName", "string"},
		{"OSPlatform", "string"},
		{"OSVersion", "string"},
		{"SoftwareVendor", "string"},
		{"SoftwareName", "string"},
		{"SoftwareVersion", "string"},
		{"CveId", "string"},
		{"VulnerabilitySeverityLevel", "string"},
		{"CvssScore", "real"},
		{"ExploitabilityLevel", "string"},
		{"RecommendedSecurityUpdate", "string"},
		{"SecurityUpdateAvailable", "bool"},
		{"FirstSeenTimestamp", "datetime"},
		{"LastSeenTimestamp", "datetime"},
		{"DiskPaths", "dynamic"},
		{"RegistryPaths", "dynamic"},
		{"RbacGroupId", "int"},
		{"RbacGroupName", "string"},
		{"IsOnboarded", "bool"},
	} {
		columns = append(columns, tvmexport.Column{Name: c.name, Type: c.kind})
	}
	h := NewHasher(columns, "")
	b.SetBytes(int64(len(row)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := h.Row(row); err != nil {
			b.Fatal(err)
		}
	}
}

// A text that is copied has the bytes that quoting its content gives.
func FuzzQuoted(f *testing.F) {
	for _, text := range []string{`c:\\a b\\c`, `a\"b`, `a\nb`, `\u0041`, "ü", "\x7f", `\`, `\\\`, `a"b`} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		quoted := []byte(`"` + text + `"`)
		if json.Valid(quoted) && hasFewestEscapes(quoted) {
			if got := appendQuoted(nil, plainText(quoted)); string(got) != string(quoted) {
				t.Errorf("%s would be %s", quoted, got)
			}
		}
	})
}
