package engine

import (
	"slices"
	"strings"
	"time"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// refusedOptions are the request properties, and set statements, that change what a
// request answers or does and that are not evaluated here. Others, such as hints for the
// plan and names for the log, change no answer. See
// https://learn.microsoft.com/kusto/api/rest/request-properties.
var refusedOptions = []string{
	"query_datetimescope_from", "query_datetimescope_to", "query_datetimescope_column",
	"query_cursor_after_default", "query_cursor_before_or_at_default", "query_cursor_current", "query_cursor_scoped_table",
	"request_block_row_level_security",
}

// optionsOf are the properties of a call, by lower-case name; set statements come before
// those of the request.
func optionsOf(c Call) map[string]any {
	all := map[string]any{}
	for name, v := range c.Options {
		all[strings.ToLower(name)] = v
	}
	for name, v := range setStatements(c.Text) {
		all[name] = v
	}
	return all
}

// isSet says whether an option has a value that is not the one by default.
func isSet(v any) bool {
	switch v := v.(type) {
	case nil:
		return false
	case bool:
		return v
	case string:
		return v != "" && !equalFold(v, "false") && !equalFold(v, "null")
	}
	return true
}

// checkOptions refuses by name the options that would change the answer.
func checkOptions(c Call) error {
	all := optionsOf(c)
	for _, name := range refusedOptions {
		if isSet(all[name]) {
			return badRequest("The request property '%s' is not supported by this emulator.", name)
		}
	}
	if language, ok := all["query_language"].(string); ok && !slices.Contains([]string{"", "csl", "kql"}, strings.ToLower(language)) {
		return badRequest("The query language '%s' is not supported by this emulator: query_language is csl or kql.", language)
	}
	return nil
}

// nowOf is the time that the property query_now of the request gives, else otherwise. A
// set statement is read with the query.
func nowOf(c Call, otherwise time.Time) (time.Time, error) {
	v, ok := c.Options["query_now"]
	if !ok || v == nil {
		return otherwise, nil
	}
	text, ok := v.(string)
	if !ok {
		return otherwise, badRequest("The request property 'query_now' is no date and time.")
	}
	text = strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(text), "datetime("), ")")
	at, ok := value.ParseDateTime(text)
	if !ok {
		return otherwise, badRequest("The request property 'query_now' is no date and time: '%s'", excerpt(text))
	}
	return at.Time(), nil
}
