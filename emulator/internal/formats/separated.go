package formats

import (
	"bufio"
	"io"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// separators are those of the formats with fields.
var separators = map[string]byte{"": ',', "csv": ',', "tsv": '\t', "psv": '|', "scsv": ';', "sohsv": 1}

// record makes rows of lists of fields.
type record struct {
	blank  []value.Value // nulls and constants
	row    []value.Value
	fields []field
	lines  []target // columns that take the line number
	stats  *Stats
	number int64
}

// field is a column that takes the field at ordinal.
type field struct {
	ordinal int
	column  int
	kind    value.Kind
}

func newRecord(s Source, columns []value.Column) *record {
	c := &record{blank: blankRow(columns), row: make([]value.Value, len(columns)), stats: s.Stats}
	if !s.HasMapping {
		for i, column := range columns {
			c.fields = append(c.fields, field{ordinal: i, column: i, kind: column.Kind})
		}
		return c
	}
	for _, m := range s.Mapping.columns {
		i := indexOf(columns, m.column)
		if i < 0 {
			continue
		}
		switch kind := columns[i].Kind; {
		case m.transform == sourceLocation:
			c.blank[i] = fromText(s.Location, kind, s.Stats)
		case m.transform == sourceLineNumber:
			c.lines = append(c.lines, target{column: i, kind: kind})
		case m.constant != nil:
			c.blank[i] = fromText(*m.constant, kind, s.Stats)
		case m.ordinal >= 0:
			c.fields = append(c.fields, field{ordinal: m.ordinal, column: i, kind: kind})
		}
	}
	return c
}

// make is the row of the next record, whose field i is fields(i) of count.
// Columns without a field are null; fields without a column are dropped.
func (c *record) make(count int, fields func(i int) string) []value.Value {
	c.number++
	copy(c.row, c.blank)
	for _, t := range c.lines {
		c.row[t.column] = fromNumber(c.number, t.kind)
	}
	for _, f := range c.fields {
		if f.ordinal < count {
			c.row[f.column] = fromText(fields(f.ordinal), f.kind, c.stats)
		}
	}
	return c.row
}

// readSeparated reads records of fields, quoted as RFC 4180 has it. All
// records must have as many fields as the first. Empty lines are no records.
func (c *record) readSeparated(separator byte) reading {
	return func(r *bufio.Reader, emit func([]value.Value) bool) error {
		skipMark(r)
		in := splitter{r: r, separator: separator}
		expected := 0
		for {
			more, err := in.next()
			if err != nil {
				return err
			}
			count := len(in.ends)
			switch {
			case !more:
				return nil
			case count == 1 && in.ends[0] == 0 && !in.quoted:
				continue
			case expected == 0:
				expected = count
			case count != expected:
				return failed(CodeWrongNumberOfFields, "record %d has %d fields, those before it have %d", c.number+1, count, expected)
			}
			if !emit(c.make(count, in.field)) {
				return errStopped
			}
		}
	}
}

// readText makes one field of every line.
func (c *record) readText(r *bufio.Reader, emit func([]value.Value) bool) error {
	skipMark(r)
	in := &lines{r: r}
	for {
		line, more, err := in.next()
		if err != nil || !more {
			return err
		}
		if !emit(c.make(1, func(int) string { return string(line) })) {
			return errStopped
		}
	}
}

// readRaw makes one field of the whole file.
func (c *record) readRaw(r *bufio.Reader, emit func([]value.Value) bool) error {
	skipMark(r)
	all, err := io.ReadAll(io.LimitReader(r, maxRecord+1))
	switch {
	case err != nil:
		return err
	case len(all) > maxRecord:
		return failed(CodeInputTooLarge, "the data is larger than %d bytes", maxRecord)
	case len(all) > 0 && !emit(c.make(1, func(int) string { return string(all) })):
		return errStopped
	}
	return nil
}

// splitter reads records of fields. A field that begins with a quote ends with
// one; within it, two quotes are one and line ends are content.
type splitter struct {
	r         *bufio.Reader
	separator byte
	text      []byte // the fields of the record, joined
	ends      []int  // where each field ends in text
	quoted    bool   // whether any field was quoted
}

func (s *splitter) field(i int) string {
	start := 0
	if i > 0 {
		start = s.ends[i-1]
	}
	return string(s.text[start:s.ends[i]])
}

// next reads one record; false means there is none.
func (s *splitter) next() (bool, error) {
	s.text, s.ends, s.quoted = s.text[:0], s.ends[:0], false
	start, inside, closed := 0, false, false
	for {
		if len(s.text) > maxRecord {
			return false, failed(CodeInputTooLarge, "a record is larger than %d bytes", maxRecord)
		}
		b, err := s.r.ReadByte()
		switch {
		case err == io.EOF && inside:
			return false, failed(CodeClosingQuoteMissing, "the closing quote of a field is missing at the end of the data")
		case err == io.EOF && len(s.text) == 0 && len(s.ends) == 0 && !closed:
			return false, nil
		case err == io.EOF:
			s.ends = append(s.ends, len(s.text))
			return true, nil
		case err != nil:
			return false, err
		case inside && b == '"':
			if next, _ := s.r.Peek(1); len(next) == 1 && next[0] == '"' {
				_, _ = s.r.Discard(1) // it was peeked at
				s.text = append(s.text, '"')
			} else {
				inside, closed = false, true
			}
		case inside:
			s.text = append(s.text, b)
		case b == '"' && len(s.text) == start && !closed:
			inside, s.quoted = true, true
		case b == s.separator:
			s.ends = append(s.ends, len(s.text))
			start, closed = len(s.text), false
		case b == '\n':
			if n := len(s.text); n > start && s.text[n-1] == '\r' {
				s.text = s.text[:n-1]
			}
			s.ends = append(s.ends, len(s.text))
			return true, nil
		default:
			s.text = append(s.text, b)
		}
	}
}
