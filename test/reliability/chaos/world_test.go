package chaos_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/catalog"
	"github.com/tvmexport/tvmexport/emulator"
	"github.com/tvmexport/tvmexport/emulator/faults"
	"github.com/tvmexport/tvmexport/engine"
	"github.com/tvmexport/tvmexport/hunting"
	"github.com/tvmexport/tvmexport/internal/signin"
	"github.com/tvmexport/tvmexport/kusto"
	"github.com/tvmexport/tvmexport/test/reliability/check"
	"github.com/tvmexport/tvmexport/test/reliability/compressor"
	"github.com/tvmexport/tvmexport/test/reliability/faulttable"
	"github.com/tvmexport/tvmexport/test/reliability/past"
	"github.com/tvmexport/tvmexport/test/reliability/secrecy"
)

// The tables that a world can have, of each load type.
var tables = []struct {
	check.Table
	load tvmexport.LoadType
}{
	{check.Table{Name: "DeviceTvmSoftwareInventory"}, tvmexport.Snapshot},
	{check.Table{Name: "DeviceTvmHardwareFirmware"}, tvmexport.Snapshot},
	{check.Table{Name: "DeviceTvmCertificateInfo"}, tvmexport.Snapshot},
	{check.Table{Name: "DeviceTvmBrowserExtensions"}, tvmexport.Snapshot},
	{check.Table{Name: "DeviceProcessEvents", Events: true}, tvmexport.Incremental},
	{check.Table{Name: "DeviceNetworkEvents", Events: true}, tvmexport.FullThenIncr},
}

// world is an emulated tenant with its destination, in a bubble of time.
type world struct {
	dice
	seed     uint64
	began    time.Time
	emulator *emulator.Emulator
	tables   []check.Table
	oracle   oracle
	chosen   []tvmexport.Table // the same as the exporter knows them
	tally    *tally
	limits   tvmexport.Limits
	steps    int64 // bytes of one publishing command
	runs     int   // invocations so far
	secrets  *secrecy.Watch
	clock    clock                    // of the services
	taken    bool                     // published rows were taken away
	early    bool                     // only the first kinds of faults are injected
	rules    map[int]faulttable.Drawn // active
	hits     map[int]int              // of rules, so far

	past map[string][]state // of each table, since the last run that exported it
	book *past.Book         // what the source held at commits of Snapshots

	mu     sync.Mutex
	notice func(faults.Event)
}

func newWorld(t *testing.T, seed uint64, all *tally) (*world, error) {
	w := &world{
		rules: map[int]faulttable.Drawn{}, hits: map[int]int{}, early: slices.Contains(kept, seed), past: map[string][]state{}, seed: seed, began: time.Now(), tally: all, secrets: secrecy.New(),
		dice: dice{faulttable.Dice{Rand: rand.New(rand.NewPCG(seed, 0))}},
	}
	quota := emulator.DocumentedQuota()
	// Most exporters assume a small limit of rows per answer, so that a table needs
	// many answers, and a device may have more rows than one answer holds.
	w.limits = tvmexport.DocumentedLimits
	if n := []int64{0, 40, 150, 600}[w.IntN(4)]; n > 0 {
		w.limits.Rows = n
	}
	w.steps = []int64{0, 20_000, 200_000}[w.IntN(3)]
	var err error
	w.emulator, err = emulator.New(emulator.Options{
		Devices: 1 + w.IntN(4), Seed: seed, Quota: &quota, Now: w.clock.now, History: 2, ChangeRate: 0.3, Dir: t.TempDir(),
		Wire: emulator.Wire{
			Int64Sidecars: w.IntN(2) == 0, NullAsNull: w.IntN(2) == 0, OldResultSizeText: w.IntN(2) == 0, GraphRetryAfter: w.IntN(2) == 0,
		},
	})
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() {
		if err := w.emulator.Close(); err != nil {
			w.fail("close: %v", err)
		}
	})
	w.emulator.Faults().Observe(func(e faults.Event) {
		w.mu.Lock()
		f := w.notice
		w.mu.Unlock()
		if f != nil {
			f(e)
		}
	})
	return w, w.setUp(t)
}

// setUp chooses a few tables and makes the database ready for them.
func (w *world) setUp(t *testing.T) error {
	if err := w.guard(t.Context()); err != nil {
		return err
	}
	for _, i := range w.Perm(len(tables))[:1+w.IntN(3)] {
		table, ok := catalog.Table(tables[i].Name)
		if !ok {
			return fmt.Errorf("the catalogue has no %s", tables[i].Name)
		}
		table.LoadType = tables[i].load
		w.chosen, w.tables = append(w.chosen, table), append(w.tables, tables[i].Table)
	}
	w.oracle = oracle{w.emulator, w.tables}
	var snapshots []string
	for _, t := range w.tables {
		if !t.Events {
			snapshots = append(snapshots, t.Name)
		}
	}
	w.book = past.NewBook(w.emulator, snapshots...)
	return w.prepare(t.Context())
}

// prepare makes what is missing in the database.
func (w *world) prepare(ctx context.Context) error {
	p, err := w.process(nil)
	if err != nil {
		return err
	}
	defer p.close()
	if _, err := p.destination.Setup().Init(ctx, w.chosen, kusto.ScriptOptions{}); err != nil {
		return err
	}
	return p.destination.Configuration().Configure(ctx, w.chosen)
}

func (w *world) fail(format string, args ...any) {
	w.tally.fail(fmt.Sprintf("seed %d, run %d: %s", w.seed, w.runs, fmt.Sprintf(format, args...)))
}

// watch tells f of each request from now on; nil nobody.
func (w *world) watch(f func(faults.Event)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.notice = f
}

// process is an exporter as a process would have it: nothing is left of the
// one before but what the services hold.
type process struct {
	exporter    *engine.Exporter
	destination *kusto.Client
}

// process makes one that works over a connection, over one of its own if nil.
func (w *world) process(through http.RoundTripper) (*process, error) {
	if through == nil {
		through = w.emulator.Transport()
	}
	w.runs++
	at, client := w.emulator.Endpoints(), &http.Client{Transport: w.secrets.Over(through)}
	text, lines := logs(w.secrets)
	credential, err := signin.New(signin.Options{
		Method: signin.Secret, TenantID: at.TenantID, ClientID: at.ClientID, Authority: at.Authority, HTTPClient: client, Logger: text,
		Secrets: []signin.Place{{Variable: "AZURE_CLIENT_SECRET"}}, Env: func(name string) (string, bool) { return at.ClientSecret, name == "AZURE_CLIENT_SECRET" },
	})
	if err != nil {
		return nil, err
	}
	source, err := hunting.New(hunting.Options{Endpoint: at.Graph, HTTPClient: client, Credential: credential, MaxWait: maxWait, Logger: text})
	if err != nil {
		return nil, err
	}
	destination, err := kusto.New(context.Background(), kusto.Options{
		Cluster: at.Kusto, Ingest: at.Ingest, Database: at.Database, HTTPClient: client, Credential: credential,
		Logger: lines,
	})
	if err != nil {
		return nil, err
	}
	return &process{destination: destination, exporter: &engine.Exporter{
		Source: source, Destination: destination, Describe: catalog.Table,
		Compress: compressor.New,
		Owner:    fmt.Sprintf("chaos, process %d", w.runs), Limits: w.limits, StepBytes: w.steps,
		Lag: lag, Recount: recount, Resume: 24 * time.Hour, Hooks: printed(w.secrets),
	}}, nil
}

// recount covers the latest rows of a world: the events of a day are up to 22
// hours old when the tenant gets them, and the clock runs up to 40 hours ahead
// of the tenant's days then (see young). With the default of 48 hours some of
// them would come later than a run looks for them.
const recount = 72 * time.Hour

func (p *process) close() { _ = p.destination.Close() } // a process would just end

// What the program's own defaults are.
const (
	maxWait = time.Hour
	lag     = 15 * time.Minute
	term    = 3 * time.Minute // of a lease
)

// disturb activates a few faults, drawn from the table of requests. settle ends
// them and counts those that were injected. A rule that replays answers stays for
// one more run, since only then it has something to replay.
func (w *world) disturb() (settle func(), err error) {
	fresh := map[int]bool{}
	// A world of an early seed throws its dice as it did then.
	for _, i := range w.Perm(earlyKinds)[:1+w.IntN(5)] {
		var drawn faulttable.Drawn
		if w.early {
			drawn = faulttable.Wide(w.Dice, i)
		} else {
			drawn = faulttable.Draw(w.Dice)
		}
		ids, err := w.emulator.Faults().Add(drawn.Rule)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", drawn.Name, err)
		}
		w.rules[ids[0]], fresh[ids[0]] = drawn, true
		if *each {
			fmt.Printf("seed %d, next run: %s %+v\n", w.seed, drawn.Name, drawn.Rule)
		}
	}
	return func() { w.settle(fresh) }, nil
}

// settle counts the injected faults and ends the rules that do not stay.
func (w *world) settle(fresh map[int]bool) {
	for _, r := range w.emulator.Faults().List() {
		drawn, ok := w.rules[r.ID]
		if !ok {
			continue
		}
		if n := r.Hits - w.hits[r.ID]; n > 0 {
			w.tally.struck(drawn.Name, n)
		}
		w.hits[r.ID] = r.Hits
		if !r.Replay || !fresh[r.ID] {
			w.emulator.Faults().Remove(r.ID)
			delete(w.rules, r.ID)
		}
	}
}

// busiest is the most moments within any span of d.
func busiest(moments []time.Time, d time.Duration) (most int) {
	slices.SortFunc(moments, time.Time.Compare)
	from := 0
	for to, at := range moments {
		for at.Sub(moments[from]) >= d {
			from++
		}
		most = max(most, to-from+1)
	}
	return most
}
