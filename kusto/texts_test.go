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
	write := func(name string, commands []setup.Command, g setup.Grants, remarks ...string) {
		t.Helper()
		var b strings.Builder
		if err := setup.WriteScript(&b, commands, g, remarks...); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(b.String(), "\n\n") || !strings.HasPrefix(b.String(), ".execute database script with (ThrowOnErrors=true) <|\n") {
			t.Errorf("%s is not one command without an empty line", name)
		}
		kqltest.Golden(t, name, strings.TrimSuffix(b.String(), "\n"))
	}
	write("script", commands, setup.Grants{Database: "security", Principal: "aadapp=00000000-1111-2222-3333-444444444444;55555555-6666-7777-8888-999999999999"}, "A remark\nof two lines.")
	few, err := setup.Script([]tvmexport.Table{unknown}, setup.Options{FunctionPrefix: "My"})
	if err != nil {
		t.Fatal(err)
	}
	write("script_by_table", few, setup.Grants{Database: "it's [one]", ByTable: true})
}

func TestPrincipals(t *testing.T) {
	for principal, fine := range map[string]bool{
		"aadapp=4c7e82bd-6adb-46c3-b413-fdd44834c69b;fabrikam.com": true, "aadapp=4c7e82bd-6adb-46c3-b413-fdd44834c69b": true,
		"aaduser=imikeoein@fabrikam.com": true, " aadgroup=b;c ": true,
		"": false, "4c7e82bd;fabrikam.com": false, "aadapp=": false, "aadapp=a;b;c": false, "aadapp=a') .drop table X": false, "aadapp=a'": false, "aadapp=a\nb": false,
	} {
		if err := setup.CheckPrincipal(principal); (err == nil) != fine || err != nil && tvmexport.CauseOf(err) != tvmexport.Usage {
			t.Errorf("%q: %v", principal, err)
		}
	}
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
	// Each literal is followed by a comma: a piece that begins after a comma and ends before the next one.
	written := map[string]int{}
	for _, piece := range strings.FieldsFunc(strings.Join(texts, ","), func(r rune) bool { return strings.ContainsRune(",([ \n", r) }) {
		written[piece]++
	}
	for _, p := range list {
		if n := written[kql.Literal(string(p.Partition))]; n != 1 {
			t.Fatalf("partition %s is written %d times, want once", p.Partition, n)
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
