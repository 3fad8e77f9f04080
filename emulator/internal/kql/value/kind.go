package value

import "strings"

// Kind is a Kusto scalar type.
type Kind uint8

// The kinds, by their canonical Kusto names.
const (
	Bool Kind = iota + 1
	Int
	Long
	Real
	Decimal
	DateTime
	TimeSpan
	String
	GUID
	Dynamic
)

// kindNames are, per kind, the name that Kusto prints, the name of the .NET
// type that carries it, and the type as the v1 protocol's DataType column has
// it (https://learn.microsoft.com/kusto/query/scalar-data-types).
var kindNames = [...]struct{ kusto, csharp, dataType string }{
	Bool:     {"bool", "System.SByte", "SByte"},
	Int:      {"int", "System.Int32", "Int32"},
	Long:     {"long", "System.Int64", "Int64"},
	Real:     {"real", "System.Double", "Double"},
	Decimal:  {"decimal", "System.Data.SqlTypes.SqlDecimal", "SqlDecimal"},
	DateTime: {"datetime", "System.DateTime", "DateTime"},
	TimeSpan: {"timespan", "System.TimeSpan", "TimeSpan"},
	String:   {"string", "System.String", "String"},
	GUID:     {"guid", "System.Guid", "Guid"},
	Dynamic:  {"dynamic", "System.Object", "Object"},
}

// String is the canonical Kusto name, such as `long`.
func (k Kind) String() string {
	if int(k) < len(kindNames) && k != 0 {
		return kindNames[k].kusto
	}
	return "unknown"
}

// CSharp is the full name of the .NET type, such as `System.Int64`, as
// getschema prints it.
func (k Kind) CSharp() string {
	if int(k) < len(kindNames) && k != 0 {
		return kindNames[k].csharp
	}
	return "System.Object"
}

// DataType is the .NET type's short name, such as `Int64`, as the v1 protocol
// and advanced hunting's schema have it.
func (k Kind) DataType() string {
	if int(k) < len(kindNames) && k != 0 {
		return kindNames[k].dataType
	}
	return "Object"
}

// IsNumeric says whether k is Int, Long, Real or Decimal.
func (k Kind) IsNumeric() bool { return k >= Int && k <= Decimal }

// IsInteger says whether k is Int or Long.
func (k Kind) IsInteger() bool { return k == Int || k == Long }

// ParseKind reads a type's name or one of its aliases, in any case, as the
// scalar-data-types page lists them; .NET names are understood too.
func ParseKind(name string) (Kind, bool) {
	name = strings.ToLower(name)
	name = strings.TrimPrefix(name, "system.")
	switch name {
	case "bool", "boolean", "sbyte":
		return Bool, true
	case "int", "int32":
		return Int, true
	case "long", "int64":
		return Long, true
	case "real", "double", "float":
		return Real, true
	case "decimal", "sqldecimal", "data.sqltypes.sqldecimal":
		return Decimal, true
	case "datetime", "date":
		return DateTime, true
	case "timespan", "time":
		return TimeSpan, true
	case "string":
		return String, true
	case "guid", "uuid", "uniqueid":
		return GUID, true
	case "dynamic", "object":
		return Dynamic, true
	}
	return 0, false
}
