package ledger

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/kusto/conn"
	"github.com/tvmexport/tvmexport/kusto/kql"
)

// Commit writes the partitions of a run, then the row that makes the run
// count. Repeated, it changes nothing.
func (c *Ledger) Commit(ctx context.Context, m tvmexport.Commit) error {
	table := m.Run.Table.Name
	if err := c.WritePartitions(ctx, "commit", m.Run, m.Partitions); err != nil {
		return err
	}
	detail, err := kql.Document(CommitDetail{
		RunHeader: m.Run.Header(), Columns: m.Run.Table.Columns, Shown: m.Run.Table.Visible(),
		Destination: m.Run.Table.Destination, Losses: m.Losses, Effect: effectOf(m.Effect), StateAt: m.Run.StateAt,
		Unread: m.Unread, Unlike: m.Unlike, Gap: m.Gap, Note: noteOf(m),
	})
	if err != nil {
		return conn.RefusedError("commit", table, fmt.Errorf("describe the run: %w", err), "")
	}
	row := RecordOf(m.Run, kql.CommittedState)
	row.Owner, row.Detail = m.Owner, detail
	row.Rows, row.Bytes, row.Calls = m.Rows, m.Bytes, m.Calls
	return c.makeCount(ctx, m.Run, row)
}

// noteOf is what the audit says of a run that has succeeded; "" for nothing.
func noteOf(m tvmexport.Commit) string {
	said := slices.DeleteFunc([]string{tvmexport.GapReason(m.Gap), tvmexport.UnreadReason(m.Unread)}, func(s string) bool { return s == "" })
	return strings.Join(said, "; ")
}

// makeCount appends the row that makes a run count. The guard of an extent
// outlives rows that somebody deletes from it, so that a row which was not
// written is looked for, and written behind another guard if it is gone.
func (c *Ledger) makeCount(ctx context.Context, run tvmexport.Run, row Record) error {
	const deletions = 20
	key := fmt.Sprintf("tvmexport-commit:%s:%s", run.Table.Name, run.ID)
	for n := range deletions {
		write, guard := c.conn.Append, key
		if n > 0 {
			write, guard = c.conn.AppendAlone, fmt.Sprintf("%s+%d", key, n)
		}
		wrote, err := write(ctx, row.Append("commit", guard))
		if err != nil || wrote {
			return err
		}
		if there, err := c.IsCommitted(ctx, run.Table.Name, run.ID); err != nil || there {
			return err
		}
		if err := c.Understands(ctx, "commit", run.Table.Name); err != nil {
			return err
		}
	}
	return conn.RefusedError("commit", run.Table.Name, fmt.Errorf("the ledger rejects the commit of run %s", run.ID), "run again if "+kql.RunsTable+" says that the run was abandoned; otherwise check its rows")
}

// CommitDetail is what a commit record says of its run, in the column Detail.
type CommitDetail struct {
	tvmexport.RunHeader
	Columns []tvmexport.Column `json:"columns,omitempty"` // at the source
	Shown   []tvmexport.Column `json:"shown,omitempty"`   // to readers
	Unread  []tvmexport.Unread `json:"unread,omitempty"`  // values that do not fit their type
	Unlike  []string           `json:"unlike,omitempty"`  // columns of which the runs before had such values
	Note    string             `json:"note,omitempty"`    // for the audit

	Destination string           `json:"destination,omitempty"` // table of records; "" in records of earlier versions
	Losses      tvmexport.Losses `json:"losses,omitzero"`       // that the run made up for
	Gap         tvmexport.Window `json:"gap,omitzero"`          // of the watermark, that the source no longer had

	Effect  *storedEffect `json:"effect,omitempty"` // nil in records of earlier versions
	StateAt time.Time     `json:"stateAt,omitzero"` // of the source, see [tvmexport.Run]
}

// storedEffect is a [tvmexport.Effect] as commit records have it.
type storedEffect struct {
	TableRows int64   `json:"tableRows"`
	Growth    int64   `json:"growth"`
	Deltas    int     `json:"deltas"`
	Seconds   float64 `json:"seconds"`
}

func effectOf(e tvmexport.Effect) *storedEffect {
	return &storedEffect{e.TableRows, e.Growth, e.Deltas, e.Took.Seconds()}
}

// effect is nil where the record does not say it.
func (e *storedEffect) effect() *tvmexport.Effect {
	if e == nil {
		return nil
	}
	return &tvmexport.Effect{TableRows: e.TableRows, Growth: e.Growth, Deltas: e.Deltas, Took: secondsLong(e.Seconds)}
}

func secondsLong(s float64) time.Duration {
	return time.Duration(s * float64(time.Second)).Round(time.Millisecond)
}

// readCommit reads a commit record's Detail. Records of other programs have none.
func readCommit(detail []byte) (d CommitDetail, err error) {
	if len(detail) == 0 {
		return d, nil
	}
	if err = json.Unmarshal(detail, &d); err != nil {
		err = fmt.Errorf("a Detail of %d bytes in %s is not one of tvmexport", len(detail), kql.RunsTable)
	}
	return d, err
}

// IsCommitted says whether the ledger holds the run's commit.
func (c *Ledger) IsCommitted(ctx context.Context, table string, run tvmexport.RunID) (bool, error) {
	s := conn.Statement{Op: "publish", Table: table, One: true, Text: fmt.Sprintf(`%s
| where Table == %s and RunId == %s and State == %s
| summarize Count = count()`, kql.RunsTable, kql.Literal(table), kql.Literal(string(run)), kql.Literal(kql.CommittedState))}
	rows, err := c.conn.Ask(ctx, s)
	if err != nil {
		return false, err
	}
	counts, err := conn.ReadRows(s, rows, func(r *conn.Reader) int64 { return r.Count("Count") })
	return len(counts) > 0 && counts[0] > 0, err
}
