package kusto

import (
	"context"
	"fmt"

	"github.com/tvmexport/tvmexport"
)

// Commit implements tvmexport.Destination.
func (c *Client) Commit(ctx context.Context, m tvmexport.Commit) error {
	table := m.Run.Table.Name
	for _, text := range partitionTexts(m.Run, m.Partitions) {
		if _, err := c.append(ctx, "commit", table, text); err != nil {
			return err
		}
	}
	row := recordOf(m.Run, committed)
	row.rows, row.bytes, row.calls = m.Rows, m.Bytes, m.Calls
	_, err := c.append(ctx, "commit", table, row.text(fmt.Sprintf("tvmexport-commit:%s:%s", table, m.Run.ID)))
	if err != nil {
		return err
	}
	c.mu.Lock()
	delete(c.counted, table)
	c.mu.Unlock()
	return nil
}
