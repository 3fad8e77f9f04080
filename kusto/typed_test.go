package kusto

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/kusto/kql"
	"github.com/tvmexport/tvmexport/kusto/setup"
	"github.com/tvmexport/tvmexport/kusto/views"
)

func typed(names ...string) []tvmexport.Column {
	var out []tvmexport.Column
	for i := 0; i < len(names); i += 2 {
		out = append(out, tvmexport.Column{Name: names[i], Type: names[i+1]})
	}
	return out
}

func stored(names ...string) []kql.Column {
	var out []kql.Column
	for _, c := range typed(names...) {
		out = append(out, kql.Column{Name: c.Name, Kind: c.Type})
	}
	return append(out, views.LineageColumns...)
}

// TestHoldings: where a typed table keeps columns, and what it holds of them
// from times when they had another type.
func TestHoldings(t *testing.T) {
	type place struct{ At, Value string }
	for _, c := range []struct {
		name  string
		have  []kql.Column
		shown []tvmexport.Column
		want  []place
		lost  []tvmexport.Column
	}{
		{"a new table", nil, typed("A", "string", "B", "long"), []place{{"A", "A"}, {"B", "B"}}, nil},
		{"as it is", stored("A", "string"), typed("A", "string"), []place{{"A", "A"}}, nil},
		{"a column appears", stored("A", "string"), typed("A", "string", "B", "long"), []place{{"A", "A"}, {"B", "B"}}, nil},
		{"a column is gone", stored("A", "string", "B", "long"), typed("A", "string"), []place{{"A", "A"}}, typed("B", "long")},
		{
			"another type, not added yet", stored("A", "int"), typed("A", "real"),
			[]place{{"A_real", "coalesce(A_real, toreal(A))"}},
			nil,
		},
		{
			"another type", stored("A", "int", "A_real", "real"), typed("A", "real"),
			[]place{{"A_real", "coalesce(A_real, toreal(A))"}},
			nil,
		},
		{
			"back to the first type", stored("A", "int", "A_real", "real"), typed("A", "int"),
			[]place{{"A", "coalesce(A, toint(A_real))"}},
			nil,
		},
		{
			"a third type", stored("A", "int", "A_real", "real"), typed("A", "string"),
			[]place{{"A_string", "iff(isnotempty(iff(isnotempty(A_string), A_string, tostring(A))), iff(isnotempty(A_string), A_string, tostring(A)), tostring(A_real))"}},
			nil,
		},
		{
			"to a dynamic", stored("A", "string"), typed("A", "dynamic"),
			[]place{{"A_dynamic", "coalesce(A_dynamic, parse_json(tostring(A)))"}},
			nil,
		},
		{
			"a column named like another's drift", stored("A", "int"), typed("A", "real", "A_real", "real"),
			[]place{{"A_real_real", "coalesce(A_real_real, toreal(A))"}, {"A_real", "A_real"}},
			nil,
		},
		{
			"a name that lineage has", nil, typed("RunId", "string", "Partition", "long"),
			[]place{{"RunId_string", "RunId_string"}, {"Partition_long", "Partition_long"}},
			nil,
		},
		{
			"gone after it had two types", stored("A", "int", "B", "string", "A_real", "real"), typed("B", "string"),
			[]place{{"B", "B"}},
			typed("A", "real"),
		},
		{"a word of the language", nil, typed("kind", "string"), []place{{"kind", `["kind"]`}}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []place
			for _, h := range views.Holdings(c.have, c.shown) {
				got = append(got, place{h.At, h.Value()})
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Errorf("places (-want +got):\n%s", d)
			}
			if d := cmp.Diff(c.lost, views.LostColumns(c.have, c.shown)); d != "" {
				t.Errorf("lost (-want +got):\n%s", d)
			}
			// Made fit, the table is fit.
			have := setup.Expected(tvmexport.Table{Name: "T", Columns: c.shown}, map[string][]kql.Column{"TTyped": c.have})["TTyped"]
			var again []place
			for _, h := range views.Holdings(have, c.shown) {
				again = append(again, place{h.At, h.Value()})
				if kql.Missing(have, []kql.Column{{Name: h.At, Kind: h.Type}}) != "" {
					t.Errorf("%s was not added", h.At)
				}
			}
			if d := cmp.Diff(got, again); d != "" {
				t.Errorf("after the table was made fit (-before +after):\n%s", d)
			}
		})
	}
}
