package assessment

import (
	"bytes"
	"fmt"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/internal/pseudonym"
	"github.com/tvmexport/tvmexport/internal/wire"
)

// rows brings the rows of a table into one form, regardless of how they came:
//
//   - the columns of the catalogue come first, in its order, each with a value or null;
//     then unknown members that have a value, by name
//   - members are found regardless of case, and by other names that are documented
//   - a member that is left out, null, and an empty text of another type than string are
//     null; the time 0001-01-01 is null too, since that is how the service writes no time;
//     lists of paths are empty
//   - times are ISO 8601 in UTC, without zeros at the end of a fraction
//   - JSON text in a dynamic column is JSON
//   - numbers and bools may be written as text, and text as numbers (see wire.Readable)
//   - equal texts and numbers are written with equal bytes (see wire.AppendCanonical)
//   - a value that does not fit its column's type is text, and counted
//   - columns that the table's policy hides are left out, and masked ones are pseudonyms
//   - invalid UTF-8 and lone surrogates are replaced by U+FFFD, as Kusto does
//
// Its memory is that of the largest row. A rows is for one answer.
type rows struct {
	*columns
	to      tvmexport.RowWriter
	first   column // precedes the first member of a row
	begun   int64
	written int64

	masks   *pseudonym.Maker // nil: no column is masked
	nesting wire.Nesting
	odd     []*column // of the row: a value does not fit

	out, keyText, plain, scratch []byte
}

func newRows(t tvmexport.Table, pseudonymKey []byte, w tvmexport.RowWriter) (*rows, error) {
	c, err := columnsOf(t)
	if err != nil {
		return nil, err
	}
	r := &rows{columns: c, to: w, nesting: wire.Nesting{Canonical: true}}
	if len(pseudonymKey) > 0 {
		r.masks = pseudonym.New(pseudonymKey)
	}
	return r, nil
}

// handedOn is an error of the RowWriter, which is none of the answer's.
type handedOn struct{ err error }

func (h *handedOn) Error() string { return h.err.Error() }

func (h *handedOn) Unwrap() error { return h.err }

// row brings the row that text begins with into its form and hands it on. It
// returns the row's length, or a negative result of wire.Scan: nothing was written then.
func (r *rows) row(text []byte) (int, error) {
	if text[0] != '{' {
		return 0, fmt.Errorf("%w: a row is not an object", wire.ErrInvalid)
	}
	r.begun++
	m := wire.MembersOf(text)
	for at := &r.first; ; {
		next := at.next
		guessed, ok := m.Next(next.begin())
		if !ok {
			break
		}
		if !guessed {
			var err error
			if next, err = r.find(m.Key); err != nil {
				return 0, err
			}
			next.spelling = append(append(append(next.spelling[:0], '"'), m.Key...), '"', ':')
			at.next = next
		}
		at = next
		if at.row == r.begun {
			return 0, fmt.Errorf("row %d has %s twice", r.written+1, at.title())
		}
		at.row, at.value, at.escaped = r.begun, m.Value, m.Escaped
		m.Escaped = false // of the next one
	}
	switch {
	case m.Fault == wire.TooDeep:
		return 0, fmt.Errorf("row %d: %w", r.written+1, wire.ErrDeep)
	case m.Fault < 0:
		return m.Fault, nil
	}
	if err := r.compose(); err != nil {
		return 0, err
	}
	if m.Foreign && !utf8.Valid(r.out) {
		r.out = append(r.out[:0], bytes.ToValidUTF8(r.out, []byte("\uFFFD"))...)
	}
	r.written++
	for _, c := range r.odd {
		if c.misfits++; c.misfitAt == 0 {
			c.misfitAt = r.written
		}
	}
	if err := r.to.WriteRow(r.keyText, r.out); err != nil {
		return 0, &handedOn{err}
	}
	return m.End, nil
}

// compose writes the members of the row at hand in the order of the columns.
func (r *rows) compose() error {
	r.resolve()
	r.odd, r.out = r.odd[:0], r.out[:0]
	for _, c := range r.catalogue {
		if err := r.member(c); err != nil {
			return err
		}
	}
	for _, c := range r.unknown {
		if c.row == r.begun && string(c.value) != "null" {
			if err := r.member(c); err != nil {
				return err
			}
		}
	}
	if len(r.out) == 0 {
		r.out = append(r.out, ',')
	}
	r.out[0] = '{' // in place of the first comma
	r.out = append(r.out, '}')
	r.takeKey()
	return nil
}

// resolve gives values that came under another name to their columns. If the column
// has a value of its own, that one is kept.
func (r *rows) resolve() {
	for _, n := range r.names {
		c := n.stands
		if n.row == r.begun && (c.row != r.begun || string(c.value) == "null") {
			c.row, c.value, c.escaped = r.begun, n.value, n.escaped
		}
	}
}

func (r *rows) member(c *column) error {
	switch {
	case c.hidden:
		return nil
	case c.row != r.begun || c.value[0] == 'n':
		r.out = append(r.out, c.nothing...)
		return nil
	}
	start := len(r.out)
	r.out = append(r.out, c.quoted...)
	if c.masked {
		r.mask(c)
		return nil
	}
	if c.kind == "string" && c.value[0] == '"' && !c.escaped {
		r.out = append(r.out, c.value...)
		return nil
	}
	before := len(r.out)
	if err := r.value(c); err != nil {
		return fmt.Errorf("%s: row %d: %w", c.title(), r.written+1, err)
	}
	if len(r.out) == before { // it is nothing
		r.out = append(r.out[:start], c.nothing...)
	}
	return nil
}

// takeKey sets the key of the row at hand: the text of the key column, which may be
// hidden or masked; "" if it has none.
func (r *rows) takeKey() {
	r.keyText = r.keyText[:0]
	v := r.key.value
	switch {
	case r.key.row != r.begun || v[0] == 'n':
	case v[0] != '"':
		r.keyText = append(r.keyText, v...)
	case !r.key.escaped:
		r.keyText = append(r.keyText, v[1:len(v)-1]...)
	default:
		r.keyText, _ = jsontext.AppendUnquote(r.keyText, v) // valid except for lone surrogates
	}
}

// mask writes the pseudonym of a text. No text has none.
func (r *rows) mask(c *column) {
	v := c.value
	if !c.known {
		c.kind = "string"
	}
	if string(v) == `""` {
		r.out = append(r.out, v...)
		return
	}
	if string(v) != string(c.lastValue) || c.lastMask == nil { // rows of one device come together
		c.lastValue = append(c.lastValue[:0], v...)
		r.plain = append(r.plain[:0], v...)
		if v[0] == '"' { // valid except for lone surrogates, which are replaced
			r.plain, _ = jsontext.AppendUnquote(r.plain[:0], v)
		}
		c.lastMask = r.masks.Append(c.lastMask[:0], r.plain)
	}
	r.out = append(r.out, '"')
	r.out = append(r.out, c.lastMask...)
	r.out = append(r.out, '"')
}
