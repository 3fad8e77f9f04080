package reconcile

import (
	"strings"
	"testing"
	"time"

	"github.com/tvmexport/tvmexport/catalog"
	"github.com/tvmexport/tvmexport/kusto/kql/kqltest"
)

// of is the comparison of a pair whose hunting table was read later, with an earlier state of it.
func of(t *testing.T, table string, earlier bool) comparison {
	t.Helper()
	pair, ok := catalog.PairOf(table)
	if !ok {
		t.Fatalf("%s is in no pair", table)
	}
	at := time.Date(2026, 11, 30, 12, 3, 0, 123456700, time.UTC)
	c := comparison{pair: pair, hunting: Side{Table: pair.Hunting, At: at}, devices: 10}
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
	vulnerabilities := of(t, "TvmSoftwareVulnerabilities", true)
	inventory := of(t, "DeviceTvmSoftwareInventory", false)
	exportLater := of(t, "TvmInformationGathering", false)
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

// Queries call read functions by their prefix.
func TestPrefix(t *testing.T) {
	c := of(t, "DeviceTvmSoftwareInventory", true)
	c.prefix = "hunt_"
	for name, text := range map[string]string{"counts": c.countsText(), "rows": c.rowsText("3f01")} {
		calls, prefixed := strings.Count(text, "AsOf("), strings.Count(text, " hunt_DeviceTvmSoftwareInventoryAsOf(")+strings.Count(text, " hunt_TvmSoftwareInventoryAsOf(")+strings.Count(text, " hunt_TvmSoftwareInventoryNonCpeAsOf(")
		if calls < 3 || prefixed != calls {
			t.Errorf("%s: %d of %d calls have the prefix:\n%s", name, prefixed, calls, text)
		}
	}
}
