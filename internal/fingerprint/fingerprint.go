// Package fingerprint is the text of the query expressions by which source and
// destination compute the same fingerprint of the same rows
// (tvmexport.Fingerprint): the sums of three truncated parts of the SHA-256
// hash of each row. Sums do not depend on the order of rows, and equal rows do
// not cancel each other.
package fingerprint

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tvmexport/tvmexport"
)

// mostArguments is how many strcat takes
// (https://learn.microsoft.com/kusto/query/strcat-function).
const mostArguments = 64

// Row is the hash of a row over the columns: their texts, each behind its
// length, so that no two rows give one text. quote makes a name of the
// language. Bools are taken through tobool, since Defender keeps them as 0 and
// 1. A dynamic is taken as a list of one: by itself it has the same text as
// null and "", or as 1 and "1".
func Row(columns []tvmexport.Column, quote func(string) string) string {
	parts := make([]string, 0, 3*len(columns))
	for _, c := range columns {
		value := quote(c.Name)
		switch c.Type {
		case "string":
		case "bool":
			value = "tostring(tobool(" + value + "))"
		case "dynamic":
			value = "tostring(pack_array(" + value + "))"
		default:
			value = "tostring(" + value + ")"
		}
		parts = append(parts, "tostring(strlen("+value+"))", "':'", value)
	}
	return "hash_sha256(" + concatenated(parts) + ")"
}

// Separator separates the columns of a joined key before it is hashed.
const Separator = "|"

// Joined is the hash, in lower-case hex, of columns joined by the separator:
// what partitions of a table with a hashed key are prefixes of. The key of a
// text that is empty, which one column alone can give, is empty: the engine's
// hash of it is, too, and the expression does not depend on that.
func Joined(columns []string, form func(string) string) string {
	if len(columns) == 1 {
		text := form(columns[0])
		return "iff(isempty(" + text + "), '', hash_sha256(" + text + "))"
	}
	return "hash_sha256(" + concatenated(joined(columns, form)) + ")"
}

// JoinedRow is the hash of a whole row, of the same form. It is never empty, so
// that each row has digits by which a partition can be divided.
func JoinedRow(columns []string, form func(string) string) string {
	parts := joined(columns, form)
	if len(columns) == 1 {
		parts = append(parts, "'"+Separator+"'")
	}
	return "hash_sha256(" + concatenated(parts) + ")"
}

func joined(columns []string, form func(string) string) []string {
	var parts []string
	for i, c := range columns {
		if i > 0 {
			parts = append(parts, "'"+Separator+"'")
		}
		parts = append(parts, form(c))
	}
	return parts
}

// concatenated is strcat over any number of parts.
func concatenated(parts []string) string {
	for len(parts) > mostArguments {
		var outer []string
		for inner := range slices.Chunk(parts, mostArguments) {
			outer = append(outer, concatenated(inner))
		}
		parts = outer
	}
	switch len(parts) {
	case 0:
		return "''"
	case 1:
		return parts[0]
	}
	return "strcat(" + strings.Join(parts, ", ") + ")"
}

// Columns are the names under which Sums gives its results.
var Columns = [3]string{"PrintA", "PrintB", "PrintC"}

// Sums are the aggregates over the hashes of rows. Each takes 40 bits.
func Sums(hash string) string {
	list := make([]string, len(Columns))
	for i, c := range Columns {
		list[i] = fmt.Sprintf("%s = sum(tolong(strcat('0x', substring(%s, %d, 10))))", c, hash, 10*i)
	}
	return strings.Join(list, ", ")
}
