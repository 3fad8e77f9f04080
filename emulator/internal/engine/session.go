package engine

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"reflect"

	"github.com/tvmexport/tvmexport/emulator/internal/engine/command"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// session is one call of a command: who calls, the database of the call, and the
// engine. The commands are functions that take it, listed in commands.go.
type session struct {
	e    *Engine
	call Call
}

// Command does a management command, a text that begins with a dot. The error
// is a *Error unless ctx ended.
func (e *Engine) Command(ctx context.Context, c Call) (*Result, error) {
	statement, err := command.Parse(c.Text)
	keyword := statement.Keyword
	if err != nil {
		keyword = command.Keyword(c.Text)
	}
	e.stats.count(func(s *Stats) { s.Commands[keyword]++ })
	if err != nil {
		return nil, parseError(c.Text, err)
	}
	c.Database = e.databases.canonical(c.Database)
	if err := checkOptions(c); err != nil {
		return nil, err
	}
	if isSet(c.Options["request_readonly"]) && !e.commands.show(statement.Command) {
		return nil, badRequest("The request is read-only (request_readonly), and %s is not.", keyword)
	}
	s := &session{e: e, call: c}
	results, err := s.run(ctx, statement)
	if err != nil {
		return nil, asError(err)
	}
	return &Result{Tables: results, Queried: statement.Query != ""}, nil
}

func parseError(text string, err error) error {
	p, ok := errors.AsType[*command.Error](err)
	if !ok {
		return internalError(err)
	}
	if p.Unsupported {
		return badRequest("%s", p.Reason)
	}
	return syntaxError(text, p.Error(), p.Line, p.Column, p.Token)
}

// run does a statement. Its results are those of the query behind it, if there is one.
func (s *session) run(ctx context.Context, statement command.Statement) ([]ResultTable, error) {
	r, err := s.do(ctx, statement.Command)
	if err != nil {
		return nil, err
	}
	if statement.Query == "" {
		return []ResultTable{{Name: commandTable, Columns: r.columns, Rows: r.seq()}}, nil
	}
	catalog := s.e.databases.catalog(s.call.Database, s.call.Principal).with(command.Results, inMemory{r})
	q, err := catalog.compile(s.call, statement.Query)
	if err != nil {
		return nil, err
	}
	var results []ResultTable
	for _, tabular := range q.Statements {
		results = append(results, ResultTable{Name: commandTable, Columns: tabular.Columns(), Rows: tabular.Rows(ctx), Warnings: tabular.Warnings()})
	}
	return results, nil
}

// source returns the rows of the query or command after <|.
func (s *session) source(ctx context.Context, text string) ([]value.Column, iter.Seq2[[]value.Value, error], error) {
	if command.IsCommand(text) {
		statement, err := command.Parse(text)
		if err != nil {
			return nil, nil, parseError(text, err)
		}
		if !s.e.commands.show(statement.Command) {
			return nil, nil, badRequest("Only a .show command can be the source of rows: %s", excerpt(text))
		}
		results, err := s.run(ctx, statement)
		if err != nil {
			return nil, nil, err
		}
		if len(results) != 1 {
			return nil, nil, badRequest("The source of rows must have one result: %s", excerpt(text))
		}
		return results[0].Columns, results[0].Rows, nil
	}
	sc, err := s.scope()
	if err != nil {
		return nil, nil, err
	}
	if err := sc.require(s.call.Principal, Viewer); err != nil {
		return nil, nil, err
	}
	q, err := s.e.databases.catalog(sc.db.name, s.call.Principal).compile(s.call, text)
	if err != nil {
		return nil, nil, err
	}
	if len(q.Statements) != 1 {
		return nil, nil, badRequest("The query must be one tabular statement: %s", excerpt(text))
	}
	return q.Statements[0].Columns(), q.Statements[0].Rows(ctx), nil
}

// scope is the database of the call.
func (s *session) scope() (scope, error) {
	d, err := s.e.databases.find(s.call.Database)
	if err != nil {
		return scope{}, err
	}
	return s.e.databases.scope(d), nil
}

// scopeFor is the database of the call, where the caller holds role.
func (s *session) scopeFor(role Role) (scope, error) {
	sc, err := s.scope()
	if err != nil {
		return scope{}, err
	}
	return sc, sc.require(s.call.Principal, role)
}

// table is a table of the call's database, where the caller holds role.
func (s *session) table(name string, role Role) (scope, *table, error) {
	sc, err := s.scope()
	if err != nil {
		return scope{}, nil, err
	}
	t, err := sc.state.table(name)
	if err != nil {
		return scope{}, nil, err
	}
	return sc, t, sc.of("table", name, &t.attributes).require(s.call.Principal, role)
}

// named is the database of that name, or of the call for "", where the caller
// holds role.
func (s *session) named(name string, role Role) (scope, error) {
	if name == "" {
		return s.scopeFor(role)
	}
	d, err := s.e.databases.find(name)
	if err != nil {
		return scope{}, err
	}
	sc := s.e.databases.scope(d)
	return sc, sc.require(s.call.Principal, role)
}

// do does one command.
func (s *session) do(ctx context.Context, c any) (*rows, error) {
	if err := checkFlavor(s, c); err != nil {
		return nil, err
	}
	h, known := s.e.commands[reflect.TypeOf(c)]
	if !known {
		return nil, internalError(fmt.Errorf("no command of type %T is known", c))
	}
	return h.do(ctx, s, c)
}

// operate does f as an operation that .show operations knows: now, or in the
// background with the operation's id as the answer.
func (s *session) operate(ctx context.Context, kind string, async bool, f func(context.Context, operation) (*rows, error)) (*rows, error) {
	o := operation{
		id: newID(), kind: kind, database: s.call.Database, principal: s.call.Principal,
		activityID: s.call.ActivityID, started: s.e.now(),
	}
	s.e.log.begin(o)
	do := func(ctx context.Context) (*rows, error) {
		r, err := f(ctx, o)
		err = asError(err)
		s.e.log.end(o.id, s.e.now(), r, err)
		return r, err
	}
	if !async {
		return do(ctx)
	}
	if !s.e.background(func(ctx context.Context) { _, _ = do(ctx) }) { // the error is in the operation's state
		return nil, &Error{
			Code: CodeInternal, Status: http.StatusServiceUnavailable, Type: typeInternal,
			Summary: "The service is shutting down", Message: "The service is shutting down",
		}
	}
	answer := &rows{columns: []value.Column{guidColumn("OperationId")}}
	answer.add(guidValue(o.id))
	return answer, nil
}
