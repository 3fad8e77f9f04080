package ledger

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/kusto/conn"
	"github.com/tvmexport/tvmexport/kusto/kql"
)

// Record is a row of ExportRuns. At is the service's clock when it is written;
// that of a commit is later than the commit before it (see [record.at]).
type Record struct {
	table, Owner             string
	run, previous            tvmexport.RunID
	state                    string
	kind                     tvmexport.RunKind
	load                     tvmexport.LoadType
	watermarkFrom, watermark time.Time
	Rows, Bytes              int64
	Calls                    int
	Detail                   string // an expression; "" is null
}

// RecordOf returns the ledger row of a run in a state, without its counts.
func RecordOf(run tvmexport.Run, state string) Record {
	return Record{
		table: run.Table.Name, run: run.ID, previous: run.Previous, state: state,
		kind: run.Kind, load: run.Table.LoadType,
		watermarkFrom: run.Window.From, watermark: run.Watermark,
	}
}

// Text is the command that appends the row, once for its key.
func (r Record) Text(key string) string {
	return kql.Guarded(kql.RunsTable, key, nil, r.query())
}

// Append is the row, to be appended once for its key, also together with those of
// other tables. It is for a claim or a commit.
func (r Record) Append(op, key string) conn.Append {
	return conn.Append{Op: op, Table: r.table, Into: kql.RunsTable, Key: key, Query: r.query(), Rows: 1, Unless: r.there()}
}

// there is true if the ledger holds the commit of the run, or a claim on its base
// that was not given up.
func (r Record) there() string {
	if r.state == kql.CommittedState {
		return fmt.Sprintf("toscalar(%s | where Table == %s and RunId == %s and State == %s | count) > 0",
			kql.RunsTable, kql.Literal(r.table), kql.Literal(string(r.run)), kql.Literal(kql.CommittedState))
	}
	return fmt.Sprintf("toscalar(%s | where Table == %s and Previous == %s and State in (%s) | summarize GivenUp = countif(State == %s) by RunId | where GivenUp == 0 | count) > 0",
		kql.RunsTable, kql.Literal(r.table), kql.Literal(string(r.previous)), kql.Literals([]string{kql.PublishingState, kql.AbandonedState}), kql.Literal(kql.AbandonedState))
}

// query is the query of the row.
func (r Record) query() string {
	detail := r.Detail
	if detail == "" {
		detail = "dynamic(null)"
	}
	return understanding(fmt.Sprintf(`print Table = %s, RunId = %s, State = %s, At = %s,
    Previous = %s, Kind = %s, LoadType = %s, WatermarkFrom = %s, Watermark = %s,
    Rows = long(%d), Bytes = long(%d), Calls = long(%d), Owner = %s, Expires = datetime(null),
    Detail = %s%s`,
		kql.Literal(r.table), kql.Literal(string(r.run)), kql.Literal(r.state), r.at(),
		kql.Literal(string(r.previous)), kql.Literal(string(r.kind)), kql.Literal(string(r.load)), kql.Datetime(r.watermarkFrom), kql.Datetime(r.watermark),
		r.Rows, r.Bytes, r.Calls, kql.Literal(r.Owner), detail, r.unless()))
}

// unless is the condition of a row that ends a publication: the run has not ended
// otherwise. The service evaluates it when it executes the command, which may be
// long after the process that sent it has ended.
func (r Record) unless() string {
	other := map[string]string{kql.CommittedState: kql.AbandonedState, kql.AbandonedState: kql.CommittedState}[r.state]
	if other == "" {
		return ""
	}
	return fmt.Sprintf("\n| where toscalar(%s | where Table == %s and RunId == %s and State == %s | count) == 0",
		kql.RunsTable, kql.Literal(r.table), kql.Literal(string(r.run)), kql.Literal(other))
}

// at is the expression of the record's time: the clock of the service. A commit
// is at least one tick later than the commit that it builds on, because readers
// order commits by At, and the clock of a service can stand still or go back.
func (r Record) at() string {
	if r.state != kql.CommittedState || r.previous == "" {
		return "now()"
	}
	return fmt.Sprintf("max_of(now(), coalesce(toscalar(%s | where Table == %s and State == %s and RunId == %s | summarize min(At)) + 1tick, now()))",
		kql.RunsTable, kql.Literal(r.table), kql.Literal(kql.CommittedState), kql.Literal(string(r.previous)))
}

// PartitionsPerCommand bounds the text of one command; the service takes 1 MB
// and more, and a row has about 150 bytes.
const PartitionsPerCommand = 4000

// Partitions are the rows of a run's partitions, in commands that are executed at most
// once each. Those of one command can share it with the rows of other tables.
func Partitions(op string, run tvmexport.Run, list []tvmexport.PartitionRecord) []conn.Append {
	var out []conn.Append
	for n := 0; n*PartitionsPerCommand < len(list); n++ {
		part := list[n*PartitionsPerCommand : min((n+1)*PartitionsPerCommand, len(list))]
		var rows strings.Builder
		for i, p := range part {
			sep := ",\n"
			if i == len(part)-1 {
				sep = "\n"
			}
			fmt.Fprintf(&rows, "    %s, %s, %s, %d, %t, %s%s", kql.Literal(string(p.Partition)),
				kql.Datetime(p.Window.From), kql.Datetime(p.Window.To), p.Rows, p.Window.Null, kql.Literal(p.Fingerprint.String()), sep)
		}
		out = append(out, conn.Append{
			Op: op, Table: run.Table.Name, Into: kql.PartitionsTable, Rows: int64(len(part)),
			Key:    fmt.Sprintf("tvmexport-partitions:%s:%s:%d", run.Table.Name, run.ID, n),
			Unless: fmt.Sprintf("toscalar(%s | where Table == %s and RunId == %s | count) > 0", kql.PartitionsTable, kql.Literal(run.Table.Name), kql.Literal(string(run.ID))),
			Query: understanding(fmt.Sprintf(`datatable (Partition:string, WindowFrom:datetime, WindowTo:datetime, Rows:long, WindowNull:bool, Fingerprint:string) [
%s]
| project Table = %s, RunId = %s, Partition, WindowFrom, WindowTo, Rows, WindowNull, Fingerprint`,
				rows.String(), kql.Literal(run.Table.Name), kql.Literal(string(run.ID)))),
		})
	}
	return out
}

// WritePartitions appends the rows of a run's partitions, each at most once. It does
// so with the claim of the run's base, and before its commit if that is in another process.
func (c *Ledger) WritePartitions(ctx context.Context, op string, run tvmexport.Run, list []tvmexport.PartitionRecord) error {
	c.mu.Lock()
	written := c.partitioned[run.Table.Name] == run.ID
	c.mu.Unlock()
	if written {
		return nil
	}
	commands := Partitions(op, run, list)
	for _, a := range commands {
		write := c.conn.Append
		if len(commands) > 1 { // the condition of joint rows is about all partitions of the run
			write = c.conn.AppendAlone
		}
		if _, err := write(ctx, a); err != nil {
			return err
		}
	}
	c.mu.Lock()
	c.partitioned[run.Table.Name] = run.ID
	c.mu.Unlock()
	return nil
}
