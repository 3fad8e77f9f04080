package value

import (
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// walker visits the items of one array or bag in canonical JSON text.
type walker struct {
	s    string
	i    int
	bag  bool
	key  string // of a bag: the slot's name between its quotes, escapes kept
	item string // the item's JSON text
}

func newWalker(s string) walker { return walker{s: s, i: 1, bag: s[0] == '{'} }

// next moves to the next item; false after the last.
func (w *walker) next() bool {
	if w.i >= len(w.s)-1 {
		return false
	}
	if w.s[w.i] == ',' {
		w.i++
	}
	if w.bag {
		end := stringEnd(w.s, w.i)
		w.key = w.s[w.i+1 : end-1]
		w.i = end + 1 // the colon
	}
	end := valueEnd(w.s, w.i)
	w.item = w.s[w.i:end]
	w.i = end
	return true
}

// name is the slot's name.
func (w *walker) name() string {
	if strings.IndexByte(w.key, '\\') >= 0 {
		return unquote(w.key)
	}
	return w.key
}

// is compares the slot's name.
func (w *walker) is(name string) bool {
	if w.key == name {
		return strings.IndexByte(name, '\\') < 0
	}
	return strings.IndexByte(w.key, '\\') >= 0 && unquote(w.key) == name
}

// stringEnd is the offset behind the JSON string that begins at i.
func stringEnd(s string, i int) int {
	i++
	if i = skipPlain(s, i); i < len(s) && s[i] == '"' {
		return i + 1
	}
	for {
		j := strings.IndexByte(s[i:], '"')
		if j < 0 {
			return len(s)
		}
		i += j + 1
		slashes := 0
		for k := i - 2; s[k] == '\\'; k-- {
			slashes++
		}
		if slashes%2 == 0 {
			return i
		}
	}
}

// valueEnd is the offset behind the value that begins at i of valid text.
func valueEnd(s string, i int) int {
	switch s[i] {
	case '"':
		return stringEnd(s, i)
	case '{', '[':
		depth := 0
		for i < len(s) {
			switch s[i] {
			case '"':
				i = stringEnd(s, i)
				continue
			case '{', '[':
				depth++
			case '}', ']':
				if depth--; depth == 0 {
					return i + 1
				}
			}
			i++
		}
		return i
	default:
		for i < len(s) && s[i] != ',' && s[i] != '}' && s[i] != ']' && s[i] > ' ' {
			i++
		}
		return i
	}
}

// unquote resolves the escapes of a valid JSON string's content.
func unquote(s string) string {
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); {
		c := s[i]
		if c != '\\' {
			b = append(b, c)
			i++
			continue
		}
		i += 2
		switch c = s[i-1]; c {
		case 'n':
			b = append(b, '\n')
		case 'r':
			b = append(b, '\r')
		case 't':
			b = append(b, '\t')
		case 'b':
			b = append(b, '\b')
		case 'f':
			b = append(b, '\f')
		case 'u':
			r := hex4(s[i:])
			i += 4
			if utf16.IsSurrogate(r) {
				low := rune(utf8.RuneError)
				if i+6 <= len(s) && s[i] == '\\' && s[i+1] == 'u' {
					low = hex4(s[i+2:])
				}
				if r = utf16.DecodeRune(r, low); r != utf8.RuneError {
					i += 6
				}
			}
			b = utf8.AppendRune(b, r)
		default:
			b = append(b, c)
		}
	}
	return string(b)
}

// hex4 reads four hex digits.
func hex4(s string) rune {
	n, err := strconv.ParseUint(s[:4], 16, 32)
	if err != nil {
		return utf8.RuneError
	}
	return rune(n)
}

// number returns a JSON number as a Long if it is an integer and fits, else as a Real.
func number(s string) Value {
	if !strings.ContainsAny(s, ".eE") {
		if n, err := strconv.ParseInt(s, 10, 64); err == nil {
			return NewLong(n)
		}
	}
	f, _ := strconv.ParseFloat(s, 64) // out of range gives an infinity
	return NewReal(f)
}
