package catalog

import (
	"slices"

	"github.com/tvmexport/tvmexport"
)

// Pair is a table of Advanced Hunting and the tables of the export assessment APIs that
// hold the same facts. The table of hunting and those of the export together have the
// same keys, apart from what the fields say.
type Pair struct {
	Hunting   string   // the table of Advanced Hunting
	Exports   []string // the tables of the export APIs
	Key       []string // columns of all these tables that name a row; the first one is DeviceId
	Filled    string   // column of the exports: hunting does not have their rows in which it is empty; "" if it has all
	Onboarded string   // column of the exports: it is false for devices that hunting may not have; "" if none says it
}

// pairs are those of the two sources, sorted by their tables. Keys are compared as sets:
// hunting has a row of software twice if a version is installed in two places, and an
// export has it twice while its device moves to another group.
var pairs = []Pair{
	{Hunting: "DeviceBaselineComplianceAssessment", Exports: []string{"TvmBaselineCompliance"}, Key: []string{"DeviceId", "ProfileId", "ConfigurationId"}},
	{Hunting: "DeviceTvmBrowserExtensions", Exports: []string{"TvmBrowserExtensions"}, Key: []string{"DeviceId", "BrowserName", "ExtensionId"}},
	{Hunting: "DeviceTvmCertificateInfo", Exports: []string{"TvmCertificates"}, Key: []string{"DeviceId", "Thumbprint", "Path"}},
	{Hunting: "DeviceTvmHardwareFirmware", Exports: []string{"TvmHardwareFirmware"}, Key: []string{"DeviceId", "ComponentType", "ComponentName"}},
	{Hunting: "DeviceTvmInfoGathering", Exports: []string{"TvmInformationGathering"}, Key: []string{"DeviceId"}},
	{Hunting: "DeviceTvmSecureConfigurationAssessment", Exports: []string{"TvmSecureConfigurations"}, Key: []string{"DeviceId", "ConfigurationId"}},
	{
		Hunting: "DeviceTvmSoftwareInventory", Exports: []string{"TvmSoftwareInventory", "TvmSoftwareInventoryNonCpe"},
		Key: []string{"DeviceId", "SoftwareVendor", "SoftwareName", "SoftwareVersion"},
	},
	{
		Hunting: "DeviceTvmSoftwareVulnerabilities", Exports: []string{"TvmSoftwareVulnerabilities"},
		Key:    []string{"DeviceId", "SoftwareVendor", "SoftwareName", "SoftwareVersion", "CveId"},
		Filled: "CveId", Onboarded: "IsOnboarded",
	},
}

// Pairs are the tables that both sources have, sorted by the table of hunting.
func Pairs() []Pair { return slices.Clone(pairs) }

// PairOf is the pair that a table of either source belongs to.
func PairOf(table string) (Pair, bool) {
	for _, p := range pairs {
		if slices.Contains(p.Tables(), table) {
			return p, true
		}
	}
	return Pair{}, false
}

// Tables are all tables of the pair, that of hunting first.
func (p Pair) Tables() []string { return append([]string{p.Hunting}, p.Exports...) }

// Hidden is a column of a pair's key by which its rows cannot be compared.
type Hidden struct {
	Table, Column string
	Pseudonym     bool // the table publishes pseudonyms of it, and another table of the pair does not; else it does not publish it
}

// Hidden are the columns of the key that not all tables publish, or that only some of them
// publish as pseudonyms. Equal values have equal pseudonyms in all tables, and an empty text
// stays one.
func (p Pair) Hidden(policy func(table string) tvmexport.ColumnPolicy) (out []Hidden) {
	for _, column := range p.Key {
		var masked []Hidden
		for _, table := range p.Tables() {
			switch of := policy(table); {
			case of.Excludes(column):
				out = append(out, Hidden{Table: table, Column: column})
			case of.Pseudonymises(column):
				masked = append(masked, Hidden{Table: table, Column: column, Pseudonym: true})
			}
		}
		if len(masked) < len(p.Tables()) {
			out = append(out, masked...)
		}
	}
	return out
}
