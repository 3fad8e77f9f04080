package hunting

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"mime"
	"net/http"
	"regexp"
	"strings"
	"unicode"
)

// errForeign: something other than the hunting API answered, or its answer was
// altered on the way. The same question gets the same answer.
var errForeign = errors.New("the answer is not one of the hunting API")

const proxyHint = "a proxy, a captive portal or a gateway seems to answer instead of the service: check HTTPS_PROXY, NO_PROXY and defender.endpoint"

// foreign describes a whole answer that cannot be used. Its sentence never
// quotes the body, but for a page's title and the message of an error object.
type foreign struct{ sentence string }

func (f *foreign) Error() string { return f.sentence }

func (f *foreign) Unwrap() error { return errForeign }

// recognise looks at the beginning of a successful answer and says why it is
// not one of the hunting API. It skips a byte order mark.
func (b *body) recognise(r *http.Response) error {
	for len(b.buf)-b.at < 3 && !b.ended {
		if err := b.more(); err != nil {
			return err
		}
	}
	head := b.buf[b.at:]
	switch {
	case bytes.HasPrefix(head, []byte("\xef\xbb\xbf")):
		b.at += 3
	case bytes.HasPrefix(head, []byte("\xff\xfe")), bytes.HasPrefix(head, []byte("\xfe\xff")):
		return foreignAnswer(r, "it is encoded as UTF-16")
	case bytes.HasPrefix(head, []byte("\x1f\x8b")):
		return foreignAnswer(r, "it is compressed more than once")
	}
	c, err := b.peek()
	switch {
	case err != nil:
		return err
	case c == '{':
		return nil
	case c == 0 && b.at == len(b.buf):
		return foreignAnswer(r, "its body is empty")
	case c == '<':
		for len(b.buf) < errorBytes && !b.ended {
			if err := b.more(); err != nil {
				return err
			}
		}
		return foreignAnswer(r, page(b.buf[b.at:]))
	}
	return foreignAnswer(r, "its body is not a JSON object")
}

func foreignAnswer(r *http.Response, what string) error {
	return &foreign{fmt.Sprintf("HTTP %d with %s: %s", r.StatusCode, contentType(r), what)}
}

var (
	title    = regexp.MustCompile(`(?is)<title[^>]*>\s*([^<]*)`)
	mimeType = regexp.MustCompile(`^[a-z0-9.+-]+/[a-z0-9.+-]+$`)
)

// page describes an HTML page or an XML document by its title.
func page(text []byte) string {
	kind := "an XML document"
	if lower := bytes.ToLower(text[:min(len(text), 1024)]); bytes.Contains(lower, []byte("<html")) || bytes.Contains(lower, []byte("<!doctype")) {
		kind = "an HTML page"
	}
	m := title.FindSubmatch(text)
	if m == nil {
		return "it is " + kind
	}
	if t := oneLine(html.UnescapeString(string(m[1])), 120); t != "" {
		return fmt.Sprintf("it is %s titled %q", kind, t)
	}
	return "it is " + kind
}

// contentType is the answer's, without parameters.
func contentType(r *http.Response) string {
	t, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if !mimeType.MatchString(t) {
		return "no Content-Type"
	}
	return "Content-Type " + t
}

// oneLine is text without line breaks and control characters, and no longer
// than most bytes.
func oneLine(text string, most int) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, ""))
	text = strings.Join(strings.Fields(text), " ")
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "..."
	}
	return text
}

// said is the error body of any of the fronts.
type said struct {
	Error struct {
		Code       string
		Message    string
		Target     string
		InnerError map[string]any `json:"innerError"`
	}
	Results json.RawMessage
}

var (
	codeForm = regexp.MustCompile(`^[A-Za-z0-9_.:-]{1,80}$`)
	idForm   = regexp.MustCompile(`^[A-Za-z0-9-]{1,64}$`)
)

// readSaid reads an error object. It is empty for a text that is none, and for
// one that holds rows: then its words may be theirs.
func readSaid(text []byte) said {
	var body said
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
	if json.Unmarshal(text, &body) != nil || len(body.Results) > 0 {
		return said{}
	}
	e := &body.Error
	e.Message = oneLine(e.Message, 600)
	if !codeForm.MatchString(e.Code) {
		e.Code = ""
	}
	if !idForm.MatchString(e.Target) {
		e.Target = ""
	}
	return body
}

// request is the id of the call that an error object names.
func (s said) request() string {
	if inner, ok := s.Error.InnerError["request-id"].(string); ok && idForm.MatchString(inner) {
		return inner
	}
	return s.Error.Target
}

// words are the code and message of an error object, "" for none.
func (s said) words() string {
	switch e := s.Error; {
	case e.Code == "" || e.Message == "":
		return e.Code + e.Message
	default:
		return e.Code + ": " + e.Message
	}
}

// errorInside is about a success that holds an error object instead of rows.
type errorInside struct{ said said }

func (e *errorInside) Error() string {
	return "HTTP 200 with an error object: " + firstOf(e.said.words(), "without code and message")
}

func (e *errorInside) Unwrap() error { return errForeign }

func firstOf(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}
