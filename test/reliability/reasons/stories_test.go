package reasons_test

import (
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/tvmexport/tvmexport/emulator"
)

// holds checks that there are rows that the emulator made vanish for a reason, that Changes says the
// same of each row.
func (w *world) holds(what string, rows []vanished, reason string, keep func(vanished) bool) {
	w.Helper()
	n := 0
	for _, r := range rows {
		if !keep(r) {
			continue
		}
		if r.did == reason {
			n++
		}
		if r.said != r.did {
			w.Errorf("%s: Changes says %q of a row that the emulator calls %q", what, r.said, r.did)
		}
	}
	if n == 0 {
		w.Errorf("%s: no row vanished that is %s", what, reason)
	}
}

// ofDevice keeps the rows of one device.
func ofDevice(id string) func(vanished) bool {
	return func(r vanished) bool { return r.DeviceId == id }
}

// never is a rate at which one device changes on a day.
const never = 0.0001

// A device that falls silent loses what belongs to a user after 7 days, and the rest after 30; one
// that is installed again likewise, with its new id next to it; one that is retired loses all at
// once. The column of the time may be volatile.
func TestReadersSeeWhatExpires(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: it takes several seconds; make test runs it")
	}
	for _, volatile := range [][]string{nil, {"LastSeenTimestamp"}} {
		t.Run(fmt.Sprint(volatile), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, emulator.Options{Devices: 15, CVEs: 2000, Seed: 3, ChangeRate: never}, 1, volatile...)
				w.days(0)
				// Devices with a program that a user alone has.
				users := w.ask(table + ` | where tostring(DiskPaths) contains "users" and array_length(DiskPaths) == 1 and LastSeenTimestamp > now() - 1d and strlen(DeviceId) == 40
| summarize by Row = DeviceId | order by Row asc`)
				if len(users) < 3 {
					t.Fatalf("%d devices have programs of users; the test needs 3", len(users))
				}
				silent, reinstalled, retired := users[0], users[1], users[2]
				w.must(w.rig.Emulator.Tenant().Silence(silent))
				other, err := w.rig.Emulator.Tenant().Reinstall(reinstalled)
				w.must(err)
				step := func(days int) []vanished {
					w.days(days)
					return w.between(w.runs[len(w.runs)-2], w.runs[len(w.runs)-1])
				}
				for day := range 3 {
					for _, r := range step(1) {
						if r.DeviceId == silent || r.DeviceId == reinstalled {
							t.Errorf("day %d: a row vanished as %s", day, r.said)
						}
					}
				}
				w.must(w.rig.Emulator.Tenant().Retire(retired))
				rows := step(1)
				w.holds("a device that is gone", rows, "device gone", ofDevice(retired))
				step(2)
				rows = step(1)
				w.holds("what belongs to a user, after 7 days", rows, "expired", ofDevice(silent))
				w.holds("the same of the old id of a reinstalled device", rows, "expired", ofDevice(reinstalled))
				for _, n := range []int{5, 5, 5, 5, 2} {
					for _, r := range step(n) {
						if r.DeviceId == silent || r.DeviceId == reinstalled {
							t.Errorf("between 7 and 29 days a row vanished as %s", r.said)
						}
					}
				}
				rows = step(1)
				w.holds("the rest, after 30 days", rows, "expired", ofDevice(silent))
				w.holds("the same of the old id of a reinstalled device", rows, "expired", ofDevice(reinstalled))
				w.holds("all days at once", w.between(w.runs[0], w.runs[len(w.runs)-1]), "expired", ofDevice(silent))
				if n := len(w.ask(fmt.Sprintf("%s | where DeviceId == %q | summarize by Row = DeviceId", table, other))); n != 1 {
					t.Errorf("the reinstalled device is there %d times", n)
				}
			})
		})
	}
}

// Where devices change every day, rows vanish because a device moved, a program has another
// version, a program was removed, or a version without a CVE has some.
func TestReadersSeeWhatChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, emulator.Options{Devices: 8, CVEs: 2000, Seed: 1, ChangeRate: 0.9}, 1)
		w.days(0)
		all := newTally()
		for range 6 {
			w.days(1)
			for _, r := range w.between(w.runs[len(w.runs)-2], w.runs[len(w.runs)-1]) {
				if r.DeviceId == "" { // one of the odd ones
					if r.said != "unknown" {
						t.Errorf("a row without a device is %s", r.said)
					}
					continue
				}
				all.add([]vanished{r})
			}
		}
		for reason, what := range map[string]string{
			"moved": "a group move", "fixed": "a version upgrade", "uninstalled": "an uninstall", "exposed": "a version that was found vulnerable",
		} {
			if c := all.reasons[reason]; c.right == 0 || c.wrong > 0 || c.unknown > 0 {
				t.Errorf("%s: %+v", what, c)
			}
		}
		t.Log(all)
	})
}
