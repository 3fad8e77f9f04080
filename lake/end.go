package lake

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/lake/delta"
	"github.com/tvmexport/tvmexport/lake/parquet"
)

var auditColumns = []tvmexport.Column{
	{Name: "TableName", Type: "string"},
	{Name: "Timestamp", Type: "datetime"},
	{Name: "Status", Type: "string"},
	{Name: "FailureReason", Type: "string"},
	{Name: "RecordCount", Type: "int"},
}

// The words of the audit for how a run ended.
const (
	succeeded = "Success"
	failed    = "Failed"
)

// outcome is what an invocation says of a table at its end.
type outcome struct {
	Table     string          `json:"table"`
	Into      string          `json:"into,omitempty"`
	Run       tvmexport.RunID `json:"run,omitempty"`
	Err       string          `json:"err,omitempty"`
	Rows      int64           `json:"rows,omitempty"`
	Watermark time.Time       `json:"watermark,omitzero"`
	Began     time.Time       `json:"began,omitzero"`
	At        time.Time       `json:"at,omitzero"`
	Took      time.Duration   `json:"took,omitempty"`
}

func outcomeOf(o tvmexport.Outcome) outcome {
	out := outcome{Table: o.Table, Into: o.Into, Run: o.Run, Rows: o.Rows, Watermark: o.Watermark, Began: o.Began, At: o.At, Took: o.Took}
	if o.Err != nil {
		out.Err = o.Err.Error()
	}
	return out
}

func (o outcome) plain() tvmexport.Outcome {
	out := tvmexport.Outcome{Table: o.Table, Into: o.Into, Run: o.Run, Rows: o.Rows, Watermark: o.Watermark, Began: o.Began, At: o.At, Took: o.Took}
	if o.Err != "" {
		out.Err = errors.New(o.Err)
	}
	return out
}

// end implements tvmexport.Ledger. It tries all steps, even if one fails.
func (v *invocations) end(ctx context.Context, e tvmexport.InvocationEnd) error {
	if _, err := v.understood(ctx, "finish", ""); err != nil {
		return err
	}
	now, err := v.now(ctx)
	if err != nil {
		return err
	}
	var errs []error
	note := func(err error, what, next string) bool {
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w; %s", what, err, next))
		}
		return err == nil
	}
	note(v.edit(ctx, e.Owner, now, func(i *invocation) bool {
		if len(e.Outcomes) > 0 && !i.Audited {
			i.Outcomes = nil
			for _, o := range e.Outcomes {
				i.Outcomes = append(i.Outcomes, outcomeOf(o))
			}
		}
		if len(e.QuotaUsage.Calls) > 0 || len(e.QuotaUsage.Endpoints) > 0 {
			i.spend(e.QuotaUsage, time.Now())
		}
		return true
	}), "the ends of runs were not noted", "the commits are valid")
	done := true
	if len(e.Outcomes) > 0 {
		note(v.configuration.copyWatermarks(ctx, digest(e.Owner), e.Outcomes), "the watermark was not copied to "+ConfigurationTable, "the ledger decides, and the next run updates the copy")
		done = note(v.audit(ctx, e), "the audit was not written to "+AuditTable, "the next run writes it")
	}
	for _, t := range e.Tables {
		note(v.release(ctx, t.Name, e.Owner), "the lease of "+t.Name+" was not released", "it expires")
	}
	note(v.edit(ctx, e.Owner, now, func(i *invocation) bool {
		i.Audited = i.Audited || done && len(e.Outcomes) > 0
		i.Released = i.Released || len(e.Tables) > 0
		return true
	}), "the end of the invocation was not noted", "the next run does it")
	if err := v.forget(ctx, now); err != nil {
		v.log.InfoContext(ctx, "lake: files of old invocations are still there", "error", err)
	}
	if len(e.Tables) > 0 {
		note(v.locks.unlock(e.Owner), "the lock of the invocation was not released", "it ends with the process")
	}
	return errors.Join(errs...)
}

// remembered is how long the file of an invocation stays after its last use.
const remembered = 14 * 24 * time.Hour

// forget removes the files of invocations that are of no more use.
func (v *invocations) forget(ctx context.Context, now time.Time) error {
	list, err := v.all(ctx)
	if err != nil {
		return err
	}
	for _, i := range list {
		if now.Sub(i.At) < remembered || !i.Audited && len(i.Tables) > 0 {
			continue
		}
		if err := v.store.Delete(ctx, invocationName(i.Owner)); err != nil {
			return err
		}
	}
	return nil
}

// audit writes a row for each outcome, once for each invocation.
func (v *invocations) audit(ctx context.Context, e tvmexport.InvocationEnd) error {
	orders, err := v.configuration.rows(ctx)
	if err != nil {
		return err
	}
	into := newest(orders)
	rows := make([][]parquet.Value, len(e.Outcomes))
	for i, o := range e.Outcomes {
		status, reason := succeeded, ""
		if o.Err != nil {
			status, reason = failed, o.Err.Error()
		}
		name := o.Into
		if name == "" {
			name = into[o.Table].Into
		}
		if name == "" {
			name = o.Table + "Raw"
		}
		rows[i] = []parquet.Value{text(name), moment(o.At), text(status), text(reason), parquet.Int(min(o.Rows, 1<<31-1))}
	}
	return v.appendRows(ctx, AuditTable, auditColumns, delta.Txn{AppID: "tvmexport/audit/" + digest(e.Owner), Version: 1}, rows)
}

var errInterrupted = errors.New("the run was interrupted: its process ended unexpectedly")

// pendingAudits implements tvmexport.Ledger.
func (v *invocations) pendingAudits(ctx context.Context, owner string) ([]tvmexport.InvocationEnd, error) {
	now, err := v.now(ctx)
	if err != nil {
		return nil, err
	}
	list, err := v.all(ctx)
	if err != nil {
		return nil, err
	}
	var out []tvmexport.InvocationEnd
	for _, i := range list {
		if i.Owner == owner || i.Audited || len(i.Tables) == 0 || !i.Released && i.Expires.After(now) && !v.locks.dead(ctx, i.Owner, i.Host) {
			continue
		}
		e := tvmexport.InvocationEnd{Owner: i.Owner}
		for _, table := range i.Tables {
			o, err := v.outcome(ctx, i, table)
			if err != nil {
				return nil, err
			}
			e.Outcomes = append(e.Outcomes, o)
		}
		out = append(out, e)
	}
	return out, nil
}

// outcome is what the ledger says of a table of an invocation: what it said itself at its
// end, else whether it has committed.
func (v *invocations) outcome(ctx context.Context, i invocation, table string) (tvmexport.Outcome, error) {
	o := tvmexport.Outcome{Table: table, Err: errInterrupted, At: i.At}
	for _, said := range i.Outcomes {
		if said.Table == table {
			o = said.plain()
		}
	}
	h, err := v.ledger.head(ctx, table)
	if err != nil {
		return o, err
	}
	o.Rows = 0
	for r, ordinal := h.last, h.ordinal; r != nil && r.Commit != nil && !r.Commit.At.Before(i.Began); {
		if r.Commit.Owner == i.Owner {
			o.Run, o.Rows = r.Header.ID, o.Rows+r.Commit.Rows
			o.Watermark = r.Publication.Run.Watermark
			if errors.Is(o.Err, errInterrupted) {
				o.Err, o.At, o.Began = nil, r.Commit.At, r.Header.StartedAt
			}
		}
		if ordinal--; ordinal == 0 {
			break
		}
		if r, _, err = v.ledger.run(ctx, table, ordinal); err != nil {
			return o, err
		}
	}
	return o, nil
}
