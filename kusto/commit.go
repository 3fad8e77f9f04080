package kusto

import (
	"context"
	"encoding/json"
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
	detail, err := document(commitDetail{m.Run.Origin(), m.Run.Table.Columns, m.Run.Table.Visible()})
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

// commitDetail is what a commit record says of its run, in the column Detail.
type commitDetail struct {
	tvmexport.Origin
	Columns []tvmexport.Column `json:"columns,omitempty"` // at the source
	Shown   []tvmexport.Column `json:"shown,omitempty"`   // to readers
}

// readCommit reads a commit record's Detail. Records of other programs have none.
func readCommit(detail []byte) (d commitDetail, err error) {
	if len(detail) == 0 {
		return d, nil
	}
	if err = json.Unmarshal(detail, &d); err != nil {
		err = fmt.Errorf("read detail %.100q: %w", detail, err)
	}
	return d, err
}
