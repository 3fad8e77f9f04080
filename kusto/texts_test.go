package kusto

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

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

	typed = kqltest.Columns
)

// TestTexts compares the queries and commands of the ledger with golden texts.
func TestTexts(t *testing.T) {
	seven := kqltest.SevenColumns
	both := []tvmexport.Table{inventoryTable, eventsTable}
	outcomes := []tvmexport.Outcome{
		{Table: eventsTable.Name, Run: goldenRun.ID, Rows: 5, Watermark: goldenRun.Watermark, Began: goldenRun.StartedAt, At: goldenRun.StartedAt},
		{Table: inventoryTable.Name, Err: errors.New("Bearer abc.def refused; say \"why\"\nplease")},
	}
	closing := tvmexport.InvocationEnd{Owner: "host-7 \"x\" 99", Tables: both, Outcomes: outcomes}
	lease, err := ledger.LeaseText(tvmexport.Lease{
		Owner: closing.Owner, Tables: both, Term: 5 * time.Minute,
		QuotaUsage: tvmexport.QuotaUsage{Calls: []tvmexport.CallCount{{At: goldenRun.StartedAt, Calls: 7}}, Paused: goldenRun.StartedAt.Add(2 * time.Minute)},
	}, "v1.2.3", goldenRun.StartedAt.Add(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"lacks":      ledger.LacksText(both),
		"seed":       ledger.SeedText(both, kql.ConfigurationColumns),
		"seed_seven": ledger.SeedText(both, seven),
		"orders":     ledger.OrdersText,
		"losses": ledger.LossesText(both, []ledger.Place{
			{Of: inventoryTable, Table: inventoryTable.Destination, Columns: kql.RawColumns, Keep: 30 * 24 * time.Hour},
			{Of: inventoryTable, Table: inventoryTable.Typed(), Columns: views.LineageColumns, Typed: true, Readers: true},
			{Of: eventsTable, Table: eventsTable.Destination, Columns: kql.RawColumns[:1], Readers: true},
		}),
		"history":            ledger.HistoryText(both),
		"history_partitions": ledger.PartitionsText([]string{inventoryTable.Name, eventsTable.Name}, []tvmexport.RunID{goldenRun.ID}),
		"leftovers":          ledger.LeftoversText(both, map[string]tvmexport.History{eventsTable.Name: {Last: &tvmexport.Committed{RunHeader: tvmexport.RunHeader{ID: goldenRun.Previous}}}}, 24*time.Hour),
		"unaudited":          ledger.UnauditedText(closing.Owner),
		"ends":               ledger.EndsText("k", closing),
		"partitions":         strings.Join(ledger.PartitionTexts(goldenRun, goldenPublication.Partitions), "\n\n"),
		"commit":             ledger.RecordOf(goldenRun, kql.CommittedState).Text("tvmexport-commit:k"),
		"legacy_taken_over":  ledger.TakenOverText(both),
		"legacy_strays":      ledger.StraysText(both, map[string]time.Time{eventsTable.Name: goldenRun.StartedAt, inventoryTable.Name: goldenRun.StartedAt}),
		"lease":              lease,
		"holders":            ledger.HoldersText(both),
		"usage":              ledger.UsageText(closing.Owner),
		"stored_shape":       ledger.NumbersText,
		"release":            ledger.ReleaseRows(closing.Owner, append(kql.Names(both), "")),
		"audited_row":        ledger.AuditedRow(closing.Owner),
		"watermarks":         ledger.WatermarksText("tvmexport-finish:k", outcomes, kql.ConfigurationColumns),
		"watermarks_seven":   ledger.WatermarksText("tvmexport-finish:k", outcomes, seven),
		"audit":              ledger.AuditText("tvmexport-audit:k", closing, kql.AuditColumns, goldenRun.StartedAt.Add(1500*time.Millisecond)),
	} {
		t.Run(name, func(t *testing.T) { kqltest.Golden(t, name, text) })
	}
}

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
	texts := ledger.PartitionTexts(goldenRun, list)
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
	if ledger.PartitionTexts(goldenRun, nil) != nil {
		t.Error("no partitions give a command")
	}
}
