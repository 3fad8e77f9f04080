package scalar

import (
	"encoding/csv"
	"net/url"
	"strings"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// parsers split structured text into its parts.
var parsers = []Function{
	fn("parse_url", value.Dynamic, params{isString}, func(a []value.Value) value.Value { return parseURL(a[0].Text()) }),
	fn("parseurl", value.Dynamic, params{isString}, func(a []value.Value) value.Value { return parseURL(a[0].Text()) }),
	fn("parse_urlquery", value.Dynamic, params{isString}, func(a []value.Value) value.Value {
		query := strings.TrimPrefix(a[0].Text(), "?")
		return value.NewBag([]value.Property{{Name: "Query Parameters", Value: queryBag(query)}})
	}),
	fn("parse_path", value.Dynamic, params{isString}, func(a []value.Value) value.Value { return parsePath(a[0].Text()) }),
	fn("parse_csv", value.Dynamic, params{isString}, func(a []value.Value) value.Value {
		r := csv.NewReader(strings.NewReader(a[0].Text()))
		r.LazyQuotes, r.FieldsPerRecord = true, -1
		record, err := r.Read()
		if err != nil {
			return textArray([]string{""})
		}
		return textArray(record)
	}),
	fn("parse_version", value.Decimal, params{isString}, func(a []value.Value) value.Value { return parseVersion(a[0].Text()) }),
}

func bagOfTexts(pairs ...string) value.Value {
	slots := make([]value.Property, 0, len(pairs)/2)
	for i := 0; i+1 < len(pairs); i += 2 {
		slots = append(slots, value.Property{Name: pairs[i], Value: value.NewString(pairs[i+1])})
	}
	return value.NewBag(slots)
}

// parseURL splits an absolute URL as
// https://learn.microsoft.com/kusto/query/parse-url-function shows it.
func parseURL(text string) value.Value {
	scheme, rest, ok := strings.Cut(text, "://")
	if !ok {
		scheme, rest = "", text
	}
	rest, fragment, _ := strings.Cut(rest, "#")
	rest, query, _ := strings.Cut(rest, "?")
	authority, path, slash := strings.Cut(rest, "/")
	if slash {
		path = "/" + path
	}
	user, password := "", ""
	if i := strings.LastIndexByte(authority, '@'); i >= 0 {
		user, password, _ = strings.Cut(authority[:i], ":")
		authority = authority[i+1:]
	}
	host, port := authority, ""
	if i := strings.LastIndexByte(authority, ':'); i >= 0 && !strings.HasSuffix(authority, "]") {
		host, port = authority[:i], authority[i+1:]
	}
	slots, _ := bagOfTexts("Scheme", scheme, "Host", host, "Port", port, "Path", path, "Username", user, "Password", password).Bag()
	slots = append(slots, value.Property{Name: "Query Parameters", Value: queryBag(query)},
		value.Property{Name: "Fragment", Value: value.NewString(fragment)})
	return value.NewBag(slots)
}

// queryBag is a URL's query as a bag, in the order of the text.
func queryBag(query string) value.Value {
	var pairs []string
	for pair := range strings.SplitSeq(query, "&") {
		if pair == "" {
			continue
		}
		name, text, _ := strings.Cut(pair, "=")
		for _, s := range []string{name, text} {
			if d, err := url.QueryUnescape(s); err == nil {
				s = d
			}
			pairs = append(pairs, s)
		}
	}
	return bagOfTexts(pairs...)
}

// parsePath splits a file path as
// https://learn.microsoft.com/kusto/query/parse-path-function shows it.
func parsePath(text string) value.Value {
	scheme, rest, ok := strings.Cut(text, "://")
	if !ok {
		scheme, rest = "", text
	}
	isSlash := func(r rune) bool { return r == '/' || r == '\\' }
	directory, file := "", rest
	if i := strings.LastIndexFunc(rest, isSlash); i >= 0 {
		directory, file = rest[:i], rest[i+1:]
	}
	file, stream, _ := strings.Cut(file, ":")
	root := ""
	trimmed := strings.TrimPrefix(rest, `\\?\`)
	if len(trimmed) >= 2 && trimmed[1] == ':' && wordAt(trimmed, 0) {
		root = trimmed[:2]
		if len(trimmed) > 2 && isSlash(rune(trimmed[2])) {
			root = trimmed[:3]
		}
	}
	name := directory
	if i := strings.LastIndexFunc(directory, isSlash); i >= 0 {
		name = directory[i+1:]
	}
	extension := ""
	if i := strings.LastIndexByte(file, '.'); i >= 0 {
		extension = file[i+1:]
	}
	return bagOfTexts("Scheme", scheme, "RootPath", root, "DirectoryPath", directory, "DirectoryName", name,
		"Filename", file, "Extension", extension, "AlternateDataStreamName", stream)
}

// parseVersion reads one to four numbers of up to eight digits into a decimal
// with eight digits for each.
func parseVersion(text string) value.Value {
	parts := strings.Split(text, ".")
	if len(parts) > 4 {
		return value.Null(value.Decimal)
	}
	var digits strings.Builder
	for i := range 4 {
		part := "0"
		if i < len(parts) {
			part = parts[i]
		}
		if part == "" || len(part) > 8 || strings.Trim(part, "0123456789") != "" {
			return value.Null(value.Decimal)
		}
		digits.WriteString(strings.Repeat("0", 8-len(part)) + part)
	}
	trimmed := strings.TrimLeft(digits.String(), "0")
	if trimmed == "" {
		trimmed = "0"
	}
	d, err := value.NewDecimal(trimmed)
	if err != nil {
		return value.Null(value.Decimal)
	}
	return d
}
