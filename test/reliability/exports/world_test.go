package exports_test

import (
	"context"
	"fmt"
	"io"
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
	"github.com/tvmexport/tvmexport/emulator"
	"github.com/tvmexport/tvmexport/emulator/faults"
	"github.com/tvmexport/tvmexport/engine"
	"github.com/tvmexport/tvmexport/spool"
	"github.com/tvmexport/tvmexport/test/reliability/rig"
)

// tables are those that a world can have, each with the query of the rows that readers
// must see. Some published columns differ in form from those of the service.
var tables = []struct{ name, truth string }{
	{"TvmSoftwareVulnerabilities", `TvmSoftwareVulnerabilities | extend CveBatchTitle = "", CveBatchUrl = ""`},
	{"TvmSoftwareInventory", "TvmSoftwareInventory"},
	{"TvmSoftwareInventoryNonCpe", "TvmSoftwareInventoryNonCpe"},
	{"TvmSecureConfigurations", "TvmSecureConfigurations"},
	{"TvmBrowserExtensions", "TvmBrowserExtensions"},
	{"TvmBaselineCompliance", "TvmBaselineCompliance"},
	{"TvmHardwareFirmware", "TvmHardwareFirmware | extend AdditionalFields = parse_json(AdditionalFields)"},
	{"TvmCertificates", "TvmCertificates | extend NotBefore = iff(NotBefore == datetime(0001-01-01), datetime(null), NotBefore)"},
}

// world is an emulated tenant with its destination, in a bubble of time.
type world struct {
	*rand.Rand
	t      *testing.T
	rig    *rig.Rig
	via    assessment.Via
	names  []string
	truth  map[string]string // queries, by table
	dir    string
	mu     sync.Mutex
	notice func(faults.Event)
	leaked []string // hosts that are none of the service's
}

func newWorld(t *testing.T, seed uint64) *world {
	t.Helper()
	w := &world{Rand: rand.New(rand.NewPCG(seed, 1)), t: t, truth: map[string]string{}, dir: t.TempDir(), via: assessment.Files}
	if w.IntN(3) == 0 {
		w.via = assessment.Pages
	}
	for _, i := range w.Perm(len(tables))[:1+w.IntN(3)] {
		w.names = append(w.names, tables[i].name)
		w.truth[tables[i].name] = tables[i].truth
	}
	w.open(emulator.Options{Devices: 1 + w.IntN(6), CVEs: 2000, Seed: seed, History: 2, ChangeRate: 0.3, Expiry: w.IntN(2) == 0})
	return w
}

// open starts the emulator and prepares the destination for the world's tables.
func (w *world) open(o emulator.Options) {
	t := w.t
	t.Helper()
	o.Dir = t.TempDir()
	var err error
	if w.rig, err = rig.New(t.Context(), rig.Options{Tables: w.names, Emulator: o}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.rig.Close(); err != nil {
			t.Error(err)
		}
	})
	w.rig.Emulator.Faults().Observe(func(e faults.Event) {
		w.mu.Lock()
		f := w.notice
		w.mu.Unlock()
		if f != nil {
			f(e)
		}
	})
}

// watch tells f of each request from now on; nil nobody.
func (w *world) watch(f func(faults.Event)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.notice = f
}

// RoundTrip notes requests to hosts that no service of the emulator has.
func (w *world) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.HasSuffix(r.URL.Host, "foreign.example") {
		w.mu.Lock()
		w.leaked = append(w.leaked, r.URL.Host)
		w.mu.Unlock()
	}
	return w.rig.Emulator.Transport().RoundTrip(r)
}

// GetToken implements azcore.TokenCredential.
func (w *world) GetToken(_ context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	at := w.rig.Emulator.Endpoints()
	token, err := w.rig.Emulator.Entra().Issue(at.ClientID, strings.TrimSuffix(o.Scopes[0], "/.default"), time.Hour)
	return azcore.AccessToken{Token: token, ExpiresOn: time.Now().Add(time.Hour)}, err
}

// run exports all tables as a new process would.
func (w *world) run(ctx context.Context) (map[string]engine.Result, error) {
	client, err := assessment.New(assessment.Options{
		Endpoint: w.rig.Emulator.Endpoints().MDE, Credential: w, HTTPClient: &http.Client{Transport: w}, Via: w.via, PageRows: 1 + w.IntN(60), Share: 1,
	})
	if err != nil {
		return nil, err
	}
	source, err := spool.New(client, spool.Options{Dir: w.dir})
	if err != nil {
		return nil, err
	}
	defer source.Close()
	w.rig.Exporter.Sources = map[string]tvmexport.Source{}
	for _, name := range w.names {
		w.rig.Exporter.Sources[name] = source
	}
	return w.rig.Run(ctx, engine.Request{})
}

// rows are those of a query, over the source (truth) or the destination (landed).
func (w *world) rows(t *testing.T, of, query string) []string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.rig.Emulator.Endpoints().Control+"/"+of+"?rows=1&q="+url.QueryEscape(query), http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := w.rig.Emulator.Transport().RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return slices.Sorted(strings.Lines(string(text)))
}

// state is the digest of each table as the service has it now.
func (w *world) state(ctx context.Context) (map[string]emulator.Digest, error) {
	out := map[string]emulator.Digest{}
	for name, query := range w.truth {
		d, err := w.rig.Emulator.Truth(ctx, query)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		out[name] = d
	}
	return out, nil
}
