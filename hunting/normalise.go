package hunting

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/defender"
	"github.com/tvmexport/tvmexport/internal/pseudonym"
	"github.com/tvmexport/tvmexport/internal/wire"
)

// normaliser converts the rows of an answer of any API into the published form:
//
//   - keys that contain @odata.type are dropped, at every depth (Graph)
//   - {} in a column that is not dynamic is null (Graph writes nulls so)
//   - a bool, which the wire calls SByte and writes as 0 or 1, is true or false
//   - dynamic columns that were asked for as text are JSON again
//   - integers and datetimes keep all their digits
//   - columns that the schema does not name pass through
//   - values in another form of their column's type are read (see wire.Readable)
//   - what does not fit the type that the answer declares is text, and counted
//   - what Kusto would round or not read is text (see wire.Nesting)
//   - columns that the table's choice hides are dropped, and masked ones replaced
//     by pseudonyms
//   - invalid UTF-8 and lone surrogates are replaced by U+FFFD, as Kusto does
//
// Its memory is that of the largest row.
type normaliser struct {
	schema schema
	graph  bool
	mark   []byte // how the JSON text of the count begins: "word:
	key    keyOf

	masks *pseudonym.Maker // of columns that are published so; nil: there are none
	plain []byte           // a value before it is masked

	text     []byte // the row
	from, to int    // part of text that is copied as it is, and is not in out yet
	out      []byte
	odd      []*column // of the row: a value does not fit
	lone     bool      // the row may hold a lone surrogate
	nesting  wire.Nesting
	list     []byte // room for the text of a list of one

	written int64
	counted int64                 // tvmexport.Missing until the row with the count was read
	print   tvmexport.Fingerprint // as that row says
}

// newNormaliser is for the answer to fetchQuery(s, mark, asText), whose columns
// are thought to be of the types given.
func newNormaliser(api API, s tvmexport.Slice, mark string, asText []string, types []tvmexport.Column) *normaliser {
	n := &normaliser{
		schema: newSchema(types, asText), graph: api == Graph,
		mark: []byte(`"` + mark), counted: tvmexport.Missing,
	}
	n.schema.choose(s.Table.Policy)
	n.key = keyOfSlice(s, &n.schema)
	marked := n.schema.column(markColumn(s.Table))
	marked.mark = true
	if !taken(s.Table, marked.name) { // a column that the query adds
		marked.internal, marked.masked = true, false
	}
	return n
}

// row brings the row that text begins with into its normal form and gives it to
// w. It returns the row's length, or a negative result of wire.Scan: nothing was
// done then.
func (n *normaliser) row(text []byte, w tvmexport.RowWriter) (int, error) {
	if text[0] != '{' {
		return 0, fmt.Errorf("%w: a result is not an object", wire.ErrInvalid)
	}
	n.text, n.from, n.to, n.out = text, 0, 0, append(n.out[:0], '{')
	n.odd, n.lone = n.odd[:0], false
	n.key.reset()
	n.schema.nextRow()
	m := wire.MembersOf(text)
	var count []byte
	for c := &n.schema.first; ; {
		guess := c.next
		guessed, ok := m.Next(guess.quotedName())
		if !ok {
			break
		}
		if !guessed {
			var err error
			if guess, err = n.schema.find(m.Key); err != nil {
				return 0, err
			}
			c.next = guess
		}
		c = guess
		if c.sidecar && n.graph {
			continue
		}
		if err := n.schema.mark(c); err != nil {
			return 0, err
		}
		if c.mark && bytes.HasPrefix(m.Value, n.mark) {
			count = m.Value
		}
		if c.key > 0 {
			n.key.take(c.key, m.Value)
		}
		if c.internal {
			continue
		}
		if err := n.member(c, &m); err != nil {
			return 0, fmt.Errorf("%s: row %d of the answer: %w", c.said(), n.written+1, err)
		}
	}
	switch {
	case m.Fault == wire.TooDeep:
		return 0, fmt.Errorf("%s: row %d of the answer: %w", n.schema.said(m.Key), n.written+1, wire.ErrDeep)
	case m.Fault < 0:
		return m.Fault, nil
	case count != nil:
		return m.End, n.count(count)
	}
	n.lone = n.lone || m.Lone
	return m.End, n.give(text[:m.End], m.Foreign, w)
}

// give hands the finished row to w.
func (n *normaliser) give(text []byte, foreign bool, w tvmexport.RowWriter) error {
	row := text
	if n.from != 1 || n.to != len(text)-1 {
		n.flush()
		n.out = append(n.out, '}')
		row = n.out
	}
	if foreign && !utf8.Valid(row) {
		n.out = append(n.out[:0], bytes.ToValidUTF8(row, []byte("\uFFFD"))...)
		row = n.out
	}
	if n.lone {
		n.out = wire.WithoutLone(append(n.out[:0], row...))
		row = n.out
	}
	n.written++
	n.countMisfits()
	if err := w.WriteRow(n.key.value(), row); err != nil {
		return defender.HandedOn(err)
	}
	return nil
}

// count reads the row that carries the answer's count.
func (n *normaliser) count(value []byte) error {
	said := strings.Split(string(bytes.TrimSuffix(value[len(n.mark):], []byte{'"'})), ".")
	numbers := make([]int64, len(said))
	var err error
	for i, text := range said {
		if numbers[i], err = strconv.ParseInt(text, 10, 64); err != nil || numbers[i] < 0 {
			return fmt.Errorf("the count row has %d bytes that are not counts", len(value))
		}
	}
	switch sums := numbers[1:]; len(sums) {
	case 0:
	case len(n.print.Sums):
		n.print = tvmexport.Fingerprint{Known: true, Sums: [3]int64(sums)}
	default:
		return fmt.Errorf("the count row has %d numbers", len(numbers))
	}
	if n.counted != tvmexport.Missing {
		return errors.New("the answer has two count rows")
	}
	n.counted = numbers[0]
	return nil
}

// member writes one member in its normal form. Members that are in it already
// are copied together, many at a time.
func (n *normaliser) member(c *column, m *wire.Members) error {
	if c.masked {
		n.flush()
		n.comma()
		n.out = append(n.out, c.quoted...)
		n.mask(c, m.Value)
		return nil
	}
	plain := wire.Fits(c.kind, m.Value) && !(c.asText && m.Value[0] == '"')
	if plain && m.Tight && string(m.Key) == string(c.quoted[1:len(c.quoted)-2]) {
		if n.to > n.from && n.to+1 == m.Start { // only the comma is between them
			n.to = m.End
			return nil
		}
		n.flush()
		n.comma()
		n.from, n.to = m.Start, m.End
		return nil
	}
	n.flush()
	n.comma()
	n.out = append(n.out, c.quoted...)
	if plain {
		n.out = append(n.out, m.Value...)
		return nil
	}
	return n.value(c, m.Value)
}

func (n *normaliser) comma() {
	if len(n.out) > 1 {
		n.out = append(n.out, ',')
	}
}

func (n *normaliser) flush() {
	n.out = append(n.out, n.text[n.from:n.to]...)
	n.from, n.to = 0, 0
}

// value writes a value that is not in its normal form.
func (n *normaliser) value(c *column, v []byte) error {
	switch {
	case c.asText && v[0] == '"':
		return n.fromText(c, v)
	case c.kind == "dynamic":
		return n.nested(c, v)
	case v[0] == '{' && empty(v):
		n.null()
		return nil
	case (v[0] == '{' || v[0] == '[') && !c.declared:
		return n.nested(c, v)
	}
	if v[0] != '{' && v[0] != '[' {
		var ok bool
		if n.out, ok = wire.Readable(n.out, c.kind, v); ok {
			return nil
		}
	}
	number := v[0] == '-' || '0' <= v[0] && v[0] <= '9'
	switch {
	case v[0] == '"', !c.declared && !(number && wire.Rounds(v)):
		n.out = append(n.out, v...)
	default:
		n.out = wire.Quote(n.out, v)
	}
	if c.declared {
		n.misfit(c)
	}
	return nil
}

func (n *normaliser) null() { n.out = append(n.out, "null"...) }

func empty(object []byte) bool {
	m := wire.MembersOf(object)
	_, ok := m.Next(nil)
	return !ok
}

// nested writes a dynamic value as it is on the wire.
func (n *normaliser) nested(c *column, v []byte) error {
	size := len(v)
	if cap(v) > size {
		v = v[:size+1] // what follows in the answer: a number must not be the last thing
	}
	return n.nest(c, v, size, n.graph)
}

// nest writes the value that text begins with. It must have size bytes.
func (n *normaliser) nest(c *column, text []byte, size int, graph bool) error {
	var of wire.Nested
	var err error
	n.out, of, err = n.nesting.Append(n.out, text, size, graph)
	if err != nil {
		return err
	}
	n.lone = n.lone || of.Lone
	if of.Misfit {
		n.misfit(c)
	}
	return nil
}

// fromText takes the element out of the text of a list of one.
func (n *normaliser) fromText(c *column, v []byte) error {
	switch string(v) {
	case `"[null]"`, `"[]"`, `""`: // Kusto has no null text: the empty one is its null
		n.null()
		return nil
	case `"[[]]"`, `"[{}]"`:
		n.out = append(n.out, v[2:4]...)
		return nil
	}
	// The text is valid JSON; what remains to fail are lone surrogates, which
	// are replaced.
	n.list, _ = jsontext.AppendUnquote(n.list[:0], v)
	text := n.list
	if len(text) < 3 || text[0] != '[' || text[len(text)-1] != ']' {
		return fmt.Errorf("a text of %d bytes is not a list with one element", len(text))
	}
	err := n.nest(c, text[1:], len(text)-2, false)
	if errors.Is(err, wire.ErrInvalid) {
		return fmt.Errorf("a text of %d bytes is not a list with one element", len(text))
	}
	return err
}
