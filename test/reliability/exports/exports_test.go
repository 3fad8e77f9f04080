package exports_test

import (
	"context"
	"flag"
	"math"
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
)

var (
	first  = flag.Uint64("seed", 1, "of the first world; the others follow")
	worlds = flag.Int("worlds", 4, "to be exported")
	rounds = flag.Int("rounds", 6, "disturbed runs in a world")
)

// ofFiles is in the path of each file of an export, and in no upload.
const ofFiles = "OrgId="

// kinds are the faults that are injected, those of files where a world reads files.
var kinds = []struct {
	name string
	via  assessment.Via // "": both
	rule faults.Rule
	// hides: rows are not in the answer, and nothing shows that they should be. Readers
	// may lack them until the next run, and a note says so.
	hides bool
}{
	{name: "a file's signature has expired", via: assessment.Files, rule: faults.Rule{Endpoint: faults.Blob, Match: ofFiles, ExpireSAS: true, Count: 2}},
	{name: "an empty file, once", via: assessment.Files, rule: faults.Rule{Endpoint: faults.Blob, Match: ofFiles, Status: 200, Count: 1}},
	{name: "empty files", via: assessment.Files, rule: faults.Rule{Endpoint: faults.Blob, Match: ofFiles, Status: 200}, hides: true},
	{name: "a file breaks off", via: assessment.Files, rule: faults.Rule{Endpoint: faults.Blob, Match: ofFiles, CutAfter: 100, Count: 2}},
	{name: "a file ends early", via: assessment.Files, rule: faults.Rule{Endpoint: faults.Blob, Match: ofFiles, TruncateJSON: true, Count: 2}},
	{name: "every third file breaks off", via: assessment.Files, rule: faults.Rule{Endpoint: faults.Blob, Match: ofFiles, CutAfter: 50, Every: 3}},
	{name: "a file is another one", via: assessment.Files, rule: faults.Rule{Endpoint: faults.Blob, Match: ofFiles, Status: 200, Body: `{"DeviceId":"x"`, Count: 1}},
	{name: "503 of a file", via: assessment.Files, rule: faults.Rule{Endpoint: faults.Blob, Match: ofFiles, Status: 503, Count: 2}},
	{name: "404 of a file", via: assessment.Files, rule: faults.Rule{Endpoint: faults.Blob, Match: ofFiles, Status: 404, Body: `<Error><Code>BlobNotFound</Code></Error>`, Count: 1}},
	{name: "429", rule: faults.Rule{Endpoint: faults.Assessment, Status: 429, Headers: map[string]string{"Retry-After": "20"}, Count: 3}},
	{name: "500", rule: faults.Rule{Endpoint: faults.Assessment, Status: 500, Every: 2}},
	{name: "502", rule: faults.Rule{Endpoint: faults.Assessment, Status: 502, Count: 1}},
	{name: "a page of a proxy", rule: faults.Rule{Endpoint: faults.Assessment, Status: 200, Body: "<html><title>Sign in</title></html>", Count: 1}},
	{name: "an answer breaks off", rule: faults.Rule{Endpoint: faults.Assessment, CutAfter: 200, Count: 2}},
	{name: "an answer ends early", rule: faults.Rule{Endpoint: faults.Assessment, TruncateJSON: true, Every: 2}},
	{name: "a token has expired", rule: faults.Rule{Endpoint: faults.Assessment, ExpireToken: true, Count: 1}},
	{name: "a link leads to a foreign host", via: assessment.Pages, rule: faults.Rule{Endpoint: faults.Assessment, Status: 200, Count: 1, Body: `{"value":[],"@odata.nextLink":"https://foreign.example/api/machines/SoftwareInventoryByMachine?$skiptoken=x"}`}},
	{name: "files are on a foreign host", via: assessment.Files, rule: faults.Rule{Endpoint: faults.Assessment, Status: 200, Count: 1, Body: `{"exportFiles":["https://foreign.example/tvm-export/2026-11-20/0601/VaExport/json/OrgId=1/part-00000-1.c000.json.gz?sig=x"],"generatedTime":"2026-11-20T06:01:00Z"}`}},
}

// disturb injects a few faults. settle ends them and returns how many were injected, and
// whether rows were hidden.
func (w *world) disturb(t *testing.T) (settle func() (struck int, hidden bool)) {
	t.Helper()
	hides := map[int]bool{}
	for _, i := range w.Perm(len(kinds))[:1+w.IntN(3)] {
		k := kinds[i]
		if k.via != "" && k.via != w.via {
			continue
		}
		ids, err := w.rig.Emulator.Faults().Add(k.rule)
		if err != nil {
			t.Fatalf("%s: %v", k.name, err)
		}
		t.Logf("next run: %s", k.name)
		hides[ids[0]] = k.hides
	}
	return func() (struck int, hidden bool) {
		for _, r := range w.rig.Emulator.Faults().List() {
			struck += r.Hits
			hidden = hidden || hides[r.ID] && r.Hits > 0
			w.rig.Emulator.Faults().Remove(r.ID)
		}
		return struck, hidden
	}
}

// moving lets a snapshot be taken in the middle of some runs. The result gives the states
// of the service before the run and after it.
func (w *world) moving(ctx context.Context, t *testing.T) func() []map[string]emulator.Digest {
	t.Helper()
	before, err := w.state(ctx)
	if err != nil {
		t.Fatal(err)
	}
	after := 1 + w.IntN(8)
	if w.IntN(3) > 0 {
		after = math.MaxInt
	}
	var once sync.Once
	var requests int
	var mu sync.Mutex
	w.watch(func(e faults.Event) {
		if e.Endpoint != faults.Assessment && !strings.Contains(e.Text, ofFiles) {
			return
		}
		mu.Lock()
		requests++
		due := requests >= after
		mu.Unlock()
		if due {
			once.Do(func() { w.rig.Emulator.Tenant().AdvanceHours(6) })
		}
	})
	return func() []map[string]emulator.Digest {
		w.watch(nil)
		now, err := w.state(ctx)
		if err != nil {
			t.Fatal(err)
		}
		return []map[string]emulator.Digest{before, now}
	}
}

// judge compares what readers see of a table that was exported with the states.
func (w *world) judge(ctx context.Context, t *testing.T, table string, states []map[string]emulator.Digest) {
	t.Helper()
	seen, err := w.rig.Emulator.Landed(ctx, "", table)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(states, func(s map[string]emulator.Digest) bool { return s[table] == seen }) {
		t.Errorf("%s: readers see %d rows that are no snapshot; the first has %d, the last %d", table, seen.Rows, states[0][table].Rows, states[len(states)-1][table].Rows)
		now := w.rows(t, "truth", w.truth[table])
		for _, row := range w.rows(t, "landed", table) {
			if !slices.Contains(now, row) {
				t.Logf("such as %s", row)
				break
			}
		}
	}
}

// noted says whether a run tells that files were empty.
func noted(r engine.Result) bool {
	return slices.ContainsFunc(r.Notes, func(n string) bool { return strings.Contains(n, "have no rows") })
}

// Readers see each row of one snapshot once, also if lists, files and pages fail.
func TestExports(t *testing.T) {
	struck, failed, judged := 0, 0, 0
	for i := range *worlds {
		seed := *first + uint64(i)
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, seed)
			t.Logf("seed %d: %v by %s", seed, w.names, w.via)
			for range *rounds {
				if w.IntN(2) == 0 {
					w.rig.Emulator.Tenant().AdvanceHours(6 * (1 + w.IntN(5)))
				}
				time.Sleep(2 * time.Minute) // a snapshot can be read a minute after its time
				settle, states := w.disturb(t), w.moving(t.Context(), t)
				results, err := w.run(t.Context())
				if err != nil {
					failed++
					t.Logf("seed %d: %v", seed, err)
				}
				met := states()
				n, hidden := settle()
				struck += n
				for name, r := range results {
					switch {
					case r.Err != nil:
					case hidden:
						if !noted(r) {
							t.Errorf("seed %d, %s: files were empty, and no note says so: %q", seed, name, r.Notes)
						}
					default:
						judged++
						w.judge(t.Context(), t, name, met)
					}
				}
			}
			w.undisturbed(t, seed)
		})
	}
	t.Logf("%d faults injected, %d runs failed, %d tables compared in %d worlds", struck, failed, judged, *worlds)
	if struck == 0 || judged == 0 {
		t.Error("nothing was tested")
	}
}

// undisturbed makes one more run, which must succeed and leave nothing to be made up for.
func (w *world) undisturbed(t *testing.T, seed uint64) {
	t.Helper()
	time.Sleep(2 * time.Hour) // quotas are free again
	if _, err := w.run(t.Context()); err != nil {
		t.Errorf("seed %d, without faults: %v", seed, err)
	}
	now, err := w.state(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range w.names {
		w.judge(t.Context(), t, name, []map[string]emulator.Digest{now})
	}
	if len(w.leaked) > 0 {
		t.Errorf("seed %d: requests went to %v", seed, w.leaked)
	}
}
