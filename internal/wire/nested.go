package wire

import (
	"bytes"

	"github.com/go-json-experiment/json/jsontext"
)

// Sidecar is in the name of each member by which Graph says the type of another one.
var Sidecar = []byte("@odata.type")

// MostLevels is how deep a value may be nested, its row being the first level,
// to be published as what it is. How deep Kusto's parse_json goes is not
// documented; common parsers stop between 64 and 1,000 levels, and Defender's
// columns have less than ten. What is nested deeper is kept as JSON text, and
// refused beyond Deepest.
const MostLevels = 100

// mostKnown is how many names of a bag are compared one by one.
const mostKnown = 32

// Nesting writes dynamic values without blanks, and checks on its way that
// they are JSON. On Graph sidecars are left out, an empty object is null, and
// objects that Graph sends as text inside a list are objects again. What Kusto
// would change becomes JSON text: numbers that it would round, and bags that have
// a name twice. The zero value is ready; it keeps memory for the next value.
type Nesting struct {
	Canonical bool // equal texts and numbers are written with equal bytes
	names     [][]byte
}

// Nested says what became of a value.
type Nested struct {
	Misfit bool // it is text, or some bag in it is
	Lone   bool // some string may hold a lone surrogate
}

// Append appends the value that text begins with, which must have size bytes. A
// number must not be the last thing in text. Nothing is appended with an error,
// which is ErrInvalid or ErrDeep.
func (n *Nesting) Append(dst, text []byte, size int, graph bool) ([]byte, Nested, error) {
	w := nesting{Scan: Scan{Text: text}, out: dst, graph: graph, canonical: n.Canonical, names: n.names[:0]}
	start := len(dst)
	end := w.write(w.Blanks(0), 1)
	n.names = w.names
	if end == TooDeep {
		return w.out[:start], Nested{}, ErrDeep
	}
	if end < 0 || w.Blanks(end) < size {
		return w.out[:start], Nested{}, ErrInvalid
	}
	if w.Deep > MostLevels {
		return Quote(w.out[:start], bytes.TrimSpace(text[:end])), Nested{true, w.Lone}, nil
	}
	return w.out, Nested{w.odd, w.Lone}, nil
}

// nesting writes one value.
type nesting struct {
	Scan
	out       []byte
	graph     bool
	canonical bool
	odd       bool     // some bag is text
	names     [][]byte // of the bags around the place that is written
}

// write appends the value at i, and returns the offset behind it.
func (w *nesting) write(i, depth int) int {
	if i >= len(w.Text) {
		return Short
	}
	switch w.Text[i] {
	case '{':
		return w.bag(i, depth)
	case '[':
		return w.list(i, depth)
	}
	end := w.Value(i, depth)
	if end < 0 {
		return end
	}
	v := w.Text[i:end]
	if c := v[0]; (c == '-' || c <= '9') && c != '"' && Rounds(v) {
		w.out = Quote(w.out, v)
		return end
	}
	w.scalar(v)
	return end
}

// scalar appends a text, a number that does not round, or a word.
func (w *nesting) scalar(v []byte) {
	if w.canonical {
		w.out = AppendCanonical(w.out, v)
		return
	}
	w.out = append(w.out, v...)
}

func (w *nesting) enter(depth int) bool {
	w.Deep = max(w.Deep, depth+1)
	return depth < Deepest
}

// bag appends an object. On Graph one without members is null, unless its
// Sidecar says that it is a bag.
func (w *nesting) bag(i, depth int) int {
	if !w.enter(depth) {
		return TooDeep
	}
	begin, start, known := i, len(w.out), len(w.names)
	var more map[string]bool // names beyond mostKnown
	w.out = append(w.out, '{')
	typed, twice := false, false
	i = w.Blanks(i + 1)
	for first := true; w.at(i) != '}'; first = false {
		if !first {
			if w.at(i) != ',' {
				return w.ended(i)
			}
			i = w.Blanks(i + 1)
		}
		if w.at(i) != '"' {
			return w.ended(i)
		}
		end := w.string(i)
		if end < 0 {
			return end
		}
		key := w.Text[i:end]
		if i = w.Blanks(end); w.at(i) != ':' {
			return w.ended(i)
		}
		i = w.Blanks(i + 1)
		if w.graph && bytes.Contains(key, Sidecar) {
			typed = true
			if i = w.Value(i, depth+1); i < 0 {
				return i
			}
			i = w.Blanks(i)
			continue
		}
		twice = w.seen(key, known, &more) || twice
		if len(w.out) > start+1 {
			w.out = append(w.out, ',')
		}
		w.scalar(key)
		w.out = append(w.out, ':')
		if i = w.write(i, depth+1); i < 0 {
			return i
		}
		i = w.Blanks(i)
	}
	empty := len(w.out) == start+1
	w.names = w.names[:known]
	switch {
	case twice:
		w.out = Quote(w.out[:start], w.Text[begin:i+1])
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
		return TooDeep
	}
	w.out = append(w.out, '[')
	i = w.Blanks(i + 1)
	for first := true; w.at(i) != ']'; first = false {
		if !first {
			if w.at(i) != ',' {
				return w.ended(i)
			}
			w.out = append(w.out, ',')
			i = w.Blanks(i + 1)
		}
		if w.graph && bytes.HasPrefix(w.Text[i:], []byte(`"{`)) {
			i = w.element(i, depth+1)
		} else {
			i = w.write(i, depth+1)
		}
		if i < 0 {
			return i
		}
		i = w.Blanks(i)
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
	inner, err := jsontext.AppendUnquote(nil, w.Text[i:end])
	if err == nil {
		inner = bytes.TrimSpace(inner)
		part := nesting{Scan: Scan{Text: append(inner, ' ')}, out: w.out, graph: true, names: w.names}
		switch behind := part.write(0, depth); {
		case behind == TooDeep:
			return TooDeep
		case behind == len(inner):
			w.out, w.names = part.out, part.names
			w.Deep, w.Lone, w.odd = max(w.Deep, part.Deep), w.Lone || part.Lone, w.odd || part.odd
			return end
		}
	}
	w.out = append(w.out, w.Text[i:end]...)
	return end
}
