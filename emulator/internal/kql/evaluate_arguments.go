package kql

import (
	"slices"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/syntax"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// unpacking holds the arguments of bag_unpack(column [, prefix] [, columnsConflict] [,
// ignoredProperties]) except its column. Each can be named.
type unpacking struct {
	prefix   string
	conflict string   // error, keep_source or replace_source
	ignored  []string // properties that make no column
}

// unpackOptions are the names of the arguments behind the column, in order
// (https://learn.microsoft.com/kusto/query/bag-unpack-plugin).
var unpackOptions = []string{"OutputColumnPrefix", "columnsConflict", "ignoredProperties"}

func unpackArguments(n *syntax.Evaluate) (unpacking, error) {
	out := unpacking{conflict: "error"}
	if err := argumentCount(n.Call, 1, 4); err != nil {
		return out, err
	}
	for i, a := range n.Call.Args[1:] {
		name := a.Name
		if name == "" {
			name = unpackOptions[i]
		}
		l, ok := a.X.(*syntax.Literal)
		if !ok {
			return out, semantic(n.Pos(), "bag_unpack(): argument #%d must be a constant", i+2)
		}
		switch v := l.Value; {
		case name == "ignoredProperties":
			elements, ok := v.Array()
			if !ok {
				return out, semantic(n.Pos(), "bag_unpack(): argument ignoredProperties must be a constant dynamic array")
			}
			for _, e := range elements {
				out.ignored = append(out.ignored, e.String())
			}
		case v.Kind() != value.String:
			return out, semantic(n.Pos(), "bag_unpack(): argument #%d must be a constant string", i+2)
		case name == "OutputColumnPrefix":
			out.prefix = v.Text()
		case name == "columnsConflict":
			if !slices.Contains([]string{"error", "keep_source", "replace_source"}, v.Text()) {
				return out, semantic(n.Pos(), "bag_unpack(): columnsConflict must be 'error', 'keep_source' or 'replace_source'")
			}
			out.conflict = v.Text()
		default:
			return out, semantic(n.Pos(), "bag_unpack(): there is no argument '%s'", name)
		}
	}
	return out, nil
}
