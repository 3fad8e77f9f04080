package kusto

import "github.com/tvmexport/tvmexport/kusto/kql/kqltest"

// typed are columns by their names and types, in turn.
var typed = kqltest.Columns
