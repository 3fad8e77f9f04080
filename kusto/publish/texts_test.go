package publish

import (
	"testing"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/kusto/kql"
	"github.com/tvmexport/tvmexport/kusto/kql/kqltest"
	"github.com/tvmexport/tvmexport/kusto/ledger"
	"github.com/tvmexport/tvmexport/kusto/views"
)

// TestTexts compares the queries and commands of publishing with golden texts.
func TestTexts(t *testing.T) {
	b := base{Table: kqltest.Run.Table.Name, Previous: kqltest.Run.Previous}
	detail, err := kql.Document(kqltest.Publication)
	if err != nil {
		t.Fatal(err)
	}
	claim := ledger.RecordOf(kqltest.Run, kql.PublishingState)
	claim.Rows, claim.Bytes, claim.Calls, claim.Detail = 5, 4096, 3, detail
	lateStep := kqltest.Publication
	lateStep.Steps = []tvmexport.PublicationStep{{Batches: kqltest.Publication.Steps[0].Batches, Rows: 1, Late: &kqltest.Run.Window}}
	rebuilt := replacement{table: kqltest.InventoryTable, run: kqltest.Run.ID, rows: 5, tag: kql.RefillTag("RMDZ5NXKRVVUBCJXDZ7DFXM6Q5")}
	part := rebuilt
	part.buckets = []string{"0a1", "fff"}
	for name, text := range map[string]string{
		"state_typed":            stateText(tvmexport.CountQuery{Table: kqltest.InventoryTable, Depth: 2}, typedOf(kqltest.InventoryTable)),
		"step_typed":             typedStep(kqltest.Publication, 0, b, kqltest.EventsTable),
		"step_late_typed":        typedStep(lateStep, 0, b, kqltest.EventsTable),
		"nulled":                 nulledText(kqltest.InventoryTable, kqltest.Publication.Steps[0].Batches, kqltest.InventoryTable.Columns),
		"landed":                 landedText(kqltest.Run, nil),
		"landed_known":           landedText(kqltest.Run, []tvmexport.BatchID{"20261123T051955Z-0a1b2c3d4e5f.0001"}),
		"failures":               failuresText(kqltest.Run),
		"state":                  stateText(tvmexport.CountQuery{Table: kqltest.InventoryTable, Depth: 2}, rawOf(kqltest.InventoryTable)),
		"state_bins":             stateText(tvmexport.CountQuery{Table: kqltest.EventsTable, Window: kqltest.Run.Window, Bin: time.Hour}, rawOf(kqltest.EventsTable)),
		"step_late":              rawStep(lateStep, 0, b),
		"step_late_records_only": rawStep(lateStep, 0, b, kql.RawColumns[:1]...),
		"claim":                  claim.Text(b.claimKey()),
		"claims":                 claimsText(kqltest.Run),
		"step":                   rawStep(kqltest.Publication, 0, b),
		"step_records_only":      rawStep(kqltest.Publication, 1, b, kql.RawColumns[:1]...),
		"step_raw_data":          rawStep(kqltest.Publication, 1, b, kqltest.RawDataColumns...),
		"step_late_raw_data":     rawStep(lateStep, 0, b, kqltest.RawDataColumns...),
		"step_other_columns":     rawStep(kqltest.Publication, 1, b, []kql.Column{{Name: "Source", Kind: "string"}, {Name: "Records", Kind: "dynamic"}, {Name: "ExportedAt", Kind: "string"}, {Name: "Extra", Kind: "long"}}...),
		"extents":                extentsText(kqltest.Run.Table.Destination, kql.RunTag(kqltest.Run.ID)),
		"refill_buckets":         bucketsText(kqltest.InventoryTable, kqltest.Run.ID),
		"refill_rebuild":         rebuilt.rebuildText(kql.RawColumns, views.TypedColumns(kqltest.InventoryTable.Visible())),
		"refill_replace":         rebuilt.text(),
		"refill_replace_part":    part.text(),
		"extents_of_many": extentsOfMany([]tagged{
			{table: kqltest.EventsTable.Destination, tag: kql.RunTag(kqltest.Run.ID)},
			{table: kqltest.EventsTable.Typed(), tag: kql.RunTag(kqltest.Run.ID)},
			{table: kqltest.InventoryTable.Destination, tag: kql.RunTag(kqltest.Run.Previous)},
		}),
		"older_of_many": olderOfMany([]landedBefore{
			{table: kqltest.EventsTable.Landing(), until: kqltest.Run.StartedAt},
			{table: kqltest.InventoryTable.Landing(), until: kqltest.Run.Watermark},
		}),
		"states_of_many": statesText([]string{"11111111-1111-1111-1111-111111111111", "22222222-2222-2222-2222-222222222222"}),
		"remaining":      remainingText(kqltest.Run, kqltest.Publication.Steps[0].Batches),
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

func rawStep(p tvmexport.Publication, ordinal int, b base, columns ...kql.Column) string {
	seen := rawOf(p.Run.Table, columns...)
	return stepText(p, ordinal, b, target{Table: seen.Table, Columns: seen.Columns}, seen)
}

func typedStep(p tvmexport.Publication, ordinal int, b base, t tvmexport.Table) string {
	p.Shown = t.Visible()
	seen := typedOf(t)
	into := target{Table: seen.Table, Columns: seen.Columns, Shown: p.Shown, Suffix: ":typed"}
	return stepText(p, ordinal, b, into, seen)
}
