// Package value holds the scalar values of the Kusto query language: their
// kinds, nulls, text forms and conversions.
//
// Shapes follow https://learn.microsoft.com/kusto/query/scalar-data-types.
//
// A dynamic is a scalar, an array or a property bag. One that was made from
// JSON text keeps the text, in the form in which Kusto prints it, and is read
// one level at a time, without building a tree; values are therefore cheap to
// make, safe to share between goroutines, and may hold parts of large buffers.
package value

import "math"

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
	// The compiler keeps a Value in registers as long as it has no more fields and no more bytes.
	of *nature // nil for the zero Value
	n  int64   // bool 0/1; int, long; datetime and timespan in ticks of 100 ns; bits of a real
	s  string  // string; guid in lower-case text form; decimal in text form; JSON text of an array or bag
}

// nature is what a value is apart from its content.
type nature struct {
	kind  Kind
	inner Kind // of a Dynamic: the kind of the scalar it holds, 0 for null, arrays and bags
	null  bool
	typed bool       // of a Dynamic in JSON form: date-time strings in it are datetimes; of a String: see IsJSON
	d     *composite // an array or bag that was built from values; s is empty then
}

// Forms of natures.
const (
	plain  = iota
	marked // typed
	null
	forms
)

// natures are all natures of values that are not composite, by kind, inner and form:
// equal values have the same.
var natures = func() (all [Dynamic + 1][Dynamic + 1][forms]nature) {
	for kind := range all {
		for inner := range all[kind] {
			for form := range all[kind][inner] {
				all[kind][inner][form] = nature{kind: Kind(kind), inner: Kind(inner), typed: form == marked, null: form == null}
			}
		}
	}
	return all
}()

func markedIf(typed bool) int {
	if typed {
		return marked
	}
	return plain
}

func (v Value) nature() *nature {
	if v.of == nil {
		return &natures[0][0][plain]
	}
	return v.of
}

func newComposite(c composite) Value {
	made := &struct {
		nature
		composite
	}{nature{kind: Dynamic}, c}
	made.d = &made.composite
	return Value{of: &made.nature}
}

// composite is an array or a bag.
type composite struct {
	isBag bool
	array []Value
	bag   []Property
}

// Property is one slot of a property bag.
type Property struct {
	Name  string
	Value Value // of kind Dynamic, or a scalar
}

// Null is the null of kind k; for String it is the empty string.
func Null(k Kind) Value {
	if k == String {
		return Value{of: &natures[String][0][plain]}
	}
	return Value{of: &natures[k][0][null]}
}

// Kind is the value's type; 0 for the zero Value.
func (v Value) Kind() Kind { return v.nature().kind }

// IsNull says whether v is the null of its kind. A string is never null. A
// dynamic is null when it holds JSON null.
func (v Value) IsNull() bool { return v.nature().null }

// Bool is the content of a Bool, false for null.
func (v Value) Bool() bool { return v.n != 0 && !v.nature().null }

// Int64 is the content of an Int or Long, 0 or 1 of a Bool, and the ticks of
// a DateTime or TimeSpan; 0 for null.
func (v Value) Int64() int64 { return v.n }

// Real is the content of a Real, Int, Long or Decimal as a float64; 0 for null.
func (v Value) Real() float64 {
	switch v.scalarKind() {
	case Real:
		return math.Float64frombits(uint64(v.n))
	case Decimal:
		return decimalToReal(v.s)
	default:
		return float64(v.n)
	}
}

// Text is the content of a String, GUID or Decimal. A GUID is in lower-case
// 8-4-4-4-12 form.
func (v Value) Text() string {
	switch v.scalarKind() {
	case String, GUID, Decimal:
		return v.s
	default:
		return ""
	}
}

// Ticks is the content of a DateTime (since 0001-01-01T00:00:00Z) or TimeSpan
// in units of 100 ns; 0 for null.
func (v Value) Ticks() int64 { return v.n }

// scalarKind is the kind of the scalar, also of one inside a dynamic.
func (v Value) scalarKind() Kind {
	if v.nature().kind == Dynamic {
		return v.nature().inner
	}
	return v.nature().kind
}
