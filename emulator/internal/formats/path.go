package formats

import (
	"fmt"
	"strconv"
	"strings"
)

// path leads from a JSON document to a value in it; the empty path, not nil,
// is the document itself. See https://learn.microsoft.com/kusto/query/jsonpath.
type path []step

// step is a property's name or an element's index.
type step struct {
	name    string
	index   int
	isIndex bool
}

// parsePath reads $, $.a.b, $['a b'], $["a b"], $.a[0] and $.['a b'].
func parsePath(text string) (path, error) {
	p := path{}
	rest, ok := strings.CutPrefix(text, "$")
	if !ok {
		return nil, fmt.Errorf("the path %q does not begin with $", text)
	}
	for rest != "" {
		var s step
		var err error
		switch {
		case rest[0] == '[':
			s, rest, err = bracket(rest)
		case strings.HasPrefix(rest, ".["):
			s, rest, err = bracket(rest[1:])
		case rest[0] == '.':
			end := strings.IndexAny(rest[1:], ".[") + 1
			if end == 0 {
				end = len(rest)
			}
			s.name, rest = rest[1:end], rest[end:]
			if s.name == "" || s.name == "*" {
				err = fmt.Errorf("only names and indexes are supported")
			}
		default:
			err = fmt.Errorf("a dot or a bracket must follow $ and every step")
		}
		if err != nil {
			return nil, fmt.Errorf("the path %q is not supported: %w", text, err)
		}
		p = append(p, s)
	}
	return p, nil
}

// bracket reads ['name'], ["name"] or [0] at the beginning of text.
func bracket(text string) (step, string, error) {
	if len(text) > 2 && (text[1] == '\'' || text[1] == '"') {
		var name strings.Builder
		for i := 2; i < len(text); i++ {
			switch c := text[i]; {
			case c == '\\' && i+1 < len(text):
				i++
				name.WriteByte(text[i])
			case c != text[1]:
				name.WriteByte(c)
			case strings.HasPrefix(text[i+1:], "]"):
				return step{name: name.String()}, text[i+2:], nil
			default:
				return step{}, "", fmt.Errorf("a quoted name must end in a bracket")
			}
		}
		return step{}, "", fmt.Errorf("a quoted name is not closed")
	}
	inner, rest, ok := strings.Cut(text[1:], "]")
	if !ok {
		return step{}, "", fmt.Errorf("a bracket is not closed")
	}
	n, err := strconv.Atoi(strings.TrimSpace(inner))
	if err != nil || n < 0 {
		return step{}, "", fmt.Errorf("%q in brackets is neither a quoted name nor an index from 0", inner)
	}
	return step{index: n, isIndex: true}, rest, nil
}
