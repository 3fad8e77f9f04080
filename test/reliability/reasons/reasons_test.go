package reasons_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"

	"go.uber.org/goleak"

	"github.com/tvmexport/tvmexport/emulator"
)

var (
	devices = flag.Int("devices", 30, "of the tenant")
	days    = flag.Int("days", 35, "to live through, a run on each")
	seed    = flag.Uint64("seed", 1, "of the tenant")
	rate    = flag.Float64("rate", 0.2, "share of the devices that change on a day")
	cves    = flag.Int("cves", 100, "that are known at the beginning")
)

func TestMain(m *testing.M) {
	flag.Parse()
	goleak.VerifyTestMain(m)
}

// Of the rows that vanish from a tenant in which everything happens, nearly all have a reason,
// and nearly all reasons are what the emulator did.
func TestReasons(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: it takes many seconds; make test runs it")
	}
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, emulator.Options{Devices: *devices, CVEs: *cves, Seed: *seed, ChangeRate: *rate}, 35)
		dice := rand.New(rand.NewPCG(*seed, 1))
		daily := newTally()
		w.days(0)
		for day := range *days {
			if day%3 == 1 {
				w.retire(max(1, *devices/1000), dice)
			}
			r := w.days(1)
			n := len(w.runs)
			rows := w.between(w.runs[n-2], w.runs[n-1])
			daily.add(rows)
			if *devices > 100 {
				fmt.Printf("day %d: %d rows landed, %d vanished; so far%s", day+1, r.Fetched, len(rows), daily)
			}
		}
		whole := newTally()
		whole.add(w.between(w.runs[0], w.runs[len(w.runs)-1]))
		t.Logf("%d devices, %d days: rows that vanished from one run to the next, by what the emulator did%s", *devices, *days, daily)
		t.Logf("rows that vanished from the first run to the last%s", whole)
		for _, reason := range []string{"fixed", "uninstalled", "expired", "moved", "device gone", "exposed"} {
			if daily.reasons[reason].vanished == 0 {
				t.Errorf("no row vanished with the reason %s", reason)
			}
		}
		for name, counted := range map[string]*tally{"from run to run": daily, "from the first run to the last": whole} {
			for _, short := range counted.tooFew(0.95, 0.99) {
				t.Errorf("%s: %s", name, short)
			}
		}
	})
}
