package datamanagement

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"strings"

	"github.com/tvmexport/tvmexport/emulator/internal/engine"
	"github.com/tvmexport/tvmexport/emulator/internal/formats"
)

// Failure is why a blob was not ingested, under one of the codes of
// https://learn.microsoft.com/azure/data-explorer/error-codes.
type Failure struct {
	Code      string
	Permanent bool // trying again will not help
	Details   string
	// FromUpdatePolicy says that the data was good for the table itself.
	FromUpdatePolicy bool
}

// Error is the details with their code.
func (f *Failure) Error() string { return f.Code + ": " + f.Details }

const codeSkipped = "Skipped_IngestByTagAlreadyExists"

// failureOf finds the code for any error.
func failureOf(err error) *Failure {
	if f, ok := errors.AsType[*Failure](err); ok {
		return f
	}
	if f, ok := errors.AsType[*formats.Error](err); ok {
		return &Failure{Code: f.Code, Permanent: true, Details: f.Reason}
	}
	if e, ok := errors.AsType[*engine.Error](err); ok {
		return engineFailure(e)
	}
	switch {
	case errors.Is(err, errIdentity):
		return &Failure{Code: "BadRequest_InvalidKustoIdentityToken", Permanent: true, Details: err.Error()}
	case errors.Is(err, fs.ErrNotExist):
		return &Failure{Code: "Download_SourceNotFound", Permanent: true, Details: fmt.Sprintf("The blob could not be downloaded: %v", err)}
	case errors.Is(err, fs.ErrPermission):
		return &Failure{Code: "Download_Forbidden", Permanent: true, Details: fmt.Sprintf("The blob could not be downloaded: %v", err)}
	case errors.Is(err, context.DeadlineExceeded):
		return &Failure{Code: "Timeout", Details: err.Error()}
	}
	return &Failure{Code: "Download_UnknownError", Details: err.Error()}
}

func engineFailure(e *engine.Error) *Failure {
	f := &Failure{Code: e.Code, Permanent: e.Permanent, Details: e.Message}
	switch {
	case e.Code == engine.CodeForbidden && strings.Contains(e.Message, "table"):
		f.Code = "BadRequest_TableAccessDenied"
	case e.Code == engine.CodeForbidden:
		f.Code = "BadRequest_DatabaseAccessDenied"
	case e.Code == engine.CodeInternal || e.Status >= http.StatusInternalServerError:
		f.Code = "General_InternalServerError"
	}
	f.FromUpdatePolicy = strings.HasPrefix(e.Code, "UpdatePolicy_")
	return f
}
