package hunting

import (
	"cmp"
	"slices"

	"github.com/tvmexport/tvmexport"
)

// misfit notes that the row at hand has a value of the column that does not
// fit, and is text.
func (n *normaliser) misfit(c *column) { n.odd = append(n.odd, c) }

// countMisfits counts those of a row that is published.
func (n *normaliser) countMisfits() {
	for _, c := range n.odd {
		if c.misfits++; c.misfitAt == 0 {
			c.misfitAt = n.written
		}
	}
}

// unread is what did not fit in the whole answer, by column.
func (n *normaliser) unread() []tvmexport.Unread {
	var out []tvmexport.Unread
	for _, c := range n.schema.columns {
		if c.misfits > 0 {
			name, kind := c.name, c.kind
			if kind == "" { // its name may be a value that a broken answer has moved there
				name, kind = "columns that are not in the schema", "dynamic"
			}
			out = append(out, tvmexport.Unread{Column: name, Type: kind, Values: c.misfits, Line: c.misfitAt})
		}
	}
	slices.SortFunc(out, func(a, b tvmexport.Unread) int { return cmp.Compare(a.Column, b.Column) })
	return out
}
