package engine

import (
	"strings"
	"testing"

	"github.com/tvmexport/tvmexport"
)

// One row is one row in what a comparison says.
func TestDifferencesOfOneRow(t *testing.T) {
	for _, tt := range []struct {
		d    Difference
		want string
	}{
		{Difference{Source: 5, Readers: 4, Recorded: tvmexport.Missing}, "1 row is missing"},
		{Difference{Source: 6, Readers: 4, Recorded: tvmexport.Missing}, "2 rows are missing"},
		{Difference{Source: 4, Readers: 5, Recorded: tvmexport.Missing}, "1 row is there that the source does not have"},
		{Difference{Source: 5, Readers: 4, Recorded: 4}, "1 row of the source is not published"},
		{Difference{Source: 4, Readers: 5, Recorded: 5}, "1 published row is no longer at the source"},
	} {
		if got := tt.d.explain(false, "r"); !strings.HasPrefix(got, tt.want) {
			t.Errorf("%+v: %q, want %q", tt.d, got, tt.want)
		}
	}
}
