package engine

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/tvmexport/tvmexport/emulator/internal/kql"
)

// Error is a refused or failed call in the shape of the service: what a front
// needs for the body that the service calls OneApiError. See
// https://learn.microsoft.com/kusto/api/rest/response-http.
type Error struct {
	Code      string // General_BadRequest, BadRequest_EntityNotFound, Forbidden, ...
	Status    int    // HTTP status
	Permanent bool   // false where the same call may succeed later
	Type      string // the service's exception class, Kusto.Data.Exceptions.*
	Summary   string // short generic sentence: "Request is invalid and cannot be executed."
	Message   string // the full sentence, "@message" on the wire
	Inner     *Inner // more exact cause, nil if there is none
}

// Inner is the cause within an Error, "innererror" on the wire.
type Inner struct {
	Code    string // SYN0002, SEM0100, ...
	Type    string
	Message string
	Line    int    // 1-based; 0 if unknown
	Column  int    // 1-based position in the line; 0 if unknown
	Token   string // the offending text, may be empty
}

// Error is the full sentence.
func (e *Error) Error() string { return e.Message }

// Codes that callers of this package distinguish.
const (
	CodeBadRequest       = "General_BadRequest"
	CodeSyntax           = "BadRequest_SyntaxError"
	CodeEntityNotFound   = "BadRequest_EntityNotFound"
	CodeDatabaseNotFound = "BadRequest_DatabaseNotExist"
	CodeTableNotFound    = "BadRequest_TableNotExist"
	CodeMappingNotFound  = "BadRequest_MappingReferenceWasNotFound"
	CodeForbidden        = "Forbidden"
	CodeLimits           = "LimitsExceeded"
	CodeTimeout          = "Timeout"
	CodeInternal         = "Internal"
)

const (
	summaryBadRequest = "Request is invalid and cannot be executed."
	summaryForbidden  = "Caller is not authorized to perform this action"

	typeBadRequest = "Kusto.Data.Exceptions.KustoBadRequestException"
	typeSyntax     = "Kusto.Data.Exceptions.SyntaxException"
	typeSemantic   = "Kusto.Data.Exceptions.SemanticException"
	typeNotFound   = "Kusto.Data.Exceptions.EntityNotFoundException"
	typeForbidden  = "Kusto.DataNode.Exceptions.UnauthorizedDatabaseAccessException"
	typeLimits     = "Kusto.DataNode.Exceptions.QueryExecutionException"
	typeInternal   = "Kusto.DataNode.Exceptions.InternalServiceException"

	invalid = "Request is invalid and cannot be processed: "
)

// badRequest refuses a call that is well-formed but cannot be done.
func badRequest(format string, args ...any) *Error {
	return &Error{
		Code: CodeBadRequest, Status: http.StatusBadRequest, Permanent: true, Type: typeBadRequest,
		Summary: summaryBadRequest, Message: invalid + fmt.Sprintf(format, args...),
	}
}

// semantic refuses a command whose meaning is wrong, as the service words it.
func semantic(format string, args ...any) *Error {
	return &Error{
		Code: CodeBadRequest, Status: http.StatusBadRequest, Permanent: true, Type: typeSemantic,
		Summary: summaryBadRequest, Message: "Semantic error: " + fmt.Sprintf(format, args...),
	}
}

// notFound says that an entity is missing: "Entity ID 'X' of kind 'Table' was not found."
func notFound(code, kind, name string) *Error {
	return &Error{
		Code: code, Status: http.StatusBadRequest, Permanent: true, Type: typeNotFound,
		Summary: summaryBadRequest,
		Message: fmt.Sprintf("%sEntity ID '%s' of kind '%s' was not found.", invalid, name, kind),
	}
}

// forbidden says what the caller may not do: "read database 'X'".
func forbidden(p Principal, format string, args ...any) *Error {
	return &Error{
		Code: CodeForbidden, Status: http.StatusForbidden, Permanent: true, Type: typeForbidden,
		Summary: summaryForbidden,
		Message: fmt.Sprintf("Principal '%s' is not authorized to %s.", p.FQN(), fmt.Sprintf(format, args...)),
	}
}

func internalError(err error) *Error {
	return &Error{
		Code: CodeInternal, Status: http.StatusInternalServerError, Type: typeInternal,
		Summary: "An internal service error occurred", Message: err.Error(),
	}
}

// syntaxError refuses a text that could not be parsed.
func syntaxError(text, reason string, line, column int, token string) *Error {
	return &Error{
		Code: CodeBadRequest, Status: http.StatusBadRequest, Permanent: true, Type: typeSyntax,
		Summary: summaryBadRequest,
		Message: fmt.Sprintf("Syntax error: Query could not be parsed: %s. Query: '%s'", reason, excerpt(text)),
		Inner: &Inner{
			Code: "SYN0002", Type: typeSyntax, Message: "Syntax error: " + reason, Line: line, Column: column, Token: token,
		},
	}
}

// excerpt cuts text so that it fits a message.
func excerpt(text string) string {
	const most = 256
	if len(text) <= most {
		return text
	}
	return text[:most] + "..."
}

// queryError puts a refusal of the query evaluator into the service's shape.
func queryError(q *kql.Error) *Error {
	e := &Error{
		Code: CodeBadRequest, Status: http.StatusBadRequest, Permanent: true, Type: typeBadRequest,
		Summary: summaryBadRequest,
		Inner: &Inner{
			Code: q.Code, Type: typeSemantic, Message: q.Message, Line: q.Line, Column: q.Column, Token: q.Token,
		},
	}
	switch q.Kind {
	case kql.Syntax:
		e.Inner.Type = typeSyntax
		e.Message = invalid + "Syntax error: " + q.Error()
	default:
		e.Message = invalid + "Semantic error: " + q.Error()
	}
	return e
}

// asError turns what the query evaluator says into an Error. An error that is
// one already, or that means the context ended, is kept.
func asError(err error) error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	if q, ok := errors.AsType[*kql.Error](err); ok {
		return queryError(q)
	}
	return err
}
