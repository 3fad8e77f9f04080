package tenant_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tvmexport/tvmexport/emulator/internal/kql"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
	"github.com/tvmexport/tvmexport/emulator/internal/tenant"
)

// columnTexts returns the rows of a relation as texts of the named columns.
func columnTexts(t *testing.T, r kql.Relation, names []string) []string {
	t.Helper()
	var at []int
	for _, name := range names {
		at = append(at, slices.IndexFunc(r.Columns(), func(c value.Column) bool { return c.Name == name }))
	}
	var rows []string
	for row, err := range r.Scan(t.Context(), kql.Request{}) {
		if err != nil {
			t.Fatal(err)
		}
		fields := make([]string, 0, len(at))
		for _, i := range at {
			fields = append(fields, row[i].String())
		}
		rows = append(rows, strings.Join(fields, "|"))
	}
	return rows
}

func TestExportsHaveTheirKeys(t *testing.T) {
	c := tenant.New(options(70, 5)).ExportCatalog()
	for name, key := range tenant.ExportKeys {
		t.Run(name, func(t *testing.T) {
			rows := columnTexts(t, relation(t, c, name), key)
			if len(rows) < 30 {
				t.Fatalf("%d rows", len(rows))
			}
			slices.Sort(rows)
			for i := 1; i < len(rows); i++ {
				if rows[i] == rows[i-1] {
					t.Errorf("two rows have the key %s", rows[i])
				}
			}
		})
	}
}

// Both views of the tenant have the same vulnerabilities, apart from rows that hunting has
// twice and programs without a CVE, which the export has.
func TestExportAgreesWithHunting(t *testing.T) {
	for _, tt := range []struct {
		export, hunting string
		columns, as     []string
		days            int
		expiry          bool
	}{
		{
			"TvmSoftwareVulnerabilities", "DeviceTvmSoftwareVulnerabilities",
			[]string{"DeviceId", "DeviceName", "OSPlatform", "OSVersion", "OSArchitecture", "SoftwareVendor", "SoftwareName", "SoftwareVersion", "CveId", "VulnerabilitySeverityLevel", "RecommendedSecurityUpdate", "RecommendedSecurityUpdateId"},
			nil, 2, false,
		},
		{
			"TvmSoftwareVulnerabilities", "DeviceTvmSoftwareVulnerabilities",
			[]string{"DeviceId", "SoftwareVendor", "SoftwareName", "SoftwareVersion", "CveId"},
			nil, 35, true,
		},
		{
			"TvmSecureConfigurations", "DeviceTvmSecureConfigurationAssessment",
			[]string{"DeviceId", "ConfigurationId", "Timestamp", "IsCompliant", "IsApplicable", "ConfigurationImpact"},
			nil, 35, true,
		},
		{
			"TvmBrowserExtensions", "DeviceTvmBrowserExtensions",
			[]string{"DeviceId", "BrowserName", "ExtensionId", "ExtensionVersion", "InstallationTime"},
			nil, 9, true,
		},
		{
			"TvmCertificates", "DeviceTvmCertificateInfo",
			[]string{"DeviceId", "Thumbprint", "Path", "SerialNumber", "SubjectObject"},
			[]string{"DeviceId", "Thumbprint", "Path", "SerialNumber", "IssuedTo"},
			9, true,
		},
	} {
		t.Run(fmt.Sprintf("%s after %d days", tt.export, tt.days), func(t *testing.T) {
			o := options(40, 6)
			o.Expiry = tt.expiry
			o.ChangeRate = 0.4
			tn := tenant.New(o)
			tn.Advance(tt.days)
			as := tt.as
			if as == nil {
				as = tt.columns
			}
			exported := columnTexts(t, relation(t, tn.ExportCatalog(), tt.export), tt.columns)
			if tt.export == "TvmSoftwareVulnerabilities" {
				exported = slices.DeleteFunc(exported, func(s string) bool { return !strings.Contains(s, "|CVE-") })
			}
			hunted := columnTexts(t, relation(t, tn.Catalog(), tt.hunting), as)
			slices.Sort(exported)
			slices.Sort(hunted)
			if d := cmp.Diff(slices.Compact(hunted), exported); d != "" {
				t.Errorf("the views differ (-hunting +export):\n%.2000s", d)
			}
		})
	}
}

// The changes of a step lead from the rows of one snapshot to those of the next one.
func TestChangesLeadFromSnapshotToSnapshot(t *testing.T) {
	o := options(40, 7)
	o.ChangeRate = 0.5
	tn := tenant.New(o)
	tn.Advance(1)
	tn.AdvanceHours(18)
	list := tn.Snapshots()
	var seen []time.Duration
	statuses := map[string]int{}
	moves := 0
	for i := 1; i < len(list); i++ {
		seen = append(seen, list[i].Mark.Sub(list[i-1].Mark))
		was, is := exposed(t, list[i-1]), exposed(t, list[i])
		at := value.NewDateTime(list[i].Mark).Ticks()
		fixed, added := map[string]bool{}, map[string]bool{}
		for row, err := range list[i].Changes(t.Context(), list[i-1].Export, at) {
			if err != nil {
				t.Fatal(err)
			}
			n := len(row)
			key, status := keyOf(t, tenant.Changes, row), row[n-2].Text()
			statuses[status]++
			id, _, _ := strings.Cut(key, "|")
			switch status {
			case "New":
				if was[key] {
					t.Errorf("%s is New and was there", key)
				}
				was[key] = true
				added[id] = true
			case "Fixed":
				if !was[key] {
					t.Errorf("%s is Fixed and was not there", key)
				}
				delete(was, key)
				fixed[id] = true
			case "Updated":
				if !was[key] || !is[key] {
					t.Errorf("%s is Updated and is not in both snapshots", key)
				}
			}
			if row[n-1].Ticks() != at {
				t.Errorf("%s has the time %s", key, row[n-1])
			}
		}
		for id := range fixed {
			if added[id] {
				moves++
			}
		}
		if d := cmp.Diff(is, was); d != "" {
			t.Errorf("the changes of step %d do not lead to its snapshot:\n%.1000s", i, d)
		}
	}
	for _, s := range []string{"New", "Fixed"} {
		if statuses[s] == 0 {
			t.Errorf("no change is %s: %v", s, statuses)
		}
	}
	if moves == 0 {
		t.Error("nothing moved to another group")
	}
	if len(seen) < 6 || slices.Max(seen) != 6*time.Hour || slices.Min(seen) != 6*time.Hour {
		t.Errorf("the snapshots lie apart by %v", seen)
	}
}

// exposed are the rows of a snapshot by id and group.
func exposed(t *testing.T, s tenant.Snapshot) map[string]bool {
	t.Helper()
	all := map[string]bool{}
	for row, err := range s.Rows(t.Context(), "TvmSoftwareVulnerabilities") {
		if err != nil {
			t.Fatal(err)
		}
		all[keyOf(t, "TvmSoftwareVulnerabilities", row)] = true
	}
	return all
}

func keyOf(t *testing.T, name string, row tenant.Row) string {
	t.Helper()
	at := keyColumns()[name]
	return row[at[0]].Text() + "|" + row[at[1]].String()
}

// keyColumns are where the columns Id and RbacGroupId of a data set are.
var keyColumns = sync.OnceValue(func() map[string][2]int {
	all := map[string][2]int{}
	for _, name := range []string{tenant.Changes, "TvmSoftwareVulnerabilities"} {
		columns := tenant.ExportColumns(name)
		find := func(key string) int {
			return slices.IndexFunc(columns, func(c value.Column) bool { return c.Name == key })
		}
		all[name] = [2]int{find("Id"), find("RbacGroupId")}
	}
	return all
})

// Files have all rows of a snapshot, each in the part of its device's group.
func TestPartsHaveAllRows(t *testing.T) {
	tn := tenant.New(options(30, 8))
	newest := tn.Newest()
	columns := tenant.ExportColumns("TvmSoftwareInventory")
	group := slices.IndexFunc(columns, func(c value.Column) bool { return c.Name == "RbacGroupId" })
	var parts, whole []string
	text := func(row tenant.Row) string {
		var b []byte
		for _, v := range row {
			b = append(v.AppendText(b), '|')
		}
		return string(b)
	}
	empty := 0
	for _, p := range newest.Parts(7) {
		n := 0
		for row, err := range p.Rows(t.Context(), "TvmSoftwareInventory") {
			if err != nil {
				t.Fatal(err)
			}
			if row[group].Int64() != int64(p.Group().ID) {
				t.Errorf("a row of the group %v is in the part of the group %v", row[group], p.Group())
			}
			parts = append(parts, text(row))
			n++
		}
		if p.Empty() {
			empty++
		}
		if p.Empty() != (n == 0) {
			t.Errorf("the part of the group %v with %d rows: empty is %v", p.Group(), n, p.Empty())
		}
	}
	for row, err := range newest.Rows(t.Context(), "TvmSoftwareInventory") {
		if err != nil {
			t.Fatal(err)
		}
		whole = append(whole, text(row))
	}
	slices.Sort(parts)
	slices.Sort(whole)
	if !slices.Equal(parts, whole) || empty != 1 {
		t.Errorf("%d rows in parts, %d as a whole, %d empty parts", len(parts), len(whole), empty)
	}
}

// A snapshot shows the state at its mark, also when the tenant changes later.
func TestSnapshotStays(t *testing.T) {
	tn := tenant.New(options(40, 9))
	before := exposed(t, tn.Newest())
	mark := tn.Newest().Mark
	tn.Move(0.5)
	if !tn.Newest().Mark.Equal(mark) {
		t.Fatal("a move makes a snapshot")
	}
	if d := cmp.Diff(before, exposed(t, tn.Newest())); d != "" {
		t.Errorf("a move changes the snapshot:\n%.500s", d)
	}
	tn.AdvanceHours(6)
	if got := tn.Newest().Mark; !got.Equal(mark.Add(6 * time.Hour)) {
		t.Errorf("after six hours the mark is %s, before %s", got, mark)
	}
	if cmp.Equal(before, exposed(t, tn.Newest())) {
		t.Error("the next snapshot does not have the move")
	}
	for range 20 {
		tn.Advance(1)
	}
	list := tn.Snapshots()
	if kept := tn.Newest().Mark.Sub(list[0].Mark); kept < tenant.ChangesKept {
		t.Errorf("snapshots of %s are kept", kept)
	}
}

// What was gathered has texts in place of numbers and bools, as was seen in this data set.
func TestGatheredInfoIsText(t *testing.T) {
	rows := columnTexts(t, relation(t, tenant.New(options(40, 10)).ExportCatalog(), "TvmInformationGathering"), []string{"DeviceGatheredInfo"})
	seen := map[string]bool{}
	for _, text := range rows {
		if text == "" {
			continue
		}
		var info map[string]any
		if err := json.Unmarshal([]byte(text), &info); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		for name, v := range info {
			switch v := v.(type) {
			case string:
				seen[v] = true
			case bool, float64:
				t.Errorf("%s is %v", name, v)
			}
		}
	}
	if !seen["True"] || !seen["False"] {
		t.Error("no member is True or False as text")
	}
}
