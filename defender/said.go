package defender

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"

	"github.com/tvmexport/tvmexport/internal/answers"
)

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

// errorBytes is how much of an error's body is read.
const errorBytes = 64 << 10

// describe reads an error's body and makes one sentence of it: the status, the
// service's own words where they come in an error object, its request id. Of any
// other body it gives what it is, and of a page the title.
func describe(r *http.Response) (body said, text []byte, reason error) {
	if plain, err := decompressed(r); err == nil {
		text, _ = io.ReadAll(io.LimitReader(plain, errorBytes))
	}
	body = readSaid(text)
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
	if id := cmp.Or(requestID(r), body.request()); id != "" {
		sentence += " [request " + id + "]"
	}
	return body, text, errors.New(sentence)
}
