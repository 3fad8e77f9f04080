package catalog_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/catalog"
)

func TestEveryTableIsUsable(t *testing.T) {
	types := []string{"bool", "int", "long", "real", "decimal", "datetime", "timespan", "string", "guid", "dynamic"}
	for _, name := range catalog.Names() {
		info, ok := catalog.Lookup(name)
		if !ok || len(info.Columns) == 0 {
			t.Errorf("%s: no columns", name)
		}
		seen := map[string]bool{}
		for _, c := range info.Columns {
			if err := tvmexport.CheckIdentifier("column", c.Name); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if !slices.Contains(types, c.Type) || seen[c.Name] {
				t.Errorf("%s: column %v", name, c)
			}
			seen[c.Name] = true
		}
		if table, _ := catalog.Table(name); table.LoadType == tvmexport.Incremental && table.Watermark == "" {
			t.Errorf("%s: incremental without a watermark", name)
		}
	}
}

func TestDefaultAndOfferedAreTheFifteen(t *testing.T) {
	all := slices.Concat(catalog.Default(), catalog.Offered())
	if len(catalog.Default()) != 9 || len(catalog.Offered()) != 6 {
		t.Errorf("%d default and %d offered, want 9 and 6", len(catalog.Default()), len(catalog.Offered()))
	}
	for _, name := range all {
		if info, ok := catalog.Lookup(name); !ok || !info.Snapshot {
			t.Errorf("%s is not a known snapshot table", name)
		}
	}
}

func TestKeys(t *testing.T) {
	for name, want := range map[string]tvmexport.Key{
		"DeviceTvmSoftwareVulnerabilities":     {Column: "DeviceId"},
		"DeviceTvmSoftwareVulnerabilitiesKB":   {Hashed: []string{"CveId"}},
		"DeviceTvmBrowserExtensionsKB":         {Hashed: []string{"BrowserName", "ExtensionId", "PermissionId"}},
		"DeviceBaselineComplianceAssessmentKB": {Hashed: []string{"ConfigurationId"}},
		"DeviceProcessEvents":                  {Column: "DeviceId"},
	} {
		table, _ := catalog.Table(name)
		if d := cmp.Diff(want, table.Key); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
}

func TestObservedColumnsStandBehindTheDocumentedOnes(t *testing.T) {
	info, _ := catalog.Lookup("DeviceTvmSoftwareVulnerabilitiesKB")
	if i := slices.Index(info.Columns, tvmexport.Column{Name: "CvssScore", Type: "real"}); i != 1 {
		t.Errorf("CvssScore, a real on live tenants, is at %d", i)
	}
	last := info.Columns[len(info.Columns)-info.Observed:]
	if last[0].Name != "CvssVector" {
		t.Errorf("observed: %v", last)
	}
}

func TestNearest(t *testing.T) {
	for name, want := range map[string]string{
		"DeviceTvmSoftwareInventry":  "DeviceTvmSoftwareInventory",
		"devicetvmsoftwareinventory": "DeviceTvmSoftwareInventory",
		"Nothing":                    "",
	} {
		if got := catalog.Nearest(name); got != want {
			t.Errorf("Nearest(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestTablesOfTheAssessmentAPIs(t *testing.T) {
	if n := len(catalog.Assessments()); n != 10 {
		t.Errorf("%d tables, want 10", n)
	}
	for _, name := range catalog.Assessments() {
		table, _ := catalog.Table(name)
		info, _ := catalog.Lookup(name)
		if d := cmp.Diff(tvmexport.Key{Column: "DeviceId"}, table.Key); d != "" || info.Role == "" {
			t.Errorf("%s: the role %q, the key %s", name, info.Role, d)
		}
		for _, column := range info.NaturalKey {
			if !slices.ContainsFunc(info.Columns, func(c tvmexport.Column) bool { return c.Name == column }) {
				t.Errorf("%s has no column %s", name, column)
			}
		}
		changes := name == "TvmSoftwareVulnerabilityChanges"
		if want := tvmexport.Incremental; changes && (table.LoadType != want || table.Watermark != "EventTimestamp") {
			t.Errorf("%s: %s by %q", name, table.LoadType, table.Watermark)
		}
		if !changes && table.LoadType != tvmexport.Snapshot {
			t.Errorf("%s: %s", name, table.LoadType)
		}
		if n := table.RowBytes; n < 300 || n > 1400 {
			t.Errorf("%s: rows of %d bytes; Microsoft states 0.5 to 1 KB, here with a member for each column", name, n)
		}
	}
}

func TestSources(t *testing.T) {
	for name, want := range map[string]catalog.Source{
		"TvmSoftwareVulnerabilities":       catalog.Assessment,
		"DeviceTvmSoftwareVulnerabilities": catalog.Hunting,
		"DeviceProcessEvents":              catalog.Hunting,
		"NotInTheCatalogue":                catalog.Hunting,
	} {
		if got := catalog.SourceOf(name); got != want {
			t.Errorf("%s comes from %s, want %s", name, got, want)
		}
	}
	info, _ := catalog.Lookup("DeviceTvmCertificateInfo")
	export, _ := catalog.Lookup("TvmCertificates")
	if info.Role != "" || export.Role != "Vulnerability.Read.All" || export.Licence == "" {
		t.Errorf("%q, %q, %q", info.Role, export.Role, export.Licence)
	}
}

// Columns of a trace, and those that say when a row was last seen, are columns of the table.
func TestTraces(t *testing.T) {
	traced := 0
	for _, name := range catalog.Names() {
		table, _ := catalog.Table(name)
		has := func(column, kind string) {
			t.Helper()
			if !slices.Contains(table.Columns, tvmexport.Column{Name: column, Type: kind}) {
				t.Errorf("%s has no column %s of the type %s", name, column, kind)
			}
		}
		for _, column := range table.Seen {
			has(column, "datetime")
			if slices.Contains(table.NaturalKey, column) {
				t.Errorf("%s: the key has the time %s", name, column)
			}
		}
		k := table.Trace
		if k.IsZero() {
			continue
		}
		traced++
		for _, column := range append([]string{k.Device, k.Version, k.Finding}, k.Software...) {
			has(column, "string")
			if !slices.Contains(table.NaturalKey, column) {
				t.Errorf("%s: the key lacks %s", name, column)
			}
		}
		has(k.LastSeen, "datetime")
		for _, column := range k.Paths {
			has(column, "dynamic")
		}
		if !slices.Contains(table.NaturalKey, k.Group) || !slices.Contains(table.Seen, k.LastSeen) || table.Key.Column != k.Device {
			t.Errorf("%s: the group %q, the time %q, partitions by %q", name, k.Group, k.LastSeen, table.Key.Column)
		}
		if k.UserDays < 1 || k.DeviceDays <= k.UserDays {
			t.Errorf("%s: %d and %d days", name, k.UserDays, k.DeviceDays)
		}
	}
	if traced == 0 {
		t.Error("no table says why rows vanish")
	}
}
