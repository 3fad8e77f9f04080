package kusto

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/catalog"
	"github.com/tvmexport/tvmexport/kusto/reconcile"
	"github.com/tvmexport/tvmexport/kusto/visibility"
)

// witnesses are the tables of both sources, with the last run of each.
type witnesses struct {
	stage
	last map[string]tvmexport.RunID
	runs int
}

func (w *witnesses) table(name string) tvmexport.Table {
	w.Helper()
	t, ok := catalog.Table(name)
	if !ok {
		w.Fatalf("there is no table %s", name)
	}
	return t
}

// shows makes the rows the state of a table, which the source made at a time.
func (w *witnesses) shows(name string, at time.Time, rows ...string) {
	w.Helper()
	w.runs++
	run := runOfTable(w.table(name), fmt.Sprintf("R%03d", w.runs), string(w.last[name]), tvmexport.FullRun)
	run.StateAt = at
	w.export(run, batch(run, 1, rows...))
	w.last[name] = run.ID
	time.Sleep(time.Minute)
}

// reconciles compares a pair.
func (w *witnesses) reconciles(table string) reconcile.Result {
	w.Helper()
	pair, _ := catalog.PairOf(table)
	list, err := w.client.Reconciler().Reconcile(w.Context(), reconcile.Question{
		Pairs: []catalog.Pair{pair}, Devices: 2, Policy: func(string) tvmexport.ColumnPolicy { return tvmexport.ColumnPolicy{} },
	})
	w.must(err)
	if len(list) != 1 || len(list[0].Obstacles) > 0 {
		w.Fatalf("%s: %+v", table, list)
	}
	return list[0]
}

// row is a JSON object of names and JSON values, in turn; a value without a name before
// it is that of the device.
func row(device string, members ...string) string {
	text := fmt.Sprintf(`{"DeviceId":%q`, device)
	for i := 0; i < len(members); i += 2 {
		text += fmt.Sprintf(`,%q:%s`, members[i], members[i+1])
	}
	return text + "}"
}

func software(device, name, version, cve string, more ...string) string {
	return row(device, append([]string{"SoftwareVendor", `"contoso"`, "SoftwareName", name, "SoftwareVersion", version, "CveId", cve}, more...)...)
}

// Each case is a state of both sides and what only one of them has.
func TestReconcile(t *testing.T) {
	const one, two, three = "3f01", "3f02", "3f03"
	const vulnerabilities, exported = "DeviceTvmSoftwareVulnerabilities", "TvmSoftwareVulnerabilities"
	const away = "IsOnboarded"
	for _, c := range []struct {
		name    string
		states  map[string][]string // rows by table
		want    reconcile.Counts    // without Hunting and Export
		devices []reconcile.Device
	}{
		{"the same in other forms", map[string][]string{
			vulnerabilities: {
				software(one, `"agent"`, `"1.0"`, `"CVE-2026-1"`), software(one, `"agent"`, `"1.0"`, `"CVE-2026-1"`), // installed in two places
				software(one, `"agent"`, `"2.0"`, `"CVE-2026-1"`), software(two, `"agent"`, `null`, `"CVE-2026-1"`),
				software(two, `"führung ☕ 軟體"`, `""`, `"CVE-2026-2"`), software("", `"agent"`, `"1.0"`, `"CVE-2026-1"`),
			},
			exported: {
				software(one, `"Agent"`, `"1.0"`, `"cve-2026-1"`, "RbacGroupId", "1"), software(one, `"Agent"`, `"1.0"`, `"CVE-2026-1"`, "RbacGroupId", "2"), // moves
				software(one, `"agent"`, `"2.0"`, `"CVE-2026-1"`), software(strings.ToUpper(two), `"agent"`, `""`, `"CVE-2026-1"`),
				software(two, `"Führung ☕ 軟體"`, `null`, `"CVE-2026-2"`), `{"SoftwareVendor":"contoso","SoftwareName":"agent","SoftwareVersion":"1.0","CveId":"CVE-2026-1"}`,
				software(three, `"agent"`, `"1.0"`, `null`), software(three, `"agent"`, `"1.0"`, `""`), // without a CVE
			},
		}, reconcile.Counts{}, nil},
		{"losses on both sides", map[string][]string{
			vulnerabilities: {
				software(one, `"agent"`, `"1.0"`, `"CVE-2026-1"`), software(one, `"agent"`, `"1.0"`, `"CVE-2026-2"`), software(two, `"agent"`, `"1.0"`, `"CVE-2026-1"`),
			},
			exported: {
				software(one, `"agent"`, `"1.1"`, `"CVE-2026-1"`), software(two, `"agent"`, `"1.0"`, `"CVE-2026-1"`), software(three, `"agent"`, `"1.0"`, `"CVE-2026-1"`),
			},
		}, reconcile.Counts{OnlyHunting: reconcile.Missing{Rows: 2, Devices: 1}, OnlyExport: reconcile.Missing{Rows: 2, Devices: 2}, Devices: 2}, []reconcile.Device{
			{ID: one, OnlyHunting: 2, OnlyExport: 1}, {ID: three, OnlyExport: 1},
		}},
		{"devices that are not onboarded", map[string][]string{
			vulnerabilities: {software(one, `"agent"`, `"1.0"`, `"CVE-2026-1"`), software(two, `"agent"`, `"1.0"`, `"CVE-2026-1"`)},
			exported: {
				software(one, `"agent"`, `"1.0"`, `"CVE-2026-1"`, away, "false"), software(one, `"agent"`, `"1.0"`, `"CVE-2026-2"`, away, "true"),
				software(three, `"agent"`, `"1.0"`, `"CVE-2026-1"`, away, "false"), software(three, `"agent"`, `"1.0"`, `"CVE-2026-2"`, away, "false"),
			},
		}, reconcile.Counts{
			OnlyHunting: reconcile.Missing{Rows: 1, Devices: 1}, OnlyExport: reconcile.Missing{Rows: 1, Devices: 1}, NotOnboarded: reconcile.Missing{Rows: 2, Devices: 1}, Devices: 2,
		}, []reconcile.Device{{ID: one, OnlyExport: 1}, {ID: two, OnlyHunting: 1}}},
		{"one side is empty", map[string][]string{
			vulnerabilities: {software(one, `"agent"`, `"1.0"`, `"CVE-2026-1"`)},
			exported:        {software(one, `"agent"`, `"1.0"`, `null`)},
		}, reconcile.Counts{OnlyHunting: reconcile.Missing{Rows: 1, Devices: 1}, Devices: 1}, []reconcile.Device{{ID: one, OnlyHunting: 1}}},
		{"more devices than are listed", map[string][]string{
			vulnerabilities: {software(one, `"a"`, `"1"`, `"CVE-2026-1"`), software(two, `"a"`, `"1"`, `"CVE-2026-1"`), software(three, `"a"`, `"1"`, `"CVE-2026-1"`), software(three, `"b"`, `"1"`, `"CVE-2026-1"`)},
			exported:        {software("3f09", `"a"`, `"1"`, `"CVE-2026-1"`, away, "null")},
		}, reconcile.Counts{OnlyHunting: reconcile.Missing{Rows: 4, Devices: 3}, OnlyExport: reconcile.Missing{Rows: 1, Devices: 1}, Devices: 4}, []reconcile.Device{
			{ID: three, OnlyHunting: 2}, {ID: one, OnlyHunting: 1},
		}},
		{"a certificate in two places", map[string][]string{
			"DeviceTvmCertificateInfo": {
				row(one, "Thumbprint", `"AB"`, "Path", `"c:\\one"`, "KeySize", `"2048"`), row(one, "Thumbprint", `"AB"`, "Path", `"c:\\two"`, "KeySize", `"2048"`),
				row(one, "Thumbprint", `"cd"`, "Path", `""`),
			},
			"TvmCertificates": {row(one, "Thumbprint", `"ab"`, "Path", `"C:\\ONE"`, "KeyLength", `2048`), row(one, "Thumbprint", `"CD"`, "Path", "null")},
		}, reconcile.Counts{OnlyHunting: reconcile.Missing{Rows: 1, Devices: 1}, Devices: 1}, []reconcile.Device{{ID: one, OnlyHunting: 1}}},
		{"software with and without a CPE", map[string][]string{
			"DeviceTvmSoftwareInventory": {software(one, `"agent"`, `"1.0"`, "null"), software(one, `"tool"`, `"1.0"`, "null"), software(two, `"tool"`, `"1.0"`, "null")},
			"TvmSoftwareInventory":       {software(one, `"agent"`, `"1.0"`, "null")},
			"TvmSoftwareInventoryNonCpe": {software(one, `"tool"`, `"1.0"`, "null"), software(two, `"tool"`, `"1.0"`, "null"), software(two, `"agent"`, `"1.0"`, "null")},
		}, reconcile.Counts{OnlyExport: reconcile.Missing{Rows: 1, Devices: 1}, Devices: 1}, []reconcile.Device{{ID: two, OnlyExport: 1}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			onStage(t, func(s stage) {
				w := witnesses{stage: s, last: map[string]tvmexport.RunID{}}
				var tables []tvmexport.Table
				for name := range c.states {
					tables = append(tables, w.table(name))
				}
				s.setUp(tables...)
				for name, rows := range c.states {
					w.shows(name, time.Now(), rows...)
				}
				got := w.reconciles(tables[0].Name)
				if got.Err != nil {
					t.Fatal(got.Err)
				}
				if got.Counts.Hunting == 0 && c.name != "one side is empty" {
					t.Error("hunting has no rows")
				}
				got.Counts.Hunting, got.Counts.Export = 0, 0
				if d := cmp.Diff(c.want, got.Counts); d != "" {
					t.Errorf("counts (-want +got):\n%s", d)
				}
				if d := cmp.Diff(c.devices, got.Devices); d != "" {
					t.Errorf("devices (-want +got):\n%s", d)
				}
				if len(c.devices) == 0 {
					if got.Query != "" {
						t.Errorf("a query for no device: %s", got.Query)
					}
					return
				}
				want := []string{}
				for range c.devices[0].OnlyHunting {
					want = append(want, "hunting")
				}
				for range c.devices[0].OnlyExport {
					want = append(want, "export")
				}
				shown := s.ask(got.Query)
				slices.Sort(shown)
				slices.Sort(want)
				if !slices.Equal(shown, want) {
					t.Errorf("the query shows %q, want %q:\n%s", shown, want, got.Query)
				}
			})
		})
	}
}

// Rows that changed between the times of both sides are distinguished from those that one side leaves out.
func TestReconcileStatesOfTwoTimes(t *testing.T) {
	const hunting, exported = "DeviceTvmInfoGathering", "TvmInformationGathering"
	onStage(t, func(s stage) {
		w := witnesses{stage: s, last: map[string]tvmexport.RunID{}}
		s.setUp(w.table(hunting), w.table(exported))

		// The export is of before the first run of hunting: nothing tells what changed.
		before := time.Now().Add(-time.Hour)
		w.shows(hunting, time.Now(), row("3f01"), row("3f02"), row("3f03"))
		w.shows(exported, before, row("3f01"), row("3f02"))
		got := w.reconciles(hunting)
		if want := (reconcile.Missing{Rows: 1, Devices: 1}); got.Err != nil || got.Counts.OnlyHunting != want || !got.Earlier.IsZero() || got.Later != hunting {
			t.Errorf("without an earlier run: %+v", got)
		}

		// Hunting is later: 3f04 came, 3f02 went; 3f03 was there all the time.
		between := time.Now()
		time.Sleep(time.Minute)
		w.shows(exported, between, row("3f01"), row("3f02"))
		w.shows(hunting, time.Now(), row("3f01"), row("3f03"), row("3f04"))
		got = w.reconciles(exported)
		if got.Err != nil || got.Later != hunting || got.Earlier.IsZero() || got.Earlier.After(between) {
			t.Errorf("hunting is later: %+v", got)
		}
		if d := cmp.Diff(reconcile.Counts{
			Hunting: 3, Export: 2, Devices: 3, OnlyHunting: reconcile.Missing{Rows: 2, Devices: 2, Changed: 1}, OnlyExport: reconcile.Missing{Rows: 1, Devices: 1, Changed: 1},
		}, got.Counts); d != "" {
			t.Errorf("hunting is later (-want +got):\n%s", d)
		}

		// The export is later: 3f04 came there too, and 3f05.
		w.shows(exported, time.Now(), row("3f01"), row("3f02"), row("3f04"), row("3f05"))
		got = w.reconciles(exported)
		if got.Err != nil || got.Later != exported {
			t.Errorf("the export is later: %+v", got)
		}
		if d := cmp.Diff(reconcile.Counts{
			Hunting: 3, Export: 4, Devices: 3, OnlyHunting: reconcile.Missing{Rows: 1, Devices: 1}, OnlyExport: reconcile.Missing{Rows: 2, Devices: 2, Changed: 1},
		}, got.Counts); d != "" {
			t.Errorf("the export is later (-want +got):\n%s", d)
		}

		// Rows of the earlier state are gone, then those of the newest one.
		gone := func(run tvmexport.RunID) {
			t.Helper()
			s.mustAdmin(fmt.Sprintf(".delete table %sTyped records <| %sTyped | where RunId == %q", exported, exported, run))
		}
		gone("R003")
		got = w.reconciles(exported)
		if want := (reconcile.Missing{Rows: 2, Devices: 2}); got.Err != nil || got.Counts.OnlyExport != want || !got.Earlier.IsZero() {
			t.Errorf("with an earlier state whose rows are gone: %+v", got)
		}
		gone(w.last[exported])
		if got = w.reconciles(exported); got.Err == nil || !strings.Contains(got.Err.Error(), exported) || !strings.Contains(got.Err.Error(), "tvmexport verify") {
			t.Errorf("with rows that are gone: %v", got.Err)
		}
	})
}

// Rows that a policy hides from the exporter are no difference: the pair fails, and names the policy.
func TestReconcileHiddenRows(t *testing.T) {
	const hunting, exported = "DeviceTvmInfoGathering", "TvmInformationGathering"
	for _, table := range []string{hunting + "Raw", hunting + "Typed", exported + "Typed"} {
		t.Run(table, func(t *testing.T) {
			onStage(t, func(s stage) {
				w := witnesses{stage: s, last: map[string]tvmexport.RunID{}}
				s.setUp(w.table(hunting), w.table(exported))
				w.shows(hunting, time.Now(), row("3f01"), row("3f02"))
				w.shows(exported, time.Now(), row("3f01"), row("3f02"))
				if got := w.reconciles(hunting); got.Err != nil || got.Counts.Devices != 0 {
					t.Fatalf("before: %+v", got)
				}
				secured(s, table, "false")
				time.Sleep(2 * visibility.HidingAge)
				if got := w.reconciles(hunting); got.Err == nil || !strings.Contains(got.Err.Error(), "row_level_security of table "+table) || tvmexport.CauseOf(got.Err) != tvmexport.Permission {
					t.Errorf("with a policy: %+v", got)
				}
			})
		})
	}
}
