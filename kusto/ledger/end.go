package ledger

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/kusto/conn"
	"github.com/tvmexport/tvmexport/kusto/kql"
)

// The audit's words for how a run ended, as the original system has them.
const (
	Succeeded = "Success"
	Failed    = "Failed"
)

// EndInvocation implements tvmexport.Destination: four commands for any number of
// tables. It tries all of them, even if one fails.
func (c *Invocations) EndInvocation(ctx context.Context, f tvmexport.InvocationEnd) error {
	now := time.Now()
	key := digest(f.Owner)
	var errs []error
	note := func(err error, what, next string) bool {
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w; %s", what, err, next))
		}
		return err == nil
	}
	if len(f.Outcomes) > 0 {
		note(c.noteEnds(ctx, key, f), "the ends of runs were not noted in "+kql.RunsTable, "the commits are valid")
		note(c.copyWatermarks(ctx, key, f.Outcomes), "the watermark was not copied to "+kql.ConfigurationTable, "the ledger decides, and the next run updates the copy")
	}
	done := len(f.Outcomes) == 0 ||
		note(c.audit(ctx, key, f, now), "the audit was not written to "+kql.AuditTable, "the next run writes it")
	note(c.giveBack(ctx, f, done, now), "the leases were not released", "they expire")
	return errors.Join(errs...)
}

// digestLength is the number of hexadecimal digits of a digest.
const digestLength = 24

// digest names an invocation in a tag.
func digest(owner string) string {
	sum := sha256.Sum256([]byte(owner))
	return hex.EncodeToString(sum[:digestLength/2])
}

// finishKey begins the guard of the command that copies watermarks.
const finishKey = "tvmexport-finish:"

// noteEnds writes how the invocation ended for each table, from which the
// audit can be written by another one.
func (c *Invocations) noteEnds(ctx context.Context, key string, f tvmexport.InvocationEnd) error {
	_, err := c.conn.AppendOnce(ctx, "finish", "", endsText(key, f))
	return err
}

// endsText is the command that records the outcomes of an invocation in the
// ledger, once for its key.
func endsText(key string, f tvmexport.InvocationEnd) string {
	rows := make([]string, len(f.Outcomes))
	for i, o := range f.Outcomes {
		status, reason := verdict(o)
		rows[i] = fmt.Sprintf("    %s, %s, %s, %d, %s, %s, %.3f", kql.Literal(o.Table), kql.Literal(string(o.Run)), kql.Datetime(o.Watermark), o.Rows, kql.Literal(status), kql.Literal(reason), o.Took.Seconds())
	}
	return guarded(kql.RunsTable, "tvmexport-ended:"+key, fmt.Sprintf(`datatable (Table:string, RunId:string, Watermark:datetime, Rows:long, Status:string, Reason:string, Seconds:real) [
%s]
| project %s`, strings.Join(rows, ",\n"), kql.Fill(kql.RunsColumns, map[string]kql.Expression{
		"Table":     {Kind: "string", Text: "Table"},
		"RunId":     {Kind: "string", Text: "RunId"},
		"State":     {Kind: "string", Text: kql.Literal(kql.EndedState)},
		"At":        {Kind: "datetime", Text: "now()"},
		"Watermark": {Kind: "datetime", Text: "Watermark"},
		"Rows":      {Kind: "long", Text: "Rows"},
		"Owner":     {Kind: "string", Text: kql.Literal(f.Owner)},
		"Detail":    {Kind: "dynamic", Text: `bag_pack("status", Status, "reason", Reason, "seconds", Seconds)`},
	})))
}

// verdict is what the invocation itself says of an outcome.
func verdict(o tvmexport.Outcome) (status, reason string) {
	if o.Err != nil {
		return Failed, conn.Tidy(o.Err.Error())
	}
	return Succeeded, ""
}

func (c *Invocations) copyWatermarks(ctx context.Context, key string, outcomes []tvmexport.Outcome) error {
	if !slices.ContainsFunc(outcomes, func(o tvmexport.Outcome) bool { return !refreshed(o).IsZero() }) {
		return nil
	}
	columns, err := c.conn.Columns(ctx, kql.ConfigurationTable)
	if err != nil {
		return err
	}
	_, err = c.conn.AppendOnce(ctx, "finish", "", watermarksText(finishKey+key, outcomes, columns))
	return err
}

func (c *Invocations) audit(ctx context.Context, key string, f tvmexport.InvocationEnd, now time.Time) error {
	columns, err := c.conn.Columns(ctx, kql.AuditTable)
	if err != nil {
		return err
	}
	_, err = c.conn.AppendOnce(ctx, "finish", "", auditText("tvmexport-audit:"+key, f, columns, now))
	return err
}

// giveBack ends the leases, and with an empty Table the invocation.
func (c *Invocations) giveBack(ctx context.Context, f tvmexport.InvocationEnd, done bool, now time.Time) error {
	used, err := spentRow(f.Owner, f.QuotaUsage, now)
	if err != nil {
		return err
	}
	parts := []string{releaseRows(f.Owner, append(kql.Names(f.Tables), "")), used}
	if done {
		parts = append(parts, auditedRow(f.Owner))
	}
	_, err = c.conn.Command(ctx, conn.Statement{Op: "finish", Idempotent: true, Text: fmt.Sprintf(".set-or-append %s <|\nunion (\n%s\n)\n%s", kql.RunsTable, strings.Join(parts, "\n), (\n"), understood)})
	return err
}

// auditedRow is the row that says that the audit of an invocation is written, unless
// one says so already. A second, later row would hide what the invocation committed
// after another one had written its audit: the next audit of a table counts the
// commits since the last audited row of the table.
func auditedRow(owner string) string {
	return fmt.Sprintf(`datatable (Table:string) [""]
| where toscalar(%s | where At > ago(14d) and State == %s and Owner == %s | count) == 0
| project %s`, kql.RunsTable, kql.Literal(kql.AuditedState), kql.Literal(owner), leaseColumns(kql.AuditedState, owner, "datetime(null)"))
}

// refreshed is the time that a run leaves in the configuration: its watermark, else
// when it began; zero: none.
func refreshed(o tvmexport.Outcome) time.Time {
	switch {
	case o.Err != nil:
		return time.Time{}
	case o.Watermark.IsZero():
		return o.Began
	}
	return o.Watermark
}

// watermarksText appends for each table its newest configuration row again,
// with the new time in it. Every other value is what the row contains when the
// command runs, so that it keeps an operator's change in between. A row that was
// written since the run began is an order, and stays the newest. Columns are
// matched by name, for every shape of the table, also one with more columns.
func watermarksText(key string, outcomes []tvmexport.Outcome, columns []kql.Column) string {
	var rows []string
	for _, o := range outcomes {
		if at := refreshed(o); !at.IsZero() {
			rows = append(rows, fmt.Sprintf("    %s, %s, %s", kql.Literal(o.Table), kql.Datetime(at), kql.Datetime(o.Began)))
		}
	}
	values := ownValues(columns)
	values["LastRefreshedTime"] = kql.Expression{Kind: "datetime", Text: "_Refreshed"}
	values[kql.LastRefreshedText] = kql.Expression{Kind: "string", Text: "tostring(_Refreshed)"}
	return guarded(kql.ConfigurationTable, key, fmt.Sprintf(`%s
| extend _Ordered = ingestion_time()
| extend _WrittenAt = coalesce(_Ordered, LastRefreshedTime, datetime(1900-01-01))
| summarize arg_max(_WrittenAt, *) by SourceTable
| join kind=inner (datatable (SourceTable:string, _Refreshed:datetime, _Began:datetime) [
%s]) on SourceTable
| where isnull(_Began) or isnull(_Ordered) or _Ordered <= _Began
| project %s`, kql.ConfigurationTable, strings.Join(rows, ",\n"), kql.Fill(columns, values)))
}

// auditText appends a row for each outcome, under the name of its published table.
// The ledger says how many rows were
// published and whether the run counts, since the invocation may not know of its
// own commit. If the service executes a commit only after its invocation was
// audited, the next invocation of the table counts it. If a commit lists values
// that were not read, the audit row of its success gives them as the reason. The
// time is the end of the table's run by the service's clock. It is computed from
// how long ago the run ended, because the exporter's clock may be wrong.
func auditText(key string, f tvmexport.InvocationEnd, columns []kql.Column, now time.Time) string {
	rows := make([]string, len(f.Outcomes))
	for i, o := range f.Outcomes {
		status, reason := verdict(o)
		ago := time.Duration(0)
		if !o.At.IsZero() && o.At.Before(now) {
			ago = now.Sub(o.At)
		}
		rows[i] = fmt.Sprintf("    %s, %s, %s, %s, %s, %s", kql.Literal(o.Table), kql.Literal(o.Into), kql.Literal(string(o.Run)), kql.Timespan(ago), kql.Literal(status), kql.Literal(reason))
	}
	count, reason := recordCount(columns)
	return guarded(kql.AuditTable, key, fmt.Sprintf(`let Recent = %s
    | where At > ago(14d) and State in (%s);
let Told = Recent
    | where State == %s
    | project Owner, ToldAt = At
    | join kind=inner (Recent | where State == %s | distinct Owner, Table) on Owner
    | project Owner, Table, ToldAt;
let Untold = Recent
    | where State == %s and Owner != %s
    | extend WrittenAt = coalesce(ingestion_time(), At)
    | join kind=inner (Told | summarize LastAt = max(ToldAt) by Table) on Table
    | where WrittenAt > LastAt and Owner in (Told | project Owner)
    | project Table, Rows;
let Commits = %s
    | where State == %s and Owner == %s;
datatable (Table:string, Into:string, RunId:string, Ago:timespan, Status:string, Said:string) [
%s]
| join kind=leftouter (union (Commits | project Table, Rows, Note = tostring(Detail.note)), Untold
    | summarize Published = sum(Rows), Note = strcat_array(make_list_if(Note, isnotempty(Note)), "; ") by Table) on Table%s
| extend Counts = RunId in (Commits | project RunId), Published = coalesce(Published, 0)
| extend Said = iff(Counts, coalesce(Note, ""), Said)
| project %s`, kql.RunsTable, kql.Literals([]string{kql.AuditedState, kql.EndedState, kql.CommittedState}), kql.Literal(kql.AuditedState), kql.Literal(kql.EndedState), kql.Literal(kql.CommittedState), kql.Literal(f.Owner),
		kql.RunsTable, kql.Literal(kql.CommittedState), kql.Literal(f.Owner), strings.Join(rows, ",\n"), publishedNames(f.Outcomes), kql.Fill(columns, map[string]kql.Expression{
			"TableName":     {Kind: "string", Text: "Into"},
			"Timestamp":     {Kind: "datetime", Text: "now() - Ago"},
			"Status":        {Kind: "string", Text: fmt.Sprintf("iff(Counts, %s, Status)", kql.Literal(Succeeded))},
			"FailureReason": {Kind: "string", Text: reason},
			"RecordCount":   {Kind: "long", Text: count},
		})))
}

// publishedNames is the part of a query that fills Into where an outcome does not say
// it: by the newest row of the configuration, as Order reads it. "" if all say it.
func publishedNames(outcomes []tvmexport.Outcome) string {
	if !slices.ContainsFunc(outcomes, func(o tvmexport.Outcome) bool { return o.Into == "" }) {
		return ""
	}
	return fmt.Sprintf(`
| join kind=leftouter (%s
    | extend WrittenAt = coalesce(ingestion_time(), LastRefreshedTime, datetime(1900-01-01))
    | summarize arg_max(WrittenAt, DestinationTable) by SourceTable
    | project SourceTable, Configured = trim(@"\s+", DestinationTable)) on $left.Table == $right.SourceTable
| extend Into = case(isnotempty(Into), Into, isnotempty(Configured), Configured, strcat(Table, "Raw"))`, kql.ConfigurationTable)
}

// recordCount is the number of published rows as the column RecordCount can hold it,
// and the reason that says what it could not.
func recordCount(columns []kql.Column) (count, reason string) {
	if !slices.Contains(columns, kql.Column{Name: "RecordCount", Kind: "int"}) {
		return "Published", "Said"
	}
	return fmt.Sprintf("min_of(Published, %d)", math.MaxInt32), fmt.Sprintf(
		`strcat(Said, iff(Published > %d, strcat(iff(isempty(Said), "", "; "), tostring(Published), " rows were published, more than RecordCount can hold"), ""))`, math.MaxInt32)
}
