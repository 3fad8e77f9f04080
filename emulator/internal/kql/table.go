package kql

import (
	"context"
	"fmt"
	"iter"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// Table is a Relation whose rows are in memory.
type Table struct {
	columns []value.Column
	hidden  []value.Column
	rows    [][]value.Value
}

var _ Relation = (*Table)(nil)

// NewTable makes a Table. It takes the rows over; each must have a value of
// each column's kind.
func NewTable(columns []value.Column, rows [][]value.Value) (*Table, error) {
	t := &Table{columns: columns, rows: rows}
	return t, t.check()
}

// WithHidden is the table with hidden columns, whose values follow those of
// the visible ones in every row.
func (t *Table) WithHidden(hidden []value.Column, rows [][]value.Value) (*Table, error) {
	n := &Table{columns: t.columns, hidden: hidden, rows: rows}
	return n, n.check()
}

func (t *Table) check() error {
	all := append(t.columns[:len(t.columns):len(t.columns)], t.hidden...)
	for i, row := range t.rows {
		if len(row) != len(all) {
			return fmt.Errorf("row %d has %d values, the table has %d columns", i, len(row), len(all))
		}
		for j, c := range all {
			if row[j].Kind() != c.Kind {
				return fmt.Errorf("row %d has a %v in column %s, which is a %v", i, row[j].Kind(), c.Name, c.Kind)
			}
		}
	}
	return nil
}

// Columns are the visible columns.
func (t *Table) Columns() []value.Column { return t.columns }

// Hidden are the hidden columns.
func (t *Table) Hidden() []value.Column { return t.hidden }

// Len is the number of rows.
func (t *Table) Len() int { return len(t.rows) }

// Scan yields all rows.
func (t *Table) Scan(_ context.Context, _ Request) iter.Seq2[[]value.Value, error] {
	return func(yield func([]value.Value, error) bool) {
		for _, row := range t.rows {
			if !yield(row, nil) {
				return
			}
		}
	}
}
