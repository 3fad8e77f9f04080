package kusto

import (
	"fmt"
	"slices"

	"github.com/tvmexport/tvmexport"
)

// recordColumn is the name under which queries know the record of a published row,
// whatever the table calls it.
const recordColumn = "Records"

// payloads are the names that published tables in the field give the column of
// the record.
var payloads = []string{recordColumn, "RawData"}

// payload is the column of a published table that holds the record: one of a
// known name, else the only dynamic one; "" where there is none.
func payload(raw []column) string {
	for _, name := range payloads {
		if slices.Contains(raw, column{name, "dynamic"}) {
			return name
		}
	}
	name := ""
	for _, c := range raw {
		switch {
		case c.kind != "dynamic":
		case name != "":
			return ""
		default:
			name = c.name
		}
	}
	return name
}

// noPayload says why a table cannot be published into.
func noPayload(table string) error {
	return fmt.Errorf("table %s has no dynamic column for the record, named Records or RawData or the only one of its type", table)
}

// asRecords gives the record its name in queries. It follows what asks for the
// time or the tags of a row's extent: those are known of rows as they are stored.
func asRecords(raw []column) string {
	name := payload(raw)
	if name == "" || name == recordColumn {
		return ""
	}
	return fmt.Sprintf("| extend %s = %s\n", recordColumn, ident(name))
}

// published are the values of a published row, by column: the record, its
// lineage, and members of the record that the table has columns for, such as
// the watermark.
func published(run tvmexport.Run, raw []column) map[string]expression {
	values := map[string]expression{}
	for _, c := range run.Table.Columns {
		values[c.Name] = expression{"dynamic", "parse_json(Records)" + memberOf(c.Name)}
	}
	values["RunId"] = expression{"string", literal(string(run.ID))}
	values["Partition"] = expression{"string", "Partition"}
	values["ExportedAt"] = expression{"datetime", datetime(run.StartedAt)}
	if name := payload(raw); name != "" {
		values[name] = expression{"dynamic", "parse_json(Records)"}
	}
	return values
}
