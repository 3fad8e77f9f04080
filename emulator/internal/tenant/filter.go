package tenant

import (
	"math"
	"slices"
	"strings"

	"github.com/tvmexport/tvmexport/emulator/internal/kql"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// prefixes is a set of string prefixes; nil lets every string pass.
type prefixes []string // sorted, none beginning with another

// newPrefixes makes the set of list. It is nil, letting all pass, when the empty
// prefix is among them, and empty, letting none pass, when list is.
func newPrefixes(list []string) prefixes {
	sorted := slices.Clone(list)
	slices.Sort(sorted)
	set := make(prefixes, 0, len(sorted))
	for _, p := range sorted {
		if p == "" {
			return nil
		}
		if n := len(set); n > 0 && strings.HasPrefix(p, set[n-1]) {
			continue
		}
		set = append(set, p)
	}
	return set
}

// match says whether s begins with one of the prefixes.
func (p prefixes) match(s string) bool {
	if p == nil {
		return true
	}
	i, found := slices.BinarySearch(p, s)
	// A prefix of s sorts before s, and no other prefix is between them.
	return found || i > 0 && strings.HasPrefix(s, p[i-1])
}

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
	prefixes
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
			c.texts = append(c.texts, textCondition{column.Name, newPrefixes(w.Prefixes)})
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
		if c.texts[i].column == column && !c.texts[i].match(s) {
			return false
		}
	}
	return true
}

// text is the prefixes that column, a string, is bounded by; of several
// conditions on it the first.
func (c *conditions) text(column string) prefixes {
	for _, t := range c.texts {
		if t.column == column {
			return t.prefixes
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
