package trips_test

import (
	"context"
	"fmt"
	"io"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/klauspost/compress/gzip"
	"go.uber.org/goleak"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/catalog"
	"github.com/tvmexport/tvmexport/emulator"
	"github.com/tvmexport/tvmexport/emulator/emulatortest"
	"github.com/tvmexport/tvmexport/emulator/faults"
	"github.com/tvmexport/tvmexport/engine"
	"github.com/tvmexport/tvmexport/hunting"
	"github.com/tvmexport/tvmexport/kusto"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// How many requests a run of the nine default tables may send to the cluster, by the
// service's own count. Repeated polls do not count: how often a run looks whether
// something has landed or ended depends on how long that takes.
const (
	mostFirst   = 90
	mostNothing = 20
)

func TestRequestsOfARun(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: it takes several seconds; make test runs it")
	}
	for _, test := range []struct {
		devices  int
		call     time.Duration // what a call to the source takes
		requests time.Duration // what a request to the cluster takes
	}{{20, 0, 0}, {200, time.Second, 100 * time.Millisecond}} {
		t.Run(fmt.Sprintf("%d devices, %s, %s", test.devices, test.call, test.requests), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, test.devices, test.call, test.requests)
				for _, run := range []struct {
					name string
					most int
				}{{"first", mostFirst}, {"nothing to do", mostNothing}, {"nothing to do again", mostNothing}} {
					requests, polls := w.run()
					t.Logf("%-20s %d requests, %d repeated polls", run.name, requests, polls)
					if requests > run.most {
						t.Errorf("%s: %d requests, at most %d are allowed", run.name, requests, run.most)
					}
					time.Sleep(2 * time.Hour)
				}
			})
		})
	}
}

// world is an emulated tenant, and a database that is ready for its default tables.
type world struct {
	*testing.T
	emulator *emulatortest.Emulator
	tables   []tvmexport.Table

	mu    sync.Mutex
	known map[string]bool // what polls have asked for
	polls int             // that asked for nothing else
}

func newWorld(t *testing.T, devices int, call, requests time.Duration) *world {
	w := &world{T: t, emulator: emulatortest.New(t, emulatortest.Devices(devices), emulatortest.Seed(3), emulatortest.CVEs(emulator.DefaultCVEs),
		emulatortest.History(emulator.DefaultHistory), emulatortest.Batching(emulator.DefaultBatching))}
	for _, name := range catalog.Default() {
		table, _ := catalog.Table(name)
		w.tables = append(w.tables, table)
	}
	client := w.connect()
	_, err := client.Setup().Init(t.Context(), w.tables, kusto.ScriptOptions{})
	w.must(err)
	w.must(client.Configuration().Configure(t.Context(), w.tables))
	w.must(client.Close())
	for endpoint, delay := range map[faults.Endpoint]time.Duration{faults.Graph: call, faults.KustoQuery: requests, faults.KustoMgmt: requests} {
		if delay > 0 {
			_, err = w.emulator.Inject(emulatortest.Fault{Endpoint: endpoint, Delay: emulatortest.Duration(delay)})
			w.must(err)
		}
	}
	return w
}

func (w *world) connect() *kusto.Client {
	w.Helper()
	at := w.emulator.Endpoints()
	client, err := kusto.New(w.Context(), kusto.Options{
		Cluster: at.Kusto, Ingest: at.Ingest, Database: at.Database, HTTPClient: w.emulator.Client(), Credential: issued{w.emulator}, Record: w.note,
	})
	w.must(err)
	return client
}

// asked are the operations, or the runs whose landed rows are counted, that a poll asks for.
var asked = regexp.MustCompile(`\.show operations .*|BatchId startswith_cs "[^"]*"`)

var operation = regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`)

// note notes whether a text is a repeated poll.
func (w *world) note(text string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var ids []string
	for _, found := range asked.FindAllString(text, -1) {
		if strings.HasPrefix(found, ".show") {
			ids = append(ids, operation.FindAllString(found, -1)...)
			continue
		}
		ids = append(ids, found)
	}
	first := len(ids) == 0
	for _, id := range ids {
		first = first || !w.known[id]
		w.known[id] = true
	}
	if !first {
		w.polls++
	}
}

// run is one run by a process of its own: its requests without repeated polls, and those.
func (w *world) run() (requests, polls int) {
	w.Helper()
	at := w.emulator.Endpoints()
	source, err := hunting.New(hunting.Options{API: hunting.Graph, Endpoint: at.Graph, HTTPClient: w.emulator.Client(), Share: 1, MaxWait: 12 * time.Hour, Credential: issued{w.emulator}})
	w.must(err)
	client := w.connect()
	defer func() { _ = client.Close() }()
	exporter := &engine.Exporter{
		Source: source, Destination: client, Describe: catalog.Table, Owner: "test", Resume: 24 * time.Hour,
		Compress: func(to io.Writer) io.WriteCloser { return gzip.NewWriter(to) },
	}
	w.known, w.polls = map[string]bool{}, 0
	before := w.sent()
	report, err := exporter.Run(w.Context(), engine.Request{})
	w.must(err)
	if len(report.Outcomes) != len(w.tables) {
		w.Errorf("%d outcomes, want one for each of %d tables", len(report.Outcomes), len(w.tables))
	}
	for _, o := range report.Outcomes {
		w.must(o.Err)
	}
	return w.sent() - before - w.polls, w.polls
}

// sent is how many queries and commands the service has counted.
func (w *world) sent() int {
	s := w.emulator.Stats().Kusto
	n := s.Queries
	for _, commands := range s.Commands {
		n += commands
	}
	return int(n)
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// issued signs in without asking: the emulated authority gives what it would.
type issued struct{ e *emulatortest.Emulator }

func (i issued) GetToken(_ context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	token, err := i.e.Token(emulatortest.TokenRequest{Resource: o.Scopes[0]})
	return azcore.AccessToken{Token: token, ExpiresOn: time.Now().Add(time.Hour)}, err
}
