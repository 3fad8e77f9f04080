package scalar

import "fmt"

// Error is an expression that is refused when bound, in Kusto's words.
type Error struct {
	Code    string // SEM0064 and similar; empty if it is not known
	Message string // Kusto's text, without the code
}

// Error is the message alone.
func (e *Error) Error() string { return e.Message }

// The codes that are known from the service's answers.
const (
	codeArithmetic = "SEM0001"
	codeComparison = "SEM0064"
)

func refusef(format string, args ...any) error { return refuseCode("", format, args...) }

func refuseCode(code, format string, args ...any) error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}
