package defects_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/catalog"
	"github.com/tvmexport/tvmexport/contract"
	"github.com/tvmexport/tvmexport/emulator"
	"github.com/tvmexport/tvmexport/emulator/emulatortest"
	"github.com/tvmexport/tvmexport/emulator/faults"
	"github.com/tvmexport/tvmexport/engine"
	"github.com/tvmexport/tvmexport/hunting"
	"github.com/tvmexport/tvmexport/kusto"
	"github.com/tvmexport/tvmexport/test/reliability/compressor"
)

func TestMain(m *testing.M) {
	debug.SetGCPercent(400) // tests have small heaps and much garbage
	goleak.VerifyTestMain(m)
}

// The table of stories that need rows of their own choice, and the one of
// those that take what the emulated tenant holds.
const (
	events    = "DeviceProcessEvents"
	inventory = "DeviceTvmSoftwareInventory"
)

// rig is an exporter with the real destination against the emulator, in a
// bubble of time; its source is a fake one with rows of choice, or the real
// one against the emulated tenant.
type rig struct {
	*testing.T
	emulator *emulator.Emulator
	http     *http.Client
	client   *kusto.Client
	exporter *engine.Exporter
	source   *contract.Source // of choose
	table    tvmexport.Table
	clock    atomic.Pointer[func() time.Time] // of the services; nil: the bubble's
}

// now is the time of the services.
func (r *rig) now() time.Time {
	if f := r.clock.Load(); f != nil {
		return (*f)()
	}
	return time.Now()
}

// choose makes a rig whose source holds the rows that a story sets.
func choose(t *testing.T, load tvmexport.LoadType, story func(r *rig)) {
	t.Helper()
	bubble(t, func(r *rig) {
		r.table = tvmexport.Table{
			Name: events, Destination: events + "Raw", LoadType: load, Key: tvmexport.Key{Column: "DeviceId"},
			Columns: []tvmexport.Column{{Name: "DeviceId", Type: "string"}, {Name: "N", Type: "long"}, {Name: "Timestamp", Type: "datetime"}},
		}
		if load != tvmexport.Snapshot {
			r.table.Watermark = "Timestamp"
		}
		r.source = &contract.Source{Schema: r.table.Columns}
		r.exporter.Source = r.source
		r.exporter.Describe = func(string) (tvmexport.Table, bool) { return r.table, true }
		r.exporter.Limits = tvmexport.Limits{Rows: 60, Bytes: 1 << 30}
		r.source.Limits = r.exporter.Limits
		r.setUp()
		story(r)
	})
}

// tenant makes a rig whose source is the emulated tenant.
func tenant(t *testing.T, maxWait time.Duration, story func(r *rig)) {
	t.Helper()
	bubble(t, func(r *rig) {
		r.exporter.Source = r.hunting(maxWait)
		r.exporter.Describe = catalog.Table
		r.exporter.Limits = tvmexport.Limits{Rows: 120, Bytes: 80_000} // some slices
		r.table, _ = catalog.Table(inventory)
		r.setUp()
		story(r)
	})
}

// hunting is the real source, as a new process has it.
func (r *rig) hunting(maxWait time.Duration) *hunting.Client {
	r.Helper()
	at := r.emulator.Endpoints()
	source, err := hunting.New(hunting.Options{
		API: hunting.Graph, Endpoint: at.Graph, HTTPClient: r.http, Share: 1, MaxWait: maxWait,
		Credential: r.credential(at.ClientID, at.ClientSecret),
	})
	r.must(err)
	return source
}

func bubble(t *testing.T, f func(r *rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := &rig{T: t}
		// The stories read the inventory at most: neither CVEs nor events.
		e := emulatortest.New(t, emulatortest.Devices(12), emulatortest.CVEs(100), emulatortest.History(1),
			emulatortest.Clock(r.now), emulatortest.Batching(emulator.DefaultBatching))
		r.emulator, r.http = e.Services(), e.Client()
		r.exporter = &engine.Exporter{
			Owner: "test", Calls: 1,
			Lag: 15 * time.Minute, Recount: 48 * time.Hour, Resume: 24 * time.Hour,
			Compress: compressor.New,
		}
		r.connect()
		f(r)
	})
}

// connect gives the exporter a destination without memory, as a new process has it.
func (r *rig) connect() {
	r.Helper()
	r.connectBy(r.http)
}

// connectBy is connect through a client.
func (r *rig) connectBy(by *http.Client) {
	r.Helper()
	at := r.emulator.Endpoints()
	client, err := kusto.New(r.Context(), kusto.Options{
		Cluster: at.Kusto, Ingest: at.Ingest, Database: at.Database, HTTPClient: by,
		Credential: r.credential(at.ClientID, at.ClientSecret),
	})
	r.must(err)
	r.Cleanup(func() { _ = client.Close() })
	r.client, r.exporter.Destination = client, client
}

func (r *rig) must(err error) {
	r.Helper()
	if err != nil {
		r.Fatal(err)
	}
}

func (r *rig) setUp() {
	r.Helper()
	_, err := r.client.Setup().Init(r.Context(), []tvmexport.Table{r.table}, kusto.ScriptOptions{})
	r.must(err)
	r.must(r.client.Configuration().Configure(r.Context(), []tvmexport.Table{r.table}))
}

func (r *rig) fault(rules ...faults.Rule) {
	r.Helper()
	_, err := r.emulator.Faults().Add(rules...)
	r.must(err)
}

// try runs once and gives the table's result and what concerns no table.
func (r *rig) try() (engine.Result, error) {
	r.Helper()
	return r.ask(r.Context(), engine.Request{})
}

func (r *rig) ask(ctx context.Context, req engine.Request) (engine.Result, error) {
	r.Helper()
	report, err := r.exporter.Run(ctx, req)
	if len(report.Outcomes) != 1 {
		r.Fatalf("%d tables ran (%v)", len(report.Outcomes), err)
	}
	return report.Outcomes[0], err
}

// run wants success.
func (r *rig) run() engine.Result {
	r.Helper()
	result, err := r.try()
	r.must(err)
	r.must(result.Err)
	return result
}

// agrees compares what readers see with the source, and the published table and
// the audit with the ledger.
func (r *rig) agrees(want []contract.Row) {
	r.Helper()
	if r.source == nil {
		if t, l := r.rows("truth", inventory), r.rows("landed", inventory); !slices.Equal(t, l) {
			r.Errorf("readers differ from the source (-source +readers):\n%.2000s", cmp.Diff(t, l))
		}
	} else {
		texts := make([]string, len(want))
		for i, row := range want {
			texts[i] = row.JSON
		}
		slices.Sort(texts)
		got := r.rows("landed", events+" | project DeviceId, N, Timestamp")
		if d := cmp.Diff(texts, got); d != "" {
			r.Errorf("readers differ from the source (-source +readers):\n%.2000s", d)
		}
	}
	r.none("the published table holds other rows than the ledger says", r.table.Destination+` | summarize Have = count() by RunId
| join kind=fullouter (ExportRuns | where State == "committed" and Rows > 0 | project RunId, Rows) on RunId
| where coalesce(Have, 0) != coalesce(Rows, -1)`)
	r.none("two commits build on one run", `ExportRuns | where State == "committed" | summarize n = count() by Table, Previous | where n > 1`)
	r.none("the audit's rows are not those of the ledger", `MigrationAuditLog | summarize A = sum(RecordCount)
| extend L = toscalar(ExportRuns | where State == "committed" | summarize sum(Rows)) | where A != coalesce(L, 0)`)
}

// audit is the audit's rows as "Status rows reason", oldest first.
func (r *rig) audit(want ...string) {
	r.Helper()
	rows := r.rows("landed", "MigrationAuditLog | summarize n = count() by Status")
	got := map[string]string{}
	for _, row := range rows {
		var line struct {
			Status string
			N      int `json:"n"`
		}
		r.must(json.Unmarshal([]byte(row), &line))
		got[line.Status] = strconv.Itoa(line.N)
	}
	var list []string
	for _, status := range []string{"Success", "Failed"} {
		if n := got[status]; n != "" {
			list = append(list, n+" "+status)
		}
	}
	if d := cmp.Diff(want, list); d != "" {
		r.Errorf("audit rows (-want +got):\n%s", d)
	}
}

func (r *rig) none(what, query string) {
	r.Helper()
	if rows := r.rows("landed", query); len(rows) > 0 {
		r.Errorf("%s: %.1000s", what, strings.Join(rows, "\n"))
	}
}

// rows are the canonical rows of a query over the source or the destination, sorted.
func (r *rig) rows(of, query string) []string {
	r.Helper()
	answer, err := r.http.Get(r.emulator.Endpoints().Control + "/" + of + "?rows=1&q=" + url.QueryEscape(query))
	r.must(err)
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(answer.Body)
		r.Fatalf("%s: %s", query, text)
	}
	out := []string{}
	lines := bufio.NewScanner(answer.Body)
	lines.Buffer(nil, 4<<20)
	for lines.Scan() {
		out = append(out, lines.Text())
	}
	r.must(lines.Err())
	slices.Sort(out)
	return out
}

// admin sends a management command as the database's administrator.
func (r *rig) admin(command string) {
	r.Helper()
	time.Sleep(time.Second) // between what happened before and this
	at := r.emulator.Endpoints()
	token, err := r.emulator.Entra().Issue(at.AdminClientID, "https://kusto.kusto.windows.net", time.Hour)
	r.must(err)
	body, err := json.Marshal(map[string]string{"db": at.Database, "csl": command})
	r.must(err)
	request, err := http.NewRequestWithContext(r.Context(), http.MethodPost, at.Kusto+"/v1/rest/mgmt", bytes.NewReader(body))
	r.must(err)
	request.Header.Set("Authorization", "Bearer "+token)
	request.Header.Set("Content-Type", "application/json; charset=utf-8")
	answer, err := r.http.Do(request)
	r.must(err)
	defer answer.Body.Close()
	if text, _ := io.ReadAll(answer.Body); answer.StatusCode != http.StatusOK {
		r.Fatalf("%s: %s", command, text)
	}
}

// row makes a row of the table of choice, in the canonical form.
func row(device string, n int, at time.Time) contract.Row {
	text := fmt.Sprintf(`{"DeviceId":%q,"N":%d,"Timestamp":%q}`, device, n, at.UTC().Format("2006-01-02T15:04:05.0000000Z"))
	if at.IsZero() {
		text = fmt.Sprintf(`{"DeviceId":%q,"N":%d}`, device, n)
	}
	return contract.Row{Key: device, Time: at, JSON: text}
}

// rows makes n rows, a minute apart.
func rowsFrom(device string, n int, at time.Time) []contract.Row {
	out := make([]contract.Row, n)
	for i := range out {
		out[i] = row(device, i, at.Add(time.Duration(i)*time.Minute))
	}
	return out
}

// credential signs in with a secret and keeps a token until shortly before its end.
type credential struct {
	r        *rig
	app, key string
	mu       sync.Mutex
	tokens   map[string]azcore.AccessToken
}

func (r *rig) credential(app, key string) *credential {
	return &credential{r: r, app: app, key: key, tokens: map[string]azcore.AccessToken{}}
}

func (c *credential) GetToken(ctx context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	scope := strings.Join(o.Scopes, " ")
	if t, ok := c.tokens[scope]; ok && time.Until(t.ExpiresOn) > 5*time.Minute {
		return t, nil
	}
	at := c.r.emulator.Endpoints()
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {c.app}, "client_secret": {c.key}, "scope": {scope}}
	answer, err := c.r.http.PostForm(at.Authority+"/"+at.TenantID+"/oauth2/v2.0/token", form)
	if err != nil {
		return azcore.AccessToken{}, err
	}
	defer answer.Body.Close()
	var body struct {
		Token   string `json:"access_token"`
		Expires int    `json:"expires_in"`
	}
	if err := json.NewDecoder(answer.Body).Decode(&body); err != nil || body.Token == "" {
		return azcore.AccessToken{}, fmt.Errorf("token endpoint: %s %w", answer.Status, err)
	}
	t := azcore.AccessToken{Token: body.Token, ExpiresOn: time.Now().Add(time.Duration(body.Expires) * time.Second)}
	c.tokens[scope] = t
	return t, nil
}
