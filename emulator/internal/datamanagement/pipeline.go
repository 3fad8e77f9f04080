package datamanagement

import (
	"context"
	"errors"
	"iter"
	"time"

	"github.com/tvmexport/tvmexport/emulator/internal/engine"
	"github.com/tvmexport/tvmexport/emulator/internal/engine/command"
	"github.com/tvmexport/tvmexport/emulator/internal/kql"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// oneTable is a catalog of the result of a command.
type oneTable struct{ engine.ResultTable }

// Columns, Hidden and Scan make it a relation.
func (o oneTable) Columns() []value.Column { return o.ResultTable.Columns }
func (o oneTable) Hidden() []value.Column  { return nil }
func (o oneTable) Scan(context.Context, kql.Request) iter.Seq2[[]value.Value, error] {
	return o.Rows
}

// Table, Function and Tables make it a catalog.
func (o oneTable) Table(_, name string) (kql.Relation, bool)     { return o, name == command.Results }
func (o oneTable) Function(_, _ string) (f kql.Function, _ bool) { return f, false }
func (o oneTable) Tables(string) []string                        { return nil }

// piped runs query over the result of a command: ".get ingestion resources | take 1".
func piped(ctx context.Context, result *engine.Result, query string, now time.Time) (*engine.Result, error) {
	compiled, err := kql.Compile(query, kql.Environment{Catalog: oneTable{result.Tables[0]}, Now: now})
	if err != nil {
		return nil, queryRefusal(err)
	}
	if len(compiled.Statements) != 1 {
		return nil, refusal("What a command is piped into must be one statement")
	}
	s := compiled.Statements[0]
	rows := func(yield func([]value.Value, error) bool) {
		for row, err := range s.Rows(ctx) {
			if err != nil {
				err = queryRefusal(err)
			}
			if !yield(row, err) {
				return
			}
		}
	}
	return &engine.Result{Tables: []engine.ResultTable{{Name: result.Tables[0].Name, Columns: s.Columns(), Rows: rows}}}, nil
}

func queryRefusal(err error) error {
	q, ok := errors.AsType[*kql.Error](err)
	if !ok {
		return err
	}
	e := refusal("%v", q)
	e.Inner = &engine.Inner{Code: q.Code, Type: "Kusto.Data.Exceptions.SemanticException", Message: q.Message, Line: q.Line, Column: q.Column, Token: q.Token}
	return e
}
