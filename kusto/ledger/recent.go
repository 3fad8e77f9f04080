package ledger

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/kusto/conn"
	"github.com/tvmexport/tvmexport/kusto/kql"
)

// RunRecord is what the ledger says of one run of a table.
type RunRecord struct {
	Table     string
	Run       tvmexport.RunID // "" where it failed before a run began
	Previous  tvmexport.RunID
	Owner     string
	Kind      tvmexport.RunKind
	Load      tvmexport.LoadType
	Committed bool
	Began     time.Time // by the service's clock; zero where that is not recorded
	At        time.Time // of the commit, or of the end
	From      time.Time // lower end of the window; zero: none
	Watermark time.Time
	Rows      int64
	Bytes     int64
	Calls     int64
	Reason    string // why it failed

	Effect *tvmexport.Effect // nil: not recorded
	Took   time.Duration     // without the wait for its turn; 0: not recorded
}

// Runs are the runs that the ledger knows, newest first, not more than the
// given number of each table, with the service's clock. Of a run that is
// committed the commit record counts, of another what was noted at its end.
func (c *Reports) Runs(ctx context.Context, perTable int) (now time.Time, runs []RunRecord, err error) {
	if err := c.visible.SeesAll(ctx, "read ledger", "", kql.RunsTable); err != nil {
		return now, nil, err
	}
	s := conn.Statement{Op: "read ledger", Text: recentText(perTable)}
	rows, err := c.conn.Query(ctx, s)
	if err != nil {
		return now, nil, err
	}
	lines, err := conn.ReadRows(s, rows, readRunLine)
	if err != nil {
		return now, nil, err
	}
	for _, l := range lines {
		now = l.now
	}
	return now, merge(lines, perTable), nil
}

// recentText asks for commits and for ends apart: neither crowds out the other.
func recentText(perTable int) string {
	return fmt.Sprintf(`%s
| where State in (%s) and isnotempty(Table)
| order by State asc, Table asc, At desc
| extend Ordinal = row_number(1, prev(Table) != Table or prev(State) != State)
| where Ordinal <= %d
| project Now = now(), Table, RunId, State, At, Previous, Kind, LoadType, WatermarkFrom, Watermark, Rows, Bytes, Calls, Owner, Detail`,
		kql.RunsTable, kql.Literals([]string{kql.CommittedState, kql.EndedState}), perTable)
}

// runLine is a row of the ledger about a run.
type runLine struct {
	RunRecord
	now    time.Time
	failed bool // an end that says so
}

func readRunLine(r *conn.Reader) runLine {
	l := runLine{now: r.Time("Now"), RunRecord: RunRecord{
		Table: r.Text("Table"), Run: tvmexport.RunID(r.Text("RunId")), Previous: tvmexport.RunID(r.Text("Previous")), Owner: r.Text("Owner"),
		Kind: tvmexport.RunKind(r.Text("Kind")), Load: tvmexport.LoadType(r.Text("LoadType")), Committed: r.Text("State") == kql.CommittedState,
		At: r.Time("At"), From: r.Time("WatermarkFrom"), Watermark: r.Time("Watermark"),
		Rows: r.Long("Rows"), Bytes: r.Long("Bytes"), Calls: r.Long("Calls"),
	}}
	var detail struct {
		StartedAt      time.Time `json:"startedAt"`
		Status, Reason string
		Seconds        float64       // of an end
		Effect         *storedEffect // of a commit
	}
	if text := r.Document("Detail"); len(text) > 0 {
		r.Fail("Detail", json.Unmarshal(text, &detail))
	}
	l.Effect, l.Took = detail.Effect.effect(), secondsLong(detail.Seconds)
	if l.Effect != nil {
		l.Took = l.Effect.Took
	}
	l.Began, l.Reason, l.failed = detail.StartedAt, detail.Reason, detail.Status == Failed
	return l
}

// merge makes one record of the rows of each run, newest first.
func merge(lines []runLine, perTable int) []RunRecord {
	counts := map[[2]string]bool{}
	for _, l := range lines {
		if l.Committed {
			counts[[2]string{l.Table, string(l.Run)}] = true
		}
	}
	var out []RunRecord
	for _, l := range lines {
		if l.Committed || l.failed && !counts[[2]string{l.Table, string(l.Run)}] {
			out = append(out, l.RunRecord)
		}
	}
	slices.SortStableFunc(out, func(a, b RunRecord) int {
		return cmp.Or(b.At.Compare(a.At), cmp.Compare(a.Table, b.Table))
	})
	seen := map[string]int{}
	return slices.DeleteFunc(out, func(r RunRecord) bool {
		seen[r.Table]++
		return seen[r.Table] > perTable
	})
}

// Row is a row of the ledger, unchanged.
type Row struct {
	State  string
	At     time.Time
	Rows   int64
	Bytes  int64
	Calls  int64
	Owner  string
	Detail json.RawMessage // null where there is none
}

// Record is all that the ledger holds of one run: its rows, oldest first, and
// its partitions.
func (c *Reports) Record(ctx context.Context, table string, run tvmexport.RunID) ([]Row, []tvmexport.PartitionRecord, error) {
	if err := tvmexport.CheckIdentifier("table", table); err != nil {
		return nil, nil, conn.UsageError("read ledger", "", err)
	}
	s := conn.Statement{Op: "read ledger", Table: table, Text: fmt.Sprintf(`%s
| where Table == %s and RunId == %s
| order by At asc
| project State, At, Rows, Bytes, Calls, Owner, Detail`, kql.RunsTable, kql.Literal(table), kql.Literal(string(run)))}
	rows, err := c.conn.Query(ctx, s)
	if err != nil {
		return nil, nil, err
	}
	list, err := conn.ReadRows(s, rows, func(r *conn.Reader) Row {
		return Row{
			State: r.Text("State"), At: r.Time("At"), Rows: r.Long("Rows"), Bytes: r.Long("Bytes"), Calls: r.Long("Calls"),
			Owner: r.Text("Owner"), Detail: r.Document("Detail"),
		}
	})
	if err != nil || len(list) == 0 {
		return nil, nil, err
	}
	s.Text = fmt.Sprintf(`%s
| where Table == %s and RunId == %s
| distinct Partition, WindowFrom, WindowTo, WindowNull, Rows, Fingerprint
| order by WindowFrom asc, Partition asc`, kql.PartitionsTable, kql.Literal(table), kql.Literal(string(run)))
	if rows, err = c.conn.Query(ctx, s); err != nil {
		return nil, nil, err
	}
	parts, err := conn.ReadRows(s, rows, readPartition)
	return list, parts, err
}

func readPartition(r *conn.Reader) tvmexport.PartitionRecord {
	p := tvmexport.PartitionRecord{
		Partition: tvmexport.Partition(r.Text("Partition")),
		Window:    tvmexport.Window{From: r.Time("WindowFrom"), To: r.Time("WindowTo"), Null: r.Flag("WindowNull")},
		Rows:      r.Count("Rows"),
	}
	r.Fail("Fingerprint", p.Fingerprint.UnmarshalText([]byte(r.Text("Fingerprint"))))
	return p
}
