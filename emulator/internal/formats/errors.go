package formats

import "fmt"

// Error is a failure of a whole file, under the service's code for it
// (https://learn.microsoft.com/azure/data-explorer/error-codes). All of them
// are permanent: the same file fails again.
type Error struct {
	Code   string
	Reason string
}

// Error is the reason with its code.
func (e *Error) Error() string { return e.Code + ": " + e.Reason }

// The codes of this package's errors.
const (
	CodeInvalidBlob         = "BadRequest_InvalidBlob"
	CodeNoRecords           = "BadRequest_NoRecordsOrWrongFormat"
	CodeWrongNumberOfFields = "Stream_WrongNumberOfFields"
	CodeClosingQuoteMissing = "Stream_ClosingQuoteMissing"
	CodeInputTooLarge       = "Stream_InputStreamTooLarge"
	CodeFormatNotSupported  = "BadRequest_FormatNotSupported"
	CodeInvalidMapping      = "BadRequest_InvalidMapping"
	CodeInconsistentMapping = "BadRequest_InconsistentMapping"
)

func failed(code, format string, args ...any) *Error {
	return &Error{Code: code, Reason: fmt.Sprintf(format, args...)}
}
