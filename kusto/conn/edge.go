package conn

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/klauspost/compress/gzip"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/internal/answers"
)

// refuser is a credential that replaces a token which a service has refused, by
// one with the claims of the challenge.
type refuser interface{ Refused(token, claims string) }

// edge carries the requests of one client. The SDK hides headers of answers and
// quotes bodies that it does not understand, so what it could not report is
// recognised here: refused tokens, redirects to other hosts, answers that are
// not Kusto's.
type edge struct {
	to         http.RoundTripper // nil: the default one
	credential azcore.TokenCredential
}

// RoundTrip implements http.RoundTripper.
func (e edge) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := answers.SameHost(e.to).RoundTrip(r)
	if err != nil {
		return nil, err
	}
	if who, ok := e.credential.(refuser); ok && answer.StatusCode == http.StatusUnauthorized {
		if token := answers.Bearer(r); token != "" {
			who.Refused(token, answers.Claims(answer.Header))
		}
	}
	if strings.HasPrefix(r.URL.Path, "/v1/rest/") || strings.HasPrefix(r.URL.Path, "/v2/rest/") {
		if f := foreignAnswer(answer, strings.HasPrefix(r.URL.Path, "/v2/"), strings.HasSuffix(r.URL.Path, "/auth/metadata")); f != nil {
			_ = answer.Body.Close()
			return nil, f
		}
	}
	return answer, nil
}

// CloseIdleConnections lets http.Client close those of the transport beneath.
func (e edge) CloseIdleConnections() {
	if c, ok := e.to.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

// stranger is an answer that is not Kusto's, or that was altered on its way. The
// same question gets the same answer. Its sentence quotes nothing of the body
// but a page's title and the message of an error object.
type stranger struct{ answer }

func (f *stranger) Error() string { return f.message }

// cutOff is an answer whose body ends too early. The same question may get another answer.
type cutOff struct{ head string }

func (c *cutOff) Error() string { return "the answer was cut off: " + c.head }

const proxyHint = "a proxy, a captive portal or a gateway seems to answer instead of the cluster: check HTTPS_PROXY, NO_PROXY and the address"

// foreignAnswer looks at the beginning of an answer and leaves it to be read. A
// byte order mark is dropped.
func foreignAnswer(r *http.Response, frames, metadata bool) error {
	b := peek(r)
	if len(b.text) == 0 && (metadata || r.StatusCode != http.StatusOK || !b.ended && !errors.Is(b.fault, errNotCompressed)) {
		return nil
	}
	what := answers.Foreign(b.text)
	switch {
	case len(b.text) > 0 || b.fault == nil:
	case errors.Is(b.fault, io.ErrUnexpectedEOF):
		return &cutOff{answers.Head(r)}
	case errors.Is(b.fault, errNotCompressed):
		what = errNotCompressed.Error()
	default:
		what = "its body could not be decompressed"
	}
	page := strings.HasPrefix(what, "it is an HTML") || strings.HasPrefix(what, "it is an XML")
	switch {
	case what != "" && (page || r.StatusCode == http.StatusOK && !metadata):
		return &stranger{answer{status: r.StatusCode, message: answers.Head(r) + ": " + what}}
	case what != "" || r.StatusCode != http.StatusOK || metadata:
		return nil
	}
	if bytes.HasPrefix(b.text, answers.BOM) {
		dropMark(r, b.raw)
	}
	if text := bytes.TrimLeft(bytes.TrimPrefix(b.text, answers.BOM), " \t\r\n"); frames && text[0] == '{' || errorFirst.Match(text) {
		return errorInside(r)
	}
	return nil
}

var errorFirst = regexp.MustCompile(`^\{\s*"error"\s*:`)

// beginning is the first part of a body.
type beginning struct {
	raw   []byte // as it was sent
	text  []byte // the text that it decompresses to, until the first fault
	fault error  // why no more of it can be read; nil if there is no more
	ended bool   // the body has nothing behind raw
}

// errNotCompressed: the headers of an answer announce another body.
var errNotCompressed = errors.New("Content-Encoding is gzip, but the body is not compressed")

// peek reads the beginning of the body, all that is needed of a page, and puts
// it back.
func peek(r *http.Response) beginning {
	body := r.Body
	buf := make([]byte, 4096)
	n, err := io.ReadAtLeast(body, buf, 64)
	b := beginning{raw: buf[:n]}
	if b.text, b.fault = decompressed(r, b.raw); bytes.HasPrefix(bytes.TrimLeft(b.text, " \t\r\n"), []byte("<")) && err == nil {
		var more []byte
		more, err = io.ReadAll(io.LimitReader(body, answers.Looked))
		b.raw = append(b.raw, more...)
		b.text, b.fault = decompressed(r, b.raw)
	}
	b.ended = errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
	if n == 0 && errors.Is(err, io.ErrUnexpectedEOF) {
		b.fault = err // the headers announce a body
	}
	r.Body = rest{io.MultiReader(bytes.NewReader(b.raw), body), body}
	return b
}

// decompressed is as much of the beginning of a body as can be read. The error says
// why it ends.
func decompressed(r *http.Response, raw []byte) ([]byte, error) {
	switch {
	case !strings.EqualFold(r.Header.Get("Content-Encoding"), "gzip"):
		return raw, nil
	case len(raw) == 0:
		return nil, nil
	case !bytes.HasPrefix(raw, gzipMark[:min(len(raw), len(gzipMark))]):
		return nil, errNotCompressed
	}
	z, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(z, answers.Looked))
}

// gzipMark is how each gzip body begins.
var gzipMark = []byte("\x1f\x8b")

// rest is a body of which the beginning was read before.
type rest struct {
	io.Reader
	io.Closer
}

// dropMark takes the byte order mark off the body, which is decompressed for it.
func dropMark(r *http.Response, head []byte) {
	if len(head) > 0 && head[0] == answers.BOM[0] {
		_, _ = io.CopyN(io.Discard, r.Body, int64(len(answers.BOM)))
		return
	}
	z, err := gzip.NewReader(r.Body)
	if err != nil {
		return
	}
	_, _ = io.CopyN(io.Discard, z, int64(len(answers.BOM)))
	r.Body = rest{z, r.Body}
	r.Header.Del("Content-Encoding")
	r.Header.Del("Content-Length")
}

// errorInside reads an error object that comes with a success, or says that the
// object is none.
func errorInside(r *http.Response) error {
	var reader io.Reader = r.Body
	if strings.EqualFold(r.Header.Get("Content-Encoding"), "gzip") {
		z, err := gzip.NewReader(r.Body)
		if err != nil {
			return nil // the SDK sees the same error
		}
		reader = z
	}
	text, err := io.ReadAll(io.LimitReader(reader, answers.Looked))
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return &cutOff{answers.Head(r)}
	}
	var body struct {
		Error struct {
			Code      string
			Message   string
			At        string `json:"@message"`
			Permanent *bool  `json:"@permanent"`
		}
	}
	if json.Unmarshal(bytes.TrimPrefix(text, answers.BOM), &body) != nil || body.Error.Code+body.Error.Message+body.Error.At == "" {
		return &stranger{answer{status: r.StatusCode, message: answers.Head(r) + ": it is a JSON object that is neither a result nor an error"}}
	}
	return &stranger{answer{
		status: r.StatusCode, code: answers.OneLine(body.Error.Code, 80), permanent: body.Error.Permanent,
		message: answers.Head(r) + " and an error object: " + firstOf(answers.OneLine(firstOf(body.Error.At, body.Error.Message), 500), answers.OneLine(body.Error.Code, 80)),
	}}
}

// sortForeign recognises what answers in the service's place; false for other errors.
func sortForeign(out *tvmexport.Error, to *Endpoint, err error) bool {
	if r, is := answers.AsRedirect(err); is {
		out.Cause, out.Err, out.Hint = tvmexport.Usage, r, answers.RedirectHint+" ("+to.setting+")"
		return true
	}
	var f *stranger
	if !errors.As(err, &f) {
		return false
	}
	sortAnswer(out, to, f.answer)
	out.Err = f
	switch {
	case f.code != "":
	case f.status == http.StatusOK:
		out.Action, out.Cause, out.Hint = tvmexport.Retry, tvmexport.Usage, proxyHint
		out.Err = fmt.Errorf("%s %s does not answer like a Kusto endpoint: %w", to.setting, to.URI, f)
	case out.Hint != "":
		out.Hint += "; or " + proxyHint
	default:
		out.Hint = proxyHint
	}
	return true
}

// lasting says whether a failure is of an answer for what it is: asked for
// again, it comes again.
func lasting(err error) bool {
	var f *stranger
	return errors.As(err, &f) && f.status == http.StatusOK || errors.Is(err, errFrames)
}

// errFrames: the SDK does not know what the answer is made of.
var errFrames = errors.New("the answer holds what the Kusto SDK does not know")

var (
	frameWords  = regexp.MustCompile(`unexpected frame type|unknown secondary table|received a \w+ frame|Expected (comma|string|\S+, got)|Missing (colon|quote) in frame|is not valid$|Got error:`)
	valueWords  = regexp.MustCompile(`(unable to unmarshal column \S+ into a \S+ value|column with type '[^']{1,60}')`)
	tokenPrefix = "Error while getting token"
)

// sdkWords is what may be said of an error that the SDK made of an answer. Its
// own texts quote values, frames and whole bodies.
func sdkWords(text string) (string, error) {
	switch {
	case strings.Contains(text, tokenPrefix), strings.Contains(text, "exceptions:"), strings.Contains(text, "Got EOF"):
		return text, nil
	case valueWords.MatchString(text):
		return valueWords.FindString(text) + ": a value does not parse", errFrames
	case frameWords.MatchString(text):
		return "", errFrames
	}
	return text, nil
}
