package tenant_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tvmexport/tvmexport/emulator/internal/kql"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
	"github.com/tvmexport/tvmexport/emulator/internal/tenant"
)

const exportedVulnerabilities = "TvmSoftwareVulnerabilities"

// life follows a tenant through its snapshots, as a client that reads the changes does.
type life struct {
	t       *testing.T
	tenant  *tenant.Tenant
	last    tenant.Snapshot
	rows    map[string]bool     // by id and group
	fixed   []string            // key, group and time of each Fixed row
	first   map[string][]string // FirstSeenTimestamp of New and Fixed rows, by time, device, program and CVE
	updated int
}

// read applies the changes of all new snapshots, and compares with the newest one.
func (l *life) read() {
	l.t.Helper()
	at := map[string]int{}
	for i, c := range tenant.ExportColumns(tenant.Changes) {
		at[c.Name] = i
	}
	text := func(row tenant.Row, name string) string { return row[at[name]].String() }
	for _, s := range l.tenant.Snapshots() {
		if !s.Mark.After(l.last.Mark) {
			continue
		}
		for row, err := range s.Changes(l.t.Context(), l.last.Export, value.NewDateTime(s.Mark).Ticks()) {
			if err != nil {
				l.t.Fatal(err)
			}
			key, at := keyOf(l.t, tenant.Changes, row), text(row, "EventTimestamp")
			program := strings.Join([]string{at, text(row, "DeviceId"), text(row, "SoftwareVendor"), text(row, "SoftwareName"), text(row, "CveId")}, "|")
			switch text(row, "Status") {
			case "New":
				if l.rows[key] {
					l.t.Errorf("%s is New and was there", key)
				}
				l.rows[key] = true
				l.first[program] = append(l.first[program], "New "+text(row, "FirstSeenTimestamp"))
			case "Fixed":
				if !l.rows[key] {
					l.t.Errorf("%s is Fixed and was not there", key)
				}
				delete(l.rows, key)
				l.fixed = append(l.fixed, strings.Join([]string{
					text(row, "DeviceId"), text(row, "SoftwareVendor"), text(row, "SoftwareName"), text(row, "SoftwareVersion"), text(row, "CveId"), text(row, "RbacGroupId"), at,
				}, "|"))
				l.first[program] = append(l.first[program], "Fixed "+text(row, "FirstSeenTimestamp"))
			default:
				l.updated++
			}
		}
		l.last = s
	}
	if is := exposed(l.t, l.last); !maps.Equal(is, l.rows) {
		l.t.Fatalf("the changes do not lead to the snapshot of %s:\n%.1000s", l.last.Mark, cmp.Diff(is, l.rows))
	}
}

// vanishedRows are the rows that vanished between two times, with their columns before the reason
// as one text, and the reasons.
func vanishedRows(t *testing.T, r kql.Relation) (rows, reasons []string) {
	t.Helper()
	for row, err := range r.Scan(t.Context(), kql.Request{}) {
		if err != nil {
			t.Fatal(err)
		}
		var fields []string
		for _, v := range row[:len(row)-1] {
			fields = append(fields, v.String())
		}
		rows = append(rows, strings.Join(fields, "|"))
		reasons = append(reasons, row[len(row)-1].Text())
	}
	return rows, reasons
}

// Over forty days the changes lead from snapshot to snapshot, and what they call Fixed is
// what vanished, with a reason.
func TestFortyDays(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: it takes several seconds; make test runs it")
	}
	o := known(40, 16)
	o.Expiry, o.ChangeRate = true, 0.4
	tn := tenant.New(o)
	began := tn.Newest()
	l := &life{t: t, tenant: tn, last: began, rows: exposed(t, began), first: map[string][]string{}}
	for day := range 40 {
		if day%8 == 0 {
			tn.AdvanceHours(24)
		} else {
			tn.Advance(1)
		}
		l.read()
	}
	rows, reasons := vanishedRows(t, tn.Vanished(exportedVulnerabilities, began.Mark, l.last.Mark))
	counts := map[string]int{}
	carried := 0
	for i, row := range rows {
		counts[reasons[i]]++
		f := strings.Split(row, "|")
		first := l.first[strings.Join([]string{f[6], f[0], f[1], f[2], f[4]}, "|")]
		if reasons[i] != "upgraded" || len(first) != 2 || f[4] == "" {
			continue
		}
		_, was, _ := strings.Cut(first[0], " ")
		_, is, _ := strings.Cut(first[1], " ")
		if was != is {
			t.Errorf("%s is upgraded: first seen %v", row, first)
		}
		carried++
	}
	slices.Sort(rows)
	slices.Sort(l.fixed)
	if !slices.Equal(l.fixed, rows) {
		t.Errorf("what vanished is not what is Fixed (-fixed +vanished):\n%.1500s", cmp.Diff(l.fixed, rows))
	}
	for _, reason := range []string{"fixed", "upgraded", "exposed", "uninstalled", "moved", "expired"} {
		if counts[reason] == 0 {
			t.Errorf("nothing is %s: %v", reason, counts)
		}
	}
	if counts["gone"] > 0 || carried == 0 || l.updated == 0 {
		t.Errorf("%v, %d with the time of an older version, %d updated", counts, carried, l.updated)
	}
	again, _ := vanishedRows(t, tn.Vanished(exportedVulnerabilities, began.Mark.Add(10*24*time.Hour), l.last.Mark))
	if len(again) == 0 || len(again) >= len(rows) {
		t.Errorf("%d rows vanished, %d after ten days", len(rows), len(again))
	}
}

// What vanished from each data set is the difference of its snapshots.
func TestVanishedIsTheDifference(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: it takes several seconds; make test runs it")
	}
	o := options(50, 17)
	o.ChangeRate = 0.6
	tn := tenant.New(o)
	before := tn.Newest()
	if err := tn.Silence(windowsDevice(t, tn)); err != nil {
		t.Fatal(err)
	}
	tn.Advance(7)
	for name, key := range tenant.ExportKeys {
		t.Run(name, func(t *testing.T) {
			columns := tenant.ExportColumns(name)
			keysOf := func(s tenant.Snapshot) map[string]bool {
				all := map[string]bool{}
				for row, err := range s.Rows(t.Context(), name) {
					if err != nil {
						t.Fatal(err)
					}
					var fields []string
					for _, k := range append(slices.Clone(key), "RbacGroupId") {
						fields = append(fields, row[slices.IndexFunc(columns, func(c value.Column) bool { return c.Name == k })].String())
					}
					all[strings.Join(fields, "|")] = true
				}
				return all
			}
			was, is := keysOf(before), keysOf(tn.Newest())
			vanished := map[string]bool{}
			rows, reasons := vanishedRows(t, tn.Vanished(name, before.Mark, tn.Newest().Mark))
			counts := map[string]int{}
			for i, row := range rows {
				vanished[row[:strings.LastIndex(row, "|")]] = true
				counts[reasons[i]]++
			}
			for key := range was {
				if !is[key] && !vanished[key] {
					t.Errorf("%s is not there any more and has not vanished", key)
				}
			}
			if counts["moved"] == 0 || counts["gone"] == 0 {
				t.Errorf("the reasons are %v", counts)
			}
			if userScoped := name == "TvmBrowserExtensions" || name == "TvmCertificates"; userScoped != (counts["expired"] > 0) && !strings.HasPrefix(name, "TvmSoftware") {
				t.Errorf("the reasons are %v", counts)
			}
		})
	}
	if tn.Vanished("DeviceInfo", before.Mark, before.Mark) != nil {
		t.Error("a table that is no data set has vanished rows")
	}
}
