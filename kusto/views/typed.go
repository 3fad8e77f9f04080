package views

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/kusto/kql"
)

// LineageColumns follow Defender's columns in a typed table.
var LineageColumns = []kql.Column{{Name: "RunId", Kind: "string"}, {Name: "Partition", Kind: "string"}, {Name: "ExportedAt", Kind: "datetime"}}

// TypedColumns are those of a typed table made for columns.
func TypedColumns(columns []tvmexport.Column) []kql.Column {
	out := make([]kql.Column, 0, len(columns)+len(LineageColumns))
	for _, h := range Holdings(LineageColumns, columns) {
		out = append(out, kql.Column{Name: h.At, Kind: h.Type})
	}
	return append(out, LineageColumns...)
}

// Holding is where a typed table keeps a column of Defender's.
type Holding struct {
	tvmexport.Column
	At    string       // the column that rows are written to
	older []kql.Column // those that hold it of rows published when it had another type
}

// Holdings finds, for each of the columns, its place in a typed table that has
// the columns have: the one of its name and type, else, where that name has
// another type, NAME_TYPE. The caller adds places that have does not contain yet.
func Holdings(have []kql.Column, columns []tvmexport.Column) []Holding {
	taken := map[string]string{} // by name: the type that it has or will have
	for _, c := range have {
		taken[c.Name] = c.Kind
	}
	mine := map[string]bool{} // places of the columns
	out := make([]Holding, len(columns))
	for i, c := range columns {
		out[i].Column = c
		if kind, ok := taken[c.Name]; (!ok || kind == c.Type) && !isLineage(c.Name) {
			out[i].At, taken[c.Name], mine[c.Name] = c.Name, c.Type, true
		}
	}
	for i, c := range columns {
		if out[i].At != "" {
			continue
		}
		name := c.Name + "_" + c.Type
		for mine[name] || taken[name] != "" && taken[name] != c.Type {
			name += "_" + c.Type
		}
		out[i].At, taken[name], mine[name] = name, c.Type, true
	}
	for i := range out {
		for _, c := range have {
			if !mine[c.Name] && !isLineage(c.Name) && (c.Name == out[i].Name || isDrifted(c, out[i].Name)) {
				out[i].older = append(out[i].older, c)
			}
		}
	}
	return out
}

// isDrifted says whether a column of a typed table is named as the place of a
// column whose type had changed.
func isDrifted(c kql.Column, of string) bool {
	rest, ok := strings.CutPrefix(c.Name, of+"_"+c.Kind)
	return ok && strings.Trim(strings.ReplaceAll(rest, "_"+c.Kind, ""), "_") == ""
}

func isLineage(name string) bool {
	return slices.ContainsFunc(LineageColumns, func(c kql.Column) bool { return c.Name == name })
}

// lostColumns are the columns that a typed table holds though they are not among
// columns any more, as they were called and typed last.
func lostColumns(have []kql.Column, columns []tvmexport.Column) []tvmexport.Column {
	known := map[string]bool{}
	for _, h := range Holdings(have, columns) {
		known[h.At] = true
		for _, c := range h.older {
			known[c.Name] = true
		}
	}
	var out []tvmexport.Column
	for _, c := range have {
		if known[c.Name] || isLineage(c.Name) {
			continue
		}
		// A later type is further to the end.
		if i := slices.IndexFunc(out, func(o tvmexport.Column) bool { return isDrifted(c, o.Name) }); i >= 0 {
			out[i].Type = c.Kind
			continue
		}
		out = append(out, tvmexport.Column{Name: c.Name, Type: c.Kind})
	}
	return out
}

// Value returns the expression for a held column, for every type with which its
// rows were published. In a row, at most one of its places is filled.
func (h Holding) Value() string {
	text := kql.Ident(h.At)
	for _, c := range h.older {
		old := convert(h.Type, c.Kind, kql.Ident(c.Name))
		if h.Type == "string" {
			text = "iff(isnotempty(" + text + "), " + text + ", " + old + ")"
			continue
		}
		text = "coalesce(" + text + ", " + old + ")"
	}
	return text
}

// convert is an expression of a type made into one of another.
func convert(to, from, text string) string {
	switch {
	case to == from:
		return text
	case to == "dynamic":
		return "parse_json(tostring(" + text + "))"
	}
	return kql.Conversions[to] + "(" + text + ")"
}

// TypedValues are the values of a row of a typed table, by column, made of the
// record that ParsedRecord is.
func TypedValues(run tvmexport.Run, have []kql.Column, columns []tvmexport.Column) map[string]kql.Expression {
	values := map[string]kql.Expression{}
	for _, h := range Holdings(have, columns) {
		values[h.At] = kql.Expression{Kind: h.Type, Text: FromLanded(h.Column)}
	}
	values["RunId"] = kql.Expression{Kind: "string", Text: kql.Literal(string(run.ID))}
	values["Partition"] = kql.Expression{Kind: "string", Text: "Partition"}
	values["ExportedAt"] = kql.Expression{Kind: "datetime", Text: kql.Datetime(run.StartedAt)}
	return values
}

// ParsedRecord is the name of a landed record once its text is parsed.
const ParsedRecord = "ParsedRecord"

// fromRecord is a column made of a record. A decimal is made of the text of its
// member: as a real it would lose digits.
func fromRecord(record string, c tvmexport.Column) string {
	text := record + kql.Member(c.Name)
	if c.Type == "decimal" {
		text = "tostring(" + text + ")"
	}
	if conversion, ok := kql.Conversions[c.Type]; ok {
		text = conversion + "(" + text + ")"
	}
	return text
}

// FromLanded is a column made of a record that this program has normalised,
// with the name parsedRecord. Values that do not fit their type are text there
// and null here: conversions would make 7 of "7.5", or true of "2". Reals that
// JSON has no number for have the names that Kusto gives them in JSON.
func FromLanded(c tvmexport.Column) string {
	member, value := ParsedRecord+kql.Member(c.Name), fromRecord(ParsedRecord, c)
	switch c.Type {
	case "bool", "int", "long":
		return fmt.Sprintf(`iff(gettype(%s) == "string", %s(null), %s)`, member, c.Type, value)
	case "timespan": // a number of days is none
		return fmt.Sprintf(`iff(tostring(%s) contains ":", %s, timespan(null))`, member, value)
	case "real":
		return fmt.Sprintf(`case(%[1]s == "NaN", real(nan), %[1]s == "Infinity", real(+inf), %[1]s == "-Infinity", real(-inf), %s)`, "tostring("+member+")", value)
	}
	return value
}
