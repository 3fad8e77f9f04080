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

// withoutLone replaces, in valid JSON, escapes of surrogates that have no
// partner by that of U+FFFD, which is as long.
func withoutLone(text []byte) []byte {
	for i := 0; i+1 < len(text); i += 2 {
		for i+1 < len(text) && text[i] != '\\' {
			i++
		}
		if i+6 > len(text) || text[i+1] != 'u' {
			continue
		}
		high, low := surrogate(text[i:])
		if high && i+12 <= len(text) && text[i+6] == '\\' && text[i+7] == 'u' {
			if _, paired := surrogate(text[i+6:]); paired {
				i += 10
				continue
			}
		}
		if high || low {
			copy(text[i+2:], "fffd")
		}
		i += 4
	}
	return text
}

// surrogate says whether an escape, \uXXXX, is the first or the second half of
// a pair.
func surrogate(escape []byte) (high, low bool) {
	if escape[2]|0x20 != 'd' {
		return false, false
	}
	c := escape[3] | 0x20
	return c == '8'|0x20 || c == '9'|0x20 || c == 'a' || c == 'b', c >= 'c' && c <= 'f'
}
