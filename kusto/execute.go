package kusto

import (
	"context"
	"errors"
	"time"

	"github.com/Azure/azure-kusto-go/azkustodata"
	"github.com/Azure/azure-kusto-go/azkustodata/kql"
	"github.com/Azure/azure-kusto-go/azkustodata/query"
)

// statement is one text for the service.
type statement struct {
	op    string // the step, for errors
	table string // that it is about; "" if several
	text  string

	// again says that sending the text twice does what sending it once does:
	// a query, a command guarded by a tag, or one whose repetition is harmless.
	again bool
}

// attemptTime bounds one attempt. The service is told to give up at the same
// time, so that what failed here does not go on there.
const attemptTime = 5 * time.Minute

// query asks the engine. Queries can always be repeated.
func (c *Client) query(ctx context.Context, s statement) ([]query.Row, error) {
	s.again = true
	return c.execute(ctx, c.engine, s, func(ctx context.Context) ([]query.Table, error) {
		data, err := c.engine.client.Query(ctx, c.database, stmt(s.text))
		if err != nil {
			return nil, err
		}
		return data.Tables(), nil
	})
}

// command sends a management command to the engine.
func (c *Client) command(ctx context.Context, s statement) ([]query.Row, error) {
	return c.manage(ctx, c.engine, c.database, s)
}

// manage sends a management command to one of the endpoints.
func (c *Client) manage(ctx context.Context, to *endpoint, database string, s statement) ([]query.Row, error) {
	return c.execute(ctx, to, s, func(ctx context.Context) ([]query.Table, error) {
		data, err := to.client.Mgmt(ctx, database, stmt(s.text))
		if err != nil {
			return nil, err
		}
		return data.Tables(), nil
	})
}

func stmt(text string) azkustodata.Statement { return kql.New("").AddUnsafe(text) }

// execute is the one place that texts pass, and the one place that repeats
// them: what may be sent again is, after an error that time may mend.
func (c *Client) execute(ctx context.Context, to *endpoint, s statement, send func(context.Context) ([]query.Table, error)) ([]query.Row, error) {
	for attempt := 1; ; attempt++ {
		if c.record != nil {
			c.record(s.text)
		}
		rows, err := attemptOnce(ctx, to, send)
		if err == nil {
			return rows, nil
		}
		failed := translate(s.op, s.table, to, err)
		if ctx.Err() != nil || !worthRepeating(s, failed, attempt) {
			return nil, failed
		}
		wait := backoff(attempt)
		c.log.InfoContext(ctx, "kusto: again", "op", s.op, "table", s.table, "attempt", attempt, "in", wait, "error", failed.Err)
		if err := sleep(ctx, wait); err != nil {
			return nil, failed
		}
	}
}

func attemptOnce(ctx context.Context, to *endpoint, send func(context.Context) ([]query.Table, error)) ([]query.Row, error) {
	parent := ctx
	ctx, cancel := context.WithTimeout(ctx, attemptTime)
	defer cancel()
	err := to.reach(ctx)
	var tables []query.Table
	if err == nil {
		tables, err = send(ctx)
	}
	if err != nil {
		if ctx.Err() != nil && parent.Err() == nil {
			err = errors.Join(errSlow, err)
		}
		if parent.Err() != nil {
			err = contextEnded{context.Cause(parent)}
		}
		return nil, err
	}
	for _, t := range tables {
		if t.IsPrimaryResult() {
			return t.Rows(), nil
		}
	}
	return nil, nil
}

// contextEnded: the caller's context is over, for the reason inside.
type contextEnded struct{ error }

func (e contextEnded) Unwrap() error { return e.error }

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
