package hunting

import (
	"bytes"
	"errors"

	"github.com/go-json-experiment/json/jsontext"
)

var sidecar = []byte("@odata.type")

// nested writes a dynamic value as it is on the wire: on Graph without the
// sidecars, an empty object as null, and objects that travel as text inside a
// list as objects again.
func (n *normaliser) nested(v []byte) error {
	if n.graph {
		g := graphValue{scan: scan{text: v}, out: n.out}
		g.write(0, 0)
		n.out = g.out
		if g.deep {
			return errDeep
		}
		return nil
	}
	start := len(n.out)
	n.out = append(n.out, v...)
	text := jsontext.Value(n.out[start:])
	if text.Compact() != nil { // its reason quotes the text
		return errors.New("a dynamic value is malformed")
	}
	n.out = n.out[:start+len(text)]
	return nil
}

// graphValue writes one value of Graph's wire form. It passes over the text
// once, whatever its depth. The text is valid JSON.
type graphValue struct {
	scan
	out  []byte
	deep bool // nested deeper than deepest, with what travels as text
}

// write appends the value that begins at i and returns the offset behind it.
// depth is that of all around it, texts included.
func (g *graphValue) write(i, depth int) int {
	switch g.text[i] {
	case '{':
		return g.bag(i, depth)
	case '[':
		return g.list(i, depth)
	}
	return g.copy(i)
}

// copy appends a scalar as it is.
func (g *graphValue) copy(i int) int {
	end := g.value(i, 0)
	if end < 0 { // a number that nothing follows
		end = len(g.text)
	}
	g.out = append(g.out, g.text[i:end]...)
	return end
}

// bag writes an object. One without members is null, unless its sidecar says
// that it is a bag.
func (g *graphValue) bag(i, depth int) int {
	start := len(g.out)
	g.out = append(g.out, '{')
	first, typed := true, false
	for i = g.blanks(i + 1); g.at(i) != '}'; i = g.next(i) {
		end := g.string(i)
		key := g.text[i:end]
		i = g.blanks(g.blanks(end) + 1)
		if bytes.Contains(key, sidecar) {
			typed = true
			i = g.value(i, 0)
			continue
		}
		if !first {
			g.out = append(g.out, ',')
		}
		first = false
		g.out = append(g.out, key...)
		g.out = append(g.out, ':')
		i = g.write(i, depth+1)
	}
	if first && !typed {
		g.out = append(g.out[:start], "null"...)
	} else {
		g.out = append(g.out, '}')
	}
	return i + 1
}

// list writes an array.
func (g *graphValue) list(i, depth int) int {
	g.out = append(g.out, '[')
	first := true
	for i = g.blanks(i + 1); g.at(i) != ']'; i = g.next(i) {
		if !first {
			g.out = append(g.out, ',')
		}
		first = false
		i = g.element(i, depth+1)
	}
	g.out = append(g.out, ']')
	return i + 1
}

// next is the offset of what follows the member or element that ends at i: its
// successor, or the closing bracket.
func (g *graphValue) next(i int) int {
	if i = g.blanks(i); g.at(i) == ',' {
		i = g.blanks(i + 1)
	}
	return i
}

// element writes an element of a list. A string that holds a JSON object was an
// object: Graph declares lists of dynamics as lists of strings.
func (g *graphValue) element(i, depth int) int {
	if !bytes.HasPrefix(g.text[i:], []byte(`"{`)) {
		return g.write(i, depth)
	}
	end := g.string(i)
	inner, err := jsontext.AppendUnquote(nil, g.text[i:end])
	inner = bytes.TrimSpace(inner)
	o := graphValue{scan: scan{text: inner}, out: g.out}
	whole := invalid
	if err == nil {
		whole = o.value(0, depth)
	}
	switch {
	case whole == tooDeep:
		g.deep = true
	case whole == len(inner):
		o.write(0, depth)
		g.out, g.deep = o.out, g.deep || o.deep
		return end
	}
	g.out = append(g.out, g.text[i:end]...)
	return end
}
