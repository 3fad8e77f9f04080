package kusto

import "strings"

// expression is a piece of query text and the type of its value.
type expression struct{ kind, text string }

// fill lists the columns of a table, in their order, with the expressions that
// fill them, converted where the table has another type. A column that nothing
// fills is null.
func fill(columns []column, values map[string]expression) string {
	list := make([]string, len(columns))
	for i, c := range columns {
		value, ok := values[c.name]
		text := value.text
		switch {
		case !ok && c.kind == "string":
			text = `""`
		case !ok:
			text = c.kind + "(null)"
		case value.kind != c.kind && conversions[c.kind] != "":
			text = conversions[c.kind] + "(" + text + ")"
		}
		if text != ident(c.name) {
			text = ident(c.name) + " = " + text
		}
		list[i] = text
	}
	return strings.Join(list, ", ")
}
