package kql

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestReadMapping(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       []MappingPath
	}{
		{"ours", MappingJSON(LandingPaths), LandingPaths},
		{
			"as the service shows it", `[{"column":"Records","path":"$.r","datatype":"","transform":null},{"Column":"BatchId","Properties":{"path":"$['b']"}}]`,
			[]MappingPath{{"Records", "$.r"}, {"BatchId", "$['b']"}},
		},
		{"constant", `[{"column":"Partition","Properties":{"ConstValue":"x","Path":"$.p"}}]`, []MappingPath{{"Partition", ""}}},
		{"transform", `[{"column":"Line","Properties":{"Transform":"SourceLineNumber"}},{"column":"R","path":"$.r","transform":"None"}]`, []MappingPath{{"Line", ""}, {"R", "$.r"}}},
	} {
		got, err := ReadMapping(c.text)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
	if _, err := ReadMapping(`{"no":"list"}`); err == nil {
		t.Error("an object was read as a mapping")
	}
}

func TestSameMapping(t *testing.T) {
	mixed := []MappingPath{{"B", "$['b']"}, {"A", "$.a"}}
	if !SameMapping(mixed, []MappingPath{{"A", "$.a"}, {"B", "$.b"}}) {
		t.Error("order and notation make no difference")
	}
	if SameMapping(mixed, []MappingPath{{"A", "$.a"}}) || SameMapping(mixed, []MappingPath{{"A", "$.a"}, {"B", "$.c"}}) {
		t.Error("a column less, or another path, is another mapping")
	}
}

func FuzzReadMapping(f *testing.F) {
	f.Add(MappingJSON(LandingPaths))
	f.Add(`[{"column":null,"Properties":[1]},{}]`)
	f.Fuzz(func(t *testing.T, text string) {
		paths, err := ReadMapping(text)
		if err != nil {
			return
		}
		if again, err := ReadMapping(MappingJSON(paths)); err != nil || len(again) != len(paths) {
			t.Errorf("%q reads as %v, which reads as %v, %v", text, paths, again, err)
		}
	})
}
