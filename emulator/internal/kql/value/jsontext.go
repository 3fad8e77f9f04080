package value

// A String that is known to be JSON keeps that knowledge with it, also on disk, so
// that its text is checked once and not by each query that parses it.

// JSONString is the String of an array's or a bag's text; ok is false for other
// values.
func JSONString(v Value) (s Value, ok bool) {
	if !v.IsArray() && !v.IsBag() {
		return Value{}, false
	}
	return Value{kind: String, s: v.String(), typed: !v.hasTimes()}, true
}

// hasTimes says whether datetimes can be within the array or bag, which its text
// gives as strings.
func (v Value) hasTimes() bool { return v.typed || v.d != nil }

// JSONCanonical is a String for which IsJSON held.
func JSONCanonical(text string) Value { return Value{kind: String, s: text, typed: true} }

// IsJSON says that the text of a String is known to be the one that Kusto prints for
// an array or a bag. Where it is false, the text may be JSON after all.
func (v Value) IsJSON() bool { return v.kind == String && v.typed }

// ParseJSON is DynamicJSON of the text of a String.
func ParseJSON(v Value) Value {
	if v.IsJSON() {
		return Value{kind: Dynamic, s: v.s}
	}
	return DynamicJSON(v.s)
}
