package views

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/kusto/kql"
	"github.com/tvmexport/tvmexport/kusto/kql/kqltest"
)

// stored are the columns of a typed table that holds the named ones.
func stored(names ...string) []kql.Column {
	var out []kql.Column
	for _, c := range kqltest.Columns(names...) {
		out = append(out, kql.Column{Name: c.Name, Kind: c.Type})
	}
	return append(out, LineageColumns...)
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
		{"a new table", nil, kqltest.Columns("A", "string", "B", "long"), []place{{"A", "A"}, {"B", "B"}}, nil},
		{"as it is", stored("A", "string"), kqltest.Columns("A", "string"), []place{{"A", "A"}}, nil},
		{"a column appears", stored("A", "string"), kqltest.Columns("A", "string", "B", "long"), []place{{"A", "A"}, {"B", "B"}}, nil},
		{"a column is gone", stored("A", "string", "B", "long"), kqltest.Columns("A", "string"), []place{{"A", "A"}}, kqltest.Columns("B", "long")},
		{
			"another type, not added yet", stored("A", "int"), kqltest.Columns("A", "real"),
			[]place{{"A_real", "coalesce(A_real, toreal(A))"}},
			nil,
		},
		{
			"another type", stored("A", "int", "A_real", "real"), kqltest.Columns("A", "real"),
			[]place{{"A_real", "coalesce(A_real, toreal(A))"}},
			nil,
		},
		{
			"back to the first type", stored("A", "int", "A_real", "real"), kqltest.Columns("A", "int"),
			[]place{{"A", "coalesce(A, toint(A_real))"}},
			nil,
		},
		{
			"a third type", stored("A", "int", "A_real", "real"), kqltest.Columns("A", "string"),
			[]place{{"A_string", "iff(isnotempty(iff(isnotempty(A_string), A_string, tostring(A))), iff(isnotempty(A_string), A_string, tostring(A)), tostring(A_real))"}},
			nil,
		},
		{
			"to a dynamic", stored("A", "string"), kqltest.Columns("A", "dynamic"),
			[]place{{"A_dynamic", "coalesce(A_dynamic, parse_json(tostring(A)))"}},
			nil,
		},
		{
			"a column named like another's drift", stored("A", "int"), kqltest.Columns("A", "real", "A_real", "real"),
			[]place{{"A_real_real", "coalesce(A_real_real, toreal(A))"}, {"A_real", "A_real"}},
			nil,
		},
		{
			"a name that lineage has", nil, kqltest.Columns("RunId", "string", "Partition", "long"),
			[]place{{"RunId_string", "RunId_string"}, {"Partition_long", "Partition_long"}},
			nil,
		},
		{
			"gone after it had two types", stored("A", "int", "B", "string", "A_real", "real"), kqltest.Columns("B", "string"),
			[]place{{"B", "B"}},
			kqltest.Columns("A", "real"),
		},
		{"a word of the language", nil, kqltest.Columns("kind", "string"), []place{{"kind", `["kind"]`}}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []place
			for _, h := range Holdings(c.have, c.shown) {
				got = append(got, place{h.At, h.Value()})
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Errorf("places (-want +got):\n%s", d)
			}
			if d := cmp.Diff(c.lost, lostColumns(c.have, c.shown)); d != "" {
				t.Errorf("lost (-want +got):\n%s", d)
			}
		})
	}
}
