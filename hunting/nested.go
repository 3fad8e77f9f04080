package hunting

import (
	"bytes"

	"github.com/go-json-experiment/json/jsontext"
)

var sidecar = []byte("@odata.type")

// nested writes a dynamic value as it is on the wire: on Graph without the
// sidecars, an empty object as null, and objects that travel as text inside a
// list as objects again.
func (n *normaliser) nested(v []byte) error {
	if n.graph {
		n.graphValue(v)
		return nil
	}
	start := len(n.out)
	n.out = append(n.out, v...)
	text := jsontext.Value(n.out[start:])
	err := text.Compact()
	n.out = n.out[:start+len(text)]
	return err
}

func (n *normaliser) graphValue(v []byte) {
	switch v[0] {
	case '{':
		n.graphBag(v)
	case '[':
		n.out = append(n.out, '[')
		first := true
		for e := elementsOf(v); e.next(); first = false {
			if !first {
				n.out = append(n.out, ',')
			}
			n.graphElement(e.value)
		}
		n.out = append(n.out, ']')
	default:
		n.out = append(n.out, v...)
	}
}

// graphBag writes an object. One without members is null, unless its sidecar
// says that it is a bag.
func (n *normaliser) graphBag(v []byte) {
	start := len(n.out)
	n.out = append(n.out, '{')
	first, typed := true, false
	for m := membersOf(v); ; {
		if _, ok := m.next(nil); !ok {
			break
		}
		if bytes.Contains(m.key, sidecar) {
			typed = true
			continue
		}
		if !first {
			n.out = append(n.out, ',')
		}
		first = false
		n.out = append(n.out, '"')
		n.out = append(n.out, m.key...)
		n.out = append(n.out, '"', ':')
		n.graphValue(m.value)
	}
	if first && !typed {
		n.out = append(n.out[:start], "null"...)
		return
	}
	n.out = append(n.out, '}')
}

// graphElement writes an element of a list. A string that holds a JSON object
// was an object: Graph declares lists of dynamics as lists of strings.
func (n *normaliser) graphElement(v []byte) {
	if !bytes.HasPrefix(v, []byte(`"{`)) {
		n.graphValue(v)
		return
	}
	inner, err := jsontext.AppendUnquote(nil, v)
	inner = bytes.TrimSpace(inner)
	if err != nil || !jsontext.Value(inner).IsValid(jsontext.AllowDuplicateNames(true)) {
		n.out = append(n.out, v...)
		return
	}
	n.graphValue(inner)
}
