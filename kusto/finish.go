package kusto

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tvmexport/tvmexport"
)

// The audit's words for how a run ended, as the original system has them.
const (
	succeeded = "Success"
	failedRun = "Failed"
)

// Finish implements tvmexport.Destination: one command for the watermarks, one
// for the audit rows of all tables.
func (c *Client) Finish(ctx context.Context, outcomes []tvmexport.Outcome) error {
	if len(outcomes) == 0 {
		return nil
	}
	key := "tvmexport-finish:" + digest(outcomes)
	if slices.ContainsFunc(outcomes, movesWatermark) {
		columns, err := c.columns(ctx, configurationTable)
		if err != nil {
			return err
		}
		if _, err := c.append(ctx, "finish", "", watermarksText(key, outcomes, columns)); err != nil {
			return err
		}
	}
	columns, err := c.columns(ctx, auditTable)
	if err != nil {
		return err
	}
	_, err = c.append(ctx, "finish", "", auditText(key, outcomes, columns, time.Now()))
	return err
}

// digest names a set of outcomes, so that it is written once.
func digest(outcomes []tvmexport.Outcome) string {
	list := make([]string, len(outcomes))
	for i, o := range outcomes {
		list[i] = fmt.Sprintf("%s|%s|%d|%t", o.Table.Name, o.Run, o.At.UnixNano(), o.Err == nil)
	}
	slices.Sort(list)
	sum := sha256.Sum256([]byte(strings.Join(list, "\n")))
	return hex.EncodeToString(sum[:12])
}

func movesWatermark(o tvmexport.Outcome) bool { return o.Err == nil && !o.Watermark.IsZero() }

// watermarksText appends for each table its newest configuration row again,
// with the new time in it. Every other value is what the row says when the
// command runs, so an operator's change in between is kept; columns go by
// name, whichever shape the table has.
func watermarksText(key string, outcomes []tvmexport.Outcome, columns []column) string {
	var rows []string
	for _, o := range outcomes {
		if movesWatermark(o) {
			rows = append(rows, fmt.Sprintf("    %s, %s", literal(o.Table.Name), datetime(o.Watermark)))
		}
	}
	values := map[string]expression{}
	for _, c := range columns {
		values[c.name] = expression{c.kind, ident(c.name)}
	}
	values["LastRefreshedTime"] = expression{"datetime", "NewWatermark"}
	values[lastRefreshedText] = expression{"string", "tostring(NewWatermark)"}
	return guarded(configurationTable, key, nil, fmt.Sprintf(`%s
| extend WrittenAt = coalesce(ingestion_time(), LastRefreshedTime, datetime(1900-01-01))
| summarize arg_max(WrittenAt, *) by SourceTable
| join kind=inner (datatable (SourceTable:string, NewWatermark:datetime) [
%s]) on SourceTable
| project %s`, configurationTable, strings.Join(rows, ",\n"), fill(columns, values)))
}

// auditText appends a row for each outcome. Its time is the end of the table's
// run by the service's clock: how long ago it ended is known, the exporter's
// clock may be wrong.
func auditText(key string, outcomes []tvmexport.Outcome, columns []column, now time.Time) string {
	rows := make([]string, len(outcomes))
	for i, o := range outcomes {
		status, reason, ago := succeeded, "", time.Duration(0)
		if o.Err != nil {
			status, reason = failedRun, tidy(o.Err.Error())
		}
		if !o.At.IsZero() && o.At.Before(now) {
			ago = now.Sub(o.At)
		}
		rows[i] = fmt.Sprintf("    %s, %s, %s, %s, %d", literal(o.Table.Name), timespan(ago), literal(status), literal(reason), o.Rows)
	}
	return guarded(auditTable, key, nil, fmt.Sprintf(`datatable (TableName:string, Ago:timespan, Status:string, FailureReason:string, RecordCount:long) [
%s]
| project %s`, strings.Join(rows, ",\n"), fill(columns, map[string]expression{
		"TableName":     {"string", "TableName"},
		"Timestamp":     {"datetime", "now() - Ago"},
		"Status":        {"string", "Status"},
		"FailureReason": {"string", "FailureReason"},
		"RecordCount":   {"long", "RecordCount"},
	})))
}
