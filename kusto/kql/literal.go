package kql

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tvmexport/tvmexport"
)

// Literal is s as a string literal of the query language
// (https://learn.microsoft.com/kusto/query/scalar-data-types/string). What is
// not UTF-8 becomes U+FFFD.
func Literal(s string) string {
	quote := byte('"')
	if strings.Contains(s, `"`) && !strings.Contains(s, "'") {
		quote = '\'' // readable where s is JSON
	}
	b := make([]byte, 0, len(s)+2)
	b = append(b, quote)
	for _, r := range s {
		switch {
		case r == rune(quote) || r == '\\':
			b = append(b, '\\', byte(r))
		case r == '\n':
			b = append(b, `\n`...)
		case r == '\r':
			b = append(b, `\r`...)
		case r == '\t':
			b = append(b, `\t`...)
		case r < ' ' || r >= 0x7f && r < 0xa0 || r == 0x2028 || r == 0x2029:
			b = fmt.Appendf(b, `\u%04x`, r)
		default:
			b = utf8.AppendRune(b, r)
		}
	}
	return string(append(b, quote))
}

// Literals is a list of string literals for use between parentheses or brackets.
func Literals[S ~string](list []S) string {
	quoted := make([]string, len(list))
	for i, s := range list {
		quoted[i] = Literal(string(s))
	}
	return strings.Join(quoted, ", ")
}

// Among is the list of an in operator, without its parentheses: the grammar wants
// one expression at least, and no name, run or batch is the empty text.
func Among[S ~string](list []S) string {
	if len(list) == 0 {
		return Literal("")
	}
	return Literals(list)
}

// Ident is the name of an entity or column, quoted if it must be. It serves
// what init prints and what people read; what may come from a configuration
// table has passed CheckIdentifier before.
func Ident(name string) string {
	if tvmexport.CheckIdentifier("name", name) != nil || reserved[name] {
		return "[" + Literal(name) + "]"
	}
	return name
}

// reserved are identifiers that the language uses as words of its own.
var reserved = map[string]bool{
	"and": true, "as": true, "asc": true, "between": true, "bool": true, "boolean": true, "by": true,
	"cluster": true, "contains": true, "count": true, "database": true, "datatable": true, "date": true,
	"datetime": true, "decimal": true, "declare": true, "desc": true, "distinct": true, "double": true,
	"dynamic": true, "endswith": true, "evaluate": true, "extend": true, "externaldata": true, "facet": true,
	"false": true, "filter": true, "find": true, "fork": true, "getschema": true, "guid": true, "has": true,
	"in": true, "int": true, "invoke": true, "join": true, "kind": true, "let": true, "like": true, "limit": true,
	"long": true, "lookup": true, "materialize": true, "not": true, "null": true, "of": true, "on": true, "or": true,
	"order": true, "parse": true, "partition": true, "pattern": true, "print": true, "project": true,
	"range": true, "real": true, "reduce": true, "render": true, "restrict": true, "sample": true, "scan": true,
	"search": true, "serialize": true, "set": true, "sort": true, "startswith": true, "step": true,
	"string": true, "summarize": true, "take": true, "time": true, "timespan": true, "to": true, "top": true,
	"toscalar": true, "true": true, "typeof": true, "union": true, "uniqueid": true, "view": true,
	"where": true, "with": true,
}

// Entity is the name of a database, table or function in its quoted form;
// any text is safe.
func Entity(name string) string {
	return "['" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(name) + "']"
}

// Datetime is t as a literal of the language: UTC, 100 ns ticks. The zero time is null.
func Datetime(t time.Time) string {
	if t.IsZero() {
		return "datetime(null)"
	}
	return "datetime(" + t.UTC().Format("2006-01-02T15:04:05.0000000Z") + ")"
}

// Timespan is d as a literal of the language, in ticks of 100 ns.
func Timespan(d time.Duration) string {
	sign := ""
	if d < 0 {
		sign, d = "-", -d
	}
	days := d / (24 * time.Hour)
	d -= days * 24 * time.Hour
	return fmt.Sprintf("timespan(%s%d.%02d:%02d:%02d.%07d)", sign, days,
		d/time.Hour, d/time.Minute%60, d/time.Second%60, d%time.Second/tvmexport.Tick)
}

// Document is v as a dynamic value. It passes the language as the text of
// parse_json, so that nothing in it can be read as anything but JSON.
func Document(v any) (string, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return "", err
	}
	if len(b) >= tvmexport.MaxRecord {
		return "", fmt.Errorf("a document of %d bytes exceeds the limit of 1 MiB for a dynamic value", len(b))
	}
	return "parse_json(" + Literal(string(b)) + ")", nil
}

// Tags is a list of extent tags as the JSON array that commands take, as a literal
// (https://learn.microsoft.com/kusto/management/extent-tags).
func Tags(list ...string) string {
	b, _ := json.Marshal(list) // strings always marshal
	return Literal(string(b))
}
