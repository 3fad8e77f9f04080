package tenant

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestPrefixes(t *testing.T) {
	for _, test := range []struct {
		list []string
		want prefixes
		yes  []string
		no   []string
	}{
		{[]string{"3f"}, prefixes{"3f"}, []string{"3f", "3f00"}, []string{"", "3", "3e", "30f"}},
		{[]string{"b", "a", "ab", "a"}, prefixes{"a", "b"}, []string{"abc", "b", "bz"}, []string{"", "c", "A"}},
		{[]string{"a", ""}, nil, []string{"", "z"}, nil},
		{[]string{}, prefixes{}, nil, []string{"", "a"}},
	} {
		got := newPrefixes(test.list)
		if d := cmp.Diff(test.want, got); d != "" {
			t.Errorf("%q (-want +got):\n%s", test.list, d)
		}
		for _, s := range test.yes {
			if !got.match(s) {
				t.Errorf("%q does not match %q", test.list, s)
			}
		}
		for _, s := range test.no {
			if got.match(s) {
				t.Errorf("%q matches %q", test.list, s)
			}
		}
	}
}

func FuzzPrefixes(f *testing.F) {
	f.Add("a,ab,b", "abc")
	f.Add("", "x")
	f.Add("CVE-2,CVE-19", "CVE-1999-0001")
	f.Fuzz(func(t *testing.T, joined, s string) {
		list := strings.Split(joined, ",")
		want := slices.ContainsFunc(list, func(p string) bool { return strings.HasPrefix(s, p) })
		if got := newPrefixes(list).match(s); got != want {
			t.Errorf("%q match %q = %v, want %v", list, s, got, want)
		}
	})
}
