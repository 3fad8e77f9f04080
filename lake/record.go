package lake

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/internal/fingerprint"
	"github.com/tvmexport/tvmexport/internal/wire"
	"github.com/tvmexport/tvmexport/lake/parquet"
)

// encoder makes values of records. It is for one goroutine.
type encoder struct {
	layout
	rest   int
	values []parquet.Value
	buffer []byte // of the rest
}

func newEncoder(l layout) *encoder {
	return &encoder{layout: l, rest: l.index(RestColumn), values: make([]parquet.Value, len(l.columns))}
}

// row is the values of a record, apart from the lineage. They are valid until the next row.
func (e *encoder) row(record []byte) ([]parquet.Value, error) {
	clear(e.values)
	e.buffer = e.buffer[:0]
	m := wire.MembersOf(record)
	if len(record) == 0 || record[0] != '{' {
		return nil, errRecord
	}
	for {
		if _, ok := m.Next(nil); !ok {
			break
		}
		name := string(m.Key)
		if bytes.IndexByte(m.Key, '\\') >= 0 {
			if err := json.Unmarshal(record[m.Start:m.Start+len(m.Key)+2], &name); err != nil {
				return nil, errRecord
			}
		}
		at, ok := e.at[name]
		if ok {
			var exact bool
			if e.values[at], exact = value(e.types[name], m.Value); exact {
				continue
			}
		} else if string(m.Value) == "null" {
			continue
		}
		if len(e.buffer) == 0 {
			e.buffer = append(e.buffer, '{')
		} else {
			e.buffer = append(e.buffer, ',')
		}
		e.buffer = append(e.buffer, '"')
		e.buffer = append(e.buffer, m.Key...)
		e.buffer = append(e.buffer, `":`...)
		e.buffer = append(e.buffer, m.Value...)
	}
	if m.Fault != 0 {
		return nil, errRecord
	}
	if len(e.buffer) > 0 {
		e.buffer = append(e.buffer, '}')
		e.values[e.rest] = parquet.Text(e.buffer)
	}
	return e.values, nil
}

var errRecord = fmt.Errorf("a landed line has no JSON object as its record")

// value is the value of a column, and whether the JSON text can be made of it again, up to its form.
func value(kind string, v []byte) (_ parquet.Value, exact bool) {
	if string(v) == "null" {
		return parquet.Value{}, true
	}
	text := []byte(nil)
	if v[0] == '"' {
		text = v[1 : len(v)-1]
		if bytes.IndexByte(text, '\\') >= 0 {
			var s string
			if json.Unmarshal(v, &s) != nil {
				return parquet.Value{}, false
			}
			text = []byte(s)
		}
	}
	switch kind {
	case "dynamic":
		return parquet.Text(v), true
	case "string", "guid", "timespan":
		if text == nil {
			return parquet.Value{}, false
		}
		return parquet.Text(text), true
	case "decimal":
		if text == nil && (v[0] == '-' || v[0] >= '0' && v[0] <= '9') {
			text = v
		}
		if text == nil {
			return parquet.Value{}, false
		}
		return parquet.Text(text), true
	case "bool":
		if v[0] != 't' && v[0] != 'f' {
			return parquet.Value{}, false
		}
		return parquet.Bool(v[0] == 't'), true
	case "int", "long":
		bits := 64
		if kind == "int" {
			bits = 32
		}
		n, err := strconv.ParseInt(string(v), 10, bits)
		if err != nil {
			return parquet.Value{}, false
		}
		return parquet.Int(n), strconv.FormatInt(n, 10) == string(v)
	case "real":
		switch string(text) {
		case "NaN", "Infinity", "-Infinity":
			n, err := strconv.ParseFloat(string(text), 64)
			return parquet.Real(n), err == nil
		}
		n, err := strconv.ParseFloat(string(v), 64)
		if err != nil {
			return parquet.Value{}, false
		}
		return parquet.Real(n), true
	case "datetime":
		if text == nil {
			return parquet.Value{}, false
		}
		t, ok := fingerprint.Moment(text)
		if !ok {
			return parquet.Value{}, false
		}
		return parquet.Time(t), t.Nanosecond()%1000 == 0
	}
	return parquet.Value{}, false
}

// appendValue appends a value as JSON.
func appendValue(b []byte, kind string, v parquet.Value) []byte {
	if v.IsNull() {
		return append(b, "null"...)
	}
	switch kind {
	case "dynamic":
		return append(b, v.Text()...)
	case "bool":
		return strconv.AppendBool(b, v.Bool())
	case "int", "long":
		return strconv.AppendInt(b, v.Int(), 10)
	case "real":
		switch n := v.Real(); {
		case math.IsNaN(n):
			return append(b, `"NaN"`...)
		case math.IsInf(n, 0):
			return strconv.AppendQuote(b, map[bool]string{true: "Infinity", false: "-Infinity"}[n > 0])
		default:
			text, err := json.Marshal(n)
			if err != nil {
				return append(b, "null"...)
			}
			return append(b, text...)
		}
	case "datetime":
		return v.Time().AppendFormat(b, `"2006-01-02T15:04:05.0000000Z"`)
	}
	return wire.Quote(b, v.Text())
}

// decoder makes records of rows. It is for one goroutine.
type decoder struct {
	layout layout
	source []tvmexport.Column // that the record has
	at     []int              // of each in a row; -1: the table does not have it
	rest   int
	buffer []byte
}

// newDecoder is for rows of the layout, of which the record shall have these columns of the source.
func newDecoder(l layout, source []tvmexport.Column) *decoder {
	d := &decoder{layout: l, source: source, rest: l.index(RestColumn)}
	for _, c := range source {
		at, ok := l.at[c.Name]
		if !ok {
			at = -1
		}
		d.at = append(d.at, at)
	}
	return d
}

// record is the JSON object of a row. It is valid until the next one.
func (d *decoder) record(row []parquet.Value) ([]byte, error) {
	rest := map[string]json.RawMessage(nil)
	if d.rest >= 0 && !row[d.rest].IsNull() {
		if err := json.Unmarshal(row[d.rest].Text(), &rest); err != nil {
			return nil, fmt.Errorf("the column %s is no JSON object", RestColumn)
		}
	}
	d.buffer = append(d.buffer[:0], '{')
	for i, c := range d.source {
		if i > 0 {
			d.buffer = append(d.buffer, ',')
		}
		d.buffer = append(wire.Quote(d.buffer, []byte(c.Name)), ':')
		if v, ok := rest[c.Name]; ok {
			d.buffer = append(d.buffer, v...)
			continue
		}
		v := parquet.Value{}
		if d.at[i] >= 0 {
			v = row[d.at[i]]
		}
		d.buffer = appendValue(d.buffer, c.Type, v)
	}
	d.buffer = append(d.buffer, '}')
	return d.buffer, nil
}

// moment is the time in a column of a row, to the tick.
func (d *decoder) moment(column string, row []parquet.Value) (time.Time, bool) {
	for i, c := range d.source {
		if c.Name != column {
			continue
		}
		if d.rest >= 0 && !row[d.rest].IsNull() {
			var rest map[string]json.RawMessage
			if json.Unmarshal(row[d.rest].Text(), &rest) == nil {
				if t, ok := fingerprint.JSONMoment(rest[column]); ok && !t.IsZero() && len(rest[column]) > 0 {
					return t, true
				}
			}
		}
		if d.at[i] < 0 || row[d.at[i]].IsNull() {
			return time.Time{}, false
		}
		return row[d.at[i]].Time(), true
	}
	return time.Time{}, false
}
