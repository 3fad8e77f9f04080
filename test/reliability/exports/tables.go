package exports

import (
	"strings"

	"github.com/tvmexport/tvmexport/assessment"
	"github.com/tvmexport/tvmexport/catalog"
)

// Table is a table with the queries whose rows must be the same at the source and at the
// destination.
type Table struct {
	Name    string
	Truth   string // over the source: the rows in the form in which they are published
	Readers string // over the destination: the columns that the source has
	files   bool   // it can be read by files
	pages   bool   // it can be read by pages
}

// Via is how a table is read if the exporter prefers a way.
func (t Table) Via(preferred assessment.Via) assessment.Via {
	switch {
	case !t.files:
		return assessment.Pages
	case !t.pages:
		return assessment.Files
	}
	return preferred
}

const (
	changes   = "TvmSoftwareVulnerabilityChanges"
	gathering = "TvmInformationGathering"
)

// adapted are queries of tables whose published rows differ in form from those of the
// source: JSON that is text there, other names, the year 1 for no time, and columns that
// the emulated source does not have.
var adapted = map[string]string{
	"TvmSoftwareVulnerabilities": `TvmSoftwareVulnerabilities | extend CveBatchTitle = "", CveBatchUrl = ""`,
	changes:                      changes + ` | extend CveBatchTitle = "", CveBatchUrl = ""`,
	"TvmHardwareFirmware":        "TvmHardwareFirmware | extend AdditionalFields = parse_json(AdditionalFields)",
	"TvmCertificates":            "TvmCertificates | extend NotBefore = iff(NotBefore == datetime(0001-01-01), datetime(null), NotBefore)",
	gathering:                    gathering + " | project-rename OSPlatform = OsPlatform, OSVersion = OsVersion | extend DeviceGatheredInfo = parse_json(DeviceGatheredInfo)",
}

// Tables are all tables of the export assessment APIs.
func Tables() []Table {
	var out []Table
	for _, name := range catalog.Assessments() {
		t := Table{Name: name, Truth: name, files: name != changes, pages: name != gathering}
		if q, ok := adapted[name]; ok {
			t.Truth = q
		}
		info, _ := catalog.Lookup(name)
		var columns []string
		for _, c := range info.Columns {
			columns = append(columns, c.Name)
		}
		t.Readers = name + " | project " + strings.Join(columns, ", ")
		out = append(out, t)
	}
	return out
}

// Lookup finds a table by its name.
func Lookup(name string) (Table, bool) {
	for _, t := range Tables() {
		if t.Name == name {
			return t, true
		}
	}
	return Table{}, false
}
