package formats

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
	"github.com/tvmexport/tvmexport/emulator/internal/newtonsoft"
)

// Mapping says which part of a record fills which column. The zero Mapping
// fills none. See https://learn.microsoft.com/kusto/management/mappings.
type Mapping struct {
	kind    string // json or csv
	columns []columnMapping
}

// columnMapping fills one column in one of four ways: by path (JSON), by
// ordinal (separated text), by a constant, or by a transformation that needs
// neither.
type columnMapping struct {
	column    string
	kind      value.Kind // of a column that is not there yet; 0 if not given
	path      path
	ordinal   int // -1: none
	constant  *string
	transform transform
}

// ParseMapping reads a mapping of a kind, json or csv in any case, as commands
// and queue messages hold it: an array of objects with the column's name and
// its properties, either in a bag Properties or next to the name. Letter case
// of keys does not matter. The error is an *Error with CodeInvalidMapping.
func ParseMapping(kind, text string) (Mapping, error) {
	m := Mapping{kind: strings.ToLower(kind)}
	if m.kind != "json" && m.kind != "csv" {
		return Mapping{}, failed(CodeInvalidMapping, "mappings of kind %q are not supported: use json or csv", kind)
	}
	text, err := newtonsoft.Standard(text)
	if err != nil {
		return Mapping{}, failed(CodeInvalidMapping, "the mapping is not a JSON array of objects: %v", err)
	}
	var list []map[string]json.RawMessage
	if err := json.Unmarshal([]byte(text), &list); err != nil {
		return Mapping{}, failed(CodeInvalidMapping, "the mapping is not a JSON array of objects: %v", err)
	}
	seen := map[string]bool{}
	for i, item := range list {
		c, err := m.parseColumn(item)
		if err != nil {
			return Mapping{}, failed(CodeInvalidMapping, "element %d of the mapping: %v", i, err)
		}
		if seen[c.column] {
			return Mapping{}, failed(CodeInvalidMapping, "element %d of the mapping: column %q is mapped twice", i, c.column)
		}
		seen[c.column] = true
		m.columns = append(m.columns, c)
	}
	if len(m.columns) == 0 {
		return Mapping{}, failed(CodeInvalidMapping, "the mapping maps no column")
	}
	return m, nil
}

// properties are the parts of one element by lower-case name.
type properties map[string]string

// collect copies values that are not null. Values that are not strings become
// their JSON text.
func (p properties) collect(bag map[string]json.RawMessage) error {
	for key, raw := range bag {
		key = strings.ToLower(key)
		raw = bytes.TrimSpace(raw)
		if string(raw) == "null" {
			continue
		}
		if key == "properties" {
			var inner map[string]json.RawMessage
			if err := json.Unmarshal(raw, &inner); err != nil {
				return failed(CodeInvalidMapping, "Properties is not an object")
			}
			if err := p.collect(inner); err != nil {
				return err
			}
			continue
		}
		text := string(raw)
		if raw[0] == '"' {
			if err := json.Unmarshal(raw, &text); err != nil {
				return err
			}
		}
		p[key] = text
	}
	return nil
}

// first is the first property of names that is there and not empty.
func (p properties) first(names ...string) (string, bool) {
	for _, n := range names {
		if v, ok := p[n]; ok && v != "" {
			return v, true
		}
	}
	return "", false
}

func (m Mapping) parseColumn(item map[string]json.RawMessage) (columnMapping, error) {
	p := properties{}
	if err := p.collect(item); err != nil {
		return columnMapping{}, err
	}
	c := columnMapping{ordinal: -1}
	var ok bool
	if c.column, ok = p.first("column", "columnname", "name"); !ok {
		return c, failed(CodeInvalidMapping, "it names no Column")
	}
	if name, ok := p.first("datatype", "csldatatype", "type"); ok {
		if c.kind, ok = value.ParseKind(name); !ok {
			return c, failed(CodeInvalidMapping, "column %q: %q is not a data type", c.column, name)
		}
	}
	for _, key := range []string{"constvalue", "constantvalue"} {
		if v, ok := p[key]; ok {
			c.constant = &v
		}
	}
	if name, ok := p.first("transform", "transformation"); ok {
		if c.transform, ok = transformOf(name); !ok {
			return c, failed(CodeInvalidMapping, "column %q: the transformation %q is not known", c.column, name)
		}
	}
	var err error
	if m.kind == "json" {
		err = c.parsePath(p)
	} else {
		err = c.parseOrdinal(p)
	}
	return c, err
}

// parsePath reads what a JSON mapping needs. A Path that does not begin with $
// is a constant.
func (c *columnMapping) parsePath(p properties) error {
	text, ok := p.first("path", "field")
	switch {
	case ok && strings.HasPrefix(text, "$"):
		var err error
		if c.path, err = parsePath(text); err != nil {
			return failed(CodeInvalidMapping, "column %q: %v", c.column, err)
		}
	case ok && c.constant == nil:
		c.constant = &text
	}
	if c.path == nil && c.constant == nil && !c.transform.standsAlone() {
		return failed(CodeInvalidMapping, "column %q has neither Path nor ConstValue", c.column)
	}
	return nil
}

// parseOrdinal reads what a CSV mapping needs.
func (c *columnMapping) parseOrdinal(p properties) error {
	text, ok := p.first("ordinal")
	if ok && c.constant == nil {
		n, err := strconv.Atoi(strings.TrimSpace(text))
		if err != nil || n < 0 && n != -1 {
			return failed(CodeInvalidMapping, "column %q: Ordinal %q is not a whole number from 0", c.column, text)
		}
		c.ordinal = n
	}
	if c.transform != none && !c.transform.standsAlone() {
		return failed(CodeInvalidMapping, "column %q: CSV mappings know only the transformations SourceLocation and SourceLineNumber", c.column)
	}
	if c.ordinal < 0 && c.constant == nil && c.transform == none {
		return failed(CodeInvalidMapping, "column %q has neither Ordinal nor ConstValue", c.column)
	}
	return nil
}

// check says whether every mapped column is in the table, or could be added.
func (m Mapping) check(columns []value.Column) error {
	for _, c := range m.columns {
		if c.kind == 0 && indexOf(columns, c.column) < 0 {
			return failed(CodeInconsistentMapping, "the mapping fills column %q, which the table does not have, and gives no data type for it", c.column)
		}
	}
	return nil
}

// Missing are the columns that the mapping fills with a data type and that are
// not among columns. Queued ingestion adds them to the table.
func (m Mapping) Missing(columns []value.Column) []value.Column {
	var missing []value.Column
	for _, c := range m.columns {
		if c.kind != 0 && indexOf(columns, c.column) < 0 {
			missing = append(missing, value.Column{Name: c.column, Kind: c.kind})
		}
	}
	return missing
}

func indexOf(columns []value.Column, name string) int {
	for i, c := range columns {
		if c.Name == name {
			return i
		}
	}
	return -1
}
