package kql_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tvmexport/tvmexport/emulator/internal/kql"
)

func TestPrefixes(t *testing.T) {
	for _, test := range []struct {
		list []string
		want kql.Prefixes
		yes  []string
		no   []string
	}{
		{[]string{"3f"}, kql.Prefixes{"3f"}, []string{"3f", "3f00"}, []string{"", "3", "3e", "30f"}},
		{[]string{"b", "a", "ab", "a"}, kql.Prefixes{"a", "b"}, []string{"abc", "b", "bz"}, []string{"", "c", "A"}},
		{[]string{"a", ""}, nil, []string{"", "z"}, nil},
		{[]string{}, kql.Prefixes{}, nil, []string{"", "a"}},
	} {
		got := kql.NewPrefixes(test.list)
		if d := cmp.Diff(test.want, got); d != "" {
			t.Errorf("%q (-want +got):\n%s", test.list, d)
		}
		for _, s := range test.yes {
			if !got.Match(s) {
				t.Errorf("%q does not match %q", test.list, s)
			}
		}
		for _, s := range test.no {
			if got.Match(s) {
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
		want := slices.ContainsFunc(list, func(p string) bool { return strings.HasPrefix(s, p) }) ||
			s == "" && slices.Contains(list, kql.EmptyText)
		if got := kql.NewPrefixes(list).Match(s); got != want {
			t.Errorf("%q match %q = %v, want %v", list, s, got, want)
		}
	})
}
