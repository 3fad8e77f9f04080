package kusto

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/kusto/kql"
	"github.com/tvmexport/tvmexport/kusto/kql/kqltest"
	"github.com/tvmexport/tvmexport/kusto/ledger"
	"github.com/tvmexport/tvmexport/kusto/setup"
	"github.com/tvmexport/tvmexport/kusto/views"
)

var (
	inventoryTable, eventsTable  = kqltest.InventoryTable, kqltest.EventsTable
	goldenRun, goldenPublication = kqltest.Run, kqltest.Publication
)

// rawOf is a table's Raw with columns, those that init gives it if none are named.
func rawOf(t tvmexport.Table, columns ...kql.Column) views.Source {
	if len(columns) == 0 {
		columns = kql.RawColumns
	}
	return views.Source{Table: t.Destination, Columns: columns}
}

func TestScript(t *testing.T) {
	unknown := tvmexport.Table{Name: "NewTable", Destination: "NewTableRaw", LoadType: tvmexport.Snapshot}
	commands, err := setup.Script([]tvmexport.Table{inventoryTable, eventsTable, unknown}, setup.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := setup.WriteScript(&b, commands); err != nil {
		t.Fatal(err)
	}
	kqltest.Golden(t, "script", strings.TrimSuffix(b.String(), "\n"))
}

func TestScriptRefusesNames(t *testing.T) {
	for _, c := range []struct{ name, into, prefix string }{
		{"T | take 1; .drop table X", "XRaw", ""},
		{"T", "XRaw | take 1", ""},
		{"T", kql.ConfigurationTable, ""},
		{"T", "TLanding", ""},
		{"", "XRaw", ""},
		{"T", "TRaw", "a b"},
		{strings.Repeat("T", 125), "TRaw", ""}, // its landing table would be too long
	} {
		_, err := setup.Script([]tvmexport.Table{{Name: c.name, Destination: c.into}}, setup.Options{FunctionPrefix: c.prefix})
		if tvmexport.CauseOf(err) != tvmexport.Usage {
			t.Errorf("Script(%q, %q, %q): %v, want a usage error", c.name, c.into, c.prefix, err)
		}
	}
}

func TestPartitionTextsBounded(t *testing.T) {
	list := make([]tvmexport.PartitionRecord, 2*ledger.PartitionsPerCommand+1)
	for i := range list {
		list[i].Partition = tvmexport.Partition(fmt.Sprintf("%06x", i))
	}
	var texts []string
	for _, command := range ledger.Partitions("publish", goldenRun, list) {
		texts = append(texts, command.Text())
	}
	if len(texts) != 3 {
		t.Fatalf("%d commands, want 3", len(texts))
	}
	all := strings.Join(texts, "")
	for _, p := range list {
		if strings.Count(all, kql.Literal(string(p.Partition))+",") != 1 {
			t.Fatalf("partition %s is not written exactly once", p.Partition)
		}
	}
	for i, text := range texts {
		if !strings.Contains(text, fmt.Sprintf(`tags = '["ingest-by:tvmexport-partitions:DeviceProcessEvents:%s:%d"]'`, goldenRun.ID, i)) {
			t.Errorf("command %d does not carry its own key", i)
		}
		if len(text) > 900_000 {
			t.Errorf("command %d has %d bytes", i, len(text))
		}
	}
	if ledger.Partitions("publish", goldenRun, nil) != nil {
		t.Error("no partitions give a command")
	}
}
