package assessment

import (
	"encoding/base64"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/tvmexport/tvmexport/internal/wire"
)

func parsed(t testing.TB, text string) *url.URL {
	t.Helper()
	u, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// A token goes only to the host and the path that were asked, and only for another page.
func TestNextPages(t *testing.T) {
	const asked = "https://api.security.microsoft.com/api/machines/X?pageSize=1"
	for next, want := range map[string]string{
		"https://api.security.microsoft.com/api/Machines/x?pagesize=1&$skiptoken=a%2Bb":   "https://api.security.microsoft.com/api/Machines/x?$skiptoken=a%2Bb&pageSize=100",
		"https://api-eu.securitycenter.microsoft.com/api/machines/X?$skiptoken=a":         "https://api-eu.securitycenter.microsoft.com/api/machines/X?$skiptoken=a&pageSize=100",
		"https://xapi.security.microsoft.com/api/machines/X?$skiptoken=sig":               "xapi",
		"https://securitycenter.microsoft.com.evil.example/api/machines/X?$skiptoken=sig": "evil.example",
		"https://API.security.microsoft.com/api/machines/X?$skiptoken=a#f":                "https://API.security.microsoft.com/api/machines/X?$skiptoken=a&pageSize=100",
		"http://api.security.microsoft.com/api/machines/X?$skiptoken=sig":                 "encryption",
		"https://evil.example/api/machines/X?$skiptoken=sig":                              `"evil.example"`,
		"https://api.security.microsoft.com.evil.example/api/machines/X?$skiptoken=sig":   "evil.example",
		"https://api.security.microsoft.com@evil.example/api/machines/X?$skiptoken=sig":   "evil.example",
		"https://sig@api.security.microsoft.com/api/machines/X?$skiptoken=a":              "host",
		"https://api.security.microsoft.com:444/api/machines/X?$skiptoken=sig":            "444",
		"//evil.example/api/machines/X?$skiptoken=sig":                                    "evil.example",
		"/api/machines/X?$skiptoken=sig":                                                  "encryption",
		"https://api.security.microsoft.com/api/machines/Y?$skiptoken=sig":                "path",
		"https://api.security.microsoft.com/api/machines/../machines/X?$skiptoken=sig":    "path",
		"https://api.security.microsoft.com/api/machines/X?pagesize=1":                    "first one again",
		"https://api.security.microsoft.com/api/machines/X?$skiptoken=":                   "first one again",
		"https://api.security.microsoft.com/%zz?$skiptoken=sig":                           "cannot be read",
	} {
		u, err := checkNext(Cloud{}, parsed(t, asked), next, 100)
		switch {
		case err == nil && u.String() != want:
			t.Errorf("%s leads to %s, want %s", next, u, want)
		case err != nil && (strings.HasPrefix(want, "https://") || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "sig")):
			t.Errorf("%s: %v", next, err)
		}
	}
	same := asked + "&$skiptoken=a"
	if _, err := checkNext(Cloud{}, parsed(t, same), same, 100); err == nil {
		t.Error("a page leads to itself")
	}
}

func TestFileAddresses(t *testing.T) {
	const sas = "?sv=1&se=2026-11-20T07%3A01%3A00Z&sig=secret"
	for address, want := range map[string]string{
		"https://tvmexportstrprdeus.blob.core.windows.net/tvm-export/2026-11-20/0601/VaExport/part.json.gz": "",
		"https://api.example:4000/account/c/part.json.gz":                                                   "",
		"http://tvmexportstrprdeus.blob.core.windows.net/c/part.json.gz":                                    "encryption",
		"https://blob.core.windows.net.evil.example/c/part.json.gz":                                         "evil.example",
		"https://xblob.core.windows.net/c/part.json.gz":                                                     "xblob",
		"https://a.blob.core.windows.net:444/c/part.json.gz":                                                "444",
		"https://user@a.blob.core.windows.net/c/part.json.gz":                                               "host",
		"https://api.example:4001/c/part.json.gz":                                                           "4001",
		"https://a.blob.core.windows.net/":                                                                  "no path",
		"file:///etc/passwd":                                                                                "encryption",
		"https://a.blob.core.usgovcloudapi.net/c/part.json.gz":                                              "usgovcloudapi",
	} {
		u, err := checkFile(parsed(t, "https://api.example:4000"), Cloud{}.Storage(), address+sas)
		if err != nil {
			if want == "" || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
				t.Errorf("%s: %v", address, err)
			}
			continue
		}
		unit := fileUnit("v", u)
		if want != "" || strings.ContainsAny(unit.ID, "?=") || !strings.HasSuffix(unit.ID, "/part.json.gz") ||
			!unit.Expires.Equal(time.Date(2026, 11, 20, 7, 1, 0, 0, time.UTC)) || string(unit.Link) != address+sas {
			t.Errorf("%s: %q until %s", address, unit.ID, unit.Expires)
		}
	}
}

// The services of an emulator differ by their ports.
func TestFileOnThisMachine(t *testing.T) {
	for endpoint, address := range map[string]string{
		"https://127.0.0.1:4000": "https://127.0.0.1:4001/c/part", "https://localhost:4000": "https://localhost/c/part", "http://[::1]:1": "http://[::1]:2/c/part",
	} {
		if _, err := checkFile(parsed(t, endpoint), Cloud{}.Storage(), address); err != nil {
			t.Errorf("%s: %v", address, err)
		}
		if _, err := checkFile(parsed(t, endpoint), Cloud{}.Storage(), "https://127.0.0.2/c/part"); err == nil {
			t.Errorf("%s: another host is used", endpoint)
		}
	}
}

func TestPlaces(t *testing.T) {
	published := "eyJFeHBvcnREZWZpbml0aW9uIjp7IlRpbWVQYXRoIjoiMjAyNi0xMS0yMC8wNjAwLyJ9LCJFeHBvcnRGaWxlSW5kZXgiOjAsIkxpbmVTdG9wcGVkQXQiOjF9"
	encoded := func(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }
	for _, tt := range []struct {
		token string
		want  place
		known bool
	}{
		{published, place{time.Date(2026, 11, 20, 6, 0, 0, 0, time.UTC), 0, 1}, true},
		{strings.TrimRight(encoded(`{"ExportDefinition":{"TimePath":"2021-01-11/1101"},"ExportFileIndex":12,"LineStoppedAt":5}`), "="), place{time.Date(2021, 1, 11, 11, 1, 0, 0, time.UTC), 12, 5}, true},
		{encoded(`{"ExportDefinition":{"TimePath":"2021-01-11/1101/"},"ExportFileIndex":12}`), place{}, false},
		{encoded(`{"ExportDefinition":{},"ExportFileIndex":1,"LineStoppedAt":5}`), place{}, false},
		{encoded(`{"ExportDefinition":{"TimePath":"2021-01-11/1101/"},"ExportFileIndex":-1,"LineStoppedAt":5}`), place{}, false},
		{encoded(`[]`), place{}, false},
		{"x!", place{}, false},
		{"", place{}, false},
	} {
		got, known := placeOf(tt.token)
		if d := cmp.Diff(tt.want, got, cmp.AllowUnexported(place{}), cmpopts.EquateApproxTime(0)); d != "" || known != tt.known {
			t.Errorf("%s: %t %s", tt.token, known, d)
		}
	}
}

func TestListings(t *testing.T) {
	read := func(text string) ([]string, string, error) {
		l, err := readListing(wire.NewStream(strings.NewReader(text)), parsed(t, "https://api.security.microsoft.com"), Cloud{}.Storage())
		var ids []string
		for _, u := range l.Units {
			ids = append(ids, u.ID)
		}
		return ids, l.Version, err
	}
	ids, version, err := read(`{"@odata.context":"x","ExportFiles":["https://a.blob.core.windows.net/c/1.gz?sig=s","https://a.blob.core.windows.net/c/2.gz?sig=s"],"generatedTime":"2026-11-20T06:01:00.000Z"}`)
	if d := cmp.Diff([]string{"c/1.gz", "c/2.gz"}, ids); err != nil || d != "" || version != "2026-11-20T06:01:00Z" {
		t.Errorf("%q: %v\n%s", version, err, d)
	}
	if ids, _, err := read(`{"exportFiles":[],"generatedTime":"2026-11-20T06:01:00Z"}`); err != nil || len(ids) > 0 {
		t.Errorf("an empty list: %v, %v", ids, err)
	}
	for _, text := range []string{
		``, `[]`, `{}`, `{"exportFiles":null,"generatedTime":"2026-11-20T06:01:00Z"}`, `{"exportFiles":[]}`, `{"exportFiles":[],"generatedTime":"secret"}`,
		`{"exportFiles":[1],"generatedTime":"2026-11-20T06:01:00Z"}`, `{"exportFiles":["https://evil.example/c/1.gz?sig=secret"],"generatedTime":"2026-11-20T06:01:00Z"}`,
	} {
		if _, _, err := read(text); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// A host that is not one of the cloud serves the API alone.
func TestHostsOfTheAPI(t *testing.T) {
	gov, err := LookupCloud("gcc-high")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		cloud Cloud
		a, b  string
		same  bool
	}{
		{Cloud{}, "api.security.microsoft.com", "eu.api.security.microsoft.com", true},
		{Cloud{}, "api.security.microsoft.com", "api.securitycenter.windows.com", true},
		{Cloud{}, "api.security.microsoft.com", "security.microsoft.com", false},
		{Cloud{}, "127.0.0.1:4000", "127.0.0.1:4000", true},
		{Cloud{}, "127.0.0.1:4000", "api.security.microsoft.com", false},
		{Cloud{}, "api.security.microsoft.com", "api.security.microsoft.com:444", false},
		{gov, "api-gov.securitycenter.microsoft.us", "api-gov.securitycenter.microsoft.us", true},
		{gov, "api-gov.securitycenter.microsoft.us", "api.security.microsoft.com", false},
	} {
		if got := tt.cloud.sameAPI(tt.a, tt.b); got != tt.same {
			t.Errorf("%s and %s: %t", tt.a, tt.b, got)
		}
	}
}
