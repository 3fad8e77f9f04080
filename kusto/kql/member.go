package kql

// Conversions turn a member of Records into a value of a type
// (https://learn.microsoft.com/kusto/query/scalar-functions#conversion-functions).
var Conversions = map[string]string{
	"bool": "tobool", "int": "toint", "long": "tolong", "real": "toreal", "decimal": "todecimal",
	"datetime": "todatetime", "timespan": "totimespan", "string": "tostring", "guid": "toguid",
}

// Member is the accessor of a member of a dynamic value.
func Member(name string) string {
	if Ident(name) != name {
		return "[" + Literal(name) + "]"
	}
	return "." + name
}
