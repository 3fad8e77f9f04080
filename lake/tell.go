package lake

import (
	"context"
	"encoding/json"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/lake/delta"
	"github.com/tvmexport/tvmexport/lake/parquet"
)

var runsColumns = []tvmexport.Column{
	{Name: "Table", Type: "string"},
	{Name: "RunId", Type: "string"},
	{Name: "State", Type: "string"},
	{Name: "At", Type: "datetime"},
	{Name: "Previous", Type: "string"},
	{Name: "Kind", Type: "string"},
	{Name: "LoadType", Type: "string"},
	{Name: "WatermarkFrom", Type: "datetime"},
	{Name: "Watermark", Type: "datetime"},
	{Name: "Rows", Type: "long"},
	{Name: "Bytes", Type: "long"},
	{Name: "Calls", Type: "long"},
	{Name: "Owner", Type: "string"},
	{Name: "Detail", Type: "dynamic"},
	{Name: "Ordinal", Type: "long"},
	{Name: "TableRows", Type: "long"},
}

var partitionsColumns = []tvmexport.Column{
	{Name: "Table", Type: "string"},
	{Name: "RunId", Type: "string"},
	{Name: "Partition", Type: "string"},
	{Name: "WindowFrom", Type: "datetime"},
	{Name: "WindowTo", Type: "datetime"},
	{Name: "Rows", Type: "long"},
	{Name: "WindowNull", Type: "bool"},
	{Name: "Fingerprint", Type: "string"},
}

// tell adds a committed run to the tables that show the ledger to readers, and the runs before
// it of which they do not know.
func (l *ledger) tell(ctx context.Context, table string, last *runFile) error {
	missing := []*runFile{last}
	s, err := l.snapshot(ctx, RunsTable)
	if err != nil {
		return err
	}
	told, _ := s.Txn(app(table))
	for ordinal := last.Ordinal - 1; ordinal > told; ordinal-- {
		r, _, err := l.run(ctx, table, ordinal)
		if err != nil {
			return err
		}
		if r == nil || r.Commit == nil {
			return l.lost(table, ordinal)
		}
		missing = append(missing, r)
	}
	for i := len(missing) - 1; i >= 0; i-- {
		r := missing[i]
		txn := delta.Txn{AppID: app(table), Version: r.Ordinal}
		if err := l.appendRows(ctx, PartitionsTable, partitionsColumns, txn, partitionRows(table, r)); err != nil {
			return err
		}
		row, err := runRow(table, r)
		if err != nil {
			return err
		}
		if err := l.appendRows(ctx, RunsTable, runsColumns, txn, [][]parquet.Value{row}); err != nil {
			return err
		}
	}
	return nil
}

func text(s string) parquet.Value { return parquet.Text([]byte(s)) }

// moment is a time; null if it is zero.
func moment(t time.Time) parquet.Value {
	if t.IsZero() {
		return parquet.Value{}
	}
	return parquet.Time(t)
}

// detail is what a row of ExportRuns says of a run in JSON.
type detail struct {
	tvmexport.RunHeader
	StateAt     time.Time          `json:"stateAt,omitzero"`
	Columns     []tvmexport.Column `json:"columns,omitempty"`
	Shown       []tvmexport.Column `json:"shown,omitempty"`
	Destination string             `json:"destination,omitempty"`
	Losses      tvmexport.Losses   `json:"losses,omitzero"`
	Gap         tvmexport.Window   `json:"gap,omitzero"`
	Unread      []tvmexport.Unread `json:"unread,omitempty"`
}

func runRow(table string, r *runFile) ([]parquet.Value, error) {
	c := r.Commit
	d, err := json.Marshal(detail{
		RunHeader: r.Header, StateAt: r.Publication.Run.StateAt, Columns: r.Columns, Shown: r.Shown, Destination: r.Destination,
		Losses: c.Losses, Gap: c.Gap, Unread: c.Unread,
	})
	run := r.Publication.Run
	return []parquet.Value{
		text(table), text(string(r.Header.ID)), text("committed"), moment(c.At), text(string(r.Header.Previous)), text(string(r.Header.Kind)),
		text(string(r.LoadType)), moment(run.Window.From), moment(run.Watermark), parquet.Int(c.Rows), parquet.Int(c.Bytes), parquet.Int(int64(c.Calls)),
		text(c.Owner), parquet.Text(d), parquet.Int(r.Ordinal), parquet.Int(c.Effect.TableRows),
	}, err
}

func partitionRows(table string, r *runFile) [][]parquet.Value {
	rows := make([][]parquet.Value, len(r.Partitions))
	for i, p := range r.Partitions {
		rows[i] = []parquet.Value{
			text(table), text(string(r.Header.ID)), text(string(p.Partition)), moment(p.Window.From), moment(p.Window.To),
			parquet.Int(p.Rows), parquet.Bool(p.Window.Null), text(p.Fingerprint.String()),
		}
	}
	return rows
}
