package exports_test

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tvmexport/tvmexport/assessment"
	"github.com/tvmexport/tvmexport/emulator"
	"github.com/tvmexport/tvmexport/emulator/faults"
	"github.com/tvmexport/tvmexport/engine"
	"github.com/tvmexport/tvmexport/test/reliability/exports"
)

const changes = "TvmSoftwareVulnerabilityChanges"

// newChanges is a world that exports the changes of vulnerabilities.
func newChanges(t *testing.T, o emulator.Options) *world {
	t.Helper()
	table, _ := exports.Lookup(changes)
	w := &world{Rand: rand.New(rand.NewPCG(o.Seed, 2)), seed: o.Seed, tally: newTally(), dir: t.TempDir(), via: assessment.Files, tables: []exports.Table{table}}
	o.CVEs, o.History = cmp.Or(o.CVEs, 2000), 1
	if err := w.open(t, o); err != nil {
		t.Fatal(err)
	}
	return w
}

// steps lets the service make snapshots, one every six hours.
func (w *world) steps(n int) {
	for range n {
		w.rig.Emulator.Tenant().AdvanceHours(6)
	}
	time.Sleep(20 * time.Minute) // until the watermark, which is behind the clock, has passed the snapshot
}

// export makes a run, which must succeed, and checks that readers see each change once.
func (w *world) export(t *testing.T) engine.Result {
	t.Helper()
	results, err := w.run(t.Context(), calm())
	if err != nil {
		t.Fatal(err)
	}
	w.agrees(t)
	return results[changes]
}

// agrees checks that readers see the changes of all snapshots, each once.
func (w *world) agrees(t *testing.T) {
	t.Helper()
	now, err := w.state(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	w.judge(t.Context(), w.tables[0], []state{now})
	if len(w.tally.wrongly) > 0 {
		t.Fatal(w.tally.wrongly)
	}
}

// rows are those of a query, over the source (truth) or the destination (landed).
func (w *world) rows(t *testing.T, of, query string) (out []string) {
	t.Helper()
	rows := w.rig.Emulator.LandedRows(t.Context(), "", query)
	if of == "truth" {
		rows = w.rig.Emulator.State().Rows(t.Context(), query)
	}
	for row, err := range rows {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, string(row))
	}
	return out
}

// kill lets the process of a run end when it sends a request with a text: nothing more
// that it sends is carried out.
func (w *world) kill(t *testing.T, at string) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var once sync.Once
	var rules []int
	m := calm()
	m.notice = func(e faults.Event) {
		if !strings.Contains(e.Text, at) {
			return
		}
		once.Do(func() {
			for _, place := range faults.Endpoints() {
				if place == faults.Delivery {
					continue // it has its messages
				}
				ids, err := w.rig.Emulator.Faults().Add(faults.Rule{Endpoint: place, Status: 503})
				if err != nil {
					t.Error(err)
				}
				rules = append(rules, ids...)
			}
			cancel()
		})
	}
	_, err := w.run(ctx, m)
	if err == nil || len(rules) == 0 {
		t.Fatalf("the process was not killed at %q: %v", at, err)
	}
	for _, id := range rules {
		w.rig.Emulator.Faults().Remove(id)
	}
	time.Sleep(5 * time.Minute) // its lease expires
}

// landed are the rows of a query over what readers see.
func landed[T any](t *testing.T, w *world, query string) []T {
	t.Helper()
	var out []T
	for _, line := range w.rows(t, "landed", query) {
		var row T
		if err := json.Unmarshal([]byte(line), &row); err != nil {
			t.Fatal(err)
		}
		out = append(out, row)
	}
	return out
}

// Three days pass in steps of six hours. Runs come after some of them, two are killed,
// and one has nothing new: readers see each change once, and those that the service has.
func TestChangesInSteps(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: it takes several seconds; make test runs it")
	}
	synctest.Test(t, func(t *testing.T) {
		w := newChanges(t, emulator.Options{Devices: 5, Seed: 11, ChangeRate: 1})
		w.steps(1)
		first := w.export(t)
		if first.Gaps != nil || first.Rows == 0 {
			t.Errorf("the first run publishes %d rows and has the gaps %v", first.Rows, first.Gaps)
		}
		w.steps(1)
		w.export(t)
		w.steps(1)
		w.kill(t, "/api/machines/SoftwareVulnerabilityChangesByMachine")
		w.steps(1)
		w.export(t)
		w.steps(3)
		w.kill(t, "async "+changes+"Typed")
		w.export(t)
		w.steps(1)
		w.export(t)
		if again := w.export(t); again.Rows != 0 || again.Growth != 0 {
			t.Errorf("a second run of the same state publishes %d rows", again.Rows)
		}
		w.steps(4)
		last := w.export(t)
		if last.Rows == 0 || last.Late > 0 {
			t.Errorf("the last run publishes %d rows, %d of them late", last.Rows, last.Late)
		}
		type step struct{ Steps, Kinds int }
		if got := landed[step](t, w, changes+" | summarize Steps = dcount(EventTimestamp), Kinds = dcount(Status)"); len(got) != 1 || got[0].Steps < 9 || got[0].Kinds < 2 {
			t.Errorf("the changes that readers see are of %+v", got)
		}
		type added struct{ Added, Runs, Shown int }
		all := landed[added](t, w, fmt.Sprintf("%sChanges(datetime(1900-01-01), datetime(2100-01-01)) | summarize Added = countif(Change == 'added'), Runs = dcount(RunId), Shown = toscalar(%s | count)", changes, changes))
		if len(all) != 1 || all[0].Added != all[0].Shown || all[0].Runs < 5 {
			t.Errorf("over all time: %+v", all)
		}
	})
}

// paired are a Fixed and a New row of one step and device.
type paired struct {
	Id, FixedIn, NewIn              string //nolint:revive,staticcheck // names of columns
	FixedVersion, NewVersion, CveId string //nolint:revive,staticcheck // names of columns
	FixedSince, NewSince            time.Time
	Fixed, New, Places              int
}

// A device that moves to another group is Fixed in the one and New in the other, with the
// same id, in one step. Readers see both, and can see that nothing was fixed.
func TestChangesOfAGroupMove(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newChanges(t, emulator.Options{Devices: 8, Seed: 3, ChangeRate: 1})
		const moves = changes + ` | summarize Fixed = countif(Status == "Fixed"), New = countif(Status == "New"), Places = dcount(RbacGroupId) by Id, EventTimestamp | where Fixed + New > 1`
		var found []paired
		for n := 0; n < 8 && len(found) == 0; n++ {
			w.steps(4)
			w.export(t)
			found = landed[paired](t, w, moves)
		}
		for _, m := range found {
			if m.Fixed != 1 || m.New != 1 || m.Places != 2 {
				t.Errorf("%s is Fixed %d times and New %d times in %d groups within a step", m.Id, m.Fixed, m.New, m.Places)
			}
		}
		if len(found) == 0 {
			t.Error("no device has moved")
		}
		if truth := w.rows(t, "truth", moves); len(truth) != len(found) {
			t.Errorf("readers see %d moves of %d", len(found), len(truth))
		}
	})
}

// A program whose version changes and that keeps a CVE is Fixed in the old version and
// New in the new one. The new row knows since when the CVE is there.
func TestChangesOfAnUpgrade(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: it takes several seconds; make test runs it")
	}
	synctest.Test(t, func(t *testing.T) {
		w := newChanges(t, emulator.Options{Devices: 8, Seed: 5, ChangeRate: 1, CVEs: 20000})
		for range 3 {
			w.steps(4)
			w.export(t)
		}
		const key = "DeviceId, RbacGroupId, SoftwareVendor, SoftwareName, CveId, EventTimestamp"
		upgrades := fmt.Sprintf(`%[1]s | where Status == "Fixed" and isnotempty(CveId) | project %[2]s, FixedVersion = SoftwareVersion, FixedSince = FirstSeenTimestamp
| join kind=inner (%[1]s | where Status == "New" | project %[2]s, NewVersion = SoftwareVersion, NewSince = FirstSeenTimestamp) on %[2]s
| project CveId, FixedVersion, NewVersion, FixedSince, NewSince`, changes, key)
		found := landed[paired](t, w, upgrades)
		for _, u := range found {
			if u.FixedVersion == u.NewVersion || !u.FixedSince.Equal(u.NewSince) {
				t.Errorf("%s: from version %s, seen since %s, to version %s, seen since %s", u.CveId, u.FixedVersion, u.FixedSince, u.NewVersion, u.NewSince)
			}
		}
		if len(found) == 0 {
			t.Error("no program was upgraded")
		}
		if truth := w.rows(t, "truth", upgrades); len(truth) != len(found) {
			t.Errorf("readers see %d upgrades of %d", len(found), len(truth))
		}
	})
}

// A device that stops reporting is Fixed 30 days later in all that it had. Its rows say
// when it was seen last, by which readers can tell that nothing was patched.
func TestChangesOfASilentDevice(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: it takes several seconds; make test runs it")
	}
	synctest.Test(t, func(t *testing.T) {
		w := newChanges(t, emulator.Options{Devices: 5, Seed: 7, ChangeRate: 0.1, Expiry: true})
		w.steps(1)
		w.export(t)
		type device struct {
			DeviceId string //nolint:revive,staticcheck // the column's name
			Rows     int
		}
		var devices []device
		for _, line := range w.rows(t, "truth", "TvmSoftwareVulnerabilities | summarize Rows = count() by DeviceId") {
			var d device
			if err := json.Unmarshal([]byte(line), &d); err != nil {
				t.Fatal(err)
			}
			devices = append(devices, d)
		}
		silent := slices.MaxFunc(devices, func(a, b device) int { return a.Rows - b.Rows }).DeviceId
		if err := w.rig.Emulator.Tenant().Silence(silent); err != nil {
			t.Fatal(err)
		}
		since := w.rig.Emulator.Tenant().Now()
		for range 4 {
			w.steps(9 * 4)
			results, err := w.run(t.Context(), calm())
			if err != nil || results[changes].Gaps != nil {
				t.Fatal(results[changes].Gaps, err)
			}
		}
		type event struct {
			Status         string
			EventTimestamp time.Time
			Seen           time.Time
			Rows           int
		}
		last := landed[event](t, w, fmt.Sprintf(`%s | where DeviceId == %q | summarize Rows = count(), Seen = max(LastSeenTimestamp) by Status, EventTimestamp | top 1 by EventTimestamp desc`, changes, silent))
		if len(last) != 1 {
			t.Fatalf("readers see no change of the silent device")
		}
		e := last[0]
		if days := e.EventTimestamp.Sub(since).Hours() / 24; e.Status != "Fixed" || days < 29 || days > 32 || e.EventTimestamp.Sub(e.Seen) < 29*24*time.Hour || e.Rows == 0 {
			t.Errorf("%.1f days after its last report the device has %d rows that are %s and were seen at %s", days, e.Rows, e.Status, e.Seen)
		}
		type open struct{ Open int }
		left := landed[open](t, w, fmt.Sprintf(`%s | where DeviceId == %q | summarize Open = countif(Status == "New") - countif(Status == "Fixed") by Id, RbacGroupId | where Open > 0`, changes, silent))
		if len(left) > 0 {
			t.Errorf("%d rows of the silent device are New and never Fixed", len(left))
		}
	})
}

// The process that finds a gap is killed while it publishes. The next one commits the gap
// for it, reports it, and readers and the audit have it once.
func TestGapOfAKilledRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newChanges(t, emulator.Options{Devices: 5, Seed: 13, ChangeRate: 0.9})
		w.steps(1)
		w.export(t)
		w.steps(20 * 4)
		w.kill(t, "async "+changes+"Typed")
		const gaps = changes + `Changes(datetime(1900-01-01), datetime(2100-01-01)) | where Change == "gap" | project RunId, From = Before.From, To = Before.To`
		if found := w.rows(t, "landed", gaps); len(found) != 0 {
			t.Errorf("before the run is committed readers see the gaps %q", found)
		}
		results, err := w.run(t.Context(), calm())
		if err != nil {
			t.Fatal(err)
		}
		r := results[changes]
		type gap struct {
			RunId    string //nolint:revive,staticcheck // the column's name
			From, To time.Time
		}
		found := landed[gap](t, w, gaps)
		if len(found) != 1 || len(r.Gaps) != 1 || !found[0].From.Equal(r.Gaps[0].From) || !found[0].To.Equal(r.Gaps[0].To) {
			t.Fatalf("the run has the gaps %v, and readers see %+v", r.Gaps, found)
		}
		if found[0].RunId == string(r.Run.ID) || r.Finished == 0 {
			t.Errorf("the gap is one of run %s, which is the run that finished it; %d rows were finished", found[0].RunId, r.Finished)
		}
		for range 2 {
			w.steps(4)
			results, err := w.run(t.Context(), calm())
			if err != nil || results[changes].Gaps != nil {
				t.Errorf("a later run has the gaps %v, %v", results[changes].Gaps, err)
			}
		}
		if again := landed[gap](t, w, gaps); len(again) != 1 || again[0] != found[0] {
			t.Errorf("later readers see the gaps %+v", again)
		}
		if told := w.rows(t, "landed", `MigrationAuditLog | where Status == "Success" and FailureReason startswith "a gap: "`); len(told) != 1 {
			t.Errorf("the audit has the gap %d times: %q", len(told), told)
		}
	})
}
