// Package kql evaluates the part of the Kusto query language that exporters,
// administrators and people at a prompt need, over relations that it knows
// only by the interfaces of this file.
package kql

import (
	"context"
	"iter"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// Relation is a table that a query can read: a schema and a stream of rows.
type Relation interface {
	// Columns are the visible columns, in order.
	Columns() []value.Column
	// Hidden are the columns that functions such as ingestion_time() read;
	// they follow the visible ones in every row. See HiddenIngestionTime.
	Hidden() []value.Column
	// Scan yields the rows. A row is valid until the next iteration only.
	// An error ends the sequence.
	Scan(ctx context.Context, r Request) iter.Seq2[[]value.Value, error]
}

// Names of hidden columns. A relation without one has null there.
const (
	HiddenIngestionTime = "$IngestionTime" // datetime
	HiddenExtentID      = "$ExtentId"      // guid
	HiddenExtentTags    = "$ExtentTags"    // dynamic array of strings
)

// Counter is a Relation that can count the rows that a Scan would yield.
type Counter interface {
	Count(ctx context.Context, r Request) (int64, error)
}

// Request says what a scan needs. The zero Request asks for everything.
type Request struct {
	// Need tells per column (visible, then hidden) whether its value is read.
	// Where it is false the relation may leave any value of the column's kind.
	// nil: every column is read. All false: rows are only counted.
	Need []bool
	// Where are conditions that hold for every row the query can use, all of
	// them together. A relation may use them to skip rows and may ignore
	// them: the evaluator tests its own predicates in any case.
	Where []Condition
	// Readers is how many reads of the table this one stands for, 0 being 1: a
	// query that reads it twice at the same time may ask for the rows once.
	Readers int
}

// Reads is how many reads of the table the request stands for.
func (r Request) Reads() int64 { return int64(max(1, r.Readers)) }

// Condition bounds one column. Exactly one of the forms is set.
type Condition struct {
	Column int
	// Prefixes: the string value starts with one of these, case-sensitive.
	// An equality with a string is also given as a prefix here.
	Prefixes Prefixes
	// Unindexed: the prefixes are those of a computed value, such as
	// substring(). The service has no index for it and reads the whole table.
	Unindexed bool
	// From and To bound a datetime or number, both inclusive; the zero Value is open.
	From, To value.Value
}

// Catalog resolves the names of a query.
type Catalog interface {
	// Table is the relation called name in database db; db is "" for the
	// database the query runs in.
	Table(db, name string) (Relation, bool)
	// Function is the stored function called name.
	Function(db, name string) (Function, bool)
	// Tables are the names of all tables of the database, for wildcards in union.
	Tables(db string) []string
}

// Function is a stored function: `(a:long, T:(x:string))` and `{ body }`.
type Function struct {
	Name       string
	Parameters string
	Body       string
}
