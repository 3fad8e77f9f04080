package hunting

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/tvmexport/tvmexport"
)

// A list of prefixes that are too many to be named one by one is preceded by wider
// ones that the service finds by its index, and its text stays short.
func TestConditionsOfManyPartitions(t *testing.T) {
	for seed := range uint64(5) {
		r := rand.New(rand.NewPCG(seed, 1))
		var ps []tvmexport.Partition
		for range 400 {
			ps = append(ps, tvmexport.Partition(fmt.Sprintf("%04x", r.IntN(1<<(12+seed)))))
		}
		slices.Sort(ps)
		ps = slices.Compact(ps)
		got := partitionCondition(inventory, ps)
		head, tail, ok := strings.Cut(got, " and ")
		wider := regexp.MustCompile(`startswith_cs '([0-9a-f]+)'`).FindAllStringSubmatch(head, -1)
		exact := regexp.MustCompile(`'([0-9a-f]{4})'`).FindAllStringSubmatch(tail, -1)
		if !ok || len(wider) == 0 || len(wider) > widePrefixes || len(exact) != len(ps) || strings.Contains(tail, "startswith_cs") || len(got) > 5<<10 {
			t.Fatalf("%d wider and %d exact prefixes of %d in %d bytes: %s", len(wider), len(exact), len(ps), len(got), got)
		}
		for _, e := range exact {
			if !slices.ContainsFunc(wider, func(w []string) bool { return strings.HasPrefix(e[1], w[1]) }) {
				t.Errorf("no wider prefix holds %s", e[1])
			}
		}
	}
}

func TestWidePrefixes(t *testing.T) {
	var many []string
	for i := range 60 {
		many = append(many, fmt.Sprintf("a%02x", i*4))
	}
	for _, tt := range []struct {
		list []string
		want []string
	}{
		{[]string{"3f", "3fa", "4"}, []string{"3f", "4"}},
		{[]string{"3f", ""}, nil},
		{[]string{"b", "a", "b"}, []string{"a", "b"}},
		{many, []string{"a0", "a1", "a2", "a3", "a4", "a5", "a6", "a7", "a8", "a9", "aa", "ab", "ac", "ad", "ae"}},
		{append([]string{"a"}, many...), []string{"a"}},
	} {
		if got := wide(tt.list); !slices.Equal(got, tt.want) {
			t.Errorf("%v: %v, want %v", tt.list, got, tt.want)
		}
	}
}

// A rest of which the count has found nothing but keys that end is named by them.
func TestConditionOfKeysThatEnd(t *testing.T) {
	for _, tt := range []struct {
		list, ending []tvmexport.Partition
		want         string
	}{
		{[]tvmexport.Partition{"f", "~"}, []tvmexport.Partition{"~"}, `DeviceId == '' or DeviceId startswith_cs 'f'`},
		{[]tvmexport.Partition{"3f~"}, []tvmexport.Partition{"3f~"}, `DeviceId == '3f'`},
		{children(""), []tvmexport.Partition{"~"}, ``},
	} {
		if got := partitionCondition(inventory, tt.list, tt.ending...); got != tt.want {
			t.Errorf("%v: %s, want %s", tt.list, got, tt.want)
		}
	}
}
