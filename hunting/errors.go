package hunting

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/tvmexport/tvmexport"
)

var (
	errPreempted    = errors.New("the query was pre-empted")
	errUnauthorized = errors.New("the token was refused")
	errRefused      = errors.New("the query was refused")
	errMissing      = errors.New("a name is not known")
)

// refused says whether the service refused a query for what it says, so that a
// simpler one may pass.
func refused(err error) bool { return errors.Is(err, errRefused) }

// missing says whether the refusal is about a table that is not there.
func missing(err error) bool { return errors.Is(err, errMissing) }

// failure makes errors of one call.
type failure struct {
	op, table string
	api       API
}

func (f failure) make(action tvmexport.Action, cause tvmexport.Cause, hint string, err error) *tvmexport.Error {
	return &tvmexport.Error{Op: f.op, Table: f.table, Action: action, Cause: cause, Hint: hint, Err: err}
}

func (f failure) signIn(err error) error {
	return f.make(tvmexport.Stop, tvmexport.Permission, "check AZURE_TENANT_ID, AZURE_CLIENT_ID and the secret or certificate, and auth.authority", fmt.Errorf("sign in: %w", err))
}

func (f failure) transport(err error) error {
	return f.make(tvmexport.Retry, tvmexport.Unknown, "check the network, the proxy and defender.endpoint", err)
}

func (f failure) broken(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		err = fmt.Errorf("the answer ends early: %w", err)
	}
	return f.make(tvmexport.Retry, tvmexport.Unproven, "", err)
}

// said is the error body of any of the fronts.
type said struct {
	Error struct {
		Code       string
		Message    string
		Target     string
		InnerError map[string]any `json:"innerError"`
	}
}

const errorBytes = 64 << 10

// status sorts an answer that is no success by what to do next. The texts are
// those collected from Microsoft's pages (common-errors, api-error-codes) and
// from published captures.
func (f failure) status(r *http.Response) error {
	text, _ := io.ReadAll(io.LimitReader(r.Body, errorBytes))
	var body said
	_ = json.Unmarshal(text, &body) // a proxy answers HTML
	reason := describe(r, body, text)
	message := body.Error.Message
	switch code := r.StatusCode; {
	case code == http.StatusTooManyRequests:
		e := f.make(tvmexport.Wait, tvmexport.Quota, "", reason)
		e.After = retryAfter(r.Header.Get("Retry-After"), message, time.Now())
		return e
	case code == http.StatusUnauthorized && strings.Contains(message, "license"):
		return f.make(tvmexport.Stop, tvmexport.Permission, "the tenant has no licence for this data, or its account is inactive", reason)
	case code == http.StatusUnauthorized:
		return f.make(tvmexport.Stop, tvmexport.Permission, "check that the application belongs to this tenant and cloud",
			fmt.Errorf("%w: %w", errUnauthorized, reason))
	case code == http.StatusForbidden:
		return f.make(tvmexport.Stop, tvmexport.Permission, "grant the application permission "+f.api.permission()+" and admin consent", reason)
	case code == http.StatusRequestEntityTooLarge:
		return f.make(tvmexport.Split, tvmexport.Refused, "", reason)
	case code == http.StatusBadRequest:
		return f.badRequest(message, reason)
	case code == http.StatusBadGateway || code == http.StatusGatewayTimeout:
		// The proxy gave up on an answer that was too large or too slow;
		// asking for the same again gives the same.
		return f.make(tvmexport.Split, tvmexport.Unknown, "", reason)
	case code >= 500:
		return f.make(tvmexport.Retry, tvmexport.Unknown, "", reason)
	case code == http.StatusNotFound || code == http.StatusGone:
		return f.make(tvmexport.Stop, tvmexport.Refused, "check defender.endpoint; the legacy APIs stop on 2027-01-31, defender.api: graph is their successor", reason)
	}
	return f.make(tvmexport.Stop, tvmexport.Refused, "", reason)
}

func (f failure) badRequest(message string, reason error) error {
	switch {
	case strings.HasPrefix(message, "Query execution has exceeded the allowed result size"):
		return f.make(tvmexport.Split, tvmexport.Refused, "", reason)
	case strings.HasPrefix(message, "Query execution has exceeded the allowed limits"),
		strings.Contains(message, "excessive resource consumption"):
		return f.make(tvmexport.Retry, tvmexport.Refused, "", fmt.Errorf("%w: %w", errPreempted, reason))
	case strings.Contains(message, "exceeded the timeout"), strings.Contains(message, "allowed size limit when processed"):
		return f.make(tvmexport.Split, tvmexport.Refused, "", reason)
	case strings.Contains(message, "Failed to resolve table"):
		return f.make(tvmexport.Stop, tvmexport.Refused, "the table does not exist, is not licensed, or may not be seen by this application",
			fmt.Errorf("%w: %w: %w", errRefused, errMissing, reason))
	}
	return f.make(tvmexport.Stop, tvmexport.Refused, "", fmt.Errorf("%w: %w", errRefused, reason))
}

// describe is one sentence: the status, the service's words, its request id.
func describe(r *http.Response, body said, text []byte) error {
	words := body.Error.Message
	if words == "" && body.Error.Code == "" {
		words = strings.Join(strings.Fields(tags.ReplaceAllString(string(text[:min(len(text), 300)]), " ")), " ")
	}
	id := r.Header.Get("request-id")
	if id == "" {
		id = body.Error.Target
	}
	if inner, ok := body.Error.InnerError["request-id"].(string); ok && id == "" {
		id = inner
	}
	sentence := fmt.Sprintf("HTTP %d", r.StatusCode)
	if body.Error.Code != "" {
		sentence += " " + body.Error.Code
	}
	if words != "" {
		sentence += ": " + words
	}
	if id != "" {
		sentence += " [request " + id + "]"
	}
	return errors.New(sentence)
}

var (
	tags      = regexp.MustCompile(`<[^>]*>`)
	inSeconds = regexp.MustCompile(`in (\d+) seconds`)
)

// retryAfter is how long the service asks to wait: the header in seconds or as
// a date, else the number in the message; 0 if it does not say.
func retryAfter(header, message string, now time.Time) time.Duration {
	if s, err := strconv.ParseFloat(strings.TrimSpace(header), 64); err == nil && s >= 0 && s < 1e7 {
		return time.Duration(s * float64(time.Second))
	}
	if at, err := http.ParseTime(header); err == nil {
		return max(at.Sub(now), time.Second)
	}
	if m := inSeconds.FindStringSubmatch(message); m != nil {
		if s, err := strconv.Atoi(m[1]); err == nil && s < 1e7 {
			return time.Duration(s) * time.Second
		}
	}
	return 0
}
