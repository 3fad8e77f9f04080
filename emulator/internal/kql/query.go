package kql

import (
	"context"
	"iter"
	"sync/atomic"
	"time"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// Environment is what a query can use in addition to its text.
type Environment struct {
	Catalog  Catalog
	Database string            // name of the database the query runs in
	Now      time.Time         // now(), the same throughout the query
	Values   map[string]string // values of declared query parameters, as KQL literals or plain text

	// ShareTables computes a let table that groups rows once for all its uses in a
	// statement. Where rows scanned are charged, each use is a read.
	ShareTables bool

	// BestEffort leaves out of a union, and of macro-expand, what cannot be resolved or
	// reached, with a warning (the request property best_effort).
	BestEffort bool

	// Principal is who asks, as current_principal() gives it; "" where nobody is known.
	Principal string
}

// Query is a compiled, type-checked query. A query text may hold several
// tabular statements; each is one Statement.
type Query struct {
	Statements []*Statement
}

// Statement is one tabular expression statement of a query.
type Statement struct {
	columns  []value.Column
	plan     *pipeline
	refs     []ref
	asserts  []*expr
	warnings []string
	scanned  atomic.Int64
}

// Stats is what running a statement has cost.
type Stats struct {
	RowsScanned int64 // rows that relations yielded
}

// Columns is the result's schema.
func (s *Statement) Columns() []value.Column { return s.columns }

// Warnings are sentences about what the statement leaves out.
func (s *Statement) Warnings() []string { return s.warnings }

// Rows runs the statement. A row is valid until the next iteration only. An
// error ends the sequence; it is a *Error unless ctx ended or a relation failed.
// A statement can run any number of times, also at once.
func (s *Statement) Rows(ctx context.Context) iter.Seq2[[]value.Value, error] { return s.rows(ctx) }

// Stats reports the cost so far, of all runs.
func (s *Statement) Stats() Stats { return Stats{RowsScanned: s.scanned.Load()} }

// Compile parses and binds text. The error is a *Error. It reads no
// rows, except for `evaluate bag_unpack` without a schema, whose columns depend on
// the rows.
func Compile(text string, env Environment) (*Query, error) { return compile(text, env) }

// ErrorKind sorts query errors as the service does.
type ErrorKind int

// The kinds of errors.
const (
	Syntax      ErrorKind = iota + 1 // SYN0002 and similar; Kusto.Data.Exceptions.SyntaxException
	Semantic                         // SEM0100 and similar; Kusto.Data.Exceptions.SemanticException
	Runtime                          // failed while running: assert(), limits, bad regex
	Unsupported                      // KQL that this evaluator refuses rather than answer wrongly
)

// Error is a refused or failed query, in Kusto's words.
type Error struct {
	Kind    ErrorKind
	Code    string // SYN0002, SEM0100, ...; "" for Runtime
	Message string // Kusto's text, without code: "'where' operator: Failed to resolve scalar expression named 'X'"
	Line    int    // 1-based; 0 if unknown
	Column  int
	Token   string // the offending text, may be empty
}

// Error is the message with its code.
func (e *Error) Error() string {
	if e.Code == "" {
		return e.Message
	}
	return e.Code + ": " + e.Message
}
