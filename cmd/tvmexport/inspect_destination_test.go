package main

import (
	"testing"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/kusto"
)

// The command that makes an object is for the table that it belongs to; init without a
// table would begin to export all default tables.
func TestMakingOf(t *testing.T) {
	active := []tvmexport.Table{
		{Name: "TvmCertificates", Destination: "Certificates"},
		{Name: "TvmSoftwareInventory", Destination: "TvmSoftwareInventoryRaw"},
		{Name: "TvmSoftwareInventoryNonCpe", Destination: "NonCpe"},
	}
	for _, c := range []struct {
		about  string
		made   kusto.Command
		active []tvmexport.Table
		want   string
	}{
		{"a function", kusto.Command{Kind: kusto.MakeFunction, Name: "hunt_TvmSoftwareInventoryNonCpeChanges"}, active, "tvmexport init --table TvmSoftwareInventoryNonCpe"},
		{"a function without the prefix", kusto.Command{Kind: kusto.MakeFunction, Name: "TvmSoftwareInventoryChanges"}, active, "tvmexport init --table TvmCertificates"},
		{"a policy of the published table", kusto.Command{Kind: kusto.MakePolicy, Name: "caching", Table: "NonCpe"}, active, "tvmexport init --table TvmSoftwareInventoryNonCpe"},
		{"a policy of the typed table", kusto.Command{Kind: kusto.MakePolicy, Name: "caching", Table: "TvmSoftwareInventoryTyped"}, active, "tvmexport init --table TvmSoftwareInventory"},
		{"a policy of the ledger", kusto.Command{Kind: kusto.MakePolicy, Name: "retention", Table: "ExportRuns"}, active, "tvmexport init --table TvmCertificates"},
		{"no table is active", kusto.Command{Kind: kusto.MakePolicy, Name: "retention", Table: "ExportRuns"}, nil, "tvmexport init"},
	} {
		if got := makingOf(c.made, c.active, "hunt_"); got != c.want {
			t.Errorf("%s: %s, want %s", c.about, got, c.want)
		}
	}
}
