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
	"github.com/tvmexport/tvmexport/kusto/publish"
	"github.com/tvmexport/tvmexport/kusto/setup"
	"github.com/tvmexport/tvmexport/kusto/takeover"
	"github.com/tvmexport/tvmexport/kusto/views"
)

var (
	inventoryTable, eventsTable  = kqltest.InventoryTable, kqltest.EventsTable
	goldenRun, goldenPublication = kqltest.Run, kqltest.Publication
	rawDataColumns               = kqltest.RawDataColumns

	typed = kqltest.Columns
)

// TestTexts holds every text that goes to the service against a golden one.
func TestTexts(t *testing.T) {
	seven := kqltest.SevenColumns
	both := []tvmexport.Table{inventoryTable, eventsTable}
	b := publish.Base{Table: goldenRun.Table.Name, Previous: goldenRun.Previous}
	detail, err := kql.Document(goldenPublication)
	if err != nil {
		t.Fatal(err)
	}
	claim := ledger.RecordOf(goldenRun, kql.PublishingState)
	claim.Rows, claim.Bytes, claim.Calls, claim.Detail = 5, 4096, 3, detail
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
	oldEvents := takeover.Takeover{
		Table: eventsTable, Listed: takeover.SiblingTable, Old: tvmexport.Order{Active: true}, Rows: 9, Watermark: goldenRun.Watermark, Joined: true, Reconfigure: true,
	}
	lateStep := goldenPublication
	lateStep.Steps = []tvmexport.PublicationStep{{Batches: goldenPublication.Steps[0].Batches, Rows: 1, Late: &goldenRun.Window}}
	for name, text := range map[string]string{
		"lacks":           ledger.LacksText(both),
		"state_typed":     publish.StateText(tvmexport.CountQuery{Table: inventoryTable, Depth: 2}, typedOf(inventoryTable)),
		"step_typed":      typedStep(goldenPublication, 0, b, eventsTable),
		"step_late_typed": typedStep(lateStep, 0, b, eventsTable),
		"nulled":          publish.NulledText(inventoryTable, goldenPublication.Steps[0].Batches, inventoryTable.Columns),
		"seed":            ledger.SeedText(both, kql.ConfigurationColumns),
		"seed_seven":      ledger.SeedText(both, seven),
		"orders":          ledger.OrdersText,
		"losses": ledger.LossesText(both, []ledger.Place{
			{Of: inventoryTable, Table: inventoryTable.Destination, Columns: kql.RawColumns, Keep: 30 * 24 * time.Hour},
			{Of: inventoryTable, Table: inventoryTable.Typed(), Columns: views.LineageColumns, Typed: true, Readers: true},
			{Of: eventsTable, Table: eventsTable.Destination, Columns: kql.RawColumns[:1], Readers: true},
		}),
		"landed":                     publish.LandedText(goldenRun, nil),
		"landed_known":               publish.LandedText(goldenRun, []tvmexport.BatchID{"20261123T051955Z-0a1b2c3d4e5f.0001"}),
		"failures":                   publish.FailuresText(goldenRun),
		"history":                    ledger.HistoryText(both),
		"history_partitions":         ledger.PartitionsText([]string{inventoryTable.Name, eventsTable.Name}, []tvmexport.RunID{goldenRun.ID}),
		"state":                      publish.StateText(tvmexport.CountQuery{Table: inventoryTable, Depth: 2}, rawOf(inventoryTable)),
		"state_bins":                 publish.StateText(tvmexport.CountQuery{Table: eventsTable, Window: goldenRun.Window, Bin: time.Hour}, rawOf(eventsTable)),
		"step_late":                  rawStep(lateStep, 0, b),
		"step_late_records_only":     rawStep(lateStep, 0, b, kql.RawColumns[:1]...),
		"leftovers":                  ledger.LeftoversText(both, map[string]tvmexport.History{eventsTable.Name: {Last: &tvmexport.Committed{RunHeader: tvmexport.RunHeader{ID: goldenRun.Previous}}}}, 24*time.Hour),
		"unaudited":                  ledger.UnauditedText(closing.Owner),
		"ends":                       ledger.EndsText("k", closing),
		"partitions":                 strings.Join(ledger.PartitionTexts(goldenRun, goldenPublication.Partitions), "\n\n"),
		"claim":                      claim.Text(b.ClaimKey()),
		"commit":                     ledger.RecordOf(goldenRun, kql.CommittedState).Text("tvmexport-commit:k"),
		"claims":                     publish.ClaimsText(goldenRun),
		"step":                       rawStep(goldenPublication, 0, b),
		"step_records_only":          rawStep(goldenPublication, 1, b, kql.RawColumns[:1]...),
		"legacy_survey":              takeover.SurveyText(oldEvents.Table, rawDataColumns, time.Time{}),
		"legacy_survey_state":        takeover.SurveyText(inventoryTable, kql.RawColumns[:1], goldenRun.StartedAt),
		"legacy_days":                takeover.LegacyDaysText(oldEvents, rawDataColumns),
		"legacy_days_state":          takeover.LegacyDaysText(takeover.Takeover{Table: inventoryTable, Rows: 7}, kql.RawColumns[:1]),
		"legacy_hours":               takeover.LegacyHoursText(oldEvents, kql.RawColumns[:1], goldenRun.Window),
		"legacy_run":                 takeover.LegacyText(oldEvents, rawDataColumns, "20261123T051955Z-legacy"),
		"legacy_configuration":       takeover.ReconfigureText(oldEvents, kql.ConfigurationColumns),
		"legacy_configuration_seven": takeover.ReconfigureText(oldEvents, seven),
		"legacy_listed":              takeover.ListedText(takeover.SiblingTable, "HighWatermark"),
		"legacy_audit":               takeover.LegacyAuditText(takeover.Takeover{Table: eventsTable, Listed: kql.ConfigurationTable}),
		"legacy_audit_sibling":       takeover.LegacyAuditText(oldEvents),
		"legacy_taken_over":          ledger.TakenOverText(both),
		"legacy_strays":              ledger.StraysText(both, map[string]time.Time{eventsTable.Name: goldenRun.StartedAt, inventoryTable.Name: goldenRun.StartedAt}),
		"step_raw_data":              rawStep(goldenPublication, 1, b, rawDataColumns...),
		"step_late_raw_data":         rawStep(lateStep, 0, b, rawDataColumns...),
		"step_other_columns":         rawStep(goldenPublication, 1, b, []kql.Column{{Name: "Source", Kind: "string"}, {Name: "Records", Kind: "dynamic"}, {Name: "ExportedAt", Kind: "string"}, {Name: "Extra", Kind: "long"}}...),
		"extents":                    publish.ExtentsText(goldenRun.Table.Destination, kql.RunTag(goldenRun.ID)),
		"remaining":                  publish.RemainingText(goldenRun, goldenPublication.Steps[0].Batches),
		"lease":                      lease,
		"holders":                    ledger.HoldersText(both),
		"usage":                      ledger.UsageText(closing.Owner),
		"stored_shape":               ledger.NumbersText,
		"release":                    ledger.ReleaseRows(closing.Owner, append(kql.Names(both), "")),
		"audited_row":                ledger.AuditedRow(closing.Owner),
		"watermarks":                 ledger.WatermarksText("tvmexport-finish:k", outcomes, kql.ConfigurationColumns),
		"watermarks_seven":           ledger.WatermarksText("tvmexport-finish:k", outcomes, seven),
		"audit":                      ledger.AuditText("tvmexport-audit:k", closing, kql.AuditColumns, goldenRun.StartedAt.Add(1500*time.Millisecond)),
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

func typedOf(t tvmexport.Table) views.Source {
	return views.Source{Table: t.Typed(), Columns: views.TypedColumns(t.Visible()), Typed: true}
}

func rawStep(p tvmexport.Publication, ordinal int, b publish.Base, columns ...kql.Column) string {
	seen := rawOf(p.Run.Table, columns...)
	return publish.StepText(p, ordinal, b, publish.Target{Table: seen.Table, Columns: seen.Columns}, seen)
}

func typedStep(p tvmexport.Publication, ordinal int, b publish.Base, t tvmexport.Table) string {
	p.Shown = t.Visible()
	seen := typedOf(t)
	into := publish.Target{Table: seen.Table, Columns: seen.Columns, Shown: p.Shown, Suffix: ":typed"}
	return publish.StepText(p, ordinal, b, into, seen)
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
