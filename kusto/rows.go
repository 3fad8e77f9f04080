package kusto

import (
	"errors"
	"fmt"
	"time"

	"github.com/Azure/azure-kusto-go/azkustodata/query"
	"github.com/Azure/azure-kusto-go/azkustodata/value"
)

// reader takes the values of a row by column name and keeps the first error.
// Nulls come as zero values.
type reader struct {
	row query.Row
	err error
}

func (r *reader) fail(name string, err error) {
	if r.err == nil && err != nil {
		r.err = fmt.Errorf("read column %s: %w", name, err)
	}
}

func (r *reader) text(name string) string {
	v, err := r.row.StringByName(name)
	r.fail(name, err)
	return v
}

func (r *reader) long(name string) int64 {
	v, err := r.row.ValueByName(name)
	r.fail(name, err)
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
		r.fail(name, fmt.Errorf("%T is not a number", n))
	}
	return 0
}

// count is a number of rows. It is never null and never negative.
func (r *reader) count(name string) int64 {
	v, err := r.row.ValueByName(name)
	r.fail(name, err)
	if err != nil {
		return 0
	}
	if null(v) {
		r.fail(name, errors.New("a count is null"))
	}
	n := r.long(name)
	if n < 0 {
		r.fail(name, fmt.Errorf("a count is %d", n))
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

func (r *reader) time(name string) time.Time {
	v, err := r.row.DateTimeByName(name)
	r.fail(name, err)
	if v == nil {
		return time.Time{}
	}
	return v.UTC()
}

func (r *reader) flag(name string) bool {
	v, err := r.row.BoolByName(name)
	r.fail(name, err)
	return v != nil && *v
}

func (r *reader) document(name string) []byte {
	v, err := r.row.DynamicByName(name)
	r.fail(name, err)
	return v
}

// readRows makes a value of each row. An error is about the answer's shape:
// the service is not what it was taken for.
func readRows[T any](s statement, rows []query.Row, read func(*reader) T) ([]T, error) {
	out := make([]T, len(rows))
	for i, row := range rows {
		r := reader{row: row}
		out[i] = read(&r)
		if r.err != nil {
			return nil, refused(s.op, s.table, fmt.Errorf("the answer of the service: %w", r.err), "")
		}
	}
	return out, nil
}
