package formats

import (
	"bufio"
	"bytes"
	"io"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// readObjects reads lines as long as each is a JSON object, which is how exporters
// write them, and leaves r in front of the first other one. It is the number of
// objects.
func (d *document) readObjects(r *bufio.Reader, emit func([]value.Value) bool) (int64, error) {
	for number := int64(0); ; number++ {
		line, err := peekLine(r)
		if err != nil {
			return number, err
		}
		text := string(bytes.TrimRight(line, "\r\n"))
		if text == "" || text[0] != '{' {
			return number, nil
		}
		valid, canonical := value.CheckJSON(text)
		if !valid {
			return number, nil
		}
		if _, err := r.Discard(len(line)); err != nil {
			return number, err
		}
		d.begin(number + 1)
		if canonical {
			d.fill.take(text, d.root)
		} else if err := d.fill.visit(newDecoder(bytes.NewBufferString(text)), d.root); err != nil {
			return number, failed(CodeInvalidBlob, "the data is not valid JSON at record %d: %v", number+1, err)
		}
		if !emit(d.fill.row) {
			return number, errStopped
		}
	}
}

// peekLine is the next line with its end, nil if it is longer than the buffer of r.
func peekLine(r *bufio.Reader) ([]byte, error) {
	have, _ := r.Peek(r.Buffered()) // never fails
	if i := bytes.IndexByte(have, '\n'); i >= 0 {
		return have[:i+1], nil
	}
	have, err := r.Peek(r.Size())
	if i := bytes.IndexByte(have, '\n'); i >= 0 {
		return have[:i+1], nil
	}
	switch {
	case err == io.EOF:
		return have, nil
	case err == nil || err == bufio.ErrBufferFull:
		return nil, nil
	}
	return nil, err
}

// take does what visit does, for the text of a value that is canonical.
func (f *fill) take(text string, n *node) {
	for _, t := range n.targets {
		f.row[t.column] = t.convert(text, true, n, f.stats)
	}
	switch {
	case text[0] == '{' && n.names != nil:
		value.WalkJSON(text, func(name, item string) {
			if below := n.names[name]; below != nil {
				f.take(item, below)
			}
		})
	case text[0] == '[' && n.elements != nil:
		i := 0
		value.WalkJSON(text, func(_, item string) {
			if below := n.elements[i]; below != nil {
				f.take(item, below)
			}
			i++
		})
	}
}
