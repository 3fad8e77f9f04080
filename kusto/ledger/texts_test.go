package ledger

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/kusto/kql"
	"github.com/tvmexport/tvmexport/kusto/kql/kqltest"
	"github.com/tvmexport/tvmexport/kusto/views"
)

// TestTexts compares the queries and commands of the ledger with golden texts.
func TestTexts(t *testing.T) {
	both := []tvmexport.Table{kqltest.InventoryTable, kqltest.EventsTable}
	outcomes := []tvmexport.Outcome{
		{Table: kqltest.EventsTable.Name, Into: kqltest.EventsTable.Destination, Run: kqltest.Run.ID, Rows: 5, Watermark: kqltest.Run.Watermark, Began: kqltest.Run.StartedAt, At: kqltest.Run.StartedAt},
		{Table: kqltest.InventoryTable.Name, Err: errors.New("Bearer abc.def refused; say \"why\"\nplease")},
	}
	closing := tvmexport.InvocationEnd{Owner: "host-7 \"x\" 99", Tables: both, Outcomes: outcomes}
	lease, err := leaseText(tvmexport.Lease{
		Owner: closing.Owner, Tables: both, Term: 5 * time.Minute,
		QuotaUsage: tvmexport.QuotaUsage{Calls: []tvmexport.CallCount{{At: kqltest.Run.StartedAt, Calls: 7}}, Paused: kqltest.Run.StartedAt.Add(2 * time.Minute)},
	}, "v1.2.3", kqltest.Run.StartedAt.Add(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	note, err := noteText(tvmexport.Lease{
		Owner: closing.Owner, QuotaUsage: tvmexport.QuotaUsage{Calls: []tvmexport.CallCount{{At: kqltest.Run.StartedAt, Calls: 3}}},
	}, kqltest.Run.StartedAt.Add(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"lacks":      lacksText(both),
		"seed":       SeedText(both, kql.NeededColumns),
		"seed_seven": SeedText(both, kql.ConfigurationColumns),
		"activate":   activateText(kql.Names(both), true, kql.NeededColumns),
		"pause":      activateText(kql.Names(both[:1]), false, kql.ConfigurationColumns),
		"seed_any":   SeedAnyText(both),
		"orders":     ordersText,
		"losses": lossesText(both, []place{
			{Of: kqltest.InventoryTable, Table: kqltest.InventoryTable.Destination, Columns: kql.RawColumns, Keep: 30 * 24 * time.Hour},
			{Of: kqltest.InventoryTable, Table: kqltest.InventoryTable.Typed(), Columns: views.LineageColumns, Typed: true, Readers: true},
			{Of: kqltest.EventsTable, Table: kqltest.EventsTable.Destination, Columns: kql.RawColumns[:1], Readers: true},
		}),
		"history":            historyText(both),
		"history_partitions": partitionsText([]string{kqltest.InventoryTable.Name, kqltest.EventsTable.Name}, []tvmexport.RunID{kqltest.Run.ID}),
		"leftovers":          leftoversText(both, map[string]tvmexport.History{kqltest.EventsTable.Name: {Last: &tvmexport.Committed{RunHeader: tvmexport.RunHeader{ID: kqltest.Run.Previous}}}}, 24*time.Hour),
		"unaudited":          unauditedText(closing.Owner),
		"ends":               endsText("k", closing),
		"partitions":         Partitions("commit", kqltest.Run, kqltest.Publication.Partitions)[0].Text(),
		"commit":             RecordOf(kqltest.Run, kql.CommittedState).Text("tvmexport-commit:k"),
		"legacy_taken_over":  takenOverText(both),
		"legacy_strays":      straysText(both, map[string]time.Time{kqltest.EventsTable.Name: kqltest.Run.StartedAt, kqltest.InventoryTable.Name: kqltest.Run.StartedAt}),
		"lease":              lease,
		"note_usage":         note,
		"holders":            holdersText(both),
		"usage":              usageText(closing.Owner),
		"stored_shape":       NumbersText,
		"release":            releaseRows(closing.Owner, append(kql.Names(both), "")),
		"audited_row":        auditedRow(closing.Owner),
		"watermarks":         watermarksText("tvmexport-finish:k", outcomes, kql.NeededColumns),
		"watermarks_seven":   watermarksText("tvmexport-finish:k", outcomes, kql.ConfigurationColumns),
		"audit":              auditText("tvmexport-audit:k", closing, kql.AuditColumns, kqltest.Run.StartedAt.Add(1500*time.Millisecond)),
		"audit_long": auditText("tvmexport-audit:k", tvmexport.InvocationEnd{Owner: closing.Owner, Outcomes: outcomes[:1]},
			append(slices.Clone(kql.AuditColumns[:4]), kql.Column{Name: "RecordCount", Kind: "long"}), kqltest.Run.StartedAt.Add(1500*time.Millisecond)),
	} {
		t.Run(name, func(t *testing.T) { kqltest.Golden(t, name, text) })
	}
}
