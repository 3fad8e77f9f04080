package hunting

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/internal/answers"
	"github.com/tvmexport/tvmexport/internal/wire"
)

var (
	errPreempted    = errors.New("the query was pre-empted")
	errUnauthorized = errors.New("the token was refused")
	errRefused      = errors.New("the query was refused")
	errMissing      = errors.New("the table is unknown")
	errGateway      = errors.New("a gateway gave up")
	errBroken       = errors.New("the answer cannot be read")
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

func (f failure) make(action tvmexport.Action, cause tvmexport.Cause, hint string, err error) error {
	return &tvmexport.Error{Op: f.op, Table: f.table, Action: action, Cause: cause, Hint: hint, Err: err}
}

// budget is about a call that may not be made in time.
func (f failure) budget(err error) error {
	var short *errPatience
	if !errors.As(err, &short) {
		return err
	}
	return f.make(tvmexport.Stop, tvmexport.Quota, "run again later, allow a longer wait, or raise defender.share", err)
}

// entraError is the code and the first sentences of what Entra says, without
// the ids and times behind them.
var entraError = regexp.MustCompile(`AADSTS\d+: .*?(?: Trace ID|\\r|\\n|[\r\n"]|$)`)

func (f failure) signIn(err error) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	var sorted *tvmexport.Error
	if errors.As(err, &sorted) {
		return f.make(tvmexport.ActionOf(err), tvmexport.CauseOf(err), "", err)
	}
	hint := "check AZURE_TENANT_ID, AZURE_CLIENT_ID and the secret or certificate, and auth.authority"
	if said := entraError.FindString(err.Error()); said != "" {
		said = strings.TrimRight(strings.TrimSuffix(said, " Trace ID"), "\\rn\r\n\" ")
		return f.make(tvmexport.Stop, tvmexport.Permission, hint, fmt.Errorf("sign in: %s", said))
	}
	return f.make(tvmexport.Stop, tvmexport.Permission, hint, fmt.Errorf("sign in: %w", err))
}

// transport is about a call that got no answer.
func (f failure) transport(err error) error {
	var certificate *tls.CertificateVerificationError
	switch {
	case errors.As(err, &certificate):
		return f.make(tvmexport.Stop, tvmexport.Usage, "set ca_file to the certificate of the authority", err)
	case isRedirect(err):
		r, _ := answers.AsRedirect(err)
		return f.make(tvmexport.Stop, tvmexport.Usage, answers.RedirectHint+" (defender.endpoint)", r)
	case errors.Is(err, errStalled):
		return f.make(tvmexport.Split, tvmexport.Unknown, "", err)
	}
	if strings.Contains(err.Error(), "malformed") { // net/http quotes what it could not read, which may be rows
		err = errors.New("the server does not speak HTTP, or sends data after the end of its answer")
	}
	return f.make(tvmexport.Retry, tvmexport.Unknown, "check the network, the proxy and defender.endpoint", err)
}

func isRedirect(err error) bool {
	_, is := answers.AsRedirect(err)
	return is
}

// broken is about an answer that cannot be read to its end.
func (f failure) broken(err error) error {
	var inside *errorInside
	switch {
	case errors.As(err, &inside):
		if f, known := f.knownRefusal(inside.said.Error.Message, inside); known {
			return f
		}
		return f.make(tvmexport.Retry, tvmexport.Integrity, proxyHint, err)
	case errors.Is(err, errForeign):
		return f.make(tvmexport.Retry, tvmexport.Integrity, proxyHint, err)
	case errors.Is(err, wire.ErrDeep), errors.Is(err, wire.ErrHuge):
		return f.make(tvmexport.Stop, tvmexport.Rejected, "the destination does not support such a value: exclude the column (tables: exclude), or shorten it at its source", err)
	case errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF):
		err = fmt.Errorf("it ends early: %w", err)
	}
	return f.make(tvmexport.Retry, tvmexport.Integrity, "", fmt.Errorf("%w: %w", errBroken, err))
}

// errorBytes is how much of an error's body is read.
const errorBytes = 64 << 10

// status sorts an answer that is no success by what to do next
// (https://learn.microsoft.com/defender-endpoint/api/common-errors,
// https://learn.microsoft.com/defender-xdr/api-error-codes).
func (f failure) status(r *http.Response) error {
	body, reason := describe(r)
	message := body.Error.Message
	switch code := r.StatusCode; {
	case code == http.StatusTooManyRequests,
		code == http.StatusServiceUnavailable && r.Header.Get("Retry-After") != "":
		return &tvmexport.Error{
			Op: f.op, Table: f.table, Action: tvmexport.Wait, Cause: tvmexport.Quota, Err: reason,
			After: retryAfter(r.Header.Get("Retry-After"), message, time.Now()),
		}
	case code == http.StatusUnauthorized:
		return f.unauthorized(r, body, reason)
	case code == http.StatusForbidden:
		err, _ := f.denied(r, body, reason)
		return err
	case code == http.StatusRequestEntityTooLarge:
		return f.make(tvmexport.Split, tvmexport.Rejected, "", reason)
	case code == http.StatusBadRequest:
		return f.badRequest(message, reason)
	case code == http.StatusBadGateway || code == http.StatusGatewayTimeout:
		// A proxy gave up on an answer that was too large or too slow;
		// asking for the same again gives the same.
		return f.make(tvmexport.Split, tvmexport.Unknown, "", fmt.Errorf("%w: %w", errGateway, reason))
	case code >= 500 || code == http.StatusRequestTimeout:
		return f.make(tvmexport.Retry, tvmexport.Unknown, "", reason)
	case code == http.StatusNotFound || code == http.StatusGone:
		return f.make(tvmexport.Stop, tvmexport.Rejected, "check defender.endpoint; the legacy APIs stop on 2027-01-31, and defender.api: graph is their successor", reason)
	}
	return f.make(tvmexport.Stop, tvmexport.Rejected, "", reason)
}

// badRequests are what a 400 says where another query, or the same one later,
// may pass. Texts are from Microsoft's pages
// (https://learn.microsoft.com/defender-xdr/advanced-hunting-errors) and from
// published answers; both wordings of the first are in use.
var badRequests = []struct {
	text   string
	action tvmexport.Action
	is     error
}{
	{"Query execution has exceeded the allowed result size", tvmexport.Split, nil},
	{"Result size limit exceeded", tvmexport.Split, nil},
	{"exceeds the allowed size limit when processed", tvmexport.Split, nil},
	{"Query exceeded the timeout period", tvmexport.Split, nil},
	{"Query execution has exceeded the allowed limits", tvmexport.Retry, errPreempted},
	{"Query stopped due to excessive resource consumption", tvmexport.Retry, errPreempted},
	{"An unexpected error occurred during query execution", tvmexport.Retry, nil},
}

func (f failure) badRequest(message string, reason error) error {
	if err, known := f.knownRefusal(message, reason); known {
		return err
	}
	if strings.Contains(message, "Failed to resolve table") {
		return f.make(tvmexport.Stop, tvmexport.Rejected, "the table does not exist, is not licensed, or is not visible to this application",
			fmt.Errorf("%w: %w: %w", errRefused, errMissing, reason))
	}
	return f.make(tvmexport.Stop, tvmexport.Rejected, "the query is in the log at level debug", fmt.Errorf("%w: %w", errRefused, reason))
}

// knownRefusal sorts a message that is among badRequests.
func (f failure) knownRefusal(message string, reason error) (error, bool) {
	for _, b := range badRequests {
		if !strings.Contains(message, b.text) {
			continue
		}
		if b.is != nil {
			reason = fmt.Errorf("%w: %w", b.is, reason)
		}
		return f.make(b.action, tvmexport.Rejected, "", reason), true
	}
	return nil, false
}

// describe reads an error's body and makes one sentence of it: the status, the
// service's own words where they come in an error object, its request id. Of any
// other body it gives what it is, and of a page the title.
func describe(r *http.Response) (said, error) {
	var text []byte
	if plain, err := decompressed(r); err == nil {
		text, _ = io.ReadAll(io.LimitReader(plain, errorBytes))
	}
	body := readSaid(text)
	sentence := fmt.Sprintf("HTTP %d", r.StatusCode) // with what the service says
	words := body.words()
	switch trimmed := bytes.TrimSpace(text); {
	case words != "" && body.Error.Code == "":
		sentence += ": " + words
	case words != "":
		sentence += " " + words
	case len(trimmed) == 0:
		sentence += " " + http.StatusText(r.StatusCode)
	case trimmed[0] == '<':
		sentence = fmt.Sprintf("%s: it is %s", answers.Head(r), answers.Page(trimmed))
	default:
		sentence = fmt.Sprintf("%s and %d bytes that are not an error object", answers.Head(r), len(text))
	}
	if id := firstOf(requestID(r), body.request()); id != "" {
		sentence += " [request " + id + "]"
	}
	return body, errors.New(sentence)
}

var inSeconds = regexp.MustCompile(`in (\d+) seconds`)

// aMinute is in what the service says of its calls per minute
// ("API calls quota exceeded! maximum allowed 45 per 00:01:00").
const aMinute = "per 00:01:00"

// longestHint is the longest wait that is believed.
const longestHint = 24 * time.Hour

// retryAfter is how long the service asks to wait: the header in seconds or as
// a date, else the time in the message; 0 if there is neither. A time in the past
// is ignored: the caller backs off by itself.
func retryAfter(header, message string, now time.Time) time.Duration {
	if s, err := strconv.Atoi(strings.TrimSpace(header)); err == nil && s > 0 {
		return min(time.Duration(min(s, 1e6))*time.Second, longestHint)
	}
	if at, err := http.ParseTime(header); err == nil && at.After(now) {
		return min(max(at.Sub(now), time.Second), longestHint)
	}
	if m := inSeconds.FindStringSubmatch(message); m != nil {
		if s, err := strconv.Atoi(m[1]); err == nil {
			return min(time.Duration(min(s, 1e6))*time.Second, longestHint)
		}
	}
	if strings.Contains(message, aMinute) {
		return time.Minute
	}
	return 0
}
