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
	detail, err := document(m.Run.Origin())
	if err != nil {
		return refused("commit", table, fmt.Errorf("describe the run: %w", err), "")
	}
	row := recordOf(m.Run, committed)
	row.owner, row.detail = m.Owner, detail
	row.rows, row.bytes, row.calls = m.Rows, m.Bytes, m.Calls
	_, err = c.append(ctx, "commit", table, row.text(fmt.Sprintf("tvmexport-commit:%s:%s", table, m.Run.ID)))
	if err != nil {
		return err
	}
	c.mu.Lock()
	delete(c.counted, table)
	c.mu.Unlock()
	c.clearLanding(ctx, m.Run.Table)
	return nil
}
