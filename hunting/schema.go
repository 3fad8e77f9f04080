package hunting

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/internal/wire"
)

// schema is what is known of the columns of an answer: from the catalogue, then
// from what the answer itself declares.
type schema struct {
	columns  map[string]*column
	first    column // precedes the first column of a row
	declared []tvmexport.Column
	rows     int64 // begun
	choice   tvmexport.ColumnPolicy
}

// wireTypes are the types that the fronts' schemas name, in lower case, as
// Kusto calls them: .NET's, but a bool is an SByte
// (https://learn.microsoft.com/kusto/api/rest/response-http).
var wireTypes = map[string]string{
	"sbyte": "bool", "boolean": "bool", "bool": "bool",
	"datetime": "datetime", "date": "datetime",
	"timespan": "timespan", "time": "timespan",
	"string": "string", "guid": "guid",
	"byte": "int", "int16": "int", "int32": "int", "int": "int",
	"int64": "long", "long": "long",
	"single": "real", "double": "real", "real": "real",
	"sqldecimal": "decimal", "decimal": "decimal",
	"object": "dynamic", "dynamic": "dynamic",
}

// column is a column of an answer, or one of Graph's keys that say the type of
// a column.
type column struct {
	name     string
	quoted   []byte // "name":
	kind     string // Kusto type; "" if unknown
	declared bool   // kind is what the answer says
	asText   bool   // dynamic, asked for as the text of a list of one
	sidecar  bool   // on Graph to be dropped
	internal bool   // added by the query or hidden, not published
	masked   bool   // published as a pseudonym
	mark     bool   // carries the count in one row
	key      int    // index among the key's columns, from 1; 0 if it is none
	row      int64  // the last row that it was met in
	misfits  int64  // values that do not fit its type
	misfitAt int64  // the first row that has one, from 1

	next *column // the column that stood behind it in the last row

	lastValue, lastMask []byte // of a masked column: its last value and the pseudonym
}

// said names the column in messages, where it is one that the catalogue or the
// answer's schema knows. A key that occurs only in a row may be a value that a
// broken answer has moved there.
func (c *column) said() string {
	if c == nil || c.kind == "" {
		return "a column that is not in the schema"
	}
	return "column " + c.name
}

// said is the same for a key of a row.
func (s *schema) said(key []byte) string { return s.columns[string(key)].said() }

// quotedName is the text that a member of the column begins with; nil for no column.
func (c *column) quotedName() []byte {
	if c == nil {
		return nil
	}
	return c.quoted
}

// mostColumns bounds the memory that an answer of nonsense can take. Kusto
// allows a table 10,000 columns.
const mostColumns = 30_000

func newSchema(columns []tvmexport.Column, asText []string) schema {
	s := schema{columns: make(map[string]*column, len(columns)+4)}
	for _, c := range columns {
		s.column(c.Name).kind = c.Type
	}
	for _, name := range asText {
		s.column(name).asText = true
	}
	return s
}

func (s *schema) column(name string) *column {
	c := s.columns[name]
	if c == nil {
		quoted, _ := jsontext.AppendQuote(nil, name) // invalid UTF-8 is replaced
		c = &column{name: name, quoted: append(quoted, ':'), sidecar: bytes.Contains(quoted, wire.Sidecar)}
		s.columns[name] = c
		s.setVisibility(name, c)
	}
	return c
}

// find returns the column of a key of a row.
func (s *schema) find(key []byte) (*column, error) {
	if bytes.IndexByte(key, '\\') >= 0 {
		quoted := slices.Concat([]byte{'"'}, key, []byte{'"'})
		key, _ = jsontext.AppendUnquote(nil, quoted) // valid except for lone surrogates
	}
	if c := s.columns[string(key)]; c != nil {
		return c, nil
	}
	if len(s.columns) > mostColumns {
		return nil, fmt.Errorf("the rows have more than %d different columns", mostColumns)
	}
	name := string(key)
	// Graph's documentation has an example whose rows begin with a small
	// letter where the schema does not.
	for known, c := range s.columns {
		if c.kind != "" && strings.EqualFold(known, name) {
			return c, nil
		}
	}
	return s.column(name), nil
}

func (s *schema) nextRow() { s.rows++ }

// mark notes that the current row has the column.
func (s *schema) mark(c *column) error {
	if c.row == s.rows {
		return fmt.Errorf("a row has %s twice", c.said())
	}
	c.row = s.rows
	return nil
}

// errSchemaLate: rows were read by the catalogue's types, and the schema behind
// them says others.
var errSchemaLate = errors.New("the schema follows the rows and differs from the catalogue")

// declare takes the schema of the answer. What it says of a type counts for
// more than the catalogue.
func (s *schema) declare(text []byte) error {
	var list []struct{ Name, Type string }
	if json.Unmarshal(text, &list, json.MatchCaseInsensitiveNames(true)) != nil { // its reason quotes the text
		return errors.New("the schema of the answer is not a list of names and types")
	}
	s.declared = make([]tvmexport.Column, 0, len(list))
	late := ""
	for _, d := range list {
		c := s.column(d.Name)
		kind, ok := wireTypes[strings.ToLower(d.Type)]
		switch {
		case c.asText, !ok && c.kind == "":
			kind = "dynamic"
		case !ok:
			kind = c.kind
		}
		if c.row > 0 && !c.internal && c.kind != kind {
			late += " " + strconv.Quote(c.name)
		}
		c.kind, c.declared = kind, ok && !c.asText
		if !c.internal {
			s.declared = append(s.declared, tvmexport.Column{Name: d.Name, Type: kind})
		}
	}
	if late != "" {
		return fmt.Errorf("%w:%s", errSchemaLate, late)
	}
	return nil
}
