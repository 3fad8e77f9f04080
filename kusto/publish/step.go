package publish

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/kusto/conn"
	"github.com/tvmexport/tvmexport/kusto/kql"
	"github.com/tvmexport/tvmexport/kusto/views"
)

// How many publishing commands are under way at a time: 3, or 6 of publications that
// are small and take a moment. A small cluster carries out few, and refuses more of
// them (https://learn.microsoft.com/kusto/management/capacity-policy).
const (
	turns            = 6
	smallTurn        = 1
	largeTurn        = 2
	smallPublication = 50_000_000 // bytes of source JSON
)

// stepAttempts is how often a step is begun.
const stepAttempts = 5

// step carries out one publishing command: it runs on the service by itself
// and is asked about by its operation id, so that no connection has to live
// through it (https://learn.microsoft.com/kusto/management/data-ingestion/ingest-from-query).
func (c *Publisher) step(ctx context.Context, a attempt, ordinal int, t target) error {
	turn := int64(smallTurn)
	if a.Bytes > smallPublication {
		turn = largeTurn
	}
	if err := c.turns.Acquire(ctx, turn); err != nil {
		return conn.Translate("publish", a.Run.Table.Name, c.conn.Engine, context.Cause(ctx))
	}
	defer c.turns.Release(turn)
	s := conn.Statement{Op: "publish", Table: a.Run.Table.Name, One: true, Text: stepText(a.Publication, ordinal, a.base, t, a.seen)}
	key := t.key(a.base, ordinal)
	isDone := finder(func(ctx context.Context) (bool, error) {
		found, err := c.operations.extents(ctx, a.Run, t, kql.KeyTag(key))
		return found.has(key), err
	})
	for attempt := 1; ; attempt++ {
		err := c.operations.begin(ctx, s, isDone)
		if err == nil {
			return nil
		}
		failed := conn.Translate(s.Op, s.Table, c.conn.Engine, err)
		if ctx.Err() != nil || attempt == stepAttempts ||
			failed.Action != tvmexport.Retry && failed.Action != tvmexport.Wait {
			return failed
		}
		c.conn.Log.InfoContext(ctx, "kusto: publishing again", "table", s.Table, "into", t.Table, "run", a.Run.ID, "step", ordinal, "error", failed.Err)
		done, err := c.operations.settled(ctx, a.Run.Table.Name, isDone, attempt)
		if done || err != nil {
			return err
		}
	}
}

// finder looks at a table for the result of a command. It is nil where the
// result cannot be distinguished from what was there before.
type finder func(context.Context) (found bool, err error)

// begin starts the command and follows it to its end.
func (c *operations) begin(ctx context.Context, s conn.Statement, isDone finder) error {
	rows, err := c.conn.Command(ctx, s)
	if err != nil {
		return err
	}
	ids, err := conn.ReadRows(s, rows, func(r *conn.Reader) string { return r.Plain("OperationId") })
	if err != nil {
		return err
	}
	for _, id := range ids {
		if err := c.follow(ctx, s, id, isDone); err != nil {
			return err
		}
	}
	return nil
}

// unknownRounds is how often an operation may be missing from .show operations,
// one answer after the other, before its fate is in doubt: for about two minutes.
const unknownRounds = 30

const (
	// operationLimit is how long an operation can be in progress: the service
	// ends a command after an hour at the latest
	// (https://learn.microsoft.com/kusto/set-timeout-limits).
	operationLimit = 70 * time.Minute
	// operationDoubt is after how long, and how often from then on, the table is
	// looked at too: the state of an operation can lag behind, or stay as it is.
	operationDoubt = 2 * time.Minute
)

// follow waits until an operation has ended, or until its result is found.
func (c *operations) follow(ctx context.Context, s conn.Statement, id string, isDone finder) error {
	wait := 100 * time.Millisecond
	began := time.Now()
	looked := began
	for unknown := 0; ; {
		states, err := c.states.Ask(ctx, id)
		if err != nil {
			return conn.About(err, "publish", s)
		}
		if i := slices.IndexFunc(states, func(s operationState) bool { return !running(s.name) }); i >= 0 {
			switch state := states[i]; state.name {
			case "Completed", "Skipped":
				return nil
			default:
				return operationError(s, state.name, state.status, state.again)
			}
		}
		if unknown++; len(states) > 0 {
			unknown = 0
		} else if unknown == unknownRounds {
			failed := conn.RefusedError(s.Op, s.Table, fmt.Errorf("the service does not know operation %s, which it has begun", id),
				fmt.Sprintf("look at .show operations %s; the next run finishes the publication", id))
			failed.Action = tvmexport.Retry
			return failed
		}
		if isDone != nil && time.Since(looked) >= operationDoubt {
			if done, err := isDone(ctx); done || err != nil {
				return err
			}
			looked = time.Now()
		}
		if time.Since(began) >= operationLimit {
			failed := conn.RefusedError(s.Op, s.Table, fmt.Errorf("the service says that operation %s is in progress after %s, and no command takes longer than an hour", id, operationLimit),
				fmt.Sprintf("look at .show operations %s; the next run finishes the publication", id))
			failed.Action = tvmexport.Retry
			return failed
		}
		if err := conn.Sleep(ctx, wait); err != nil {
			return err
		}
		wait = min(wait*3/2, 5*time.Second)
	}
}

// running says whether an operation has not ended
// (https://learn.microsoft.com/kusto/management/show-operations).
func running(state string) bool {
	return state == "InProgress" || state == "Scheduled"
}

// operationError is the error of a publishing command that ended in another
// state than success. again says that the service allows a retry.
func operationError(s conn.Statement, state, status string, again bool) error {
	err := conn.RefusedError(s.Op, s.Table, fmt.Errorf("the publishing command ended as %s: %s", state, conn.Tidy(status)), "")
	cause, hint, isNamed := conn.CauseNamed(status)
	switch {
	case state == "Throttled":
		err.Action, err.Cause = tvmexport.Wait, tvmexport.Quota
	case again || state == "Abandoned" || state == "Canceled":
		err.Action, err.Cause = tvmexport.Retry, tvmexport.Unknown
	case isNamed:
		err.Cause, err.Hint = cause, hint
	case conn.MissingEntity(status) == conn.EntityMissing:
		err.Hint = conn.InitHint(s.Table)
	}
	return err
}

// settled finds out what became of a command whose fate is in doubt: isDone
// looks at the table. It is not begun again while an operation of ours is still
// under way, for the guard looks at what has ended only.
func (c *operations) settled(ctx context.Context, table string, isDone finder, attempt int) (bool, error) {
	const patience = 40
	for round := 0; ; round++ {
		if err := conn.Sleep(ctx, conn.Backoff(min(attempt, 3))); err != nil {
			return false, err
		}
		if done, err := isDone(ctx); done || err != nil {
			return done, err
		}
		s := conn.Statement{
			Op: "publish", Table: table, Idempotent: true, One: true,
			Text: `.show operations | where State in ("InProgress", "Scheduled") and StartedOn > ago(1h) | summarize Count = count()`,
		}
		rows, err := c.conn.Command(ctx, s)
		if err != nil {
			return false, err
		}
		counts, err := conn.ReadRows(s, rows, func(r *conn.Reader) int64 { return r.Count("Count") })
		if err != nil {
			return false, err
		}
		if len(counts) == 0 || counts[0] == 0 || round == patience {
			return false, nil
		}
	}
}

// stepText moves the rows of a step's batches into a table; of late ones those
// that readers, who look at seen, lack. Columns are matched by order and type,
// not by name, so the text names those that the table has.
func stepText(p tvmexport.Publication, ordinal int, b base, t target, seen views.Source) string {
	step := p.Steps[ordinal]
	rows := landedLines(p.Run.Table, step.Batches)
	if step.Late != nil {
		rows = lackingText(p.Run, step.Batches, *step.Late, seen, p.Shown) + "| mv-expand Copy = range(1, Lack, 1) to typeof(long)\n"
	}
	return kql.AppendText("async ", t.Table, t.key(b, ordinal), []string{kql.RunTag(p.Run.ID)},
		fmt.Sprintf("%s%s| project %s", rows, t.parse(), kql.Fill(t.Columns, t.values(p.Run))))
}
