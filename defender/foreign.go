package defender

import (
	"cmp"
	"errors"
	"net/http"
	"slices"

	"github.com/tvmexport/tvmexport/internal/answers"
)

// errForeign: something other than the service answered, or its answer was
// altered on the way. The same question gets the same answer.
var errForeign = errors.New("the answer is not from the service")

func (f failure) proxyHint() string {
	return "a proxy, a captive portal or a gateway seems to answer instead of the service: check HTTPS_PROXY, NO_PROXY and " + f.section + ".endpoint"
}

// Foreign is the error of Call.Read for a whole answer that is not the service's. The
// sentence says what it is, and quotes nothing that may be a row.
func Foreign(sentence string) error { return &foreign{sentence} }

// foreign describes a whole answer that cannot be used. Of the body it quotes only
// a page's title or the message of an error object.
type foreign struct{ sentence string }

func (f *foreign) Error() string { return f.sentence }

func (f *foreign) Unwrap() error { return errForeign }

func foreignAnswer(r *http.Response, what string) error {
	return &foreign{answers.Head(r) + ": " + what}
}

// ErrorInside is the error of Call.Read for a success that holds an error object
// instead of rows. text is the value of its member "error".
func ErrorInside(text []byte) error {
	return &errorInside{readSaid(slices.Concat([]byte(`{"error":`), text, []byte("}")))}
}

// errorInside is about a success that holds an error object instead of rows.
type errorInside struct{ said said }

func (e *errorInside) Error() string {
	return "HTTP 200 with an error object: " + cmp.Or(e.said.words(), "without code and message")
}

func (e *errorInside) Unwrap() error { return errForeign }
