package tenant

import (
	"math"

	"github.com/tvmexport/tvmexport/emulator/internal/kql"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// span is a range of ticks, both ends included.
type span struct{ from, to int64 }

// always is the span that bounds nothing.
var always = span{math.MinInt64, math.MaxInt64}

func (s span) holds(ticks int64) bool { return s.from <= ticks && ticks <= s.to }

// overlaps says whether some tick of [from, to] is in s.
func (s span) overlaps(from, to int64) bool { return s.from <= to && from <= s.to }

// conditions are what a request asks of a table's columns, found by name.
type conditions struct {
	texts []textCondition
	times []timeCondition
}

type textCondition struct {
	column string
	kql.Prefixes
}

type timeCondition struct {
	column string
	span
}

// newConditions sorts where by columns; what bounds anything else than text by
// prefixes or a datetime by datetimes is left to the evaluator.
func newConditions(where []kql.Condition, columns []value.Column) conditions {
	var c conditions
	for _, w := range where {
		if w.Column < 0 || w.Column >= len(columns) {
			continue
		}
		column := columns[w.Column]
		switch {
		case column.Kind == value.String && w.Prefixes != nil:
			c.texts = append(c.texts, textCondition{column.Name, kql.NewPrefixes(w.Prefixes)})
		case column.Kind == value.DateTime && w.Prefixes == nil:
			s := always
			if w.From.Kind() == value.DateTime && !w.From.IsNull() {
				s.from = w.From.Ticks()
			}
			if w.To.Kind() == value.DateTime && !w.To.IsNull() {
				s.to = w.To.Ticks()
			}
			c.times = append(c.times, timeCondition{column.Name, s})
		}
	}
	return c
}

// passes says whether column can contain s.
func (c *conditions) passes(column, s string) bool {
	for i := range c.texts {
		if c.texts[i].column == column && !c.texts[i].Match(s) {
			return false
		}
	}
	return true
}

// text is the prefixes that column, a string, is bounded by; of several
// conditions on it the first.
func (c *conditions) text(column string) kql.Prefixes {
	for _, t := range c.texts {
		if t.column == column {
			return t.Prefixes
		}
	}
	return nil
}

// span is what column, a datetime, is bounded by.
func (c *conditions) span(column string) span {
	all := always
	for _, t := range c.times {
		if t.column == column {
			all.from = max(all.from, t.from)
			all.to = min(all.to, t.to)
		}
	}
	return all
}
