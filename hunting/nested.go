package hunting

import (
	"bytes"

	"github.com/go-json-experiment/json/jsontext"
)

var sidecar = []byte("@odata.type")

// mostLevels is how deep a value may be nested, its row being the first level,
// to be published as what it is. How deep Kusto's parse_json goes is not
// documented; common parsers stop between 64 and 1,000 levels, and Defender's
// columns have less than ten. What is nested deeper is kept as JSON text, and
// refused beyond deepest.
const mostLevels = 100

// mostKnown is how many names of a bag are compared one by one.
const mostKnown = 32

// nesting writes dynamic values without blanks, and checks on its way that
// they are JSON. On Graph sidecars are left out, an empty object is null, and
// objects that Graph sends as text inside a list are objects again. What Kusto
// would change becomes JSON text: numbers that it would round, and bags that have
// a name twice.
type nesting struct {
	scan
	out   []byte
	graph bool
	odd   bool     // some bag is text
	names [][]byte // of the bags around the place that is written
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
	w := nesting{scan: scan{text: text}, out: n.out, graph: graph, names: n.names[:0]}
	start := len(n.out)
	end := w.write(w.blanks(0), 1)
	n.out, n.names = w.out, w.names
	if end == tooDeep {
		return errDeep
	}
	if end < 0 || w.blanks(end) < size {
		n.out = n.out[:start]
		return errInvalid
	}
	n.lone = n.lone || w.lone
	if w.deep > mostLevels {
		n.out = quote(n.out[:start], bytes.TrimSpace(text[:end]))
		n.misfit(c)
	} else if w.odd {
		n.misfit(c)
	}
	return nil
}

// write appends the value at i, and returns the offset behind it.
func (w *nesting) write(i, depth int) int {
	if i >= len(w.text) {
		return short
	}
	switch w.text[i] {
	case '{':
		return w.bag(i, depth)
	case '[':
		return w.list(i, depth)
	}
	end := w.value(i, depth)
	if end < 0 {
		return end
	}
	v := w.text[i:end]
	if c := v[0]; (c == '-' || c <= '9') && c != '"' && rounds(v) {
		w.out = quote(w.out, v)
		return end
	}
	w.out = append(w.out, v...)
	return end
}

func (w *nesting) enter(depth int) bool {
	w.deep = max(w.deep, depth+1)
	return depth < deepest
}

// bag appends an object. On Graph one without members is null, unless its
// sidecar says that it is a bag.
func (w *nesting) bag(i, depth int) int {
	if !w.enter(depth) {
		return tooDeep
	}
	begin, start, known := i, len(w.out), len(w.names)
	var more map[string]bool // names beyond mostKnown
	w.out = append(w.out, '{')
	typed, twice := false, false
	i = w.blanks(i + 1)
	for first := true; w.at(i) != '}'; first = false {
		if !first {
			if w.at(i) != ',' {
				return w.ended(i)
			}
			i = w.blanks(i + 1)
		}
		if w.at(i) != '"' {
			return w.ended(i)
		}
		end := w.string(i)
		if end < 0 {
			return end
		}
		key := w.text[i:end]
		if i = w.blanks(end); w.at(i) != ':' {
			return w.ended(i)
		}
		i = w.blanks(i + 1)
		if w.graph && bytes.Contains(key, sidecar) {
			typed = true
			if i = w.value(i, depth+1); i < 0 {
				return i
			}
			i = w.blanks(i)
			continue
		}
		twice = w.seen(key, known, &more) || twice
		if len(w.out) > start+1 {
			w.out = append(w.out, ',')
		}
		w.out = append(w.out, key...)
		w.out = append(w.out, ':')
		if i = w.write(i, depth+1); i < 0 {
			return i
		}
		i = w.blanks(i)
	}
	empty := len(w.out) == start+1
	w.names = w.names[:known]
	switch {
	case twice:
		w.out = quote(w.out[:start], w.text[begin:i+1])
		w.odd = true
	case empty && w.graph && !typed:
		w.out = append(w.out[:start], "null"...)
	default:
		w.out = append(w.out, '}')
	}
	return i + 1
}

// seen says whether the bag whose names begin at known already has the name.
func (w *nesting) seen(key []byte, known int, more *map[string]bool) bool {
	if bytes.IndexByte(key, '\\') >= 0 {
		plain, _ := jsontext.AppendUnquote(nil, key) // valid except for lone surrogates
		key = plain
	} else {
		key = key[1 : len(key)-1]
	}
	mine := w.names[known:]
	if len(mine) < mostKnown {
		for _, k := range mine {
			if bytes.Equal(k, key) {
				return true
			}
		}
		w.names = append(w.names, key)
		return false
	}
	if *more == nil {
		*more = make(map[string]bool, 4*mostKnown)
		for _, k := range mine {
			(*more)[string(k)] = true
		}
	}
	twice := (*more)[string(key)]
	(*more)[string(key)] = true
	return twice
}

func (w *nesting) list(i, depth int) int {
	if !w.enter(depth) {
		return tooDeep
	}
	w.out = append(w.out, '[')
	i = w.blanks(i + 1)
	for first := true; w.at(i) != ']'; first = false {
		if !first {
			if w.at(i) != ',' {
				return w.ended(i)
			}
			w.out = append(w.out, ',')
			i = w.blanks(i + 1)
		}
		if w.graph && bytes.HasPrefix(w.text[i:], []byte(`"{`)) {
			i = w.element(i, depth+1)
		} else {
			i = w.write(i, depth+1)
		}
		if i < 0 {
			return i
		}
		i = w.blanks(i)
	}
	w.out = append(w.out, ']')
	return i + 1
}

// element appends a string of a list. One that holds a JSON object was an
// object: Graph declares lists of dynamics as lists of strings.
func (w *nesting) element(i, depth int) int {
	end := w.string(i)
	if end < 0 {
		return end
	}
	inner, err := jsontext.AppendUnquote(nil, w.text[i:end])
	if err == nil {
		inner = bytes.TrimSpace(inner)
		part := nesting{scan: scan{text: append(inner, ' ')}, out: w.out, graph: true, names: w.names}
		switch behind := part.write(0, depth); {
		case behind == tooDeep:
			return tooDeep
		case behind == len(inner):
			w.out, w.names = part.out, part.names
			w.deep, w.lone, w.odd = max(w.deep, part.deep), w.lone || part.lone, w.odd || part.odd
			return end
		}
	}
	w.out = append(w.out, w.text[i:end]...)
	return end
}
