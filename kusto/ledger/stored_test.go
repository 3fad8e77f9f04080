package ledger

import (
	"slices"
	"testing"

	"github.com/tvmexport/tvmexport/internal/jsonnames"
)

// The column Detail of the ledger has these names.
func TestDetailNames(t *testing.T) {
	jsonnames.Kept(t, "detail_names", slices.Concat(
		jsonnames.Of("committed", CommitDetail{}),
		jsonnames.Of("spent", spending{}),
		jsonnames.Of("shape", shapeDetail{}),
		[]string{"audit " + Succeeded, "audit " + Failed, "guard " + finishKey},
	))
}
