package assessment

import (
	"net/url"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCamel(t *testing.T) {
	for name, want := range map[string]string{
		"Id": "id", "DeviceId": "deviceId", "OSPlatform": "osPlatform", "OSVersion": "osVersion", "CveId": "cveId",
		"RbacGroupName": "rbacGroupName", "OsVersion": "osVersion", "X": "x", "ABC": "abc", "": "",
	} {
		if got := camel(name); got != want {
			t.Errorf("camel(%q) = %q, want %q", name, got, want)
		}
	}
}

// A token leads to the place that it was made of.
func TestPlaceOfToken(t *testing.T) {
	want := place{timePath{"2026-11-20/0601/"}, 3, 70_000}
	got, failed := parsePlace(want.token())
	if failed != nil {
		t.Fatal(failed.message)
	}
	if d := cmp.Diff(want, *got); d != "" {
		t.Error(d)
	}
}

func FuzzReadParameters(f *testing.F) {
	for _, query := range []string{
		"", "pageSize=5", "PAGESIZE=200001", "$top=-1", "sasValidHours=6", "$sasValidHours=99999999999999999999", "sinceTime=2026-11-20T01:02:03.4Z",
		"$skiptoken=" + url.QueryEscape(place{timePath{"2026-11-20/0601/"}, 1, 2}.token()), "a=%zz", "$skiptoken=e30=", "pagesize=%00",
	} {
		f.Add(query, true)
		f.Add(query, false)
	}
	f.Fuzz(func(t *testing.T, query string, files bool) {
		for _, asked := range append(sets, changes) {
			p, failed := readParameters(query, asked, files)
			switch {
			case failed != nil && (failed.status != 400 || failed.code == "" || failed.message == ""):
				t.Errorf("%q is refused with %+v", query, failed)
			case failed == nil && (p.page < 1 || p.page > mostPage || p.top < 0 || p.valid < 0 || p.valid > asked.sas.most):
				t.Errorf("%q is read as %+v", query, p)
			case failed == nil && p.place != nil && (p.place.ExportFileIndex < 0 || p.place.LineStoppedAt < 0):
				t.Errorf("%q leads to %+v", query, p.place)
			}
		}
	})
}
