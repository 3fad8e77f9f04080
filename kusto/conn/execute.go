package conn

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
	"github.com/tvmexport/tvmexport/internal/wait"
)

// Statement is one text for the service.
type Statement struct {
	Op    string // the step, for errors
	Table string // that it is about; "" if several
	Text  string

	// Idempotent says that sending the text twice does what sending it once does:
	// a query, a command guarded by a tag, or one whose repetition is harmless.
	Idempotent bool

	// One says that the answer always has exactly one row. Answers to commands
	// carry no count, so what decides something is asked for in one row.
	One bool

	// Scans says that a query reads rows of data, which can take long: queries of the
	// control tables are not joined with it.
	Scans bool
}

// attemptTime bounds one attempt. The service gets the same time limit, so that
// a command that failed here does not go on there.
const attemptTime = 5 * time.Minute

// Query asks the engine. Queries can always be repeated.
func (c *Conn) Query(ctx context.Context, s Statement) ([]query.Row, error) {
	s.Idempotent = true
	return c.execute(ctx, c.Engine, s, func(ctx context.Context) ([]query.Row, error) {
		answer, proof, err := c.ask(ctx, s.Text)
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
func (c *Conn) ask(ctx context.Context, text string, options ...azkustodata.QueryOption) (query.IterativeDataset, *proof, error) {
	// The form that the SDK's reader takes, with errors behind the rows.
	options = append(options, azkustodata.V2NewlinesBetweenFrames(), azkustodata.V2FragmentPrimaryTables(),
		azkustodata.ResultsErrorReportingPlacement(azkustodata.ResultsErrorReportingPlacementEndOfTable))
	body, err := c.Engine.client.RawV2(ctx, c.Database, stmt(text), options)
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

// Command sends a management command to the engine.
func (c *Conn) Command(ctx context.Context, s Statement) ([]query.Row, error) {
	return c.Manage(ctx, c.Engine, c.Database, s)
}

// Manage sends a management command to one of the endpoints.
func (c *Conn) Manage(ctx context.Context, to *Endpoint, database string, s Statement) ([]query.Row, error) {
	return c.execute(ctx, to, s, func(ctx context.Context) ([]query.Row, error) {
		data, err := to.client.Mgmt(ctx, database, stmt(s.Text))
		if err != nil {
			return nil, err
		}
		return s.rows(data.Tables())
	})
}

func stmt(text string) azkustodata.Statement { return kql.New("").AddUnsafe(text) }

// execute sends every text. It alone repeats texts: those that may be sent
// again, after an error that can pass with time.
func (c *Conn) execute(ctx context.Context, to *Endpoint, s Statement, send func(context.Context) ([]query.Row, error)) ([]query.Row, error) {
	refused, before := false, ""
	for attempt := 1; ; attempt++ {
		if c.Record != nil {
			c.Record(s.Text)
		}
		rows, err := attemptOnce(ctx, to, send)
		if err == nil {
			return rows, nil
		}
		failed := Translate(s.Op, s.Table, to, err)
		if ctx.Err() == nil && !refused && failed.Cause == tvmexport.Permission && isUnauthorized(to, err) {
			refused = true // nothing was carried out, and the token was dropped; one new one is tried
			continue
		}
		words := ""
		if failed.Action == tvmexport.Retry && lasting(failed) {
			if words = failed.Err.Error(); words == before {
				failed.Action, failed.Err = tvmexport.Stop, fmt.Errorf("%w, twice with the same text", failed.Err)
				return nil, failed
			}
		}
		before = words
		if ctx.Err() != nil || !worthRepeating(s, failed, attempt) {
			return nil, failed
		}
		wait := Backoff(attempt)
		c.Log.InfoContext(ctx, "kusto: again", "op", s.Op, "table", s.Table, "attempt", attempt, "in", wait, "error", failed.Err)
		if err := Sleep(ctx, wait); err != nil {
			return nil, failed
		}
	}
}

func attemptOnce(ctx context.Context, to *Endpoint, send func(context.Context) ([]query.Row, error)) ([]query.Row, error) {
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
			err = errors.Join(ErrSlow, err)
		}
		if parent.Err() != nil {
			err = contextEnded{context.Cause(parent)}
		}
		return nil, err
	}
	return rows, nil
}

// rows are those of the result. Every query and command has one.
func (s Statement) rows(tables []query.Table) ([]query.Row, error) {
	for _, t := range tables {
		if !t.IsPrimaryResult() {
			continue
		}
		rows := t.Rows()
		if s.One && len(rows) != 1 {
			return nil, incomplete{fmt.Sprintf("it holds %d rows instead of one", len(rows))}
		}
		return rows, nil
	}
	return nil, errNoResult
}

// contextEnded says that the caller's context has ended, and why.
type contextEnded struct{ error }

func (e contextEnded) Unwrap() error { return e.error }

// Sleep waits, unless the context ends before.
func Sleep(ctx context.Context, d time.Duration) error { return wait.For(ctx, d) }
