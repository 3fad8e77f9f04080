package engine

import (
	"context"
	"fmt"
	"iter"
	"net/http"
	"time"

	"github.com/tvmexport/tvmexport/emulator/internal/engine/command"
	"github.com/tvmexport/tvmexport/emulator/internal/kql"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// Query answers a query. The error is a *Error unless ctx ended. Rows are
// computed while they are read and end when ctx does.
func (e *Engine) Query(ctx context.Context, c Call) (*Result, error) {
	e.stats.count(func(s *Stats) { s.Queries++ })
	if command.IsCommand(c.Text) {
		return nil, badRequest("A management command cannot be sent to the query endpoint: %s", excerpt(c.Text))
	}
	d, err := e.databases.find(c.Database)
	if err != nil {
		return nil, err
	}
	if err := e.databases.scope(d).require(c.Principal, Viewer); err != nil {
		return nil, err
	}
	c.Database = d.name
	if err := checkOptions(c); err != nil {
		return nil, err
	}
	catalog := e.databases.catalog(d.name, c.Principal)
	catalog.system = c.Unrestricted
	catalog.force = truth(setStatements(c.Text)["query_force_row_level_security"])
	q, err := catalog.compile(c, c.Text)
	if err != nil {
		return nil, err
	}
	l := limitsOf(c)
	result := &Result{Queried: true}
	for _, s := range q.Statements {
		result.Tables = append(result.Tables, ResultTable{
			Name: "PrimaryResult", Columns: s.Columns(), Rows: e.stats.countScanned(s, l.apply(ctx, s.Rows)),
			Warnings: s.Warnings(),
		})
	}
	return result, nil
}

// countScanned adds the rows that a statement reads to the Stats, once it was read.
func (c *counts) countScanned(s *kql.Statement, rows iter.Seq2[[]value.Value, error]) iter.Seq2[[]value.Value, error] {
	return func(yield func([]value.Value, error) bool) {
		before := s.Stats().RowsScanned
		defer func() {
			read := s.Stats().RowsScanned - before
			c.count(func(s *Stats) { s.RowsScanned += read })
		}()
		rows(yield)
	}
}

// compile compiles a query of a call.
func (c *catalog) compile(call Call, text string) (*kql.Query, error) {
	now, err := nowOf(call, c.in.now())
	if err != nil {
		return nil, err
	}
	q, err := kql.Compile(text, kql.Environment{
		Catalog: c, Database: call.Database, Now: now, Values: call.Parameters, Principal: call.Principal.FQN(),
		ShareTables: true, BestEffort: truth(optionsOf(call)["best_effort"]),
	})
	if err != nil {
		return nil, asError(err)
	}
	if len(q.Statements) == 0 {
		return nil, syntaxError(text, "The query has no tabular statement.", 1, 1, "")
	}
	return q, nil
}

// The limits of a query's result and time by default. See
// https://learn.microsoft.com/kusto/concepts/query-limits.
const (
	defaultMaxRows  = 500_000
	defaultMaxBytes = 64 << 20
	defaultTimeout  = 4 * time.Minute
)

// limits are those of one query; zero is none.
type limits struct {
	rows, bytes int64
	take        int64 // rows that are given, without an error for others
	timeout     time.Duration
}

// limitsOf reads the request properties notruncation, truncationmaxrecords,
// truncationmaxsize, query_take_max_records, servertimeout and norequesttimeout,
// which set statements in the text override.
func limitsOf(c Call) limits {
	l := limits{rows: defaultMaxRows, bytes: defaultMaxBytes, timeout: defaultTimeout}
	set := func(name string, v any) {
		switch name {
		case "notruncation":
			if truth(v) {
				l.rows, l.bytes = 0, 0
			}
		case "truncationmaxrecords":
			l.rows = number(v, l.rows)
		case "truncationmaxsize":
			l.bytes = number(v, l.bytes)
		case "query_take_max_records":
			l.take = number(v, l.take)
		case "servertimeout":
			l.timeout = span(v, l.timeout)
		case "norequesttimeout":
			if truth(v) {
				l.timeout = 0
			}
		}
	}
	for _, name := range []string{"truncationmaxrecords", "truncationmaxsize", "notruncation", "query_take_max_records", "servertimeout", "norequesttimeout"} {
		if v, ok := c.Options[name]; ok {
			set(name, v)
		}
	}
	for name, v := range setStatements(c.Text) {
		set(name, v)
	}
	return l
}

// apply is the rows within the limits: what exceeds them ends in an error,
// after the rows that fit.
func (l limits) apply(ctx context.Context, run func(context.Context) iter.Seq2[[]value.Value, error]) iter.Seq2[[]value.Value, error] {
	return func(yield func([]value.Value, error) bool) {
		timed := ctx
		if l.timeout > 0 {
			var cancel context.CancelFunc
			timed, cancel = context.WithTimeout(ctx, l.timeout)
			defer cancel()
		}
		var rows, bytes int64
		var scratch []byte
		for row, err := range run(timed) {
			if err != nil {
				if timed.Err() != nil && ctx.Err() == nil {
					err = &Error{
						Code: CodeTimeout, Status: http.StatusGatewayTimeout, Type: "Kusto.Data.Exceptions.KustoServiceTimeoutException",
						Summary: "Request timed out", Message: fmt.Sprintf("Query timed out: it ran longer than %v", l.timeout),
					}
				}
				yield(nil, asError(err))
				return
			}
			rows++
			if l.bytes > 0 {
				for _, v := range row {
					if v.Kind() == value.Dynamic {
						scratch = v.AppendJSON(scratch[:0])
						bytes += int64(len(scratch))
					} else {
						bytes += size(v)
					}
				}
			}
			if l.rows > 0 && rows > l.rows {
				yield(nil, tooLarge("record count", l.rows))
				return
			}
			if l.bytes > 0 && bytes > l.bytes {
				yield(nil, tooLarge("data size", l.bytes))
				return
			}
			if !yield(row, nil) || rows == l.take {
				return
			}
		}
	}
}

func tooLarge(what string, limit int64) *Error {
	return &Error{
		Code: CodeLimits, Status: http.StatusBadRequest, Permanent: true, Type: typeLimits,
		Summary: "Request is invalid and cannot be executed.",
		Message: fmt.Sprintf("Query execution has exceeded the allowed limits (80DA0003): Query result set has exceeded the internal %s limit %d "+
			"(E_QUERY_RESULT_SET_TOO_LARGE; see https://aka.ms/kustoquerylimits for more information and possible solutions).", what, limit),
	}
}

// size is about the bytes that a scalar takes in an answer.
func size(v value.Value) int64 {
	switch v.Kind() {
	case value.String, value.GUID, value.Decimal:
		return int64(len(v.Text()))
	case value.Bool:
		return 1
	case value.Int:
		return 4
	}
	return 8
}
