package reasons_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/emulator"
	"github.com/tvmexport/tvmexport/engine"
	"github.com/tvmexport/tvmexport/test/reliability/past"
	"github.com/tvmexport/tvmexport/test/reliability/rig"
)

const table = "TvmSoftwareVulnerabilities"

// world is a tenant with its destination, in a bubble of time.
type world struct {
	*testing.T
	rig  *rig.Rig
	dir  string
	runs []moment
}

// moment is a run: when it was committed, and the time of the tenant.
type moment struct{ committed, tenant time.Time }

// newWorld makes a tenant that has lived for some days. volatile columns are not landed if they
// alone have changed.
func newWorld(t *testing.T, o emulator.Options, aged int, volatile ...string) *world {
	t.Helper()
	w := &world{T: t, dir: t.TempDir()}
	o.Dir, o.History, o.Expiry = t.TempDir(), 1, true
	var err error
	w.rig, err = rig.New(t.Context(), rig.Options{
		Tables: []string{table}, Emulator: o, FullEvery: 7 * 24 * time.Hour,
		Describe: func(t tvmexport.Table) tvmexport.Table {
			t.Layout, t.Volatile = tvmexport.TypedOnly, volatile
			return t
		},
	})
	w.must(err)
	t.Cleanup(func() { w.must(w.rig.Close()) })
	time.Sleep(2 * time.Minute) // a snapshot can be read a minute after its time
	w.rig.Emulator.Tenant().Advance(aged)
	return w
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// days lets days pass, and exports the table at their end.
func (w *world) days(n int) engine.Result {
	w.Helper()
	w.rig.Emulator.Tenant().Advance(n)
	time.Sleep(time.Second)
	results, err := w.rig.Export(w.Context(), w.dir, engine.Request{})
	w.must(err)
	commits, err := past.Commits(w.Context(), w.rig.Emulator)
	w.must(err)
	w.runs = append(w.runs, moment{commits[table], w.rig.Emulator.Tenant().Now()})
	return results[table]
}

// identity is what a row is known by.
type identity struct {
	DeviceId, SoftwareVendor, SoftwareName, SoftwareVersion, CveId string
	RbacGroupId                                                    int
}

// vanished is a row that Changes shows as removed.
type vanished struct {
	identity
	said, did string // the reason of Changes, and that of the emulator
}

// between compares what Changes says of the rows that were removed between two runs with what
// the emulator did to them last.
func (w *world) between(from, to moment) []vanished {
	w.Helper()
	did := map[identity]string{}
	answer, err := w.rig.Emulator.Tenant().Vanished(w.Context(), table, from.tenant, to.tenant)
	w.must(err)
	var lost []struct {
		identity
		Reason string
	}
	w.must(answer.Decode(&lost))
	for _, row := range lost {
		did[row.identity] = called[row.Reason]
	}
	var list []vanished
	call := fmt.Sprintf("%sChanges(%s, %s) | where Change == 'removed'", table, past.Moment(from.committed), past.Moment(to.committed))
	for text, err := range w.rig.Emulator.LandedRows(w.Context(), "", call) {
		w.must(err)
		var row struct {
			identity
			Reason string
		}
		w.must(json.Unmarshal(text, &row))
		if did[row.identity] == "" {
			w.Errorf("Changes shows a row as removed that has not vanished")
		}
		list = append(list, vanished{row.identity, row.Reason, did[row.identity]})
	}
	return list
}

// called is what Changes calls the reasons of the emulator.
var called = map[string]string{
	"fixed": "fixed", "upgraded": "fixed", "exposed": "exposed", "uninstalled": "uninstalled",
	"moved": "moved", "expired": "expired", "gone": "device gone",
}

// ask is the first column of a query over the source.
func (w *world) ask(query string) []string {
	w.Helper()
	var list []string
	for text, err := range w.rig.Emulator.State().Rows(w.Context(), query+" | project Row = tostring(Row)") {
		w.must(err)
		var row struct{ Row string }
		w.must(json.Unmarshal(text, &row))
		list = append(list, row.Row)
	}
	return list
}

// reporting are the devices that report, in the order of their ids.
func (w *world) reporting() []string {
	return w.ask(table + " | summarize Seen = max(LastSeenTimestamp) by Row = DeviceId | where strlen(Row) == 40 and Seen > now() - 1d | order by Row asc")
}

// retire lets some devices leave at once.
func (w *world) retire(n int, dice *rand.Rand) {
	w.Helper()
	ids := w.reporting()
	for range n {
		err := w.rig.Emulator.Tenant().Retire(ids[dice.IntN(len(ids))])
		if err != nil && !strings.Contains(err.Error(), "there is no device") { // it was retired a moment ago
			w.Fatal(err)
		}
	}
}
