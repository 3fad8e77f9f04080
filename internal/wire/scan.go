package wire

import (
	"encoding/binary"
	"math/bits"
)

// Scan walks over JSON text that may end anywhere. Its methods take the offset
// where something begins and return the offset behind it, or one of the
// negative results. They accept what encoding/json does: RFC 8259, with
// repeated names and any bytes above 0x7f in strings. docs/adr/0016 compares it
// with jsontext.
type Scan struct {
	Text    []byte
	Foreign bool // some string is not ASCII
	Lone    bool // some string may hold a lone surrogate
	Escaped bool // some string has an escape
	Deep    int  // depth of the Deepest list or object that was entered, plus 1
}

// The negative results.
const (
	Short   = -1 // the text ends first
	Invalid = -2 // it is not JSON
	TooDeep = -3 // a value in it is nested deeper than Deepest
)

// Deepest is how deep values may be nested.
const Deepest = 1000

// Blanks is the offset of what is not blank; len(text) where nothing is.
func (s *Scan) Blanks(i int) int {
	for i < len(s.Text) {
		switch s.Text[i] {
		case ' ', '\n', '\t', '\r':
			i++
		default:
			return i
		}
	}
	return i
}

// Value is the offset behind the value that begins at i.
func (s *Scan) Value(i, depth int) int {
	if i >= len(s.Text) {
		return Short
	}
	switch s.Text[i] {
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

func (s *Scan) word(i int, word string) int {
	for k := range len(word) {
		if i+k == len(s.Text) {
			return Short
		}
		if s.Text[i+k] != word[k] {
			return Invalid
		}
	}
	return i + len(word)
}

// string is the offset behind the string that begins at i. Eight bytes are
// looked at together for one that needs care: a quote, a backslash, a control
// character, or one that is not ASCII.
func (s *Scan) string(i int) int {
	const each, high = 0x0101010101010101, 0x8080808080808080
	b := s.Text
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
			return Short
		}
		switch c := b[i]; {
		case c == '"':
			return i + 1
		case c == '\\':
			if i = s.escape(i); i < 0 {
				return i
			}
		case c < ' ':
			return Invalid
		case c >= 0x80:
			s.Foreign = true
			i++
		default:
			i++
		}
	}
}

func (s *Scan) escape(i int) int {
	s.Escaped = true
	if i+1 >= len(s.Text) {
		return Short
	}
	switch s.Text[i+1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return i + 2
	case 'u':
		for k := i + 2; k < i+6; k++ {
			if k >= len(s.Text) {
				return Short
			}
			if c := s.Text[k] | 0x20; !('0' <= c && c <= '9' || 'a' <= c && c <= 'f') || s.Text[k] < '0' {
				return Invalid
			}
		}
		if s.Text[i+2]|0x20 == 'd' && s.Text[i+3] >= '8' {
			s.Lone = true
		}
		return i + 6
	}
	return Invalid
}

// number is the offset behind the number that begins at i. It must not be the
// last thing in the text: what follows could belong to it.
func (s *Scan) number(i int) int {
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
		return Invalid
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
	if i >= len(s.Text) {
		return Short
	}
	return i
}

// ended is the result where something else was due at i.
func (s *Scan) ended(i int) int {
	if i >= len(s.Text) {
		return Short
	}
	return Invalid
}

// at is the byte at i; 0, which is never valid, behind the end.
func (s *Scan) at(i int) byte {
	if i < len(s.Text) {
		return s.Text[i]
	}
	return 0
}

func (s *Scan) digits(i int) int {
	for i < len(s.Text) && '0' <= s.Text[i] && s.Text[i] <= '9' {
		i++
	}
	return i
}

// nested is the offset behind the object or list that begins at i.
func (s *Scan) nested(i, depth int) int {
	if depth >= Deepest {
		return TooDeep
	}
	s.Deep = max(s.Deep, depth+1)
	object := s.Text[i] == '{'
	closing := byte(']')
	if object {
		closing = '}'
	}
	i = s.Blanks(i + 1)
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
			if i = s.Blanks(i); s.at(i) != ':' {
				return s.ended(i)
			}
			i = s.Blanks(i + 1)
		}
		if i = s.Value(i, depth+1); i < 0 {
			return i
		}
		switch i = s.Blanks(i); s.at(i) {
		case closing:
			return i + 1
		case ',':
			i = s.Blanks(i + 1)
		default:
			return s.ended(i)
		}
	}
}
