package defender

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/internal/answers"
	"github.com/tvmexport/tvmexport/internal/wire"
)

// ErrPreempted is wrapped by errors of Call.Meaning: the service has stopped to
// compute an answer. That often passes half a minute later; if it does not, less
// must be asked for at a time.
var ErrPreempted = errors.New("the query was pre-empted")

// ErrUnproven is wrapped by errors of Call.Read: an answer on which decisions rest
// cannot be shown to be the whole answer to its call, or holds a value that the
// call cannot give.
var ErrUnproven = errors.New("the answer does not prove its completeness")

var (
	errUnauthorized = errors.New("the token was refused")
	errGateway      = errors.New("a gateway gave up")
	errBroken       = errors.New("the answer cannot be read")
)

// HandedOn marks an error of the writer that receives the rows of an answer. It is
// not about the answer: Service.Do returns err as it is.
func HandedOn(err error) error { return &handedOn{err} }

type handedOn struct{ err error }

func (h *handedOn) Error() string { return h.err.Error() }

// failure makes errors of one call.
type failure struct {
	*Call
	section string // of the configuration
}

func (f failure) make(action tvmexport.Action, cause tvmexport.Cause, hint string, err error) error {
	return &tvmexport.Error{Op: f.Op, Table: f.Table, Action: action, Cause: cause, Hint: hint, Err: err}
}

// named is an error that the call itself has sorted, with the names of the call.
func (f failure) named(e *tvmexport.Error) error {
	own := *e
	own.Op, own.Table = cmp.Or(e.Op, f.Op), cmp.Or(e.Table, f.Table)
	return &own
}

// unproven is the error of an answer that proves nothing.
func (f failure) unproven(err error) error {
	return f.make(tvmexport.Retry, tvmexport.Integrity, "the answer was not used; if this repeats, check for a proxy that changes or caches answers", err)
}

// budget is about a call that may not be made in time.
func (f failure) budget(err error) error {
	var short *errPatience
	if !errors.As(err, &short) {
		return err
	}
	return f.make(tvmexport.Stop, tvmexport.Quota, "run again later, allow a longer wait, or raise "+f.section+".share", err)
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
		return f.make(tvmexport.Stop, tvmexport.Usage, answers.RedirectHint+" ("+f.section+".endpoint)", r)
	case errors.Is(err, errStalled):
		return f.make(tvmexport.Split, tvmexport.Unknown, "", err)
	}
	if strings.Contains(err.Error(), "malformed") { // net/http quotes what it could not read, which may be rows
		err = errors.New("the server does not speak HTTP, or sends data after the end of its answer")
	}
	var at *url.Error
	if errors.As(err, &at) { // its query may be a token or a signature
		at.URL, _, _ = strings.Cut(at.URL, "?")
	}
	return f.make(tvmexport.Retry, tvmexport.Unknown, "check the network, the proxy and "+f.section+".endpoint", err)
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
		if e := f.meaning(Refusal{Status: http.StatusOK, Code: inside.said.Error.Code, Message: inside.said.Error.Message, Reason: inside}); e != nil {
			return e
		}
		return f.make(tvmexport.Retry, tvmexport.Integrity, f.proxyHint(), err)
	case errors.Is(err, errForeign):
		return f.make(tvmexport.Retry, tvmexport.Integrity, f.proxyHint(), err)
	case errors.Is(err, wire.ErrDeep), errors.Is(err, wire.ErrHuge):
		return f.make(tvmexport.Stop, tvmexport.Rejected, "the destination does not support such a value: exclude the column (tables: exclude), or shorten it at its source", err)
	case errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF):
		err = fmt.Errorf("it ends early: %w", err)
	}
	return f.make(tvmexport.Retry, tvmexport.Integrity, "", fmt.Errorf("%w: %w", errBroken, err))
}

// status sorts an answer that is no success by what to do next
// (https://learn.microsoft.com/defender-endpoint/api/common-errors,
// https://learn.microsoft.com/defender-xdr/api-error-codes).
func (f failure) status(r *http.Response) error {
	body, text, reason := describe(r)
	code, after := r.StatusCode, r.Header.Get("Retry-After")
	if code == http.StatusTooManyRequests || code == http.StatusServiceUnavailable && after != "" {
		return &tvmexport.Error{
			Op: f.Op, Table: f.Table, Action: tvmexport.Wait, Cause: tvmexport.Quota, Err: reason,
			After: retryAfter(after, body.Error.Message, time.Now()),
		}
	}
	if e := f.meaning(Refusal{Status: code, Code: body.Error.Code, Message: body.Error.Message, Text: text, Reason: reason}); e != nil {
		return e
	}
	return f.refused(r, body, reason)
}

// meaning is what a refusal means to the API of the call; nil if nothing of its own.
func (f failure) meaning(r Refusal) error {
	if f.Meaning == nil {
		return nil
	}
	if e := f.Meaning(r); e != nil {
		return f.named(e)
	}
	return nil
}

// refused sorts an answer without success by its status.
func (f failure) refused(r *http.Response, body said, reason error) error {
	switch code := r.StatusCode; {
	case code == http.StatusUnauthorized:
		return f.unauthorized(r, body, reason)
	case code == http.StatusForbidden:
		err, _ := f.denied(r, body, reason)
		return err
	case code == http.StatusRequestEntityTooLarge:
		return f.make(tvmexport.Split, tvmexport.Rejected, "", reason)
	case code == http.StatusBadGateway || code == http.StatusGatewayTimeout:
		// A proxy gave up on an answer that was too large or too slow;
		// asking for the same again gives the same.
		return f.make(tvmexport.Split, tvmexport.Unknown, "", fmt.Errorf("%w: %w", errGateway, reason))
	case code >= 500 || code == http.StatusRequestTimeout:
		return f.make(tvmexport.Retry, tvmexport.Unknown, "", reason)
	case code == http.StatusNotFound || code == http.StatusGone:
		return f.make(tvmexport.Stop, tvmexport.Rejected, "check "+f.section+".endpoint", reason)
	}
	return f.make(tvmexport.Stop, tvmexport.Rejected, "", reason)
}
