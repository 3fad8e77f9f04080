package plans_test

import (
	"context"
	"maps"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"go.uber.org/goleak"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/catalog"
	"github.com/tvmexport/tvmexport/emulator"
	"github.com/tvmexport/tvmexport/emulator/emulatortest"
	"github.com/tvmexport/tvmexport/engine"
	"github.com/tvmexport/tvmexport/hunting"
	"github.com/tvmexport/tvmexport/kusto"
	"github.com/tvmexport/tvmexport/test/reliability/compressor"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// What a plan says agrees with what the run then makes: calls within 5 %,
// bytes within 15 %, time under the documented quotas within 20 %. Time is that
// of the bubble, from begin to end of the run; each call takes a second. The
// calls are those that the emulated service has counted.
func TestAPlanIsWhatTheRunThenDoes(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: it takes several seconds; make test runs it")
	}
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 10, catalog.Default()...)
		for _, story := range []struct {
			name string
			days int
			req  engine.Request
			kind tvmexport.RunKind // of the vulnerabilities
		}{
			{"a first run", 0, engine.Request{}, tvmexport.FullRun},
			{"nothing has changed", 0, engine.Request{}, tvmexport.DeltaRun},
			{"a day later", 1, engine.Request{}, tvmexport.DeltaRun},
			{"all of it again", 0, engine.Request{Full: true}, tvmexport.FullRun},
			{"one table", 2, engine.Request{Tables: []string{"DeviceTvmSoftwareInventory"}}, ""},
		} {
			r.emulator.Tenant().Advance(story.days)
			plan := r.plan(story.req)
			each := r.source.Mean()
			quota := r.source.Forecast(plan.calls, plan.chain, 4, each).Took
			took := r.exporter.EstimateDuration(plan.tables, each, quota, landing)
			run := r.run(story.req)
			t.Logf("%-20s calls %d, planned %d; bytes %d, planned %d; rows %d, planned %d; %s, planned %s",
				story.name, run.calls, plan.calls, run.bytes, plan.bytes, run.rows, plan.rows, run.took, took)
			within(t, story.name+": calls", float64(plan.calls), float64(run.calls), 0.05)
			within(t, story.name+": bytes", float64(plan.bytes), float64(run.bytes), 0.15)
			within(t, story.name+": seconds", took.Seconds(), run.took.Seconds(), 0.20)
			if plan.rows != run.rows {
				t.Errorf("%s: %d rows planned, %d published", story.name, plan.rows, run.rows)
			}
			if kind := plan.kinds["DeviceTvmSoftwareVulnerabilities"]; kind != story.kind || kind != run.kinds["DeviceTvmSoftwareVulnerabilities"] {
				t.Errorf("%s: a %s run was planned, and %s made", story.name, kind, run.kinds["DeviceTvmSoftwareVulnerabilities"])
			}
			time.Sleep(2 * time.Hour) // the quota is full again
		}
	})
}

// A table that follows its watermark: what is new, and hours counted again.
// Events go on while the plan is made, so that a few more come.
func TestAPlanOfEvents(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: it takes several seconds; make test runs it")
	}
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 2, "DeviceProcessEvents")
		r.exporter.Limits = tvmexport.Limits{Rows: 2000, Bytes: 2_000_000}
		r.exporter.Lag, r.exporter.Recount = 15*time.Minute, 48*time.Hour
		for _, days := range []int{0, 2} {
			r.emulator.Tenant().Advance(days)
			plan := r.plan(engine.Request{})
			run := r.run(engine.Request{})
			t.Logf("%d days later: calls %d, planned %d; bytes %d, planned %d; rows %d, planned %d", days, run.calls, plan.calls, run.bytes, plan.bytes, run.rows, plan.rows)
			within(t, "calls", float64(plan.calls), float64(run.calls), 0.05)
			within(t, "bytes", float64(plan.bytes), float64(run.bytes), 0.15)
			within(t, "rows", float64(plan.rows), float64(run.rows), 0.02)
			time.Sleep(2 * time.Hour)
		}
	})
}

// Processes one after the other, with hardly a pause, keep to the quota that the service
// enforces: each begins with the calls that the others have noted, and what a plan says
// of the minute includes them.
func TestProcessesShareTheQuota(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: it takes several seconds; make test runs it")
	}
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 5, "DeviceTvmSoftwareInventory", "DeviceTvmSecureConfigurationAssessment")
		waited := false
		for range 6 {
			r.source = r.signIn()
			r.exporter.Source = r.source
			record, err := r.exporter.ShareQuota(t.Context())
			must(t, err)
			_, err = r.exporter.Plan(t.Context(), engine.Request{Full: true})
			must(t, err)
			must(t, record(t.Context()))
			used := r.source.Usage().Minute

			r.exporter.Source = r.signIn()
			started := time.Now()
			r.run(engine.Request{Full: true})
			waited = waited || time.Since(started) > 20*time.Second
			t.Logf("%d calls of the minute used when the run began, which took %s", used, time.Since(started))
		}
		if s := r.emulator.Stats().Defender["graph"]; len(s.Throttles) > 0 || s.Calls <= 45 || !waited {
			t.Errorf("%d calls, throttled %v, waited: %t; more calls than a minute allows are expected, and none throttled", s.Calls, s.Throttles, waited)
		}
	})
}

func within(t *testing.T, what string, planned, made, share float64) {
	t.Helper()
	if off := planned - made; off > share*made || -off > share*made {
		t.Errorf("%s: planned %.0f, made %.0f", what, planned, made)
	}
}

// landing is what the emulated ingestion takes: its batches stay open for two
// seconds, and the exporter looks at full seconds, between two and four seconds after
// the last answer.
const landing = 3500 * time.Millisecond

// account is what was planned, or done.
type account struct {
	tables      []engine.PlannedTable
	calls       int
	chain       int // of them, that follow one another
	bytes, rows int64
	took        time.Duration
	kinds       map[string]tvmexport.RunKind
}

// rig is an exporter of the emulated tenant, in a bubble of time.
type rig struct {
	*testing.T
	emulator *emulatortest.Emulator
	source   *hunting.Client
	exporter *engine.Exporter
}

func newRig(t *testing.T, devices int, names ...string) *rig {
	e := emulatortest.New(t, emulatortest.Devices(devices), emulatortest.Seed(3), emulatortest.CVEs(emulator.DefaultCVEs),
		emulatortest.History(emulator.DefaultHistory), emulatortest.Batching(emulator.DefaultBatching))
	r := &rig{T: t, emulator: e}
	at, hc := e.Endpoints(), e.Client()
	r.source = r.signIn()
	client, err := kusto.New(t.Context(), kusto.Options{
		Cluster: at.Kusto, Ingest: at.Ingest, Database: at.Database, HTTPClient: hc, Credential: issued{e},
	})
	must(t, err)
	t.Cleanup(func() { _ = client.Close() })
	var tables []tvmexport.Table
	for _, name := range names {
		table, _ := catalog.Table(name)
		tables = append(tables, table)
	}
	_, err = client.Setup().Init(t.Context(), tables, kusto.ScriptOptions{})
	must(t, err)
	must(t, client.Configuration().Configure(t.Context(), tables))
	_, err = e.Inject(emulatortest.Fault{Endpoint: "graph", Delay: emulatortest.Duration(time.Second)})
	must(t, err)
	r.exporter = &engine.Exporter{
		Source: r.source, Destination: client, Describe: catalog.Table, Owner: "test",
		Limits:   tvmexport.Limits{Rows: 200, Bytes: 100_000}, // so that a small tenant takes many calls
		Compress: compressor.New,
	}
	return r
}

// signIn makes the source of a new process.
func (r *rig) signIn() *hunting.Client {
	r.Helper()
	source, err := hunting.New(hunting.Options{
		API: hunting.Graph, Endpoint: r.emulator.Endpoints().Graph, HTTPClient: r.emulator.Client(), Share: 1, MaxWait: 12 * time.Hour, Credential: issued{r.emulator},
	})
	must(r.T, err)
	return source
}

// calls are those that the service has counted.
func (r *rig) calls() int { return int(r.emulator.Stats().Defender["graph"].Calls) }

// plan plans, and shows that nothing was written.
func (r *rig) plan(req engine.Request) account {
	r.Helper()
	before, calls := written(r.emulator), r.calls()
	tables, err := r.exporter.Plan(r.Context(), req)
	must(r.T, err)
	if after := written(r.emulator); !maps.Equal(before, after) {
		r.Errorf("a plan has written: %v, before it %v", after, before)
	}
	out := account{tables: tables, kinds: map[string]tvmexport.RunKind{}}
	spent := 0
	for _, p := range tables {
		must(r.T, p.Err)
		out.calls += p.Calls
		out.chain = max(out.chain, p.Chain)
		out.bytes += p.Bytes
		out.rows += p.Rows
		out.kinds[p.Table.Name] = p.Run.Kind
		spent += p.Spent
	}
	if made := r.calls() - calls; made != spent {
		r.Errorf("the plan says that it made %d calls, and it made %d", spent, made)
	}
	return out
}

// written counts what changes a database, by the service's own count.
func written(e *emulatortest.Emulator) map[string]int64 {
	s := e.Stats()
	out := map[string]int64{"blobs": s.Ingestion.Blobs, "messages": s.Ingestion.Messages, "rows": s.Kusto.RowsIngested}
	for name, n := range s.Kusto.Commands {
		if !strings.HasPrefix(name, ".show") {
			out[name] = n
		}
	}
	return out
}

func (r *rig) run(req engine.Request) account {
	r.Helper()
	calls := r.calls()
	report, err := r.exporter.Run(r.Context(), req)
	must(r.T, err)
	out := account{calls: r.calls() - calls, took: report.Took, kinds: map[string]tvmexport.RunKind{}}
	for _, o := range report.Outcomes {
		must(r.T, o.Err)
		out.bytes += o.Bytes
		out.rows += o.Rows
		out.kinds[o.Table.Name] = o.Run.Kind
	}
	return out
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// issued signs in without asking: the emulated authority gives what it would.
type issued struct{ e *emulatortest.Emulator }

func (i issued) GetToken(_ context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	token, err := i.e.Token(emulatortest.TokenRequest{Resource: o.Scopes[0]})
	return azcore.AccessToken{Token: token, ExpiresOn: time.Now().Add(time.Hour)}, err
}
