package assessment

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/internal/wire"
)

// value writes the value of a column in the row at hand, which is not null. It writes
// nothing for a value that stands for none.
func (r *rows) value(c *column) error {
	v := c.value
	switch {
	case !c.known:
		return r.unknownValue(c)
	case c.kind == "dynamic":
		return r.dynamic(c)
	case string(v) == `""` && c.kind != "string":
		return nil
	}
	switch c.kind {
	case "datetime":
		if out, ok := appendTime(r.out, v); ok {
			r.out = out
			return nil
		}
	case "bool":
		if v[0] == 't' || v[0] == 'f' {
			r.out = append(r.out, v...)
			return nil
		}
	}
	if v[0] == '{' || v[0] == '[' {
		r.misfit(c)
		r.out = wire.Quote(r.out, v)
		return nil
	}
	if wire.Fits(c.kind, v) {
		r.out = wire.AppendCanonical(r.out, v)
		return nil
	}
	text, ok := wire.Readable(r.scratch[:0], c.kind, v)
	r.scratch = text
	switch {
	case ok:
		r.out = wire.AppendCanonical(r.out, text)
	case v[0] == '"':
		r.misfit(c)
		r.out = wire.AppendCanonical(r.out, v)
	default:
		r.misfit(c)
		r.out = wire.Quote(r.out, v)
	}
	return nil
}

// dynamic writes the value of a dynamic column. In a column of JSON text, a text that is
// a JSON object or list becomes one.
func (r *rows) dynamic(c *column) error {
	v := c.value
	switch {
	case string(v) == `""`:
		return nil
	case v[0] != '"' || !c.text:
		return r.nested(c, v)
	}
	plain, _ := jsontext.AppendUnquote(r.plain[:0], v) // valid except for lone surrogates
	r.plain = plain
	inner := bytes.TrimSpace(plain)
	if len(inner) == 0 {
		return nil
	}
	if inner[0] == '{' || inner[0] == '[' {
		// A blank behind it ends a number.
		r.scratch = append(append(r.scratch[:0], inner...), ' ')
		start, odd := len(r.out), len(r.odd)
		if err := r.nested(c, r.scratch[:len(r.scratch)-1]); err == nil {
			return nil
		}
		r.out, r.odd = r.out[:start], r.odd[:odd]
	}
	r.out = wire.AppendCanonical(r.out, v)
	return nil
}

// nested writes a JSON value. Something must follow it in memory.
func (r *rows) nested(c *column, v []byte) error {
	out, of, err := r.nesting.Append(r.out, v[:len(v)+1], len(v), false)
	r.out = out
	if err != nil {
		return err
	}
	if of.Misfit {
		r.misfit(c)
	}
	return nil
}

// unknownValue writes the value of a column that the catalogue does not have, and
// infers its type: all numbers are real, because 7 may be followed by 7.5, and what
// differs from row to row is dynamic.
func (r *rows) unknownValue(c *column) error {
	v := c.value
	kind := "dynamic"
	switch {
	case v[0] == '"':
		kind = "string"
	case v[0] == 't', v[0] == 'f':
		kind = "bool"
	case v[0] != '{' && v[0] != '[':
		kind = "real"
	}
	if c.kind != "" && c.kind != kind {
		kind = "dynamic"
	}
	c.kind = kind
	return r.nested(c, v)
}

// misfit notes that the row at hand has a value of the column that does not fit, and
// is text.
func (r *rows) misfit(c *column) { r.odd = append(r.odd, c) }

// unread is what did not fit in all rows, by column.
func (r *rows) unread() []tvmexport.Unread {
	var out []tvmexport.Unread
	for _, c := range slices.Concat(r.catalogue, r.unknown) {
		if c.misfits == 0 {
			continue
		}
		name, kind := c.name, c.kind
		if !c.known {
			name, kind = "columns that are not in the catalogue", "dynamic"
		}
		out = append(out, tvmexport.Unread{Column: name, Type: kind, Values: c.misfits, Line: c.misfitAt})
	}
	slices.SortFunc(out, func(a, b tvmexport.Unread) int { return cmp.Compare(a.Column, b.Column) })
	return out
}
