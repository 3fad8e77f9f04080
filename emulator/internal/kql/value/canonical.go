package value

// IsTyped says whether date-time strings within a Dynamic's JSON text are
// datetimes. DynamicCanonical needs it to rebuild the value.
func (v Value) IsTyped() bool {
	return v.nature().kind == Dynamic && (v.nature().typed || v.nature().inner == DateTime || v.nature().d != nil)
}

// DynamicCanonical makes a Dynamic of text that AppendJSON gave, without
// checking it: for storage that reads back what it wrote.
func DynamicCanonical(text string, typed bool) Value {
	if text == "" {
		return Null(Dynamic)
	}
	return element(text, typed)
}

// IsComposed says whether a Dynamic was composed of values, and not made of JSON
// text: strings in it are strings, even if they look like other types.
func (v Value) IsComposed() bool { return v.nature().d != nil }
