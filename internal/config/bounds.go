package config

import (
	"bytes"
	"fmt"
	"unicode/utf8"

	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/token"
)

// What a configuration may be. The parser's time grows with the square of the
// number of tokens, and its stack with the depth.
const (
	mostBytes    = 1 << 20
	mostTokens   = 30_000
	mostDepth    = 32
	mostMistakes = 20
)

// tokens cuts the text into tokens, and refuses what a configuration never is.
func (r *reading) tokens(text []byte) (token.Tokens, error) {
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	switch {
	case len(text) > mostBytes:
		return nil, r.refuse(0, 0, "the file is larger than %d MiB; is it a configuration?", mostBytes>>20)
	case bytes.HasPrefix(text, []byte{0xff, 0xfe}), bytes.HasPrefix(text, []byte{0xfe, 0xff}), bytes.IndexByte(text, 0) >= 0:
		return nil, r.refuse(0, 0, "the file is not UTF-8 text, perhaps UTF-16; save it as UTF-8")
	case !utf8.Valid(text):
		line, column := invalid(text)
		return nil, r.refuse(line, column, "the text is not valid UTF-8 here; save the file as UTF-8")
	}
	list := lexer.Tokenize(string(text))
	if len(list) > mostTokens {
		at := list[mostTokens].Position
		return nil, r.refuse(at.Line, at.Column, "the file has %d more tokens (keys, values and punctuation) than a configuration may have (%d); many tenants fit into the files of a folder, see tenants_dir", len(list)-mostTokens, mostTokens)
	}
	return list, r.checkTokens(list)
}

// invalid is where a text stops being UTF-8.
func invalid(text []byte) (line, column int) {
	line, column = 1, 1
	for len(text) > 0 {
		c, n := utf8.DecodeRune(text)
		switch {
		case c == utf8.RuneError && n == 1:
			return line, column
		case c == '\n':
			line, column = line+1, 0
		}
		text, column = text[n:], column+1
	}
	return line, column
}

// checkTokens refuses nesting that no key needs, a second document, and what
// stands for values that are written elsewhere.
func (r *reading) checkTokens(list token.Tokens) error {
	var depth nesting
	content, ended := false, false
	for _, t := range list {
		at := t.Position
		switch t.Type {
		case token.CommentType, token.DirectiveType:
			continue
		case token.DocumentHeaderType, token.DocumentEndType:
			ended = content
			depth = nesting{}
			continue
		case token.AnchorType, token.AliasType, token.TagType, token.MergeKeyType:
			return r.refuse(at.Line, at.Column, "the value begins with %s, which starts an anchor, an alias or a tag in YAML; these are not supported: write the value itself, and put a value such as * 3 * * * in quotes", t.Value)
		}
		if ended {
			return r.refuse(at.Line, at.Column, "a second document begins here; a configuration has one document")
		}
		content = true
		if depth.enter(t) > mostDepth {
			return r.refuse(at.Line, at.Column, "keys or lists are nested deeper than %d levels, which is the limit", mostDepth)
		}
	}
	return nil
}

// nesting is the depth of a token: the columns of the open blocks, and the
// open brackets.
type nesting struct {
	columns  []int
	brackets int
	line     int // of the token before
}

func (n *nesting) enter(t *token.Token) int {
	at := t.Position
	first := at.Line != n.line
	n.line = at.Line
	switch t.Type {
	case token.SequenceStartType, token.MappingStartType:
		n.brackets++
	case token.SequenceEndType, token.MappingEndType:
		n.brackets = max(0, n.brackets-1)
	case token.SequenceEntryType, token.MappingKeyType:
		first = true
	}
	if first && n.brackets == 0 {
		for len(n.columns) > 0 && n.columns[len(n.columns)-1] >= at.Column {
			n.columns = n.columns[:len(n.columns)-1]
		}
		n.columns = append(n.columns, at.Column)
	}
	return len(n.columns) + n.brackets
}

func (r *reading) refuse(line, column int, format string, args ...any) error {
	return &Error{File: r.file, Line: line, Column: column, Message: fmt.Sprintf(format, args...)}
}

// What a message holds of a value, and a message as a whole.
const (
	mostShown   = 80
	mostMessage = 600
)

// shown returns at most the given number of bytes of a text.
func shown(s string, most int) string {
	if len(s) <= most {
		return s
	}
	cut := most
	for !utf8.RuneStart(s[cut]) {
		cut--
	}
	return fmt.Sprintf("%s... (%d bytes)", s[:cut], len(s))
}
