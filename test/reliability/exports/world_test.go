package exports_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/assessment"
	"github.com/tvmexport/tvmexport/catalog"
	"github.com/tvmexport/tvmexport/defender"
	"github.com/tvmexport/tvmexport/emulator"
	"github.com/tvmexport/tvmexport/emulator/faults"
	"github.com/tvmexport/tvmexport/engine"
	"github.com/tvmexport/tvmexport/kusto"
	"github.com/tvmexport/tvmexport/spool"
	"github.com/tvmexport/tvmexport/test/reliability/compressor"
	"github.com/tvmexport/tvmexport/test/reliability/exports"
	"github.com/tvmexport/tvmexport/test/reliability/rig"
)

// world is an emulated tenant with its destination, in a bubble of time.
type world struct {
	*rand.Rand
	seed   uint64
	tally  *tally
	rig    *rig.Rig
	via    assessment.Via
	tables []exports.Table
	dir    string
	runs   int
	adds   bool // answers have members that the catalogue does not know
	// throttles: the service keeps to its quotas, and the exporters assume larger ones.
	throttles bool

	mu     sync.Mutex
	notice func(faults.Event)
	lists  []string                      // addresses of the calls of earlier runs
	talk   []string                      // what happened, for a failure
	tokens map[string]azcore.AccessToken // by resource
}

func newWorld(t *testing.T, seed uint64, all *tally) (*world, error) {
	t.Helper()
	w := &world{Rand: rand.New(rand.NewPCG(seed, 1)), seed: seed, tally: all, dir: t.TempDir(), via: assessment.Files}
	if w.IntN(3) == 0 {
		w.via = assessment.Pages
	}
	w.adds, w.throttles = w.IntN(4) == 0, w.IntN(3) == 0
	tables := exports.Tables()
	for _, i := range w.Perm(len(tables))[:1+w.IntN(3)] {
		w.tables = append(w.tables, tables[i])
	}
	o := emulator.Options{Devices: 1 + w.IntN(6), CVEs: 2000, Seed: seed, History: 2, ChangeRate: 0.3, Expiry: w.IntN(2) == 0}
	if w.throttles {
		o.ExportQuota = &emulator.ExportQuota{PagesPerMinute: 30, PagesPerHour: 1000, FilesPerMinute: 5, FilesPerHour: 20}
	}
	return w, w.open(t, o)
}

// open starts the emulator and prepares the destination for the world's tables.
func (w *world) open(t *testing.T, o emulator.Options) (err error) {
	t.Helper()
	var names []string
	for _, table := range w.tables {
		names = append(names, table.Name)
	}
	w.said("%v by %s, further members %t, own quotas %t", names, w.via, w.adds, w.throttles)
	o.Dir = t.TempDir()
	if w.rig, err = rig.New(t.Context(), rig.Options{Tables: names, Emulator: o}); err != nil {
		return err
	}
	t.Cleanup(func() {
		if err := w.rig.Close(); err != nil {
			w.fail("close: %v", err)
		}
	})
	w.rig.Emulator.Faults().Observe(func(e faults.Event) {
		w.mu.Lock()
		f := w.notice
		w.mu.Unlock()
		if f != nil && !e.Done {
			f(e)
		}
	})
	return nil
}

// reads says whether some table of the world is read in a way.
func (w *world) reads(via assessment.Via) bool {
	return slices.ContainsFunc(w.tables, func(t exports.Table) bool { return t.Via(w.via) == via })
}

// watch tells f of each request from now on; nil nobody.
func (w *world) watch(f func(faults.Event)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.notice = f
}

// said remembers what happened.
func (w *world) said(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.talk = append(w.talk, fmt.Sprintf(format, args...))
}

func (w *world) fail(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.tally.fail(fmt.Sprintf("seed %d, run %d: %s\n  %s", w.seed, w.runs, fmt.Sprintf(format, args...), strings.Join(w.talk, "\n  ")))
}

// token is one of the exporting application for a resource.
func (w *world) token(resource string) (string, error) {
	t, err := w.kept(resource)
	return t.Token, err
}

// kept is a token for a resource, the same until shortly before its end.
func (w *world) kept(resource string) (azcore.AccessToken, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if t, ok := w.tokens[resource]; ok && time.Until(t.ExpiresOn) > 5*time.Minute {
		return t, nil
	}
	const lifetime = time.Hour
	text, err := w.rig.Emulator.Entra().Issue(w.rig.Emulator.Endpoints().ClientID, resource, lifetime)
	if err != nil {
		return azcore.AccessToken{}, err
	}
	t := azcore.AccessToken{Token: text, ExpiresOn: time.Now().Add(lifetime)}
	if w.tokens == nil {
		w.tokens = map[string]azcore.AccessToken{}
	}
	w.tokens[resource] = t
	return t, nil
}

// GetToken implements azcore.TokenCredential.
func (w *world) GetToken(_ context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return w.kept(strings.TrimSuffix(o.Scopes[0], "/.default"))
}

// process is an exporter as a process would have it: nothing is left of the one before
// but what the services hold.
type process struct {
	connection  *connection
	exporter    *engine.Exporter
	destination *kusto.Client
	source      *spool.Source
}

// much is more than the service allows.
var much = assessment.Quotas{Pages: defender.Quota{PerMinute: 10_000, PerHour: 100_000}, Files: defender.Quota{PerMinute: 1000, PerHour: 10_000}}

func (w *world) process(full bool) (*process, error) {
	w.runs++
	at := w.rig.Emulator.Endpoints()
	cluster, err := url.Parse(at.Kusto)
	if err != nil {
		return nil, err
	}
	p := &process{connection: &connection{to: w.rig.Emulator.Transport(), host: cluster.Host, adds: w.adds}}
	through := &http.Client{Transport: p.connection}
	o := assessment.Options{Endpoint: at.MDE, Credential: w, HTTPClient: through, Via: w.via, PageRows: 1 + w.IntN(60), Share: 1}
	if w.throttles {
		o.Quotas = much
	}
	client, err := assessment.New(o)
	if err != nil {
		return nil, err
	}
	room := spool.Options{Dir: w.dir}
	if full {
		room.MaxBytes = 1
	}
	if p.source, err = spool.New(client, room); err != nil {
		return nil, err
	}
	p.destination, err = kusto.New(context.Background(), kusto.Options{Cluster: at.Kusto, Ingest: at.Ingest, Database: at.Database, HTTPClient: through, Credential: w})
	if err != nil {
		return nil, err
	}
	sources := map[string]tvmexport.Source{}
	for _, t := range w.tables {
		sources[t.Name] = p.source
	}
	p.exporter = &engine.Exporter{
		Source: p.source, Sources: sources, Destination: p.destination, Describe: catalog.Table, Compress: compressor.New,
		Owner: fmt.Sprintf("exports, process %d", w.runs), Lag: time.Minute, Recount: 48 * time.Hour, Resume: 24 * time.Hour,
	}
	return p, nil
}

// close ends the connections of the process and removes its spool, as the next process
// would do after a death.
func (p *process) close() {
	_ = p.source.Close()
	_ = p.destination.Close()
}

// bound is how long a run may take by its own clock.
const bound = 24 * time.Hour

// run exports all tables in a new process.
func (w *world) run(ctx context.Context, m *mood) (map[string]engine.Result, error) {
	p, err := w.process(m.full)
	if err != nil {
		return nil, err
	}
	defer p.close()
	ctx, cancel := context.WithTimeout(ctx, bound)
	defer cancel()
	w.watch(func(e faults.Event) {
		m.reached(e, func() {
			w.rig.Emulator.Tenant().AdvanceHours(6)
			w.tally.struck("source: a snapshot in the middle of a run", 1)
		}, func(kill bool) {
			p.connection.dead.Store(kill)
			cancel()
		})
	})
	defer w.watch(nil)
	began := time.Now()
	report, err := p.exporter.Run(ctx, engine.Request{})
	if took := time.Since(began); took >= bound {
		w.fail("the run hangs: it has taken %s", took)
	}
	w.after(p.connection, m)
	results := map[string]engine.Result{}
	errs := []error{err}
	for _, r := range report.Outcomes {
		results[r.Table.Name] = r
		if r.Err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", r.Table.Name, r.Err))
		}
	}
	return results, errors.Join(errs...)
}

// after keeps what the connection has seen.
func (w *world) after(c *connection, m *mood) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.leaked) > 0 {
		w.fail("requests went to %v", c.leaked)
	}
	if w.throttles && c.throttled > 0 {
		w.tally.struck("429, some by the service's own quotas", c.throttled)
	}
	switch ended := m.hasEnded(); {
	case ended && m.kill:
		w.tally.struck("process: killed", 1)
	case ended:
		w.tally.struck("process: interrupted", 1)
	case m.full:
		w.tally.struck("process: the spool is full", 1)
	}
	if w.adds {
		w.tally.struck("source: further members in a run", 1)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, address := range c.lists {
		if !slices.Contains(w.lists, address) {
			w.lists = append(w.lists, address)
		}
	}
}
