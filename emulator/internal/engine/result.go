package engine

import (
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// Makers of result columns.
func stringColumn(name string) value.Column { return value.Column{Name: name, Kind: value.String} }
func longColumn(name string) value.Column   { return value.Column{Name: name, Kind: value.Long} }
func realColumn(name string) value.Column   { return value.Column{Name: name, Kind: value.Real} }
func boolColumn(name string) value.Column   { return value.Column{Name: name, Kind: value.Bool} }
func timeColumn(name string) value.Column   { return value.Column{Name: name, Kind: value.DateTime} }

func timespanColumn(name string) value.Column { return value.Column{Name: name, Kind: value.TimeSpan} }
func guidColumn(name string) value.Column     { return value.Column{Name: name, Kind: value.GUID} }

func stringColumns(names ...string) []value.Column {
	columns := make([]value.Column, len(names))
	for i, n := range names {
		columns[i] = stringColumn(n)
	}
	return columns
}

// Makers of result values.
func guidValue(id uuid.UUID) value.Value {
	if v, err := value.NewGUID(id.String()); err == nil && id != uuid.Nil {
		return v
	}
	return value.Null(value.GUID)
}

func timeValue(t time.Time) value.Value {
	if t.IsZero() {
		return value.Null(value.DateTime)
	}
	return value.NewDateTime(t)
}

func durationValue(d time.Duration) value.Value { return value.NewTimeSpan(int64(d / 100)) }

func stringValues(texts ...string) []value.Value {
	row := make([]value.Value, len(texts))
	for i, t := range texts {
		row[i] = value.NewString(t)
	}
	return row
}

// rows is a table that a command made in memory.
type rows struct {
	columns []value.Column
	rows    [][]value.Value
}

func (r *rows) add(row ...value.Value) { r.rows = append(r.rows, row) }

func (r *rows) addText(texts ...string) { r.rows = append(r.rows, stringValues(texts...)) }

func (r *rows) seq() iter.Seq2[[]value.Value, error] {
	return func(yield func([]value.Value, error) bool) {
		for _, row := range r.rows {
			if !yield(slices.Clone(row), nil) {
				return
			}
		}
	}
}

// commandTable is the name of a command's result.
const commandTable = "Table_0"

func equalFold(a, b string) bool { return strings.EqualFold(a, b) }
