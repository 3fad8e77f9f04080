package kusto

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/kusto/conn"
	"github.com/tvmexport/tvmexport/kusto/kql"
)

// Commit implements tvmexport.Destination.
func (c *Client) Commit(ctx context.Context, m tvmexport.Commit) error {
	table := m.Run.Table.Name
	for _, text := range partitionTexts(m.Run, m.Partitions) {
		if _, err := c.append(ctx, "commit", table, text); err != nil {
			return err
		}
	}
	detail, err := kql.Document(commitDetail{
		RunHeader: m.Run.Header(), Columns: m.Run.Table.Columns, Shown: m.Run.Table.Visible(),
		Destination: m.Run.Table.Destination, Losses: m.Losses,
		Unread: m.Unread, Unlike: m.Unlike, Note: tvmexport.UnreadReason(m.Unread),
	})
	if err != nil {
		return conn.RefusedError("commit", table, fmt.Errorf("describe the run: %w", err), "")
	}
	row := recordOf(m.Run, kql.CommittedState)
	row.owner, row.detail = m.Owner, detail
	row.rows, row.bytes, row.calls = m.Rows, m.Bytes, m.Calls
	if err := c.makeCount(ctx, m.Run, row); err != nil {
		return err
	}
	c.mu.Lock()
	delete(c.counted, table)
	c.mu.Unlock()
	c.clearLanding(ctx, m.Run)
	return nil
}

// makeCount appends the row that makes a run count. The guard of an extent
// outlives rows that somebody deletes from it, so that a row which was not
// written is looked for, and written behind another guard if it is gone.
func (c *Client) makeCount(ctx context.Context, run tvmexport.Run, row record) error {
	const deletions = 20
	key := fmt.Sprintf("tvmexport-commit:%s:%s", run.Table.Name, run.ID)
	for n := range deletions {
		guard := key
		if n > 0 {
			guard = fmt.Sprintf("%s+%d", key, n)
		}
		wrote, err := c.append(ctx, "commit", run.Table.Name, row.text(guard))
		if err != nil || wrote {
			return err
		}
		if there, err := c.isCommitted(ctx, run.Table.Name, run.ID); err != nil || there {
			return err
		}
	}
	return conn.RefusedError("commit", run.Table.Name, fmt.Errorf("the ledger rejects the commit of run %s", run.ID), "check the rows of "+kql.RunsTable)
}

// commitDetail is what a commit record says of its run, in the column Detail.
type commitDetail struct {
	tvmexport.RunHeader
	Columns []tvmexport.Column `json:"columns,omitempty"` // at the source
	Shown   []tvmexport.Column `json:"shown,omitempty"`   // to readers
	Unread  []tvmexport.Unread `json:"unread,omitempty"`  // values that do not fit their type
	Unlike  []string           `json:"unlike,omitempty"`  // columns of which the runs before had such values
	Note    string             `json:"note,omitempty"`    // for the audit

	Destination string           `json:"destination,omitempty"` // table of records; "" in records of earlier versions
	Losses      tvmexport.Losses `json:"losses,omitzero"`       // that the run made up for
}

// readCommit reads a commit record's Detail. Records of other programs have none.
func readCommit(detail []byte) (d commitDetail, err error) {
	if len(detail) == 0 {
		return d, nil
	}
	if err = json.Unmarshal(detail, &d); err != nil {
		err = fmt.Errorf("a Detail of %d bytes in %s is not one of tvmexport", len(detail), kql.RunsTable)
	}
	return d, err
}
