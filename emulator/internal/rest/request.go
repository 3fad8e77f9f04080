package rest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/tvmexport/tvmexport/emulator/internal/engine"
	"github.com/tvmexport/tvmexport/emulator/internal/engine/command"
)

// request is what a client asks for.
type request struct {
	database   string
	csl        string
	options    map[string]any
	parameters map[string]string
}

// readRequest reads the body of a POST, or the URL of a GET.
func readRequest(w http.ResponseWriter, r *http.Request) (request, error) {
	var q request
	if r.Method == http.MethodGet {
		v := r.URL.Query()
		q.database, q.csl = v.Get("db"), v.Get("csl")
		return q.withProperties([]byte(v.Get("properties")))
	}
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		if _, large := errors.AsType[*http.MaxBytesError](err); large {
			return q, requestError(http.StatusRequestEntityTooLarge, "The body is larger than %d bytes", maxBody)
		}
		return q, requestError(http.StatusBadRequest, "The body could not be read: %v", err)
	}
	var document struct {
		DB         *string         `json:"db"`
		CSL        *string         `json:"csl"`
		Properties json.RawMessage `json:"properties"`
	}
	if err := json.Unmarshal(data, &document); err != nil {
		return q, requestError(http.StatusBadRequest, "The body is not the JSON object {\"db\", \"csl\", \"properties\"}: %v", err)
	}
	if document.CSL == nil {
		return q, requestError(http.StatusBadRequest, "The body has no csl")
	}
	q.csl = *document.CSL
	if document.DB != nil {
		q.database = *document.DB
	}
	return q.withProperties(document.Properties)
}

// withProperties adds the request properties: an object, or a string that holds
// one, which is what most clients send. See
// https://learn.microsoft.com/kusto/api/rest/request-properties.
func (q request) withProperties(text []byte) (request, error) {
	text = bytes.TrimSpace(text)
	if len(text) > 0 && text[0] == '"' {
		var inner string
		if err := json.Unmarshal(text, &inner); err != nil {
			return q, requestError(http.StatusBadRequest, "The properties are not valid JSON: %v", err)
		}
		text = bytes.TrimSpace([]byte(inner))
	}
	if len(text) == 0 {
		return q, nil
	}
	var p struct {
		Options    map[string]any
		Parameters map[string]json.RawMessage
	}
	if err := json.Unmarshal(text, &p); err != nil {
		return q, requestError(http.StatusBadRequest, "The properties are not the JSON object {\"Options\", \"Parameters\"}: %v", err)
	}
	q.options = p.Options
	for name, raw := range p.Parameters {
		if q.parameters == nil {
			q.parameters = map[string]string{}
		}
		var value string
		if json.Unmarshal(raw, &value) != nil {
			value = string(raw)
		}
		q.parameters[name] = value
	}
	return q, nil
}

// option is a request property as text in lower case: "true", "end_of_table".
func (q request) option(name string) string {
	v, ok := q.options[name]
	if !ok {
		return ""
	}
	return strings.ToLower(fmt.Sprint(v))
}

// isCommand says whether text is a management command rather than a query.
func isCommand(text string) bool { return command.IsCommand(text) }

// requestError refuses a request that is not as documented.
func requestError(status int, format string, args ...any) *engine.Error {
	return &engine.Error{
		Code: engine.CodeBadRequest, Status: status, Permanent: true,
		Type:    "Kusto.Data.Exceptions.KustoBadRequestException",
		Summary: "Request is invalid and cannot be executed.",
		Message: "Request is invalid and cannot be processed: " + fmt.Sprintf(format, args...),
	}
}
