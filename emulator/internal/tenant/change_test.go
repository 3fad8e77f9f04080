package tenant_test

import (
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tvmexport/tvmexport/emulator/internal/kql"
	"github.com/tvmexport/tvmexport/emulator/internal/tenant"
)

// byDevice are the tables of current state that have a DeviceId.
var byDevice = []string{
	"DeviceBaselineComplianceAssessment", "DeviceTvmBrowserExtensions", "DeviceTvmCertificateInfo", "DeviceTvmHardwareFirmware",
	"DeviceTvmInfoGathering", assessment, "DeviceTvmSoftwareEvidenceBeta", "DeviceTvmSoftwareInventory", vulnerabilities,
}

// perDevice is the rows of a table by DeviceId.
func perDevice(t testing.TB, c kql.Catalog, name string) map[string][]string {
	t.Helper()
	r := relation(t, c, name)
	id := columnAt(t, r, "DeviceId")
	rows := map[string][]string{}
	for row, err := range r.Scan(t.Context(), kql.Request{}) {
		if err != nil {
			t.Fatal(err)
		}
		rows[row[id].Text()] = append(rows[row[id].Text()], line(row))
	}
	return rows
}

// differences are the devices of which rows of name differ between two states.
func differences(before, after map[string][]string) (added, removed, changed int) {
	for id, rows := range before {
		switch now, ok := after[id]; {
		case !ok:
			removed++
		case !slices.Equal(rows, now):
			changed++
		}
	}
	for id := range after {
		if _, ok := before[id]; !ok {
			added++
		}
	}
	return added, removed, changed
}

// Each device is assessed once per change, so the table of assessments tells
// which changed; of the others no table has a different row.
func TestAdvanceChangesFew(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: it takes several seconds; make test runs it")
	}
	o := options(300, 9)
	o.ChangeRate = 0.1
	x := tenant.New(o)
	all := func() map[string]map[string][]string {
		rows, c := map[string]map[string][]string{}, x.Catalog()
		for _, name := range byDevice {
			rows[name] = perDevice(t, c, name)
		}
		return rows
	}
	after := all()
	for range 2 {
		before := after
		did := x.Advance(1)
		after = all()
		scanned := after[assessment]
		added, removed, changed := differences(before[assessment], scanned)
		// A device may have changed and left on one day.
		if added != did.Added || removed != did.Retired || changed > did.Changed || changed < did.Changed-did.Retired {
			t.Errorf("%d added, %d removed, %d changed; Advance said %+v", added, removed, changed, did)
		}
		if changed < 15 || changed > 50 || added == 0 || removed == 0 {
			t.Errorf("%d devices changed, %d joined, %d left; want about 30, 1 and 1 of 300", changed, added, removed)
		}
		for _, name := range byDevice {
			moved := 0
			now := after[name]
			for id, rows := range before[name] {
				_, stays := scanned[id]
				if slices.Equal(rows, now[id]) {
					continue
				}
				moved++
				if stays && slices.Equal(before[assessment][id], scanned[id]) {
					t.Errorf("%s: device %q has other rows and was not scanned", name, id)
				}
			}
			if moved == 0 {
				t.Errorf("%s: no device has other rows after a day", name)
			}
		}
	}
}

func TestNoChangeRate(t *testing.T) {
	o := options(150, 9)
	o.ChangeRate = -1
	x := tenant.New(o)
	c := x.Catalog()
	if got := x.Advance(4); got != (tenant.Change{}) {
		t.Errorf("Advance = %+v, want no change", got)
	}
	for _, name := range byDevice {
		if fingerprint(t, c, name) != fingerprint(t, x.Catalog(), name) {
			t.Errorf("%s changed", name)
		}
	}
}

// All that can happen to software happens within some days.
func TestAdvanceLives(t *testing.T) {
	type key struct{ device, vendor, name string }
	programs := func(c kql.Catalog) map[key]string {
		r := relation(t, c, "DeviceTvmSoftwareInventory")
		found := map[key]string{}
		for row := range r.Scan(t.Context(), kql.Request{}) {
			k := key{row[0].Text(), row[5].Text(), row[6].Text()}
			found[k] += row[7].Text() + " "
		}
		return found
	}
	x := tenant.New(options(200, 21))
	before := programs(x.Catalog())
	devices := perDevice(t, x.Catalog(), "DeviceTvmSoftwareInventory")
	vulnerable := perDevice(t, x.Catalog(), vulnerabilities)
	x.Advance(14)
	after := programs(x.Catalog())
	var patched, installed, removed int
	for k, versions := range before {
		switch now, ok := after[k]; {
		case ok && now != versions:
			patched++
		case !ok && len(perDevice(t, x.Catalog(), "DeviceTvmInfoGathering")[k.device]) > 0:
			removed++
		}
		if removed > 5 && patched > 100 {
			break
		}
	}
	for k := range after {
		if _, known := devices[k.device]; known && before[k] == "" {
			installed++
		}
	}
	if patched < 100 || installed == 0 || removed == 0 {
		t.Errorf("%d programs patched, %d installed, %d removed", patched, installed, removed)
	}
	var fixed, found int
	for id, rows := range perDevice(t, x.Catalog(), vulnerabilities) {
		old := map[string]bool{}
		for _, r := range vulnerable[id] {
			old[r] = true
		}
		for _, r := range rows {
			if !old[r] && len(old) > 0 {
				found++
			}
			delete(old, r)
		}
		fixed += len(old)
	}
	if fixed < 100 || found < 100 {
		t.Errorf("%d vulnerabilities gone, %d new", fixed, found)
	}
}

func ids(t testing.TB, c kql.Catalog, name, column string) map[string]int {
	t.Helper()
	r := relation(t, c, name)
	at := columnAt(t, r, column)
	need := make([]bool, len(columnsOf(r)))
	need[at] = true
	n := map[string]int{}
	for row, err := range r.Scan(t.Context(), kql.Request{Need: need}) {
		if err != nil {
			t.Fatal(err)
		}
		n[row[at].Text()]++
	}
	return n
}

// The knowledge base has the same size for any number of devices and grows each
// day. It has each CVE once, and every CVE of a device.
func TestKnowledgeBase(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: it takes several seconds; make test runs it")
	}
	for _, devices := range []int{1, 200} {
		x := tenant.New(documented(devices, 4))
		known := ids(t, x.Catalog(), kb, "CveId")
		if len(known) != 321_736 {
			t.Errorf("%d devices: %d CVEs, want 321736", devices, len(known))
		}
		for day := range 2 {
			x.Advance(day)
			now := ids(t, x.Catalog(), kb, "CveId")
			if n := len(now) - len(known); day > 0 && (n < 60 || n > 1000) {
				t.Errorf("day %d: %d more CVEs, want some hundred at most", day, n)
			}
			stayed := 0
			for id, n := range now {
				if n != 1 || !strings.HasPrefix(id, "CVE-") {
					t.Fatalf("%s is there %d times", id, n)
				}
				stayed += known[id]
			}
			if stayed != len(known) {
				t.Fatalf("day %d: %d CVEs are gone", day, len(known)-stayed)
			}
			for id := range ids(t, x.Catalog(), vulnerabilities, "CveId") {
				if now[id] == 0 {
					t.Fatalf("%s of a device is not in the knowledge base", id)
				}
			}
			known = now
		}
	}
}

// A year passes, over a New Year, without devices or CVEs running out.
func TestYear(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: it takes several seconds; make test runs it")
	}
	x := tenant.New(documented(30, 4))
	x.Advance(200)
	x.Advance(200)
	known := ids(t, x.Catalog(), kb, "CveId")
	for id := range ids(t, x.Catalog(), vulnerabilities, "CveId") {
		if known[id] != 1 {
			t.Fatalf("%s is in the knowledge base %d times", id, known[id])
		}
	}
	years := map[string]bool{}
	for id := range known {
		years[id[4:8]] = true
	}
	if !years["2027"] {
		t.Error("no CVE of 2027 after 400 days from 2026-11-23")
	}
	if n := len(ids(t, x.Catalog(), assessment, "DeviceId")); n < 25 || n > 40 {
		t.Errorf("%d devices are left of 30", n)
	}
	if n := len(ids(t, x.Catalog(), vulnerabilities, "DeviceId")); n < 20 {
		t.Errorf("%d devices have vulnerabilities", n)
	}
}

func TestMove(t *testing.T) {
	o := options(100, 6)
	o.RetentionDays = 1
	x := tenant.New(o)
	c := x.Catalog()
	if got := x.Move(0); got != (tenant.Change{}) {
		t.Errorf("Move(0) = %+v", got)
	}
	before := map[string]string{}
	for _, name := range the17() {
		before[name] = fingerprint(t, c, name)
	}
	did := x.Move(0.2)
	if did.Changed < 10 || did.Changed > 35 || did.Added != did.Retired || did.Added < 1 || did.Added > 2 {
		t.Errorf("Move(0.2) of 100 devices = %+v", did)
	}
	added, removed, _ := differences(perDevice(t, c, assessment), perDevice(t, x.Catalog(), assessment))
	if added != did.Added || removed != did.Retired {
		t.Errorf("%d ids came and %d went, Move said %+v", added, removed, did)
	}
	for _, name := range the17() {
		if fingerprint(t, c, name) != before[name] {
			t.Errorf("%s: a catalog changed after it was taken", name)
		}
		// What is no device's, and what has happened, stays.
		same := !slices.Contains(byDevice, name)
		if got := fingerprint(t, x.Catalog(), name) == before[name]; got != same {
			t.Errorf("%s: same rows after Move: %v, want %v", name, got, same)
		}
	}
	if again := x.Move(1e-9); again.Changed != 1 || again.Added != 1 || again.Retired != 1 {
		t.Errorf("the smallest Move = %+v, want one of each", again)
	}
	if all := x.Move(7); all.Changed < 100 {
		t.Errorf("Move of everything = %+v", all)
	}
}

func TestNow(t *testing.T) {
	clock := start
	x := tenant.New(tenant.Options{Devices: 1, Clock: func() time.Time { return clock }})
	if got := x.Now(); !got.Equal(start) {
		t.Errorf("Now = %v, want the clock's %v", got, start)
	}
	x.Advance(3)
	x.Advance(0)
	x.Advance(-5)
	clock = clock.Add(90 * time.Minute)
	if got, want := x.Now(), time.Date(2026, 11, 26, 11, 50, 30, 0, time.UTC); !got.Equal(want) {
		t.Errorf("Now = %v, want %v", got, want)
	}
	if got, want := x.Edge(), time.Date(2026, 11, 26, 9, 0, 0, 0, time.UTC); !got.Equal(want) {
		t.Errorf("Edge = %v, want %v", got, want)
	}
}

// A scan that has begun sees one state while days pass and devices move.
func TestConcurrent(t *testing.T) {
	x := tenant.New(options(60, 6))
	c := x.Catalog()
	want := map[string]string{}
	for _, name := range byDevice {
		want[name] = fingerprint(t, c, name)
	}
	var group sync.WaitGroup
	group.Go(func() {
		for range 20 {
			x.Advance(1)
			x.Move(0.5)
		}
	})
	for name := range maps.Keys(want) {
		group.Go(func() {
			if got := fingerprint(t, c, name); got != want[name] {
				t.Errorf("%s: the catalog changed", name)
			}
			n := 0
			for _, err := range relation(t, x.Catalog(), name).Scan(t.Context(), kql.Request{}) {
				if n++; err != nil {
					t.Error(err)
				}
			}
			if x.Now().IsZero() || n == 0 {
				t.Errorf("%s: %d rows", name, n)
			}
		})
	}
	group.Wait()
}
