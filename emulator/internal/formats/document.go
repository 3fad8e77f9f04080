package formats

import (
	"bufio"
	"bytes"
	"io"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// document makes rows of JSON documents.
type document struct {
	root  *node
	blank []value.Value // a row before a document is read: nulls and constants
	lines []target      // columns that take the line number
	fill  fill
}

func newDocument(s Source, columns []value.Column) *document {
	d := &document{root: &node{}, blank: blankRow(columns)}
	d.fill = fill{row: make([]value.Value, len(columns)), stats: s.Stats}
	if !s.HasMapping {
		for i, c := range columns {
			n := d.root.at(path{{name: c.Name}})
			n.targets = append(n.targets, target{column: i, kind: c.Kind})
		}
		return d
	}
	for _, m := range s.Mapping.columns {
		i := indexOf(columns, m.column)
		if i < 0 {
			continue
		}
		t := target{column: i, kind: columns[i].Kind, transform: m.transform}
		switch {
		case m.transform == sourceLocation:
			d.blank[i] = fromText(s.Location, t.kind, s.Stats)
		case m.transform == sourceLineNumber:
			d.lines = append(d.lines, t)
		case m.constant != nil:
			d.blank[i] = fromText(*m.constant, t.kind, s.Stats)
		default:
			n := d.root.at(m.path)
			n.targets = append(n.targets, t)
		}
	}
	return d
}

func blankRow(columns []value.Column) []value.Value {
	row := make([]value.Value, len(columns))
	for i, c := range columns {
		row[i] = value.Null(c.Kind)
	}
	return row
}

// begin makes the row ready for a record.
func (d *document) begin(number int64) {
	copy(d.fill.row, d.blank)
	for _, t := range d.lines {
		d.fill.row[t.column] = fromNumber(number, t.kind)
	}
}

// readLines reads one object a line and leaves out what is none.
func (d *document) readLines(r *bufio.Reader, emit func([]value.Value) bool) error {
	skipMark(r)
	in := &lines{r: r}
	var buffer bytes.Buffer
	dec := newDecoder(&buffer)
	for number := int64(1); ; number++ {
		line, more, err := in.next()
		if err != nil || !more {
			return err
		}
		if line = bytes.TrimSpace(line); len(line) == 0 {
			number--
			continue
		}
		d.begin(number)
		if !d.readLine(string(line), dec, &buffer) {
			d.fill.stats.Skipped++
			continue
		}
		if !emit(d.fill.row) {
			return errStopped
		}
	}
}

// readLine reads a line, and is false if it is not one object.
func (d *document) readLine(line string, dec *jsontext.Decoder, buffer *bytes.Buffer) bool {
	if line[0] != '{' {
		return false
	}
	if _, canonical := value.CheckJSON(line); canonical {
		d.fill.take(line, d.root)
		return true
	}
	*buffer = *bytes.NewBufferString(line)
	dec.Reset(buffer, lenience...)
	return d.fill.visit(dec, d.root) == nil && atEnd(dec)
}

func atEnd(d *jsontext.Decoder) bool {
	_, err := d.ReadToken()
	return err == io.EOF
}

// readMany reads objects that follow each other, also in arrays. The first
// malformed one fails the whole file.
func (d *document) readMany(r *bufio.Reader, emit func([]value.Value) bool) error {
	skipMark(r)
	number, err := d.readObjects(r, emit)
	if err != nil {
		return err
	}
	dec := newDecoder(r)
	for {
		var err error
		switch kind := dec.PeekKind(); {
		case kind == '{':
			number++
			d.begin(number)
			if err = d.fill.visit(dec, d.root); err == nil && !emit(d.fill.row) {
				return errStopped
			}
		case kind == '[' && dec.StackDepth() == 0, kind == ']':
			_, err = dec.ReadToken()
		default:
			// The end, a syntax error, or a value that is no record.
			if _, err = dec.ReadToken(); err == nil {
				return failed(CodeInvalidBlob, "record %d is not a JSON object", number+1)
			}
			if err == io.EOF {
				return nil
			}
		}
		switch {
		case err != nil && isSyntax(err):
			return failed(CodeInvalidBlob, "the data is not valid JSON at record %d: %v", max(number, 1), err)
		case err != nil:
			return err
		}
	}
}
