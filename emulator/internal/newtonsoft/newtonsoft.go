// Package newtonsoft reads JSON as Newtonsoft's Json.NET reads it. The service is
// a .NET program: it accepts comments, single quotes, names without quotes and a
// comma before a closing bracket in the JSON within commands and mappings. See
// https://www.newtonsoft.com/json/help/html/T_Newtonsoft_Json_JsonTextReader.htm.
package newtonsoft

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Standard returns text as JSON of RFC 8259. JSON that is valid already is returned
// unchanged. The error names the offset of what cannot be read.
func Standard(text string) (string, error) {
	if json.Valid([]byte(text)) {
		return text, nil
	}
	r := &reader{src: text}
	for r.at < len(r.src) {
		if err := r.token(); err != nil {
			return "", err
		}
	}
	out := r.out.String()
	// The rewriting changes tokens only. The structure is checked here.
	if err := json.Unmarshal([]byte(out), new(any)); err != nil {
		return "", err
	}
	return out, nil
}

// reader copies tokens from src to out.
type reader struct {
	src   string
	at    int
	out   strings.Builder
	comma bool // read and not yet written: it is dropped before a closing bracket
}

func (r *reader) write(token string) {
	if r.comma {
		r.out.WriteByte(',')
		r.comma = false
	}
	r.out.WriteString(token)
}

// token copies the next token, or skips a blank or a comment.
func (r *reader) token() error {
	rest := r.src[r.at:]
	switch c := rest[0]; {
	case c == ' ' || c == '\t' || c == '\r' || c == '\n':
		r.at++
	case strings.HasPrefix(rest, "\ufeff"):
		r.at += len("\ufeff")
	case c == '/':
		return r.comment(rest)
	case c == '"' || c == '\'':
		return r.text(c)
	case c == ',':
		if r.comma {
			return r.refuse("a value is missing before ','")
		}
		if last := r.last(); last == 0 || strings.IndexByte("[{:", last) >= 0 {
			return r.refuse("a value is missing before ','")
		}
		r.comma = true
		r.at++
	case c == ']' || c == '}':
		r.comma = false
		r.write(rest[:1])
		r.at++
	case c == '[' || c == '{' || c == ':':
		r.write(rest[:1])
		r.at++
	default:
		return r.word(rest)
	}
	return nil
}

// last is the byte written last, 0 if there is none.
func (r *reader) last() byte {
	s := r.out.String()
	if s == "" {
		return 0
	}
	return s[len(s)-1]
}

func (r *reader) comment(rest string) error {
	switch {
	case strings.HasPrefix(rest, "//"):
		if end := strings.IndexAny(rest, "\r\n"); end >= 0 {
			r.at += end
		} else {
			r.at = len(r.src)
		}
		return nil
	case strings.HasPrefix(rest, "/*"):
		if end := strings.Index(rest[2:], "*/"); end >= 0 {
			r.at += end + 4
			return nil
		}
		return r.refuse("the comment does not end")
	}
	return r.refuse("'/' begins no comment")
}

// otherBase is a whole number that is written in hexadecimal (0x1F) or octal digits (017),
// or a fraction without a digit in front of it (.5), as JSON has it.
func otherBase(word string) (string, bool) {
	digits, sign := strings.TrimPrefix(word, "-"), ""
	if digits != word {
		sign = "-"
	}
	switch {
	case strings.HasPrefix(digits, ".") && json.Valid([]byte("0"+digits)):
		return sign + "0" + digits, true
	case len(digits) > 1 && digits[0] == '0' && !strings.ContainsAny(digits, ".eE_oObB") || strings.HasPrefix(strings.ToLower(digits), "0x") && !strings.Contains(digits, "_"):
		n, err := strconv.ParseInt(digits, 0, 64)
		return sign + strconv.FormatInt(n, 10), err == nil
	}
	return "", false
}

// word copies a number or a literal, and quotes the name of a member.
func (r *reader) word(rest string) error {
	n := strings.IndexFunc(rest, func(c rune) bool { return strings.ContainsRune(" \t\r\n,:[]{}\"'/", c) })
	if n < 0 {
		n = len(rest)
	}
	word := rest[:n]
	after := strings.TrimLeft(rest[n:], " \t\r\n")
	if strings.HasPrefix(after, ":") {
		if strings.ContainsFunc(word, func(c rune) bool { return !nameRune(c) }) {
			return r.refuse("the name %q needs quotes", word)
		}
		word = `"` + word + `"`
	} else if other, ok := otherBase(word); ok {
		word = other
	} else if !json.Valid([]byte(word)) {
		return r.refuse("%q is no value", word)
	}
	r.write(" " + word) // apart from a word before it
	r.at += n
	return nil
}

// nameRune says whether a name without quotes may hold c.
func nameRune(c rune) bool {
	return c == '_' || c == '$' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= utf8.RuneSelf
}

// text copies a string in either quotes; control characters in it are escaped.
func (r *reader) text(quote byte) error {
	var b strings.Builder
	b.WriteByte('"')
	for i := r.at + 1; i < len(r.src); i++ {
		switch c := r.src[i]; {
		case c == quote:
			b.WriteByte('"')
			r.write(b.String())
			r.at = i + 1
			return nil
		case c == '\\' && i+1 < len(r.src) && r.src[i+1] == '\'':
			b.WriteByte('\'')
			i++
		case c == '\\' && i+1 < len(r.src):
			b.WriteString(r.src[i : i+2])
			i++
		case c == '"':
			b.WriteString(`\"`)
		case c < ' ':
			fmt.Fprintf(&b, `\u%04x`, c)
		default:
			b.WriteByte(c)
		}
	}
	return r.refuse("the string does not end")
}

func (r *reader) refuse(format string, args ...any) error {
	return fmt.Errorf("at offset %d: %s", r.at, fmt.Sprintf(format, args...))
}
