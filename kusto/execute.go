package kusto

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/Azure/azure-kusto-go/azkustodata"
	"github.com/Azure/azure-kusto-go/azkustodata/kql"
	"github.com/Azure/azure-kusto-go/azkustodata/query"
	queryv2 "github.com/Azure/azure-kusto-go/azkustodata/query/v2"

	"github.com/tvmexport/tvmexport"
)

// statement is one text for the service.
type statement struct {
	op    string // the step, for errors
	table string // that it is about; "" if several
	text  string

	// again says that sending the text twice does what sending it once does:
	// a query, a command guarded by a tag, or one whose repetition is harmless.
	again bool

	// one says that the answer always has exactly one row. Answers to commands
	// carry no count, so what decides something is asked for in one row.
	one bool
}

// attemptTime bounds one attempt. The service is told to give up at the same
// time, so that what failed here does not go on there.
const attemptTime = 5 * time.Minute

// query asks the engine. Queries can always be repeated.
func (c *Client) query(ctx context.Context, s statement) ([]query.Row, error) {
	s.again = true
	return c.execute(ctx, c.engine, s, func(ctx context.Context) ([]query.Row, error) {
		answer, proof, err := c.ask(ctx, s.text)
		if err != nil {
			return nil, err
		}
		data, err := answer.ToDataset()
		if err == nil {
			err = proof.err()
		}
		if err != nil {
			return nil, err
		}
		return s.rows(data.Tables())
	})
}

// ask sends a query. What was read of the answer counts once the proof says
// that it is complete.
func (c *Client) ask(ctx context.Context, text string, options ...azkustodata.QueryOption) (query.IterativeDataset, *proof, error) {
	// The form that the SDK's reader takes, with errors behind the rows.
	options = append(options, azkustodata.V2NewlinesBetweenFrames(), azkustodata.V2FragmentPrimaryTables(),
		azkustodata.ResultsErrorReportingPlacement(azkustodata.ResultsErrorReportingPlacementEndOfTable))
	body, err := c.engine.client.RawV2(ctx, c.database, stmt(text), options)
	if err != nil {
		return nil, nil, err
	}
	p := newProof(body)
	data, err := queryv2.NewIterativeDataset(ctx, p, queryv2.DefaultIoCapacity, queryv2.DefaultRowCapacity, queryv2.DefaultTableCapacity)
	if err != nil {
		_ = p.Close()
		return nil, nil, err
	}
	return data, p, nil
}

// command sends a management command to the engine.
func (c *Client) command(ctx context.Context, s statement) ([]query.Row, error) {
	return c.manage(ctx, c.engine, c.database, s)
}

// manage sends a management command to one of the endpoints.
func (c *Client) manage(ctx context.Context, to *endpoint, database string, s statement) ([]query.Row, error) {
	return c.execute(ctx, to, s, func(ctx context.Context) ([]query.Row, error) {
		data, err := to.client.Mgmt(ctx, database, stmt(s.text))
		if err != nil {
			return nil, err
		}
		return s.rows(data.Tables())
	})
}

func stmt(text string) azkustodata.Statement { return kql.New("").AddUnsafe(text) }

// execute is the one place that texts pass, and the one place that repeats
// them: what may be sent again is, after an error that time may mend.
func (c *Client) execute(ctx context.Context, to *endpoint, s statement, send func(context.Context) ([]query.Row, error)) ([]query.Row, error) {
	refused, before := false, ""
	for attempt := 1; ; attempt++ {
		if c.record != nil {
			c.record(s.text)
		}
		rows, err := attemptOnce(ctx, to, send)
		if err == nil {
			return rows, nil
		}
		failed := translate(s.op, s.table, to, err)
		if ctx.Err() == nil && !refused && failed.Cause == tvmexport.Permission && isUnauthorized(to, err) {
			refused = true // nothing was carried out, and the token was dropped; one new one is tried
			continue
		}
		words := ""
		if failed.Action == tvmexport.Retry && lasting(failed) {
			if words = failed.Err.Error(); words == before {
				failed.Action, failed.Err = tvmexport.Stop, fmt.Errorf("%w, twice in the same words", failed.Err)
				return nil, failed
			}
		}
		before = words
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

func attemptOnce(ctx context.Context, to *endpoint, send func(context.Context) ([]query.Row, error)) ([]query.Row, error) {
	parent := ctx
	ctx, cancel := context.WithTimeout(ctx, attemptTime)
	defer cancel()
	err := to.reach(ctx)
	var rows []query.Row
	if err == nil {
		rows, err = send(ctx)
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
	return rows, nil
}

// rows are those of the result. Every query and command has one.
func (s statement) rows(tables []query.Table) ([]query.Row, error) {
	for _, t := range tables {
		if !t.IsPrimaryResult() {
			continue
		}
		rows := t.Rows()
		if s.one && len(rows) != 1 {
			return nil, incomplete{fmt.Sprintf("it holds %d rows instead of one", len(rows))}
		}
		return rows, nil
	}
	return nil, errNoResult
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
