package delta

import (
	"encoding/json"
	"fmt"

	"github.com/tvmexport/tvmexport"
)

// field is a column in Delta's schema.
type field struct {
	Name     string                     `json:"name"`
	Type     json.RawMessage            `json:"type"`
	Nullable bool                       `json:"nullable"`
	Metadata map[string]json.RawMessage `json:"metadata"`
}

type structType struct {
	Type   string  `json:"type"`
	Fields []field `json:"fields"`
}

// primitive is the Delta type of each column type. Decimals, time spans and
// dynamic values are text: Delta has no type that holds all of their values.
var primitive = map[string]string{
	"bool": "boolean", "int": "integer", "long": "long", "real": "double", "datetime": "timestamp",
	"string": "string", "guid": "string", "dynamic": "string", "decimal": "string", "timespan": "string",
}

// kindKey is the metadata of a field in which the column type is kept.
const kindKey = "tvmexport.type"

// SchemaOf is the schema of columns, for Metadata.
func SchemaOf(columns []tvmexport.Column) (string, error) {
	s := structType{Type: "struct", Fields: []field{}}
	seen := map[string]bool{}
	for _, c := range columns {
		t := primitive[c.Type]
		if t == "" {
			return "", fmt.Errorf("the column %s has the type %q, which is no column type", c.Name, c.Type)
		}
		if c.Name == "" || seen[fold(c.Name)] {
			return "", fmt.Errorf("the column name %q is empty, or occurs twice; Delta ignores case", c.Name)
		}
		seen[fold(c.Name)] = true
		s.Fields = append(s.Fields, field{
			Name: c.Name, Type: quoted(t), Nullable: true,
			Metadata: map[string]json.RawMessage{kindKey: quoted(c.Type)},
		})
	}
	text, err := json.Marshal(s)
	return string(text), err
}

func quoted(s string) json.RawMessage {
	text, _ := json.Marshal(s) // a string cannot fail
	return text
}

// kindOf is the column type of the Delta types that have one.
var kindOf = map[string]string{
	"boolean": "bool", "byte": "int", "short": "int", "integer": "int", "long": "long", "float": "real", "double": "real",
	"timestamp": "datetime", "string": "string",
}

// Columns are the columns of a schema. A column of a type that columns cannot
// have, such as a struct, has the type "".
func (m *Metadata) Columns() ([]tvmexport.Column, error) {
	s, err := m.parse()
	if err != nil {
		return nil, err
	}
	columns := make([]tvmexport.Column, len(s.Fields))
	for i, f := range s.Fields {
		var t, kept string
		_ = json.Unmarshal(f.Type, &t) // a struct has no name, and no column type
		_ = json.Unmarshal(f.Metadata[kindKey], &kept)
		columns[i] = tvmexport.Column{Name: f.Name, Type: kindOf[t]}
		if t != "" && primitive[kept] == t {
			columns[i].Type = kept
		}
	}
	return columns, nil
}

func (m *Metadata) parse() (structType, error) {
	var s structType
	if err := json.Unmarshal([]byte(m.Schema), &s); err != nil {
		return s, fmt.Errorf("the schema of the table cannot be read: %w", err)
	}
	return s, nil
}
