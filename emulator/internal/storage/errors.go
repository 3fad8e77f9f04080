package storage

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// Error is a refusal in the service's terms
// (https://learn.microsoft.com/rest/api/storageservices/common-rest-api-error-codes).
type Error struct {
	Status  int
	Code    string
	Message string
	Detail  string // AuthenticationErrorDetail
}

// Error is the message with its code. It holds no signature.
func (e *Error) Error() string { return e.Code + ": " + e.Message }

func failure(status int, code, format string, args ...any) *Error {
	return &Error{Status: status, Code: code, Message: fmt.Sprintf(format, args...)}
}

func errAuthentication(detail string) *Error {
	e := failure(http.StatusForbidden, "AuthenticationFailed",
		"Server failed to authenticate the request. Make sure the value of Authorization header is formed correctly including the signature.")
	e.Detail = detail
	return e
}

func errNoResource(kind Kind) *Error {
	switch kind {
	case Blob:
		return failure(http.StatusNotFound, "ContainerNotFound", "The specified container does not exist.")
	case Queue:
		return failure(http.StatusNotFound, "QueueNotFound", "The specified queue does not exist.")
	case Table:
		return failure(http.StatusNotFound, "TableNotFound", "The table specified does not exist.")
	}
	return failure(http.StatusNotFound, "ResourceNotFound", "The specified resource does not exist.")
}

// errUnsupported refuses what the service does and this package does not.
func errUnsupported(r *http.Request) *Error {
	what := r.Method
	for _, name := range []string{"restype", "comp"} {
		if v := r.URL.Query().Get(name); v != "" {
			what += " with " + name + "=" + v
		}
	}
	return failure(http.StatusNotImplemented, "NotImplemented", "The requested operation is not implemented on the specified resource: this emulator does not do %s there.", what)
}

func errInput(format string, args ...any) *Error {
	return failure(http.StatusBadRequest, "InvalidInput", "One of the request inputs is not valid: "+format, args...)
}

// xmlError is the body of blob and queue errors.
type xmlError struct {
	XMLName xml.Name `xml:"Error"`
	Code    string
	Message string
	Detail  string `xml:"AuthenticationErrorDetail,omitempty"`
}

// odataError is the body of table errors.
type odataError struct {
	Error odataFailure `json:"odata.error"`
}

type odataFailure struct {
	Code    string       `json:"code"`
	Message odataMessage `json:"message"`
}

type odataMessage struct {
	Lang  string `json:"lang"`
	Value string `json:"value"`
}

// refuse answers with an error.
func (s *Storage) refuse(w http.ResponseWriter, r *http.Request, kind Kind, err error) {
	e, ok := errors.AsType[*Error](err)
	if !ok {
		e = failure(http.StatusInternalServerError, "InternalError", "The server encountered an internal error: %v", err)
	}
	h := w.Header()
	message := fmt.Sprintf("%s\nRequestId:%s\nTime:%s", e.Message, h.Get("X-Ms-Request-Id"), s.now().UTC().Format(time.RFC3339Nano))
	var body []byte
	if kind == Table {
		h.Set("Content-Type", "application/json;odata=minimalmetadata;streaming=true;charset=utf-8")
		body, err = json.Marshal(odataError{odataFailure{e.Code, odataMessage{"en-US", message}}})
	} else {
		h.Set("Content-Type", "application/xml")
		body, err = xml.Marshal(xmlError{Code: e.Code, Message: message, Detail: e.Detail})
		body = append([]byte(xml.Header[:len(xml.Header)-1]), body...)
	}
	if err != nil {
		body = nil
	}
	h.Set("X-Ms-Error-Code", e.Code)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(e.Status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // the client has gone
	}
}
