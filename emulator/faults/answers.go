package faults

import (
	"fmt"
	"net/http"
)

// defaultAnswer is the error that a service itself would send with a status, for
// rules that give no body.
func defaultAnswer(at Endpoint, status int) (contentType, body string) {
	const asJSON, asXML, asHTML = "application/json; charset=utf-8", "application/xml", "text/html"
	reason := http.StatusText(status)
	if status < 300 {
		return asJSON, ""
	}
	if status == http.StatusBadGateway && at != Blob && at != Queue && at != Table {
		// The proxies before the services answer this one.
		return asHTML, fmt.Sprintf("<html>\r\n<head><title>%d %s</title></head>\r\n<body>\r\n<center><h1>%d %s</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n", status, reason, status, reason)
	}
	switch at {
	case Graph:
		return asJSON, graphAnswer(status)
	case Assessment:
		return asJSON, fmt.Sprintf(`{"error":{"code":%q,"message":%q,"target":"00000000-0000-0000-0000-000000000000"}}`, assessmentCode(status), reason)
	case XDR, MDE:
		return asJSON, fmt.Sprintf(`{"error":{"code":%q,"message":%q,"target":"00000000-0000-0000-0000-000000000000"}}`, defenderCode(status), reason)
	case Token:
		return asJSON, fmt.Sprintf(`{"error":"temporarily_unavailable","error_description":"AADSTS90033: A transient error has occurred. Please try again. (%d)","error_codes":[90033],"error_uri":"https://login.microsoftonline.com/error?code=90033"}`, status)
	case Blob, Queue:
		return asXML, fmt.Sprintf(`<?xml version="1.0" encoding="utf-8"?><Error><Code>%s</Code><Message>%s</Message></Error>`, storageCode(status), reason)
	case Table:
		return asJSON, fmt.Sprintf(`{"odata.error":{"code":%q,"message":{"lang":"en-US","value":%q}}}`, storageCode(status), reason)
	default:
		permanent := status == http.StatusBadRequest || status == http.StatusForbidden || status == http.StatusUnauthorized
		return asJSON, fmt.Sprintf(`{"error":{"code":%q,"message":"Request is invalid and cannot be executed.","@type":"Kusto.Data.Exceptions.KustoServiceException","@message":%q,"@context":{},"@permanent":%t}}`,
			kustoCode(status), reason, permanent)
	}
}

func graphAnswer(status int) string {
	code, message := "BadRequest", http.StatusText(status)
	switch {
	case status == http.StatusTooManyRequests:
		return `{"error":{"code":"TooManyRequests","innerError":{"code":"429","message":"Please retry after","status":"429"},"message":"Please retry again later."}}`
	case status == http.StatusUnauthorized:
		code = "InvalidAuthenticationToken"
	case status == http.StatusForbidden:
		code = "Forbidden"
	case status >= 500:
		code, message = "UnknownError", ""
	}
	return fmt.Sprintf(`{"error":{"code":%q,"message":%q,"innerError":{}}}`, code, message)
}

// defenderCode is of https://learn.microsoft.com/defender-endpoint/api/common-errors.
func defenderCode(status int) string {
	switch {
	case status == http.StatusTooManyRequests:
		return "429" // what the service sends; the page says TooManyRequests
	case status == http.StatusUnauthorized:
		return "Unauthorized"
	case status == http.StatusForbidden:
		return "Forbidden"
	case status >= 500:
		return "InternalServerError"
	}
	return "BadRequest"
}

// assessmentCode is of the same page, which these APIs follow.
func assessmentCode(status int) string {
	if status == http.StatusTooManyRequests {
		return "TooManyRequests"
	}
	return defenderCode(status)
}

// storageCode is of https://learn.microsoft.com/rest/api/storageservices/common-rest-api-error-codes.
func storageCode(status int) string {
	switch status {
	case http.StatusServiceUnavailable, http.StatusTooManyRequests:
		return "ServerBusy"
	case http.StatusInternalServerError:
		return "InternalError"
	case http.StatusGatewayTimeout:
		return "OperationTimedOut"
	case http.StatusForbidden, http.StatusUnauthorized:
		return "AuthenticationFailed"
	case http.StatusNotFound:
		return "ResourceNotFound"
	}
	return "InvalidInput"
}

func kustoCode(status int) string {
	switch {
	case status == http.StatusTooManyRequests:
		return "General_ThrottlingError"
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return "Forbidden"
	case status >= 500:
		return "General_InternalServerError"
	}
	return "General_BadRequest"
}
