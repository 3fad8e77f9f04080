package value

import (
	"strings"
	"unicode/utf8"
)

// maxDepth bounds the nesting of JSON text; deeper text counts as no JSON.
const maxDepth = 1000

// checker tells whether text is valid JSON, and whether it is canonical: what
// AppendJSON would print for the same content. Canonical text has no blanks
// between tokens, no needless escapes, numbers in the shortest form, and, if
// typed, date-times with seven digits and Z.
type checker struct {
	s         string
	i         int
	typed     bool
	canonical bool
}

// document checks the whole text.
func (p *checker) document() bool {
	if !p.value(maxDepth) || p.i != len(p.s) {
		return false
	}
	if !utf8.ValidString(p.s) {
		p.canonical = false
	}
	return true
}

func (p *checker) blanks() {
	for p.i < len(p.s) {
		switch p.s[p.i] {
		case ' ', '\t', '\r', '\n':
			p.i++
			p.canonical = false
		default:
			return
		}
	}
}

// peek is the next byte, 0 at the end.
func (p *checker) peek() byte {
	if p.i < len(p.s) {
		return p.s[p.i]
	}
	return 0
}

func (p *checker) value(depth int) bool {
	switch c := p.peek(); c {
	case '{', '[':
		return depth > 0 && p.items(c, depth)
	case '"':
		return p.text(p.typed)
	case 't':
		return p.word("true")
	case 'f':
		return p.word("false")
	case 'n':
		return p.word("null")
	default:
		return p.number()
	}
}

func (p *checker) word(w string) bool {
	if !strings.HasPrefix(p.s[p.i:], w) {
		return false
	}
	p.i += len(w)
	return true
}

// items checks an array or a bag.
func (p *checker) items(open byte, depth int) bool {
	end := byte(']')
	if open == '{' {
		end = '}'
	}
	p.i++
	p.blanks()
	if p.peek() == end {
		p.i++
		return true
	}
	for {
		if open == '{' {
			if p.peek() != '"' || !p.text(false) {
				return false
			}
			p.blanks()
			if p.peek() != ':' {
				return false
			}
			p.i++
			p.blanks()
		}
		if !p.value(depth - 1) {
			return false
		}
		p.blanks()
		switch p.peek() {
		case end:
			p.i++
			return true
		case ',':
			p.i++
			p.blanks()
		default:
			return false
		}
	}
}

// text checks a string.
func (p *checker) text(typed bool) bool {
	p.i++
	start := p.i
	for p.i < len(p.s) {
		p.i = skipPlain(p.s, p.i)
		if p.i == len(p.s) {
			return false
		}
		switch c := p.s[p.i]; {
		case c == '"':
			if typed && looksLikeDateTime(p.s[start:p.i]) && !isTicksForm(p.s[start:p.i]) {
				p.canonical = false
			}
			p.i++
			return true
		case c < 0x20:
			return false
		case c == '\\':
			if !p.escape() {
				return false
			}
		default:
			p.i++
		}
	}
	return false
}

// skipPlain is the offset behind characters of a string that need no look, from i on:
// neither quotes nor backslashes nor control characters. It may stop before others.
func skipPlain(s string, i int) int {
	const ones, high = 0x0101010101010101, 0x8080808080808080
	for i+8 <= len(s) {
		c := s[i : i+8]
		x := uint64(c[0]) | uint64(c[1])<<8 | uint64(c[2])<<16 | uint64(c[3])<<24 |
			uint64(c[4])<<32 | uint64(c[5])<<40 | uint64(c[6])<<48 | uint64(c[7])<<56
		quote, slash := x^(ones*'"'), x^(ones*'\\')
		if ((quote-ones)&^quote|(slash-ones)&^slash|(x-ones*0x20)&^x)&high != 0 {
			break
		}
		i += 8
	}
	for i < len(s) && s[i] >= 0x20 && s[i] != '"' && s[i] != '\\' {
		i++
	}
	return i
}

// escape checks one escape; `\/` and `\u` make the text not canonical.
func (p *checker) escape() bool {
	if p.i+1 >= len(p.s) {
		return false
	}
	c := p.s[p.i+1]
	p.i += 2
	switch c {
	case '"', '\\', 'b', 'f', 'n', 'r', 't':
		return true
	case '/':
		p.canonical = false
		return true
	case 'u':
		p.canonical = false
		if p.i+4 > len(p.s) {
			return false
		}
		for _, h := range []byte(p.s[p.i : p.i+4]) {
			if !(h >= '0' && h <= '9' || h >= 'a' && h <= 'f' || h >= 'A' && h <= 'F') {
				return false
			}
		}
		p.i += 4
		return true
	}
	return false
}

func (p *checker) digits() int {
	start := p.i
	for p.i < len(p.s) && p.s[p.i]-'0' <= 9 {
		p.i++
	}
	return p.i - start
}

func (p *checker) number() bool {
	start := p.i
	if p.peek() == '-' {
		p.i++
	}
	first := p.peek()
	whole := p.digits()
	if whole == 0 || first == '0' && whole > 1 {
		return false
	}
	fraction, exponent := 0, false
	if p.peek() == '.' {
		p.i++
		if fraction = p.digits(); fraction == 0 {
			return false
		}
	}
	if c := p.peek(); c == 'e' || c == 'E' {
		exponent = true
		p.i++
		if c := p.peek(); c == '+' || c == '-' {
			p.i++
		}
		if p.digits() == 0 {
			return false
		}
	}
	plain := !exponent && fraction == 0 && whole <= 18 && p.s[start:p.i] != "-0"
	short := !exponent && fraction > 0 && whole+fraction <= 15 && (first != '0' || fraction <= 4) &&
		(p.s[p.i-1] != '0' || fraction == 1) && (first != '0' || p.s[start] != '-')
	if !plain && !short && p.canonical {
		p.canonical = string(number(p.s[start:p.i]).AppendJSON(nil)) == p.s[start:p.i]
	}
	return true
}

// looksLikeDateTime says whether s is a full ISO 8601 date-time.
func looksLikeDateTime(s string) bool {
	if len(s) < len("2006-01-02T15:04:05") || len(s) > 33 || s[4] != '-' || s[10] != 'T' {
		return false
	}
	_, ok := parseISO(s, true)
	return ok
}

// isTicksForm says whether s has the outline yyyy-MM-ddTHH:mm:ss.fffffffZ.
func isTicksForm(s string) bool {
	return len(s) == 28 && s[4] == '-' && s[10] == 'T' && s[19] == '.' && s[27] == 'Z'
}

// transcoder writes valid JSON text in canonical form.
type transcoder struct {
	s     string
	i     int
	typed bool
	out   []byte
}

func (t *transcoder) blanks() {
	for t.i < len(t.s) && (t.s[t.i] == ' ' || t.s[t.i] == '\t' || t.s[t.i] == '\r' || t.s[t.i] == '\n') {
		t.i++
	}
}

func (t *transcoder) value() {
	switch c := t.s[t.i]; c {
	case '{', '[':
		t.items()
	case '"':
		t.text(t.typed)
	case 't', 'f', 'n':
		end := valueEnd(t.s, t.i)
		t.out = append(t.out, t.s[t.i:end]...)
		t.i = end
	default:
		end := valueEnd(t.s, t.i)
		t.out = number(t.s[t.i:end]).AppendJSON(t.out)
		t.i = end
	}
}

// items copies an array or a bag: tokens one by one, blanks left out.
func (t *transcoder) items() {
	bag := t.s[t.i] == '{'
	t.out = append(t.out, t.s[t.i])
	t.i++
	t.blanks()
	for t.s[t.i] != '}' && t.s[t.i] != ']' {
		if bag {
			t.text(false)
			t.blanks()
			t.out = append(t.out, ':')
			t.i++
			t.blanks()
		}
		t.value()
		t.blanks()
		if t.s[t.i] == ',' {
			t.out = append(t.out, ',')
			t.i++
			t.blanks()
		}
	}
	t.out = append(t.out, t.s[t.i])
	t.i++
}

// text copies a string, with its escapes resolved and made again.
func (t *transcoder) text(typed bool) {
	end := stringEnd(t.s, t.i)
	s := unquote(t.s[t.i+1 : end-1])
	t.i = end
	if typed && looksLikeDateTime(s) {
		if v, ok := parseISO(s, true); ok {
			t.out = v.AppendJSON(t.out)
			return
		}
	}
	t.out = appendQuoted(t.out, s)
}
