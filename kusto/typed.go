package kusto

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tvmexport/tvmexport"
)

// lineageColumns stand behind Defender's in a typed table.
var lineageColumns = []column{{"RunId", "string"}, {"Partition", "string"}, {"ExportedAt", "datetime"}}

// typedColumns are those of a typed table made for columns.
func typedColumns(columns []tvmexport.Column) []column {
	out := make([]column, 0, len(columns)+len(lineageColumns))
	for _, h := range holdings(lineageColumns, columns) {
		out = append(out, column{h.at, h.Type})
	}
	return append(out, lineageColumns...)
}

// holding is where a typed table keeps a column of Defender's.
type holding struct {
	tvmexport.Column
	at    string   // the column that rows are written to
	older []column // those that hold it of rows published when it had another type
}

// holdings finds, for each of the columns, its place in a typed table that has
// the columns have: the one of its name and type, else, where that name has
// another type, NAME_TYPE. Places that have does not hold yet are to be added.
func holdings(have []column, columns []tvmexport.Column) []holding {
	taken := map[string]string{} // by name: the type that it has or is to have
	for _, c := range have {
		taken[c.name] = c.kind
	}
	mine := map[string]bool{} // places of the columns
	out := make([]holding, len(columns))
	for i, c := range columns {
		out[i].Column = c
		if kind, ok := taken[c.Name]; (!ok || kind == c.Type) && !isLineage(c.Name) {
			out[i].at, taken[c.Name], mine[c.Name] = c.Name, c.Type, true
		}
	}
	for i, c := range columns {
		if out[i].at != "" {
			continue
		}
		name := c.Name + "_" + c.Type
		for mine[name] || taken[name] != "" && taken[name] != c.Type {
			name += "_" + c.Type
		}
		out[i].at, taken[name], mine[name] = name, c.Type, true
	}
	for i := range out {
		for _, c := range have {
			if !mine[c.name] && !isLineage(c.name) && (c.name == out[i].Name || isDrifted(c, out[i].Name)) {
				out[i].older = append(out[i].older, c)
			}
		}
	}
	return out
}

// isDrifted says whether a column of a typed table is named as the place of a
// column whose type had changed.
func isDrifted(c column, of string) bool {
	rest, ok := strings.CutPrefix(c.name, of+"_"+c.kind)
	return ok && strings.Trim(strings.ReplaceAll(rest, "_"+c.kind, ""), "_") == ""
}

func isLineage(name string) bool {
	return slices.ContainsFunc(lineageColumns, func(c column) bool { return c.name == name })
}

// lost are the columns that a typed table holds though they are not among
// columns any more, as they were called and typed last.
func lost(have []column, columns []tvmexport.Column) []tvmexport.Column {
	known := map[string]bool{}
	for _, h := range holdings(have, columns) {
		known[h.at] = true
		for _, c := range h.older {
			known[c.name] = true
		}
	}
	var out []tvmexport.Column
	for _, c := range have {
		if known[c.name] || isLineage(c.name) {
			continue
		}
		// A later type stands further behind.
		if i := slices.IndexFunc(out, func(o tvmexport.Column) bool { return isDrifted(c, o.Name) }); i >= 0 {
			out[i].Type = c.kind
			continue
		}
		out = append(out, tvmexport.Column{Name: c.name, Type: c.kind})
	}
	return out
}

// value is the expression for a held column, whatever type its rows were
// published with. One of its places at most is filled in a row.
func (h holding) value() string {
	text := ident(h.at)
	for _, c := range h.older {
		old := convert(h.Type, c.kind, ident(c.name))
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
	return conversions[to] + "(" + text + ")"
}

// typedValues are the values of a row of a typed table, by column, made of the
// record that ParsedRecord is.
func typedValues(run tvmexport.Run, have []column, columns []tvmexport.Column) map[string]expression {
	values := map[string]expression{}
	for _, h := range holdings(have, columns) {
		values[h.at] = expression{h.Type, fromLanded(h.Column)}
	}
	values["RunId"] = expression{"string", literal(string(run.ID))}
	values["Partition"] = expression{"string", "Partition"}
	values["ExportedAt"] = expression{"datetime", datetime(run.StartedAt)}
	return values
}

// parsedRecord is the name of a landed record once its text is parsed.
const parsedRecord = "ParsedRecord"

// fromRecord is a column made of a record. A decimal is made of the text of its
// member: as a real it would lose digits.
func fromRecord(record string, c tvmexport.Column) string {
	text := record + memberOf(c.Name)
	if c.Type == "decimal" {
		text = "tostring(" + text + ")"
	}
	if conversion, ok := conversions[c.Type]; ok {
		text = conversion + "(" + text + ")"
	}
	return text
}

// fromLanded is a column made of a record that this program has normalised,
// with the name parsedRecord. Values that do not fit their type are text there
// and null here: conversions would make 7 of "7.5", or true of "2". Reals that
// JSON has no number for have the names that Kusto gives them in JSON.
func fromLanded(c tvmexport.Column) string {
	member, value := parsedRecord+memberOf(c.Name), fromRecord(parsedRecord, c)
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
