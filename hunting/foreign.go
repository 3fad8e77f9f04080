package hunting

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"regexp"

	"github.com/tvmexport/tvmexport/internal/answers"
)

// errForeign: something other than the hunting API answered, or its answer was
// altered on the way. The same question gets the same answer.
var errForeign = errors.New("the answer is not from the hunting API")

const proxyHint = "a proxy, a captive portal or a gateway seems to answer instead of the service: check HTTPS_PROXY, NO_PROXY and defender.endpoint"

// foreign describes a whole answer that cannot be used. Of the body it quotes only
// a page's title or the message of an error object.
type foreign struct{ sentence string }

func (f *foreign) Error() string { return f.sentence }

func (f *foreign) Unwrap() error { return errForeign }

// recognise looks at the beginning of a successful answer and says why it is
// not one of the hunting API. It skips a byte order mark.
func (b *body) recognise(r *http.Response) error {
	text, err := b.Ahead(len(answers.BOM), func(text []byte) bool {
		return len(text) >= answers.Looked || answers.Foreign(text) == ""
	})
	if err != nil {
		return err
	}
	if w := answers.Foreign(text); w != "" {
		return foreignAnswer(r, w)
	}
	if bytes.HasPrefix(text, answers.BOM) {
		b.Skip(len(answers.BOM))
	}
	return nil
}

func foreignAnswer(r *http.Response, what string) error {
	return &foreign{answers.Head(r) + ": " + what}
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
	text = bytes.TrimPrefix(text, answers.BOM)
	if json.Unmarshal(text, &body) != nil || len(body.Results) > 0 {
		return said{}
	}
	e := &body.Error
	e.Message = answers.OneLine(e.Message, 600)
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
