// Package syntax reads the text of Kusto queries: a lexer and a
// recursive-descent parser that makes a tree of what
// https://learn.microsoft.com/kusto/query describes. It knows no types and
// resolves no names.
package syntax

import (
	"fmt"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// Kind sorts tokens.
type Kind uint8

// The kinds of tokens.
const (
	EndToken     Kind = iota + 1
	NameToken         // an identifier or keyword: where, DeviceId
	QuotedToken       // a bracketed name: ['a b']; Text is the name
	LiteralToken      // a constant; Value holds it
	DynamicToken      // dynamic(...); Text is what the parentheses hold
	PunctToken        // an operator or punctuation mark
)

// Token is a token with its place in the text.
type Token struct {
	Kind   Kind
	Text   string // the token; of Quoted and Dynamic, what it holds
	Value  value.Value
	Offset int  // in bytes, of the first byte
	End    int  // in bytes, behind the last byte
	Space  bool // white space or a comment precedes it
}

// Is says whether the token is this punctuation mark or this bare name.
func (t Token) Is(text string) bool {
	return (t.Kind == PunctToken || t.Kind == NameToken) && t.Text == text
}

// Error is a text that does not follow the grammar, in Kusto's words.
type Error struct {
	Message     string
	Offset      int
	Token       string
	Unsupported bool // the text is good KQL that this package refuses
}

func (e *Error) Error() string { return e.Message }

func errorAt(t Token, format string, args ...any) *Error {
	return &Error{Message: fmt.Sprintf(format, args...), Offset: t.Offset, Token: t.Text}
}

// Position is the line and column, both from 1, of an offset.
func Position(text string, offset int) (line, column int) {
	line, column = 1, 1
	for i := 0; i < offset && i < len(text); i++ {
		if text[i] == '\n' {
			line, column = line+1, 1
		} else {
			column++
		}
	}
	return line, column
}
