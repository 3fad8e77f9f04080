package kql

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/syntax"
)

// Known codes of the service's errors.
const (
	codeSyntax     = "SYN0002"
	codeResolve    = "SEM0100"
	codeFunction   = "SEM0260"
	codeArguments  = "SEM0219"
	codeComparison = "SEM0064"
	codeArithmetic = "SEM0001"
	codeOther      = "SEM0000" // the service has another
)

// codeOf is the code that belongs to a message of the packages scalar and
// aggregate.
func codeOf(message string) string {
	switch {
	case strings.Contains(message, "function expects"):
		return codeArguments
	case strings.HasPrefix(message, "Cannot compare"):
		return codeComparison
	case strings.HasPrefix(message, "Arithmetic expression"):
		return codeArithmetic
	}
	return codeOther
}

// fault is an error of the binder before its place is known in lines.
type fault struct {
	kind    ErrorKind
	code    string
	message string
	offset  int // -1 for none
	token   string

	missing string // the entity that does not exist, where that is the error
	down    bool   // it is in a cluster that does not answer
}

func (f *fault) Error() string { return f.message }

// semantic returns a semantic error for the expression at offset at.
func semantic(at int, format string, args ...any) error {
	message := fmt.Sprintf(format, args...)
	return &fault{kind: Semantic, code: codeOf(message), message: message, offset: at}
}

// unresolved is a name that nothing is called by.
func unresolved(at int, op, what, name string) error {
	message := fmt.Sprintf("Failed to resolve %s named '%s'", what, name)
	if op != "" {
		message = fmt.Sprintf("'%s' operator: %s", op, message)
	}
	return &fault{kind: Semantic, code: codeResolve, message: message, offset: at, token: name}
}

// absent is err about an entity that does not exist, which fuzzy operators leave out.
func absent(err error, entity string) error {
	if f, ok := err.(*fault); ok && f.kind == Semantic {
		f.missing = entity
	}
	return err
}

func unsupported(at int, format string, args ...any) error {
	return &fault{kind: Unsupported, code: codeOther, message: fmt.Sprintf(format, args...), offset: at}
}

// in puts a message of the packages scalar and aggregate at a place.
func in(at int, err error) error { return semantic(at, "%s", err.Error()) }

// placed is err as the *Error that Compile gives; text is what was compiled.
func placed(text string, err error) error {
	var s *syntax.Error
	var f *fault
	switch {
	case errors.As(err, &s):
		e := &Error{Kind: Syntax, Code: codeSyntax, Message: s.Message, Token: s.Token}
		if s.Unsupported {
			e.Kind, e.Code = Unsupported, codeOther
		}
		e.Line, e.Column = syntax.Position(text, s.Offset)
		return e
	case errors.As(err, &f):
		e := &Error{Kind: f.kind, Code: f.code, Message: f.message, Token: f.token}
		if f.offset >= 0 {
			e.Line, e.Column = syntax.Position(text, f.offset)
		}
		return e
	}
	return err
}

// within is an error in the body of a stored function: its place there means
// nothing to who called it.
func within(name string, err error) error {
	var s *syntax.Error
	var f *fault
	switch {
	case errors.As(err, &s) && s.Unsupported:
		return &fault{kind: Unsupported, code: codeOther, message: s.Message, offset: -1, token: s.Token}
	case errors.As(err, &s):
		return &fault{kind: Syntax, code: codeSyntax, message: fmt.Sprintf("Function '%s': %s", name, s.Message), offset: -1, token: s.Token}
	case errors.As(err, &f):
		g := *f
		g.offset = -1
		return &g
	}
	return err
}

// runtimeError is a failure of a kernel while rows are computed.
func runtimeError(err error) error {
	var e *Error
	if errors.As(err, &e) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return &Error{Kind: Runtime, Message: err.Error()}
}
