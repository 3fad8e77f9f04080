package kql

import "strings"

// Expression is a piece of query text and the type of its value.
type Expression struct{ Kind, Text string }

// Fill lists the columns of a table, in their order, with the expressions that
// fill them, converted where the table has another type. A column that nothing
// fills is null.
func Fill(columns []Column, values map[string]Expression) string {
	list := make([]string, len(columns))
	for i, c := range columns {
		value, ok := values[c.Name]
		text := value.Text
		switch {
		case !ok && c.Kind == "string":
			text = `""`
		case !ok:
			text = c.Kind + "(null)"
		case value.Kind != c.Kind && Conversions[c.Kind] != "":
			text = Conversions[c.Kind] + "(" + text + ")"
		}
		if text != Ident(c.Name) {
			text = Ident(c.Name) + " = " + text
		}
		list[i] = text
	}
	return strings.Join(list, ", ")
}
