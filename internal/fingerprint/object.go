package fingerprint

import (
	"bytes"
	"errors"

	"github.com/go-json-experiment/json/jsontext"
)

// errNoObject is the reason why a row cannot be read.
var errNoObject = errors.New("a row is not a JSON object")

// object walks over the members of a JSON object. It checks what it needs to find
// their ends; a source has checked the rest.
type object struct {
	text  []byte
	i     int
	name  []byte // without quotes, escapes resolved
	value []byte // JSON text
	plain bool   // no string has an escape
	first bool
	err   error
}

func objectOf(text []byte) object {
	o := object{text: text, first: true, plain: bytes.IndexByte(text, '\\') < 0}
	o.blanks()
	if o.peek() != '{' {
		o.err = errNoObject
		return o
	}
	o.i++
	return o
}

// next finds the next member, if there is one. guess is how its name may be written,
// with quotes and colon; where it is right, guessed is true, and the name is not read.
func (o *object) next(guess []byte) (guessed, ok bool) {
	if o.err != nil {
		return false, false
	}
	o.blanks()
	if o.peek() == '}' {
		o.i++
		if o.blanks(); o.i != len(o.text) {
			o.err = errNoObject
		}
		return false, false
	}
	if !o.first {
		if o.peek() != ',' {
			return o.fail()
		}
		o.i++
		o.blanks()
	}
	o.first = false
	if guessed = len(guess) > 0 && bytes.HasPrefix(o.text[o.i:], guess); guessed {
		o.i += len(guess)
	} else {
		name := o.string()
		if name == nil {
			return o.fail()
		}
		o.name = name[1 : len(name)-1]
		if !o.plain && bytes.IndexByte(o.name, '\\') >= 0 {
			o.name, _ = jsontext.AppendUnquote(nil, name) // valid except for lone surrogates
		}
		if o.blanks(); o.peek() != ':' {
			return o.fail()
		}
		o.i++
	}
	o.blanks()
	start := o.i
	if !o.skip() {
		return o.fail()
	}
	o.value = o.text[start:o.i]
	return guessed, true
}

func (o *object) fail() (guessed, ok bool) {
	o.err = errNoObject
	return false, false
}

// peek is the next byte, 0 at the end.
func (o *object) peek() byte {
	if o.i < len(o.text) {
		return o.text[o.i]
	}
	return 0
}

func (o *object) blanks() {
	for o.i < len(o.text) && isBlank(o.text[o.i]) {
		o.i++
	}
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

// string is the text of a string with its quotes; nil if there is none.
func (o *object) string() []byte {
	if o.peek() != '"' {
		return nil
	}
	start := o.i
	o.i++
	for {
		rest := o.text[min(o.i, len(o.text)):]
		end := bytes.IndexByte(rest, '"')
		if end < 0 {
			return nil
		}
		if !o.plain {
			if slash := bytes.IndexByte(rest[:end], '\\'); slash >= 0 {
				o.i += slash + 2 // behind what it escapes
				continue
			}
		}
		o.i += end + 1
		return o.text[start:o.i]
	}
}

// skip goes behind a value.
func (o *object) skip() bool {
	depth := 0
	for {
		switch c := o.peek(); c {
		case '"':
			if o.string() == nil {
				return false
			}
		case '{', '[':
			depth++
			o.i++
			continue
		case '}', ']', ',', ':':
			if depth == 0 {
				return false
			}
			o.i++
			if c == '}' || c == ']' {
				depth--
			}
		case 0:
			return false
		default:
			if isBlank(c) {
				o.i++
				continue
			}
			for o.i < len(o.text) && !isDelimiter(o.text[o.i]) {
				o.i++
			}
		}
		if depth == 0 {
			return true
		}
	}
}

func isDelimiter(c byte) bool {
	return isBlank(c) || c == ',' || c == '}' || c == ']' || c == ':' || c == '"' || c == '{' || c == '[' || c == 0
}
