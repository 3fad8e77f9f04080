package assessment

import (
	"errors"

	"github.com/tvmexport/tvmexport"
)

// unknownTable is about a table that none of the APIs has.
func unknownTable(op, table string) error {
	return &tvmexport.Error{
		Op: op, Table: table, Action: tvmexport.Stop, Cause: tvmexport.Rejected,
		Err: errors.New("the export assessment APIs have no such table"), Hint: "the catalogue lists the tables with their sources",
	}
}
