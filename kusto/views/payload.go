package views

import (
	"fmt"
	"slices"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/kusto/kql"
)

// RecordColumn is the name that queries use for the record of a published row,
// regardless of the table's own name for it.
const RecordColumn = "Records"

// payloads are the names that published tables in the field give the column of
// the record.
var payloads = []string{RecordColumn, "RawData"}

// Payload is the column of a published table that holds the record: one of a
// known name, else the only dynamic one; "" where there is none.
func Payload(raw []kql.Column) string {
	for _, name := range payloads {
		if slices.Contains(raw, kql.Column{Name: name, Kind: "dynamic"}) {
			return name
		}
	}
	name := ""
	for _, c := range raw {
		switch {
		case c.Kind != "dynamic":
		case name != "":
			return ""
		default:
			name = c.Name
		}
	}
	return name
}

// NoPayload says why a table cannot be published into.
func NoPayload(table string) error {
	return fmt.Errorf("table %s has no dynamic column for the record, named Records or RawData or the only one of its type", table)
}

// AsRecords gives the record its name in queries. It follows what asks for the
// time or the tags of a row's extent: those are known of rows as they are stored.
func AsRecords(raw []kql.Column) string {
	name := Payload(raw)
	if name == "" || name == RecordColumn {
		return ""
	}
	return fmt.Sprintf("| extend %s = %s\n", RecordColumn, kql.Ident(name))
}

// RecordValues are the values of a published row, by column: the record, its
// lineage, and members of the record that the table has columns for, such as
// the watermark.
func RecordValues(run tvmexport.Run, raw []kql.Column) map[string]kql.Expression {
	values := map[string]kql.Expression{}
	for _, c := range run.Table.Columns {
		values[c.Name] = kql.Expression{Kind: "dynamic", Text: "parse_json(Records)" + kql.Member(c.Name)}
	}
	values["RunId"] = kql.Expression{Kind: "string", Text: kql.Literal(string(run.ID))}
	values["Partition"] = kql.Expression{Kind: "string", Text: "Partition"}
	values["ExportedAt"] = kql.Expression{Kind: "datetime", Text: kql.Datetime(run.StartedAt)}
	if name := Payload(raw); name != "" {
		values[name] = kql.Expression{Kind: "dynamic", Text: "parse_json(Records)"}
	}
	return values
}
