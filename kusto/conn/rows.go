package conn

import (
	"errors"
	"fmt"
	"time"

	"github.com/Azure/azure-kusto-go/azkustodata/query"
	"github.com/Azure/azure-kusto-go/azkustodata/value"
)

// Reader takes the values of a row by column name and keeps the first error.
// Nulls come as zero values.
type Reader struct {
	row query.Row
	Err error
}

// Fail keeps the first error.
func (r *Reader) Fail(name string, err error) {
	if r.Err == nil && err != nil {
		r.Err = fmt.Errorf("read column %s: %w", name, err)
	}
}

// Text is the value of a string column.
func (r *Reader) Text(name string) string {
	v, err := r.row.StringByName(name)
	r.Fail(name, err)
	return v
}

// Plain is a value of any type as text, such as the guid of an operation.
func (r *Reader) Plain(name string) string {
	v, err := r.row.ValueByName(name)
	r.Fail(name, err)
	if err != nil {
		return ""
	}
	return v.String()
}

// Long is the value of a number column.
func (r *Reader) Long(name string) int64 {
	v, err := r.row.ValueByName(name)
	r.Fail(name, err)
	if err != nil {
		return 0
	}
	switch n := v.GetValue().(type) {
	case *int64:
		if n != nil {
			return *n
		}
	case *int32:
		if n != nil {
			return int64(*n)
		}
	case *float64:
		if n != nil {
			return int64(*n)
		}
	default:
		r.Fail(name, fmt.Errorf("%T is not a number", n))
	}
	return 0
}

// Count is a number of rows. It is never null and never negative.
func (r *Reader) Count(name string) int64 {
	v, err := r.row.ValueByName(name)
	r.Fail(name, err)
	if err != nil {
		return 0
	}
	if null(v) {
		r.Fail(name, errors.New("a count is null"))
	}
	n := r.Long(name)
	if n < 0 {
		r.Fail(name, fmt.Errorf("a count is %d", n))
	}
	return n
}

// null says whether a value is the null of a number.
func null(v value.Kusto) bool {
	switch n := v.GetValue().(type) {
	case *int64:
		return n == nil
	case *int32:
		return n == nil
	case *float64:
		return n == nil
	}
	return false
}

// Time is the value of a datetime column, in UTC.
func (r *Reader) Time(name string) time.Time {
	v, err := r.row.DateTimeByName(name)
	r.Fail(name, err)
	if v == nil {
		return time.Time{}
	}
	return v.UTC()
}

// Flag is the value of a bool column.
func (r *Reader) Flag(name string) bool {
	v, err := r.row.BoolByName(name)
	r.Fail(name, err)
	return v != nil && *v
}

// Document is the value of a dynamic column, as JSON.
func (r *Reader) Document(name string) []byte {
	v, err := r.row.DynamicByName(name)
	r.Fail(name, err)
	return v
}

// ReadRows makes a value of each row. An error is about the answer's shape:
// the service is not what it was taken for.
func ReadRows[T any](s Statement, rows []query.Row, read func(*Reader) T) ([]T, error) {
	out := make([]T, len(rows))
	for i, row := range rows {
		r := Reader{row: row}
		out[i] = read(&r)
		if r.Err != nil {
			return nil, RefusedError(s.Op, s.Table, fmt.Errorf("the answer of the service: %w", r.Err), "")
		}
	}
	return out, nil
}
