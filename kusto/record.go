package kusto

import (
	"fmt"
	"strings"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/kusto/kql"
)

// record is a row of ExportRuns. At is the service's clock when it is written;
// that of a commit is later than the commit before it (see [record.at]).
type record struct {
	table, owner             string
	run, previous            tvmexport.RunID
	state                    string
	kind                     tvmexport.RunKind
	load                     tvmexport.LoadType
	watermarkFrom, watermark time.Time
	rows, bytes              int64
	calls                    int
	detail                   string // an expression; "" is null
}

func recordOf(run tvmexport.Run, state string) record {
	return record{
		table: run.Table.Name, run: run.ID, previous: run.Previous, state: state,
		kind: run.Kind, load: run.Table.LoadType,
		watermarkFrom: run.Window.From, watermark: run.Watermark,
	}
}

// text is the command that appends the row, once for its key.
func (r record) text(key string) string {
	detail := r.detail
	if detail == "" {
		detail = "dynamic(null)"
	}
	return guarded(kql.RunsTable, key, nil, fmt.Sprintf(`print Table = %s, RunId = %s, State = %s, At = %s,
    Previous = %s, Kind = %s, LoadType = %s, WatermarkFrom = %s, Watermark = %s,
    Rows = long(%d), Bytes = long(%d), Calls = long(%d), Owner = %s, Expires = datetime(null),
    Detail = %s`,
		kql.Literal(r.table), kql.Literal(string(r.run)), kql.Literal(r.state), r.at(),
		kql.Literal(string(r.previous)), kql.Literal(string(r.kind)), kql.Literal(string(r.load)), kql.Datetime(r.watermarkFrom), kql.Datetime(r.watermark),
		r.rows, r.bytes, r.calls, kql.Literal(r.owner), detail))
}

// at is the expression of the record's time: the clock of the service. A commit
// is at least one tick later than the commit that it builds on, because readers
// order commits by At, and the clock of a service can stand still or go back.
func (r record) at() string {
	if r.state != kql.CommittedState || r.previous == "" {
		return "now()"
	}
	return fmt.Sprintf("max_of(now(), coalesce(toscalar(%s | where Table == %s and State == %s and RunId == %s | summarize min(At)) + 1tick, now()))",
		kql.RunsTable, kql.Literal(r.table), kql.Literal(kql.CommittedState), kql.Literal(string(r.previous)))
}

// guarded is a command that appends the result of a query to a table, at most
// once for its key as long as an extent of the table carries the key's tag
// (https://learn.microsoft.com/kusto/management/extent-tags).
func guarded(table, key string, more []string, query string) string {
	return appendText("", table, key, more, query)
}

func appendText(mode, table, key string, more []string, query string) string {
	return fmt.Sprintf(".set-or-append %s%s with (tags = %s, ingestIfNotExists = %s) <|\n%s",
		mode, kql.Ident(table), kql.Tags(append([]string{kql.KeyTag(key)}, more...)...), kql.Tags(key), query)
}

// partitionsPerCommand bounds the text of one command; the service takes 1 MB
// and more, and a row has about 150 bytes.
const partitionsPerCommand = 4000

// partitionTexts are the commands that write a run's partitions, each at most once.
func partitionTexts(run tvmexport.Run, list []tvmexport.PartitionRecord) []string {
	var out []string
	for n := 0; n*partitionsPerCommand < len(list); n++ {
		part := list[n*partitionsPerCommand : min((n+1)*partitionsPerCommand, len(list))]
		var rows strings.Builder
		for i, p := range part {
			sep := ",\n"
			if i == len(part)-1 {
				sep = "\n"
			}
			fmt.Fprintf(&rows, "    %s, %s, %s, %d, %t, %s%s", kql.Literal(string(p.Partition)),
				kql.Datetime(p.Window.From), kql.Datetime(p.Window.To), p.Rows, p.Window.Null, kql.Literal(p.Fingerprint.String()), sep)
		}
		out = append(out, guarded(kql.PartitionsTable, fmt.Sprintf("tvmexport-partitions:%s:%s:%d", run.Table.Name, run.ID, n), nil,
			fmt.Sprintf(`datatable (Partition:string, WindowFrom:datetime, WindowTo:datetime, Rows:long, WindowNull:bool, Fingerprint:string) [
%s]
| project Table = %s, RunId = %s, Partition, WindowFrom, WindowTo, Rows, WindowNull, Fingerprint`,
				rows.String(), kql.Literal(run.Table.Name), kql.Literal(string(run.ID)))))
	}
	return out
}
