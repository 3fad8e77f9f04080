package hunting

import (
	"encoding/binary"
	"math/bits"
)

// scan walks over JSON text that may end anywhere. Its methods take the offset
// where something begins and return the offset behind it, or one of the
// negative results. They accept what encoding/json does: RFC 8259, with
// repeated names and any bytes above 0x7f in strings. docs/adr/0016 compares it
// with jsontext.
type scan struct {
	text    []byte
	foreign bool // some string is not ASCII
	lone    bool // some string may hold a lone surrogate
	deep    int  // depth of the deepest list or object that was entered, plus 1
}

const (
	short   = -1 // the text ends first
	invalid = -2 // it is not JSON
	tooDeep = -3 // a value in it is nested deeper than deepest
)

// deepest is how deep values may be nested.
const deepest = 1000

// blanks is the offset of what is not blank; len(text) where nothing is.
func (s *scan) blanks(i int) int {
	for i < len(s.text) {
		switch s.text[i] {
		case ' ', '\n', '\t', '\r':
			i++
		default:
			return i
		}
	}
	return i
}

// value is the offset behind the value that begins at i.
func (s *scan) value(i, depth int) int {
	if i >= len(s.text) {
		return short
	}
	switch s.text[i] {
	case '"':
		return s.string(i)
	case '{', '[':
		return s.nested(i, depth)
	case 'n':
		return s.word(i, "null")
	case 't':
		return s.word(i, "true")
	case 'f':
		return s.word(i, "false")
	}
	return s.number(i)
}

func (s *scan) word(i int, word string) int {
	for k := range len(word) {
		if i+k == len(s.text) {
			return short
		}
		if s.text[i+k] != word[k] {
			return invalid
		}
	}
	return i + len(word)
}

// string is the offset behind the string that begins at i. Eight bytes are
// looked at together for one that needs care: a quote, a backslash, a control
// character, or one that is not ASCII.
func (s *scan) string(i int) int {
	const each, high = 0x0101010101010101, 0x8080808080808080
	b := s.text
	for i++; ; {
		for i+8 <= len(b) {
			w := binary.LittleEndian.Uint64(b[i:])
			quote, slash := w^each*'"', w^each*'\\'
			care := ((quote-each)&^quote | (slash-each)&^slash | (w-each*' ')&^w | w) & high
			if care != 0 {
				i += bits.TrailingZeros64(care) / 8
				break
			}
			i += 8
		}
		if i >= len(b) {
			return short
		}
		switch c := b[i]; {
		case c == '"':
			return i + 1
		case c == '\\':
			if i = s.escape(i); i < 0 {
				return i
			}
		case c < ' ':
			return invalid
		case c >= 0x80:
			s.foreign = true
			i++
		default:
			i++
		}
	}
}

func (s *scan) escape(i int) int {
	if i+1 >= len(s.text) {
		return short
	}
	switch s.text[i+1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return i + 2
	case 'u':
		for k := i + 2; k < i+6; k++ {
			if k >= len(s.text) {
				return short
			}
			if c := s.text[k] | 0x20; !('0' <= c && c <= '9' || 'a' <= c && c <= 'f') || s.text[k] < '0' {
				return invalid
			}
		}
		if s.text[i+2]|0x20 == 'd' && s.text[i+3] >= '8' {
			s.lone = true
		}
		return i + 6
	}
	return invalid
}

// number is the offset behind the number that begins at i. It must not be the
// last thing in the text: what follows could belong to it.
func (s *scan) number(i int) int {
	if s.at(i) == '-' {
		i++
	}
	switch c := s.at(i); {
	case c == '0':
		i++
	case '1' <= c && c <= '9':
		i = s.digits(i)
	case c == 0:
		return s.ended(i)
	default:
		return invalid
	}
	if s.at(i) == '.' {
		after := s.digits(i + 1)
		if after == i+1 {
			return s.ended(after)
		}
		i = after
	}
	if c := s.at(i); c == 'e' || c == 'E' {
		i++
		if c := s.at(i); c == '+' || c == '-' {
			i++
		}
		after := s.digits(i)
		if after == i {
			return s.ended(after)
		}
		i = after
	}
	if i >= len(s.text) {
		return short
	}
	return i
}

// ended is the result where something else was due at i.
func (s *scan) ended(i int) int {
	if i >= len(s.text) {
		return short
	}
	return invalid
}

// at is the byte at i; 0, which is never valid, behind the end.
func (s *scan) at(i int) byte {
	if i < len(s.text) {
		return s.text[i]
	}
	return 0
}

func (s *scan) digits(i int) int {
	for i < len(s.text) && '0' <= s.text[i] && s.text[i] <= '9' {
		i++
	}
	return i
}

// nested is the offset behind the object or list that begins at i.
func (s *scan) nested(i, depth int) int {
	if depth >= deepest {
		return tooDeep
	}
	s.deep = max(s.deep, depth+1)
	object := s.text[i] == '{'
	closing := byte(']')
	if object {
		closing = '}'
	}
	i = s.blanks(i + 1)
	if s.at(i) == closing {
		return i + 1
	}
	for {
		if object {
			if s.at(i) != '"' {
				return s.ended(i)
			}
			if i = s.string(i); i < 0 {
				return i
			}
			if i = s.blanks(i); s.at(i) != ':' {
				return s.ended(i)
			}
			i = s.blanks(i + 1)
		}
		if i = s.value(i, depth+1); i < 0 {
			return i
		}
		switch i = s.blanks(i); s.at(i) {
		case closing:
			return i + 1
		case ',':
			i = s.blanks(i + 1)
		default:
			return s.ended(i)
		}
	}
}
