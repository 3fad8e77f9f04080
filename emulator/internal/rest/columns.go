package rest

import (
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// appendRow appends a row as a JSON array. Cells are as SDKs expect them:
// datetimes with seven digits, decimals, guids and timespans as strings, NaN and
// the infinities as strings, dynamics as nested JSON, null as null.
func appendRow(b []byte, row []value.Value) []byte {
	b = append(b, '[')
	for i, v := range row {
		if i > 0 {
			b = append(b, ',')
		}
		if v.IsNull() {
			b = append(b, "null"...)
			continue
		}
		b = v.AppendJSON(b)
	}
	return append(b, ']')
}

// columnV1 describes a column with its .NET type too.
type columnV1 struct {
	ColumnName string
	DataType   string
	ColumnType string
}

type columnV2 struct {
	ColumnName string
	ColumnType string
}

func columnsV1(columns []value.Column) []columnV1 {
	described := make([]columnV1, len(columns))
	for i, c := range columns {
		described[i] = columnV1{c.Name, c.Kind.DataType(), c.Kind.String()}
	}
	return described
}

func columnsV2(columns []value.Column) []columnV2 {
	described := make([]columnV2, len(columns))
	for i, c := range columns {
		described[i] = columnV2{c.Name, c.Kind.String()}
	}
	return described
}

func text(s string) value.Value   { return value.NewString(s) }
func number(n int32) value.Value  { return value.NewInt(n) }
func moment(s string) value.Value { return parsed(value.ParseDateTime(s)) }

func guid(s string) value.Value {
	v, err := value.NewGUID(s)
	if err != nil {
		return value.Null(value.GUID)
	}
	return v
}

func parsed(v value.Value, ok bool) value.Value {
	if !ok {
		return value.Null(value.DateTime)
	}
	return v
}
