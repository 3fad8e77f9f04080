package conn

import (
	"fmt"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/kusto/kql"
)

// CheckNames returns an error if a name of the table is not an identifier, or if
// its destination is a table that tvmexport uses itself.
func CheckNames(t tvmexport.Table) error {
	for _, n := range []struct{ what, name string }{
		{"source table", t.Name}, {"destination table", t.Destination}, {"landing table", t.Landing()}, {"typed table", t.Typed()},
	} {
		if err := tvmexport.CheckIdentifier(n.what, n.name); err != nil {
			return UsageError("configuration", t.Name, err)
		}
	}
	switch t.Destination {
	case kql.ConfigurationTable, kql.AuditTable, kql.RunsTable, kql.PartitionsTable, kql.LatestView, t.Landing(), t.Typed(), t.Refilling():
		return UsageError("configuration", t.Name, fmt.Errorf("destination table %s is reserved for tvmexport", t.Destination))
	}
	return nil
}
