package catalog_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/catalog"
)

// Every table and column that a pair names is in the catalogue, with the type that the comparison takes it for.
func TestPairsNameWhatBothSourcesHave(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range catalog.Pairs() {
		for i, name := range p.Tables() {
			info, ok := catalog.Lookup(name)
			want := catalog.Assessment
			if i == 0 {
				want = catalog.Hunting
			}
			if !ok || info.Source != want || !info.Snapshot || seen[name] {
				t.Errorf("%s: known %t, of %s, a state %t, in two pairs %t", name, ok, info.Source, info.Snapshot, seen[name])
			}
			seen[name] = true
			for _, column := range p.Key {
				if !slices.Contains(info.Columns, tvmexport.Column{Name: column, Type: "string"}) {
					t.Errorf("%s has no text column %s", name, column)
				}
			}
			if i > 0 {
				for column, kind := range map[string]string{p.Filled: "string", p.Onboarded: "bool"} {
					if column != "" && !slices.Contains(info.Columns, tvmexport.Column{Name: column, Type: kind}) {
						t.Errorf("%s has no column %s:%s", name, column, kind)
					}
				}
			}
			key := slices.DeleteFunc(slices.Clone(info.NaturalKey), func(c string) bool { return c == info.Trace.Group }) // hunting has no group
			if !slices.Equal(key, p.Key) {
				t.Errorf("%s has the key %q, its pair %q", name, key, p.Key)
			}
			if found, ok := catalog.PairOf(name); !ok || found.Hunting != p.Hunting {
				t.Errorf("the pair of %s is that of %q", name, found.Hunting)
			}
		}
		if p.Key[0] != "DeviceId" {
			t.Errorf("%s: the key begins with %s", p.Hunting, p.Key[0])
		}
	}
	for _, name := range catalog.Assessments() {
		if !seen[name] && name != "TvmSoftwareVulnerabilityChanges" {
			t.Errorf("%s is in no pair", name)
		}
	}
	if _, ok := catalog.PairOf("TvmSoftwareVulnerabilityChanges"); ok {
		t.Error("events are compared with a state")
	}
	if !slices.IsSortedFunc(catalog.Pairs(), func(a, b catalog.Pair) int { return strings.Compare(a.Hunting, b.Hunting) }) {
		t.Error("the pairs are not sorted")
	}
}
