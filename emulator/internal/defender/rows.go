package defender

import (
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// rowWriter appends one row as a JSON object.
type rowWriter interface {
	appendRow(b []byte, row []value.Value) []byte
}

// appendQuoted appends s as a JSON string.
func appendQuoted(b []byte, s string) []byte { return value.NewString(s).AppendJSON(b) }

// appendTrimmedTime appends a datetime as the services do: UTC with Z, and the
// fraction without zeros at its end.
func appendTrimmedTime(b []byte, ticks int64) []byte {
	b = append(b, '"')
	b = value.AppendDateTime(b, ticks)
	b = b[:len(b)-1] // Z
	for b[len(b)-1] == '0' && b[len(b)-2] != '.' {
		b = b[:len(b)-1]
	}
	if b[len(b)-1] == '0' {
		b = b[:len(b)-2]
	}
	return append(b, 'Z', '"')
}

// legacyRows is the row form of the older APIs: plain JSON, with null.
type legacyRows struct {
	names [][]byte // `"Name":` by column
}

func newLegacyRows(columns []value.Column) *legacyRows {
	w := &legacyRows{}
	for _, c := range columns {
		w.names = append(w.names, append(appendQuoted(nil, c.Name), ':'))
	}
	return w
}

func (w *legacyRows) appendRow(b []byte, row []value.Value) []byte {
	b = append(b, '{')
	for i, name := range w.names {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, name...)
		b = appendLegacy(b, row[i])
	}
	return append(b, '}')
}

func appendLegacy(b []byte, v value.Value) []byte {
	switch {
	case v.IsNull():
		return append(b, "null"...)
	case v.Kind() == value.DateTime:
		return appendTrimmedTime(b, v.Ticks())
	case v.Kind() == value.Bool:
		return append(b, '0'+byte(v.Int64()))
	}
	return v.AppendJSON(b)
}

// graphRows is Graph's row form, an OData open type: it annotates types that JSON
// cannot express, and writes null as an empty object.
type graphRows struct {
	columns []graphColumn
	wire    Wire
}

// graphColumn holds the bytes before a column's value.
type graphColumn struct {
	kind  value.Kind
	name  []byte // `"Name":`
	typed []byte // `"Name@odata.type":"#SByte","Name":`, nil where values of the kind have no annotation
}

func newGraphRows(columns []value.Column, wire Wire) *graphRows {
	w := &graphRows{wire: wire}
	for _, c := range columns {
		g := graphColumn{kind: c.Kind, name: append(appendQuoted(nil, c.Name), ':')}
		switch {
		case c.Kind == value.Bool:
			g.typed = appendAnnotated(nil, c.Name, "#SByte")
		case c.Kind == value.Long && wire.Int64Sidecars:
			g.typed = appendAnnotated(nil, c.Name, "#Int64")
		case c.Kind == value.Dynamic:
			g.typed = appendAnnotated(nil, c.Name, collectionType)
		}
		w.columns = append(w.columns, g)
	}
	return w
}

const (
	collectionType = "#Collection(String)"
	bagType        = `"@odata.type":"#microsoft.graph.security.dynamicColumnValue"`
)

// appendAnnotated appends `"name@odata.type":"type","name":`.
func appendAnnotated(b []byte, name, odataType string) []byte {
	b = appendQuoted(b, name+"@odata.type")
	b = append(b, ':')
	b = appendQuoted(b, odataType)
	b = append(b, ',')
	b = appendQuoted(b, name)
	return append(b, ':')
}

func (w *graphRows) appendRow(b []byte, row []value.Value) []byte {
	b = append(b, '{')
	for i := range w.columns {
		c := &w.columns[i]
		if i > 0 {
			b = append(b, ',')
		}
		v := row[i]
		switch {
		case v.IsNull():
			b = w.appendNull(append(b, c.name...))
		case c.kind == value.Bool:
			b = append(b, c.typed...)
			b = append(b, '0'+byte(v.Int64()))
		case c.kind == value.DateTime:
			b = appendTrimmedTime(append(b, c.name...), v.Ticks())
		case c.kind == value.Dynamic && v.IsArray():
			b = w.appendArray(append(b, c.typed...), v)
		case c.kind == value.Dynamic && v.IsBag():
			b = w.appendBag(append(b, c.name...), v)
		case c.kind != value.Dynamic && c.typed != nil:
			b = v.AppendJSON(append(b, c.typed...))
		default:
			b = v.AppendJSON(append(b, c.name...))
		}
	}
	return append(b, '}')
}

func (w *graphRows) appendNull(b []byte) []byte {
	if w.wire.NullAsNull {
		return append(b, "null"...)
	}
	return append(b, "{}"...)
}

// appendArray appends the elements of an array. An element that is an object or an
// array itself is JSON text in a string.
func (w *graphRows) appendArray(b []byte, v value.Value) []byte {
	elements, _ := v.Array()
	b = append(b, '[')
	for i, e := range elements {
		if i > 0 {
			b = append(b, ',')
		}
		if e.IsArray() || e.IsBag() {
			b = appendQuoted(b, string(e.AppendJSON(nil)))
		} else {
			b = e.AppendJSON(b)
		}
	}
	return append(b, ']')
}

// appendBag appends a bag: annotated at every level, whole numbers in it too, as
// captures of ExposureGraphNodes show.
func (w *graphRows) appendBag(b []byte, v value.Value) []byte {
	slots, _ := v.Bag()
	b = append(b, '{')
	b = append(b, bagType...)
	for _, p := range slots {
		b = append(b, ',')
		scalar, isScalar := p.Value.Scalar()
		switch {
		case p.Value.IsNull():
			b = append(appendQuoted(b, p.Name), ':')
			b = w.appendNull(b)
		case p.Value.IsArray():
			b = w.appendArray(appendAnnotated(b, p.Name, collectionType), p.Value)
		case p.Value.IsBag():
			b = append(appendQuoted(b, p.Name), ':')
			b = w.appendBag(b, p.Value)
		case isScalar && scalar.Kind() == value.Long:
			b = p.Value.AppendJSON(appendAnnotated(b, p.Name, "#Int64"))
		default:
			b = append(appendQuoted(b, p.Name), ':')
			b = p.Value.AppendJSON(b)
		}
	}
	return append(b, '}')
}

// appendSchema appends the schema with the given names of its members.
func appendSchema(b []byte, columns []value.Column, name, kind string) []byte {
	b = append(b, '[')
	for i, c := range columns {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, '{')
		b = append(appendQuoted(b, name), ':')
		b = append(appendQuoted(b, c.Name), ',')
		b = append(appendQuoted(b, kind), ':')
		b = append(appendQuoted(b, c.Kind.DataType()), '}')
	}
	return append(b, ']')
}
