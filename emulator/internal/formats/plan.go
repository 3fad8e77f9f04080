package formats

import (
	"bytes"
	"errors"
	"io"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// node is a place in a JSON document that paths of a mapping lead to or
// through. All paths of a mapping share one tree of them, so that a document
// is read once.
type node struct {
	names    map[string]*node
	elements map[int]*node
	targets  []target
}

// target is a column that takes the value at a node.
type target struct {
	column    int
	kind      value.Kind
	transform transform
}

// at is the node that p leads to, made if it is new.
func (n *node) at(p path) *node {
	for _, s := range p {
		var next *node
		if s.isIndex {
			if next = n.elements[s.index]; next == nil {
				next = &node{}
				if n.elements == nil {
					n.elements = map[int]*node{}
				}
				n.elements[s.index] = next
			}
		} else if next = n.names[s.name]; next == nil {
			next = &node{}
			if n.names == nil {
				n.names = map[string]*node{}
			}
			n.names[s.name] = next
		}
		n = next
	}
	return n
}

func (n *node) isLeaf() bool { return n.names == nil && n.elements == nil }

// without is v without the properties that columns take from below n.
func (n *node) without(v value.Value) value.Value {
	slots, ok := v.Bag()
	if !ok || n.names == nil {
		return v
	}
	kept := make([]value.Property, 0, len(slots))
	for _, p := range slots {
		below := n.names[p.Name]
		switch {
		case below == nil:
			kept = append(kept, p)
		case len(below.targets) == 0:
			kept = append(kept, value.Property{Name: p.Name, Value: below.without(p.Value)})
		}
	}
	return value.NewBag(kept)
}

// fill gives a row what is at the nodes of a tree.
type fill struct {
	row   []value.Value
	stats *Stats
	name  []byte // scratch
}

// visit reads the next value of d, which n is the place of.
func (f *fill) visit(d *jsontext.Decoder, n *node) error {
	switch {
	case len(n.targets) > 0:
		raw, err := d.ReadValue()
		if err != nil {
			return err
		}
		text := string(raw)
		for _, t := range n.targets {
			f.row[t.column] = t.convert(text, false, n, f.stats)
		}
		if n.isLeaf() {
			return nil
		}
		inner := *n
		inner.targets = nil
		return f.visit(newDecoder(bytes.NewBuffer(raw)), &inner)
	case d.PeekKind() == '{' && n.names != nil:
		return f.visitBag(d, n)
	case d.PeekKind() == '[' && n.elements != nil:
		return f.visitArray(d, n)
	}
	return d.SkipValue()
}

func (f *fill) visitBag(d *jsontext.Decoder, n *node) error {
	if _, err := d.ReadToken(); err != nil {
		return err
	}
	for d.PeekKind() != '}' {
		quoted, err := d.ReadValue()
		if err != nil {
			return err
		}
		name := quoted[1 : len(quoted)-1]
		if bytes.IndexByte(name, '\\') >= 0 {
			f.name, _ = jsontext.AppendUnquote(f.name[:0], quoted) // invalid UTF-8 is replaced
			name = f.name
		}
		if below := n.names[string(name)]; below != nil {
			err = f.visit(d, below)
		} else {
			err = d.SkipValue()
		}
		if err != nil {
			return err
		}
	}
	_, err := d.ReadToken()
	return err
}

func (f *fill) visitArray(d *jsontext.Decoder, n *node) error {
	if _, err := d.ReadToken(); err != nil {
		return err
	}
	for i := 0; d.PeekKind() != ']'; i++ {
		var err error
		if below := n.elements[i]; below != nil {
			err = f.visit(d, below)
		} else {
			err = d.SkipValue()
		}
		if err != nil {
			return err
		}
	}
	_, err := d.ReadToken()
	return err
}

// newDecoder reads JSON as leniently as the service: repeated names and
// invalid UTF-8 are no errors.
func newDecoder(r io.Reader) *jsontext.Decoder { return jsontext.NewDecoder(r, lenience...) }

var lenience = []jsontext.Options{jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)}

// isSyntax says whether err is about the JSON text and not about reading it.
func isSyntax(err error) bool {
	_, ok := errors.AsType[*jsontext.SyntacticError](err)
	return ok || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF)
}
