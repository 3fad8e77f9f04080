package engine

import (
	"context"

	"github.com/tvmexport/tvmexport"
)

// compareRecorded compares what readers see of a table with the ledger. It is for
// a table whose source lists units: no count of the source says what is right.
func (c *Comparison) compareRecorded(ctx context.Context, state tvmexport.StateCounter, h tvmexport.History) error {
	var rows int64
	for _, r := range h.Partitions {
		rows += r.Rows
	}
	c.Notes = append(c.Notes, "the source does not count rows: the published rows were compared with the ledger")
	q := tvmexport.CountQuery{Table: c.Table}
	readers, err := state.State(ctx, q)
	if err != nil {
		return err
	}
	c.differ([]tvmexport.Count{{Rows: rows}}, readers, comparedParts{q, map[tvmexport.Partition]int64{tvmexport.AllPartitions: rows}})
	return nil
}
