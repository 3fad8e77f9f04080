package rest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/tvmexport/tvmexport/emulator/internal/engine"
)

// errCommandInV2 is answered as text, unlike all others.
var errCommandInV2 = errors.New("Control commands (starting with a dot '.') do not support api_version=v2") //nolint:staticcheck // the service's words

func errNoEngine() *engine.Error {
	return requestError(http.StatusBadRequest, "this endpoint belongs to the ingestion service (data management), which has no databases; "+
		"send queries and commands to the cluster's own URI, without 'ingest-'")
}

// errEngineOnly refuses a command of the ingestion service in the words of the real
// engine.
func errEngineOnly(csl, host string) *engine.Error {
	what := "ingestion resources"
	if strings.Contains(strings.ToLower(csl), "identity") {
		what = "kusto identity token"
	}
	return requestError(http.StatusBadRequest, "Cannot get %s from this service endpoint. The appropriate endpoint is most likely 'https://ingest-%s/'.", what, host)
}

// hasOwnName says whether a host names the engine alone. Clients keep localhost and
// addresses when they derive the ingestion URI, so that those name both services.
func hasOwnName(host string) bool {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	host = strings.Trim(host, "[]")
	return host != "" && !strings.EqualFold(host, "localhost") && net.ParseIP(host) == nil
}

// timestamp is how the service writes times: seven digits, UTC.
func timestamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.0000000Z") }

// asEngineError puts any error into the service's shape.
func asEngineError(err error) *engine.Error {
	if e, ok := errors.AsType[*engine.Error](err); ok {
		return e
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return &engine.Error{
			Code: engine.CodeTimeout, Status: http.StatusGatewayTimeout, Type: "Kusto.Data.Exceptions.KustoServiceTimeoutException",
			Summary: "Request timed out", Message: "The request ran out of time",
		}
	}
	return &engine.Error{
		Code: engine.CodeInternal, Status: http.StatusInternalServerError, Type: "Kusto.DataNode.Exceptions.InternalServiceException",
		Summary: "An internal service error occurred", Message: err.Error(),
	}
}

// oneAPIError is the service's error object. See
// https://learn.microsoft.com/kusto/api/rest/response-http.
type oneAPIError struct {
	Code                string       `json:"code"`
	Message             string       `json:"message"`
	Type                string       `json:"@type"`
	FullMessage         string       `json:"@message"`
	Context             errorContext `json:"@context"`
	Permanent           bool         `json:"@permanent"`
	Text                string       `json:"@text,omitempty"`
	Database            string       `json:"@database,omitempty"`
	ClientRequestLogger *string      `json:"@ClientRequestLogger,omitempty"`
	Inner               *innerError  `json:"innererror,omitempty"`
}

type innerError struct {
	Code         string `json:"code"`
	Message      string `json:"message"`
	Type         string `json:"@type"`
	FullMessage  string `json:"@message"`
	ErrorCode    string `json:"@errorCode"`
	ErrorMessage string `json:"@errorMessage"`
	Line         *int   `json:"@line,omitempty"`
	Pos          *int   `json:"@pos,omitempty"`
	Token        string `json:"@token,omitempty"`
	Permanent    bool   `json:"@permanent"`
}

type errorContext struct {
	Timestamp        string `json:"timestamp"`
	ServiceAlias     string `json:"serviceAlias"`
	MachineName      string `json:"machineName"`
	ProcessName      string `json:"processName"`
	ProcessID        int    `json:"processId"`
	ThreadID         int    `json:"threadId"`
	ClientRequestID  string `json:"clientRequestId"`
	ActivityID       string `json:"activityId"`
	SubActivityID    string `json:"subActivityId"`
	ActivityType     string `json:"activityType"`
	ParentActivityID string `json:"parentActivityId"`
	ActivityStack    string `json:"activityStack"`
}

const activityType = "GW.Http.CallContext"

// describe is the error object for e in this exchange.
func (f *front) describe(x *exchange, e *engine.Error) oneAPIError {
	o := oneAPIError{
		Code: e.Code, Message: e.Summary, Type: e.Type, FullMessage: e.Message, Permanent: e.Permanent,
		Context: errorContext{
			Timestamp: timestamp(f.Now()), ServiceAlias: "EMULATOR", MachineName: "KEngine000000",
			ProcessName: "Kusto.WinSvc.Svc", ProcessID: 1, ThreadID: 1,
			ClientRequestID: x.clientRequestID, ActivityID: x.activityID, SubActivityID: x.activityID,
			ActivityType: activityType, ParentActivityID: x.activityID,
			ActivityStack: fmt.Sprintf("(Activity stack: CRID=%s ARID=%s > %s/%s)", x.clientRequestID, x.activityID, activityType, x.activityID),
		},
	}
	if o.Message == "" {
		o.Message = e.Message
	}
	if e.Inner != nil {
		i := innerError{
			Code: e.Inner.Code, Message: o.Message, Type: e.Inner.Type, FullMessage: e.Inner.Message,
			ErrorCode: e.Inner.Code, ErrorMessage: e.Inner.Message, Token: e.Inner.Token, Permanent: e.Permanent,
		}
		if e.Inner.Line > 0 {
			i.Line, i.Pos = &e.Inner.Line, &e.Inner.Column
		}
		o.Inner = &i
	}
	return o
}

// fail answers with an error alone. Nothing must have been sent.
func (f *front) fail(x *exchange, text string, err error) {
	if x.Context().Err() != nil && errors.Is(err, x.Context().Err()) {
		panic(http.ErrAbortHandler) // the client is gone: the documented way to leave
	}
	x.out.discard()
	if errors.Is(err, errCommandInV2) {
		x.out.header().Set("Content-Type", "text/plain; charset=utf-8")
		x.out.text(fmt.Sprintf("Bad request: %v\nError details:\nClientRequestId='%s', ActivityId='%s', Timestamp='%s'.",
			err, x.clientRequestID, x.activityID, timestamp(f.Now())))
		x.out.end(http.StatusBadRequest)
		return
	}
	e := asEngineError(err)
	o := f.describe(x, e)
	o.Text, o.ClientRequestLogger = text, new(string)
	x.out.json(map[string]oneAPIError{"error": o})
	status := e.Status
	if status < 400 {
		status = http.StatusInternalServerError
	}
	x.out.end(status)
}

// refuseSignIn answers 401 and says where tokens come from.
func (f *front) refuseSignIn(w http.ResponseWriter, x *exchange, err error) {
	w.Header().Set("WWW-Authenticate", fmt.Sprintf("Bearer authorization_uri=%q, resource_id=%q",
		f.Metadata.LoginEndpoint, f.Metadata.KustoServiceResourceID))
	f.fail(x, "", &engine.Error{
		Code: "Unauthorized", Status: http.StatusUnauthorized, Permanent: true,
		Type: "Kusto.Common.Svc.Exceptions.UnauthorizedException", Summary: "Unauthorized",
		Message: "The caller is not authenticated: " + err.Error(),
	})
}

// json appends v.
func (b *body) json(v any) { b.buffer = append(b.buffer, jsonText(v)...) }

// jsonText is v as JSON, without the escapes that only HTML needs. What this
// package passes can always be encoded.
func jsonText(v any) []byte {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return []byte("null")
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n"))
}
