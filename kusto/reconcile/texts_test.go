package reconcile

import (
	"testing"
	"time"

	"github.com/tvmexport/tvmexport/catalog"
	"github.com/tvmexport/tvmexport/kusto/kql/kqltest"
)

// of is the comparison of a pair whose hunting table was read later, with an earlier state of it.
func of(t *testing.T, table, prefix string, earlier bool) comparison {
	t.Helper()
	pair, ok := catalog.PairOf(table)
	if !ok {
		t.Fatalf("%s is in no pair", table)
	}
	at := time.Date(2026, 11, 30, 12, 3, 0, 123456700, time.UTC)
	c := comparison{pair: pair, prefix: prefix, hunting: Side{Table: pair.Hunting, At: at}, devices: 10}
	for _, name := range pair.Exports {
		c.exports = append(c.exports, Side{Table: name, At: at.Add(time.Minute), StateAt: at.Add(-6 * time.Hour)})
	}
	if earlier {
		c.earlier = []Side{{Table: pair.Hunting, At: at.Add(-8 * time.Hour)}}
	}
	return c
}

// TestTexts compares the queries of pairs with golden texts.
func TestTexts(t *testing.T) {
	vulnerabilities := of(t, "TvmSoftwareVulnerabilities", "", true)
	inventory := of(t, "DeviceTvmSoftwareInventory", "hunt_", false)
	exportLater := of(t, "TvmInformationGathering", "", false)
	exportLater.earlier = []Side{{Table: "TvmInformationGathering", At: exportLater.hunting.At.Add(-8 * time.Hour)}}
	for name, text := range map[string]string{
		"counts":              vulnerabilities.countsText(),
		"counts_two_exports":  inventory.countsText(),
		"counts_export_later": exportLater.countsText(),
		"rows":                vulnerabilities.rowsText("3f01"),
		"rows_two_exports":    inventory.rowsText(`3f "' \ 01`),
		"earlier":             earlierText(map[string]time.Time{"TvmSoftwareInventory": exportLater.hunting.At, "DeviceTvmInfoGathering": exportLater.hunting.At}),
	} {
		t.Run(name, func(t *testing.T) { kqltest.Golden(t, name, text) })
	}
}
