package conn

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	sdk "github.com/Azure/azure-kusto-go/azkustodata/errors"
	v2 "github.com/Azure/azure-kusto-go/azkustodata/query/v2"

	"github.com/tvmexport/tvmexport"
)

// UsageError is an error of the configuration.
func UsageError(op, table string, err error) *tvmexport.Error {
	return &tvmexport.Error{Op: op, Table: table, Action: tvmexport.Stop, Cause: tvmexport.Usage, Err: err}
}

// RefusedError is an error of what is there and should not be, or the reverse.
func RefusedError(op, table string, err error, hint string) *tvmexport.Error {
	return &tvmexport.Error{Op: op, Table: table, Action: tvmexport.Stop, Cause: tvmexport.Rejected, Err: err, Hint: hint}
}

// Translate sorts an error of the SDK by what to do next. Texts of queries do
// not become part of it.
func Translate(op, table string, to *Endpoint, err error) *tvmexport.Error {
	var done *tvmexport.Error
	if errors.As(err, &done) && !errors.As(err, new(contextEnded)) {
		return done
	}
	out := &tvmexport.Error{Op: op, Table: table, Action: tvmexport.Stop}
	var (
		answered *sdk.HttpError
		inBand   *v2.OneApiError
		host     untrusted
		sdkError *sdk.Error
		over     contextEnded
	)
	switch {
	case errors.As(err, &over):
		out.Err = over.error
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, ErrSlow):
		out.Err = err
	case errors.Is(err, ErrSlow):
		out.Action, out.Err = tvmexport.Retry, ErrSlow
	case sortForeign(out, to, err):
	case errors.As(err, &host):
		out.Cause, out.Err = tvmexport.Usage, host
		out.Hint = "if it is yours, add its name to kusto.trusted_hosts"
	case errors.As(err, &answered):
		sortAnswer(out, to, readAnswer(answered))
	case errors.As(err, &inBand):
		m := inBand.ErrorMessage
		sortAnswer(out, to, answer{status: http.StatusOK, code: m.Code, message: firstOf(m.Description, m.Message), permanent: &m.IsPermanent})
	case sortPage(out, err), sortUpload(out, err), sortTransport(out, to, err):
	case errors.As(err, &sdkError):
		sortSDK(out, sdkError)
	default:
		out.Action, out.Err = tvmexport.Retry, tidyError(err)
	}
	return out
}

// answer is what the service says about a failure
// (https://learn.microsoft.com/kusto/api/rest/response).
type answer struct {
	status    int
	code      string // General_BadRequest, ...
	message   string
	permanent *bool // nil if the service does not say
}

func readAnswer(e *sdk.HttpError) answer {
	a := answer{status: e.StatusCode}
	body, ok := e.UnmarshalREST()["error"].(map[string]any)
	if !ok {
		return a
	}
	a.code, _ = body["code"].(string)
	at, _ := body["@message"].(string)
	plain, _ := body["message"].(string)
	a.message = firstOf(at, plain)
	if p, ok := body["@permanent"].(bool); ok {
		a.permanent = &p
	}
	return a
}

// isUnauthorized says whether the service refused a token that the endpoint's
// credential replaces.
func isUnauthorized(to *Endpoint, err error) bool {
	var answered *sdk.HttpError
	_, replaces := to.credential.(refuser)
	return replaces && errors.As(err, &answered) && answered.StatusCode == http.StatusUnauthorized
}

// tokenRefused is an answer 401: the service did not look at roles.
type tokenRefused struct{ error }

// Unwrap gives the answer.
func (t tokenRefused) Unwrap() error { return t.error }

// TokenRefused says whether the service refused the token itself, so that a
// role would not help.
func TokenRefused(err error) bool { return errors.As(err, new(tokenRefused)) }

func firstOf(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}

// statusIngestionError is Kusto's own status for a failure while it works
// (https://learn.microsoft.com/kusto/api/rest/response).
const statusIngestionError = 520

func sortAnswer(out *tvmexport.Error, to *Endpoint, a answer) {
	out.Err = errors.New(a.String())
	missing := MissingEntity(a.message)
	cause, hint, isNamed := CauseNamed(a.code + " " + a.message)
	switch {
	case isNamed && (a.permanent == nil || *a.permanent):
		out.Cause, out.Hint = cause, hint
	case a.status == http.StatusUnauthorized:
		out.Cause, out.Err = tvmexport.Permission, tokenRefused{out.Err}
		out.Hint = "the token was refused: check auth, its tenant, and that the cluster belongs to this tenant"
	case a.status == http.StatusForbidden || strings.Contains(a.code, "Forbidden") || strings.Contains(a.code, "AccessDenied"):
		out.Cause = tvmexport.Permission
		out.Hint = roleHint(out.Op)
	case a.status == http.StatusTooManyRequests || strings.Contains(a.code, "Throttl"):
		out.Action, out.Cause = tvmexport.Wait, tvmexport.Quota
	case missing == databaseMissing:
		out.Cause, out.Hint = tvmexport.Usage, "kusto.database must be the name of a database in kusto.cluster, not its pretty name"
	case missing == EntityMissing:
		out.Cause, out.Hint = tvmexport.Rejected, InitHint(out.Table)
	case a.status == http.StatusNotFound:
		out.Cause, out.Hint = tvmexport.Usage, to.setting+" names something that is not a Kusto endpoint"
	case a.permanent != nil && *a.permanent:
		out.Cause = tvmexport.Rejected
	case a.permanent != nil, a.status == http.StatusOK:
		out.Action = tvmexport.Retry
	case a.status >= 300 && a.status < 400:
		out.Cause, out.Hint = tvmexport.Usage, to.setting+" redirects; set the address that it redirects to"
	case a.status >= 502 && a.status <= 504, a.status == statusIngestionError:
		out.Action = tvmexport.Retry
	default:
		out.Cause = tvmexport.Rejected
	}
	switch {
	case out.Hint != "":
	case isNamed:
		out.Hint = hint
	case out.Action == tvmexport.Retry && a.status == http.StatusServiceUnavailable:
		out.Hint = "if this persists, check the cluster's state in the portal: it may be stopped, starting or resizing"
	}
}

func (a answer) String() string {
	text := Tidy(a.message)
	if text == "" {
		return fmt.Sprintf("the service answered %d %s", a.status, http.StatusText(a.status))
	}
	if a.status == http.StatusOK || a.status == http.StatusBadRequest {
		return text
	}
	return fmt.Sprintf("%s (status %d)", text, a.status)
}

const (
	nothingMissing = iota
	EntityMissing
	databaseMissing
)

var (
	noEntity   = regexp.MustCompile(`(?i)failed to resolve (table|entity|scalar|column)|(entity|table|function) .{0,200}(not found|does not exist|could not be found)`)
	noDatabase = regexp.MustCompile(`(?i)database .{0,200}(not found|does not exist|could not be found)|of kind '?Database'? .{0,20}not found`)
)

// MissingEntity classifies a message of the service: EntityMissing if it says
// that a table, function or column does not exist.
func MissingEntity(message string) int {
	switch {
	case noDatabase.MatchString(message):
		return databaseMissing
	case noEntity.MatchString(message):
		return EntityMissing
	}
	return nothingMissing
}

// sortTransport recognises what kept the answer from coming.
func sortTransport(out *tvmexport.Error, to *Endpoint, err error) bool {
	var (
		short   *cutOff
		dns     *net.DNSError
		unknown x509.UnknownAuthorityError
		host    x509.HostnameError
		invalid x509.CertificateInvalidError
		syntax  *json.SyntaxError
		link    *url.Error
		kind    *json.UnmarshalTypeError
	)
	switch {
	case errors.As(err, &short):
		out.Action, out.Err = tvmexport.Retry, fmt.Errorf("%s %s: %w", to.setting, to.URI, short)
	case errors.As(err, &dns):
		out.Err = fmt.Errorf("%s %s: there is no host %s", to.setting, to.URI, dns.Name)
		out.Hint = noHost
		out.Cause = tvmexport.Usage
		if !dns.IsNotFound {
			out.Action, out.Cause = tvmexport.Retry, tvmexport.Unknown
			out.Err = fmt.Errorf("%s %s: look up %s: %s", to.setting, to.URI, dns.Name, Tidy(dns.Err))
		}
	case errors.As(err, &unknown), errors.As(err, &host), errors.As(err, &invalid):
		out.Cause = tvmexport.Usage
		out.Err = fmt.Errorf("%s %s: %s", to.setting, to.URI, Tidy(Innermost(err).Error()))
		out.Hint = "if a proxy or an emulator answers there, name its certificate in ca_file"
	case errors.As(err, &kind): // its text quotes the value
		out.Action, out.Err = tvmexport.Retry, fmt.Errorf("%w: a member is not a %s", errFrames, kind.Type)
	case errors.As(err, &syntax):
		out.Cause = tvmexport.Usage
		out.Err = fmt.Errorf("%s %s does not answer like a Kusto endpoint", to.setting, to.URI)
		out.Hint = "copy the URI from the cluster's page in the portal"
	case errors.As(err, &link):
		out.Action, out.Hint = tvmexport.Retry, noAnswer
		out.Err = fmt.Errorf("%s %s: %s", to.setting, to.URI, Tidy(link.Err.Error()))
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		out.Action = tvmexport.Retry
		out.Err = fmt.Errorf("%s %s: the answer was cut off", to.setting, to.URI)
	default:
		return false
	}
	return true
}

// sortSDK reads what the SDK reports as text only.
func sortSDK(out *tvmexport.Error, e *sdk.Error) {
	words, kind := sdkWords(e.Error())
	text := Tidy(words)
	out.Err = errors.New(text)
	switch {
	case kind != nil:
		out.Action, out.Err = tvmexport.Retry, kind
		if text != "" {
			out.Err = fmt.Errorf("%w: %s", kind, text)
		}
	case strings.Contains(text, "Error while getting token"):
		_, why, _ := strings.Cut(text, "Error while getting token : ")
		// Entra's own words, where they are among those of the libraries.
		out.Err = fmt.Errorf("sign in: %s", firstOf(Tidy(entraError.FindString(e.Error())), why, text))
		out.Cause = tvmexport.Permission
		out.Hint = "check auth in the configuration and the AZURE_ variables"
		if strings.Contains(text, "connection refused") || strings.Contains(text, "timeout") || strings.Contains(text, "EOF") {
			out.Action, out.Cause, out.Hint = tvmexport.Retry, tvmexport.Unknown, ""
		}
	case e.Kind == sdk.KClientArgs:
		out.Cause = tvmexport.Usage
	case MissingEntity(text) == EntityMissing:
		out.Cause, out.Hint = tvmexport.Rejected, InitHint(out.Table)
	default:
		// Exceptions inside an answer that had begun, broken frames: the
		// service does not say whether they last.
		out.Action = tvmexport.Retry
	}
}

// Innermost is the error at the end of the chain of wrapped errors.
func Innermost(err error) error {
	for {
		next := errors.Unwrap(err)
		if next == nil {
			return err
		}
		err = next
	}
}

func tidyError(err error) error { return errors.New(Tidy(err.Error())) }

var (
	signature = regexp.MustCompile(`(?i)(sig=|signature=|authorization: ?bearer |bearer |client_secret=|token=)[^\s&"';,)]+`)
	queryText = regexp.MustCompile(`(?s)With query: .*?(\(\d{3} [^)]*\)|, Post )`)
	// https://learn.microsoft.com/entra/identity-platform/reference-error-codes
	entraError = regexp.MustCompile(`AADSTS\d+:[^"\r\n]+`)
	blanks     = regexp.MustCompile(`\s+`)
)

// Tidy makes one line of a message: no secrets, no query texts, 600 bytes at most.
func Tidy(text string) string {
	text = signature.ReplaceAllString(text, "${1}REDACTED")
	text = queryText.ReplaceAllString(text, "$1")
	text = strings.TrimRight(strings.TrimSpace(blanks.ReplaceAllString(text, " ")), ".")
	if len(text) > 600 {
		text = strings.ToValidUTF8(text[:600], "") + "..."
	}
	return text
}

// roleHint names the least role of a step; docs/roles.md has the whole matrix.
func roleHint(op string) string {
	role, ok := map[string]string{
		"land":    "Database Ingestor, or Table Ingestor on the landing table",
		"publish": "Database Ingestor, or Table Ingestor on the published table, and Database Viewer",
		"init":    "Database User (to create) and Database Ingestor",
		"commit":  "Database Ingestor", "finish": "Database Ingestor", "lease": "Database Ingestor", "configure": "Database Ingestor",
	}[op]
	if !ok {
		role = "Database Viewer or Database User"
	}
	return "required role: " + role + "; docs/roles.md lists all roles"
}
