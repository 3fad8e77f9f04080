package value

// A String that is known to be JSON keeps that knowledge with it, also on disk, so
// that its text is checked once and not by each query that parses it.

// JSONString is the String of an array's or a bag's text; ok is false for other
// values.
func JSONString(v Value) (s Value, ok bool) {
	if !v.IsArray() && !v.IsBag() {
		return Value{}, false
	}
	return Value{of: &natures[String][0][markedIf(!v.hasTimes())], s: v.String()}, true
}

// hasTimes says whether datetimes can be within the array or bag, which its text
// gives as strings.
func (v Value) hasTimes() bool { return v.nature().typed || v.nature().d != nil }

// JSONCanonical is a String for which IsJSON held.
func JSONCanonical(text string) Value { return Value{of: &natures[String][0][marked], s: text} }

// IsJSON says that the text of a String is known to be the one that Kusto prints for
// an array or a bag. Where it is false, the text may be JSON after all.
func (v Value) IsJSON() bool { return v.nature().kind == String && v.nature().typed }

// CheckJSON says whether text is valid JSON, and whether it is the one that Kusto
// prints for what it means. Text that is nested too deep counts as not valid.
func CheckJSON(text string) (valid, canonical bool) {
	p := checker{s: text, canonical: true}
	valid = p.document()
	return valid, valid && p.canonical
}

// WalkJSON calls visit for the items of an array or a bag whose text is canonical, in
// their order, with the names of the slots of a bag.
func WalkJSON(text string, visit func(name, item string)) {
	for w := newWalker(text); w.next(); {
		name := ""
		if w.bag {
			name = w.name()
		}
		visit(name, w.item)
	}
}

// ParseJSON is DynamicJSON of the text of a String.
func ParseJSON(v Value) Value {
	if v.IsJSON() {
		return Value{of: &natures[Dynamic][0][plain], s: v.s}
	}
	return DynamicJSON(v.s)
}
