package views

import (
	"testing"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/kusto/kql"
	"github.com/tvmexport/tvmexport/kusto/kql/kqltest"
)

func TestPayload(t *testing.T) {
	for _, c := range []struct {
		columns []kql.Column
		want    string
	}{
		{kql.RawColumns, "Records"},
		{kqltest.RawDataColumns, "RawData"},
		{[]kql.Column{{Name: "RawData", Kind: "dynamic"}, {Name: "Records", Kind: "dynamic"}}, "Records"},
		{[]kql.Column{{Name: "Records", Kind: "string"}, {Name: "RawData", Kind: "dynamic"}}, "RawData"},
		{[]kql.Column{{Name: "Loaded", Kind: "datetime"}, {Name: "Event", Kind: "dynamic"}}, "Event"},
		{[]kql.Column{{Name: "Event", Kind: "dynamic"}, {Name: "Extra", Kind: "dynamic"}}, ""},
		{[]kql.Column{{Name: "Records", Kind: "string"}}, ""},
		{nil, ""},
	} {
		if got := Payload(c.columns); got != c.want {
			t.Errorf("payload(%v) = %q, want %q", c.columns, got, c.want)
		}
	}
}

// TestReadersOfShared: rows of another exporter are in Raw, so readers use Raw as
// long as our rows are published there too.
func TestReadersOfShared(t *testing.T) {
	existing := map[string][]kql.Column{kqltest.EventsTable.Destination: kqltest.RawDataColumns, kqltest.EventsTable.Typed(): TypedColumns(kqltest.EventsTable.Columns)}
	for layout, want := range map[tvmexport.Layout]string{
		"": kqltest.EventsTable.Destination, tvmexport.Both: kqltest.EventsTable.Destination, tvmexport.RawOnly: kqltest.EventsTable.Destination, tvmexport.TypedOnly: kqltest.EventsTable.Typed(),
	} {
		table := kqltest.EventsTable
		table.Layout = layout
		if got := ReadersOf(table, existing).Table; got != want {
			t.Errorf("layout %q: readers look at %s, want %s", layout, got, want)
		}
	}
}
