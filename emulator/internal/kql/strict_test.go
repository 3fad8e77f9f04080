package kql_test

import (
	"context"
	"iter"
	"slices"
	"strings"

	"github.com/tvmexport/tvmexport/emulator/internal/kql"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// strict is a relation that does everything that a Request allows: it omits rows
// by the conditions, overwrites values that are not needed, and overwrites each
// row when the next is requested.
type strict struct{ kql.Relation }

// junk returns a value of the kind that no test has.
func junk(k value.Kind) value.Value {
	switch k {
	case value.String:
		return value.NewString("junk")
	case value.Long:
		return value.NewLong(-987654321)
	case value.Dynamic:
		return value.NewArray([]value.Value{value.NewString("junk")})
	}
	return value.Null(k)
}

func (s strict) Scan(ctx context.Context, r kql.Request) iter.Seq2[[]value.Value, error] {
	return func(yield func([]value.Value, error) bool) {
		var row []value.Value
		for original, err := range s.Relation.Scan(ctx, r) {
			if err != nil {
				yield(nil, err)
				return
			}
			for i := range row {
				row[i] = junk(row[i].Kind())
			}
			if slices.ContainsFunc(r.Where, func(c kql.Condition) bool { return !satisfies(original[c.Column], c) }) {
				continue
			}
			row = append(row[:0], original...)
			for i := range row {
				if r.Need != nil && !r.Need[i] {
					row[i] = junk(row[i].Kind())
				}
			}
			if !yield(row, nil) {
				return
			}
		}
	}
}

// satisfies says whether a value satisfies a condition.
func satisfies(v value.Value, c kql.Condition) bool {
	if c.Prefixes != nil {
		return slices.ContainsFunc(c.Prefixes, func(p string) bool { return strings.HasPrefix(v.Text(), p) })
	}
	return !v.IsNull() &&
		(c.From.Kind() == 0 || value.Compare(v, c.From) >= 0) &&
		(c.To.Kind() == 0 || value.Compare(v, c.To) <= 0)
}

// strictly is the catalog with strict relations.
func strictly(c catalog) catalog {
	tables := map[string]kql.Relation{}
	for name, r := range c.tables {
		tables[name] = strict{r}
	}
	return catalog{tables: tables, functions: c.functions}
}
