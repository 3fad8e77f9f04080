// Package value holds the scalar values of the Kusto query language: their
// kinds, nulls, text forms and conversions.
//
// Shapes follow https://learn.microsoft.com/kusto/query/scalar-data-types.
package value

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

// Column is a name and a type. Names are case-sensitive.
type Column struct {
	Name string
	Kind Kind
}

// Value is one scalar. The zero Value is not a value of any kind; Null makes
// the null of a kind. Strings have no null: the empty string stands for it.
//
// Values are small, copied freely and never changed after they were made.
type Value struct {
	kind Kind
	null bool
	n    int64    // bool 0/1; int, long; datetime and timespan in ticks of 100 ns; bits of a real
	s    string   // string; guid in lower-case text form; decimal in text form
	d    *dynamic // payload of Dynamic
}

// Property is one slot of a property bag.
type Property struct {
	Name  string
	Value Value // of kind Dynamic, or a scalar
}

// dynamic is the payload of a Dynamic value: exactly one of raw JSON text not
// yet parsed, a scalar, an array or a bag.
type dynamic struct {
	raw    string // JSON text, parsed on first use of the content and never changed
	shape  shape
	scalar Value
	array  []Value
	bag    []Property
}

type shape uint8

const (
	shapeRaw shape = iota
	shapeScalar
	shapeArray
	shapeBag
)

// Null is the null of kind k; for String it is the empty string.
func Null(k Kind) Value {
	if k == String {
		return Value{kind: String}
	}
	return Value{kind: k, null: true}
}

// Kind is the value's type; 0 for the zero Value.
func (v Value) Kind() Kind { return v.kind }

// IsNull says whether v is the null of its kind. A string is never null. A
// dynamic is null when it holds JSON null.
func (v Value) IsNull() bool { return v.null }
