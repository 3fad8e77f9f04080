package publish

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Buckets are joined in their order while neither the rebuilt rows nor those that are
// replaced exceed the limit of a command.
func TestPack(t *testing.T) {
	for _, c := range []struct {
		name string
		list []bucket
		want string
	}{
		{"none", nil, ""},
		{"one", []bucket{{[]string{"000"}, 10, 10}}, "000"},
		{"full", []bucket{{[]string{"000"}, 4, 4}, {[]string{"001"}, 6, 6}, {[]string{"002"}, 1, 1}}, "000 001, 002"},
		{"by what is replaced", []bucket{{[]string{"000"}, 0, 9}, {[]string{"001"}, 2, 2}}, "000, 001"},
		{"by what is rebuilt", []bucket{{[]string{"000"}, 9, 0}, {[]string{"001"}, 2, 0}}, "000, 001"},
		{"too large", []bucket{{[]string{"000"}, 1, 1}, {[]string{"001"}, 11, 0}}, "refused"},
	} {
		out, ok := pack(c.list, 10)
		var parts []string
		for _, b := range out {
			parts = append(parts, strings.Join(b.names, " "))
		}
		got := strings.Join(parts, ", ")
		if !ok {
			got = "refused"
		}
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%s:\n%s", c.name, d)
		}
	}
}
