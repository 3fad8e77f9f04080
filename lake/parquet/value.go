package parquet

import (
	"math"
	"time"

	lib "github.com/parquet-go/parquet-go"

	"github.com/tvmexport/tvmexport"
)

// Value is one value of a row. The zero Value is null. The bytes of a text are
// not copied.
type Value struct {
	set  bool
	bits uint64
	text []byte
}

// Bool is the value of a bool column.
func Bool(b bool) Value {
	if b {
		return Value{set: true, bits: 1}
	}
	return Value{set: true}
}

// Int is the value of an int or a long column.
func Int(n int64) Value { return Value{set: true, bits: uint64(n)} }

// Real is the value of a real column.
func Real(f float64) Value { return Value{set: true, bits: math.Float64bits(f)} }

// Time is the value of a datetime column, rounded down to microseconds.
func Time(t time.Time) Value { return Int(t.UnixMicro()) }

// Text is the value of a column of another type.
func Text(b []byte) Value { return Value{set: true, text: b} }

// IsNull says whether the value is null.
func (v Value) IsNull() bool { return !v.set }

// Bool is the value of a bool column.
func (v Value) Bool() bool { return v.bits != 0 }

// Int is the value of an int or a long column.
func (v Value) Int() int64 { return int64(v.bits) }

// Real is the value of a real column.
func (v Value) Real() float64 { return math.Float64frombits(v.bits) }

// Time is the value of a datetime column.
func (v Value) Time() time.Time { return time.UnixMicro(int64(v.bits)).UTC() }

// Text is the value of a column of another type. A value that was read is valid
// until the next row is read.
func (v Value) Text() []byte { return v.text }

// layout is how the values of a column are stored.
type layout int

const (
	textLayout layout = iota
	boolLayout
	intLayout
	longLayout
	realLayout
	timeLayout
)

// layouts are the layouts of the column types.
var layouts = map[string]layout{
	"bool": boolLayout, "int": intLayout, "long": longLayout, "real": realLayout, "datetime": timeLayout,
	"string": textLayout, "guid": textLayout, "dynamic": textLayout, "decimal": textLayout, "timespan": textLayout,
}

// node is the column in the schema of a file.
func node(l layout) lib.Node {
	var n lib.Node
	switch l {
	case boolLayout:
		return lib.Optional(lib.Leaf(lib.BooleanType))
	case intLayout:
		n = lib.Leaf(lib.Int32Type)
	case longLayout:
		n = lib.Leaf(lib.Int64Type)
	case realLayout:
		n = lib.Leaf(lib.DoubleType)
	case timeLayout:
		n = lib.Timestamp(lib.Microsecond)
	case textLayout:
		n = lib.String()
	}
	return lib.Optional(lib.Encoded(n, &lib.RLEDictionary))
}

// stored is the value as the library has it.
func (v Value) stored(l layout, column int) lib.Value {
	var s lib.Value
	switch {
	case !v.set:
		return s.Level(0, 0, column)
	case l == boolLayout:
		s = lib.BooleanValue(v.bits != 0)
	case l == intLayout:
		s = lib.Int32Value(int32(v.bits))
	case l == longLayout, l == timeLayout:
		s = lib.Int64Value(int64(v.bits))
	case l == realLayout:
		s = lib.DoubleValue(math.Float64frombits(v.bits))
	default:
		s = lib.ByteArrayValue(v.text)
	}
	return s.Level(0, 1, column)
}

// read is the value of a stored one.
func read(s lib.Value, l layout) Value {
	if s.IsNull() {
		return Value{}
	}
	switch l {
	case boolLayout:
		return Bool(s.Boolean())
	case intLayout:
		return Int(int64(s.Int32()))
	case longLayout, timeLayout:
		return Int(s.Int64())
	case realLayout:
		return Real(s.Double())
	default:
		return Text(s.ByteArray())
	}
}

// schema is the schema of a file with these columns, in their order.
func schema(columns []tvmexport.Column) *lib.Schema {
	g := lib.Group{}
	for _, c := range columns {
		g[c.Name] = node(layouts[c.Type])
	}
	return lib.NewSchema("schema", ordered{g, columns})
}

// ordered is a group whose fields have the order of the columns; those of
// lib.Group are sorted by name.
type ordered struct {
	lib.Group
	columns []tvmexport.Column
}

// Fields are the columns.
func (o ordered) Fields() []lib.Field {
	by := map[string]lib.Field{}
	for _, f := range o.Group.Fields() {
		by[f.Name()] = f
	}
	fields := make([]lib.Field, len(o.columns))
	for i, c := range o.columns {
		fields[i] = by[c.Name]
	}
	return fields
}
