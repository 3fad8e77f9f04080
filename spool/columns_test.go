package spool

import (
	"slices"
	"testing"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/contract"
)

// A column to which units give several types is dynamic, regardless of the order in which
// they are read.
func TestColumnsOfSeveralUnits(t *testing.T) {
	text, number := tvmexport.Column{Name: "X", Type: "string"}, tvmexport.Column{Name: "X", Type: "real"}
	key, other := tvmexport.Column{Name: "DeviceId", Type: "string"}, tvmexport.Column{Name: "Y", Type: "bool"}
	for name, c := range map[string]struct {
		first, second []tvmexport.Column
		want          string
	}{
		"the same":      {[]tvmexport.Column{key, text}, []tvmexport.Column{key, text}, "string"},
		"text first":    {[]tvmexport.Column{key, text}, []tvmexport.Column{key, number}, "dynamic"},
		"number first":  {[]tvmexport.Column{key, number}, []tvmexport.Column{key, text}, "dynamic"},
		"in one alone":  {[]tvmexport.Column{key}, []tvmexport.Column{key, number, other}, "real"},
		"dynamic later": {[]tvmexport.Column{key, text}, []tvmexport.Column{key, {Name: "X", Type: "dynamic"}}, "dynamic"},
	} {
		t.Run(name, func(t *testing.T) {
			behind := &contract.ListingSource{}
			behind.Generate("T", "1", rowsOf(3, 1), rowsOf(3, 1))
			behind.Corrupt = func(u tvmexport.Unit, a *tvmexport.Answer) {
				if a.Columns = c.first; u.ID == "part-00001" {
					a.Columns = c.second
				}
			}
			s := newSource(t, behind, Options{})
			counts, err := s.Count(t.Context(), tvmexport.CountQuery{Table: snapshot, Depth: 1})
			if err != nil || !slices.Contains(counts.Columns, tvmexport.Column{Name: "X", Type: c.want}) || !slices.Contains(counts.Columns, key) {
				t.Errorf("%v, %v", counts.Columns, err)
			}
		})
	}
}
