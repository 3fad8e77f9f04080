package setup

import (
	"testing"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/kusto/kql"
	"github.com/tvmexport/tvmexport/kusto/kql/kqltest"
	"github.com/tvmexport/tvmexport/kusto/views"
)

// TestExpected: with the columns that init adds, a typed table holds each column
// where it did without them.
func TestExpected(t *testing.T) {
	have := append([]kql.Column{{Name: "A", Kind: "int"}, {Name: "B", Kind: "string"}}, views.LineageColumns...)
	for name, shown := range map[string][]tvmexport.Column{
		"as it is":                             kqltest.Columns("A", "int", "B", "string"),
		"a column appears":                     kqltest.Columns("A", "int", "C", "long"),
		"another type":                         kqltest.Columns("A", "real", "B", "dynamic"),
		"a column named like another's drift":  kqltest.Columns("A", "real", "A_real", "real"),
		"names that lineage has":               kqltest.Columns("RunId", "string", "Partition", "long"),
		"no column that there was":             kqltest.Columns("C", "string"),
		"a column that is a word of the query": kqltest.Columns("kind", "string"),
	} {
		t.Run(name, func(t *testing.T) {
			table := tvmexport.Table{Name: "T", Columns: shown}
			for _, before := range [][]kql.Column{nil, have} {
				existing := map[string][]kql.Column{}
				if before != nil {
					existing[table.Typed()] = before
				}
				after := expected(table, existing)[table.Typed()]
				was := views.Holdings(before, shown)
				for i, h := range views.Holdings(after, shown) {
					if h.At != was[i].At || h.Value() != was[i].Value() {
						t.Errorf("%s is at %s as %s, and was at %s as %s", h.Name, h.At, h.Value(), was[i].At, was[i].Value())
					}
					if kql.Missing(after, []kql.Column{{Name: h.At, Kind: h.Type}}) != "" {
						t.Errorf("%s was not added", h.At)
					}
				}
			}
		})
	}
}
