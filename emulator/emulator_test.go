package emulator_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/google/go-cmp/cmp"

	"github.com/tvmexport/tvmexport/emulator"
	"github.com/tvmexport/tvmexport/emulator/faults"
	"github.com/tvmexport/tvmexport/emulator/internal/defender"
)

// program is a client of an emulator: it knows nothing but where the services are.
type program struct {
	t      testing.TB
	at     emulator.Ready
	client *http.Client
	admin  bool
}

// doer lets azidentity use an http.Client.
type doer struct{ *http.Client }

// token signs in with the official library.
func (p program) token(scope string) string {
	p.t.Helper()
	id, secret := p.at.ClientID, p.at.ClientSecret
	if p.admin {
		id, secret = p.at.AdminClientID, p.at.AdminClientSecret
	}
	o := &azidentity.ClientSecretCredentialOptions{DisableInstanceDiscovery: true}
	o.Cloud.ActiveDirectoryAuthorityHost = p.at.Authority
	o.Transport = doer{p.client}
	c, err := azidentity.NewClientSecretCredential(p.at.TenantID, id, secret, o)
	if err != nil {
		p.t.Fatal(err)
	}
	token, err := azcore.TokenCredential(c).GetToken(context.Background(), policy.TokenRequestOptions{Scopes: []string{scope}})
	if err != nil {
		p.t.Fatal(err)
	}
	return token.Token
}

// post sends JSON and gives status and body.
func (p program) post(address, token string, body any) (int, []byte) {
	p.t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		p.t.Fatal(err)
	}
	r, err := http.NewRequest("POST", address, bytes.NewReader(text))
	if err != nil {
		p.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	return p.do(r)
}

func (p program) get(address string) (int, []byte) {
	p.t.Helper()
	r, err := http.NewRequest("GET", address, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	return p.do(r)
}

func (p program) do(r *http.Request) (int, []byte) {
	p.t.Helper()
	resp, err := p.client.Do(r)
	if err != nil {
		p.t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return resp.StatusCode, answer
}

// hunt asks Graph and gives the rows.
func (p program) hunt(query string) []map[string]any {
	p.t.Helper()
	status, body := p.post(p.at.Graph+"/v1.0/security/runHuntingQuery", p.token("https://graph.microsoft.com/.default"), map[string]string{"Query": query})
	var answer struct{ Results []map[string]any }
	if err := json.Unmarshal(body, &answer); err != nil || status != 200 {
		p.t.Fatalf("%s: %d %s: %v", query, status, body, err)
	}
	return answer.Results
}

// kusto sends a command or query by the v1 endpoints and gives the first table's rows.
func (p program) kusto(text string) [][]any {
	p.t.Helper()
	path := "/v1/rest/query"
	if strings.HasPrefix(text, ".") {
		path = "/v1/rest/mgmt"
	}
	status, body := p.post(p.at.Kusto+path, p.token("https://kusto.kusto.windows.net/.default"), map[string]string{"db": p.at.Database, "csl": text})
	var answer struct{ Tables []struct{ Rows [][]any } }
	if err := json.Unmarshal(body, &answer); err != nil || status != 200 || len(answer.Tables) == 0 {
		p.t.Fatalf("%s: %d %s: %v", text, status, body, err)
	}
	return answer.Tables[0].Rows
}

func (p program) digest(kind, query string) emulator.Digest {
	p.t.Helper()
	status, body := p.get(p.at.Control + "/" + kind + "?q=" + url.QueryEscape(query))
	var d emulator.Digest
	if err := json.Unmarshal(body, &d); err != nil || status != 200 {
		p.t.Fatalf("%s %s: %d %s: %v", kind, query, status, body, err)
	}
	return d
}

func newEmulator(t testing.TB, o emulator.Options) (*emulator.Emulator, program) {
	t.Helper()
	if o.Devices == 0 {
		o.Devices = 3
	}
	if o.CVEs == 0 {
		o.CVEs = 3000
	}
	o.Dir = t.TempDir()
	e, err := emulator.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e, program{t: t, at: e.Endpoints(), client: &http.Client{Transport: e.Transport()}}
}

func newServer(t testing.TB, o emulator.Options) (*emulator.Server, program) {
	t.Helper()
	if o.Devices == 0 {
		o.Devices = 3
	}
	if o.CVEs == 0 {
		o.CVEs = 3000
	}
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	s, err := emulator.Start(o, emulator.Listen{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s, program{t: t, at: s.Ready, client: trusting(t, s.Ready.CA)}
}

// The same program works without sockets and with them.
func TestAProgramHunts(t *testing.T) {
	_, direct := newEmulator(t, emulator.Options{Seed: 7})
	_, remote := newServer(t, emulator.Options{Seed: 7})
	for name, p := range map[string]program{"direct": direct, "sockets": remote} {
		t.Run(name, func(t *testing.T) {
			p.t = t
			truth := p.digest("truth", "DeviceTvmSoftwareInventory")
			if truth.Rows < 100 {
				t.Fatalf("the tenant has %d rows of software", truth.Rows)
			}
			if rows := p.hunt("DeviceTvmSoftwareInventory | project DeviceId, SoftwareName"); int64(len(rows)) != truth.Rows {
				t.Errorf("%d rows, want %d", len(rows), truth.Rows)
			}
			for path, scope := range map[string]string{
				p.at.XDR + "/api/advancedhunting/run": "https://api.security.microsoft.com/.default",
				p.at.MDE + "/api/advancedqueries/run": "https://api.securitycenter.microsoft.com/.default",
			} {
				status, body := p.post(path, p.token(scope), map[string]string{"Query": "DeviceTvmSoftwareInventory | count"})
				if want := fmt.Sprintf(`"Results":[{"Count":%d}]`, truth.Rows); status != 200 || !bytes.Contains(body, []byte(want)) {
					t.Errorf("%s: %d %s, want %s", path, status, body, want)
				}
			}
		})
	}
}

// What the source answers, ingested, is the same rows: this is what every proof
// with the control API depends on.
func TestTruthEqualsWhatLands(t *testing.T) {
	e, p := newEmulator(t, emulator.Options{Devices: 2})
	p.admin = true
	tables := []string{"DeviceTvmSoftwareInventory", "DeviceTvmHardwareFirmware", "DeviceTvmCertificateInfo", "DeviceTvmInfoGathering", "DeviceTvmBrowserExtensions"}
	for _, table := range tables {
		truth := p.digest("truth", table)
		p.kusto(fmt.Sprintf(".create table %s_Raw (Records: dynamic)", table))
		resp, err := p.client.Get(p.at.Control + "/truth?rows=1&q=" + table)
		if err != nil {
			t.Fatal(err)
		}
		rows, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		p.kusto(fmt.Sprintf(".create-or-alter table %s_Raw ingestion json mapping 'm' '[{\"Column\":\"Records\",\"Properties\":{\"Path\":\"$\"}}]'", table))
		p.kusto(fmt.Sprintf(".ingest inline into table %s_Raw with (format='json', ingestionMappingReference='m') <|\n%s", table, rows))
		if d := cmp.Diff(truth, p.digest("landed", table+"_Raw")); d != "" {
			t.Errorf("%s: %s", table, d)
		}
	}
	direct, err := e.Truth(t.Context(), tables[0])
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(direct, p.digest("truth", tables[0])); d != "" {
		t.Errorf("the method and the control API differ: %s", d)
	}
	landed, err := e.Landed(t.Context(), "", tables[0]+"_Raw")
	if err != nil || landed != direct {
		t.Errorf("landed %+v, %v", landed, err)
	}
}

func TestTheDemoApplicationIsNoAdministrator(t *testing.T) {
	_, p := newEmulator(t, emulator.Options{})
	p.kusto(".create table Mine (A: long)") // a user may
	token := p.token("https://kusto.kusto.windows.net/.default")
	status, body := p.post(p.at.Kusto+"/v1/rest/mgmt", token, map[string]string{"db": p.at.Database, "csl": ".alter database ['" + p.at.Database + "'] policy retention softdelete = 1d"})
	if status != 403 {
		t.Errorf("%d %s", status, body)
	}
	p.admin = true
	p.kusto(".show database ['" + p.at.Database + "'] principals")
}

func TestKustoChecksTokens(t *testing.T) {
	_, p := newEmulator(t, emulator.Options{})
	body := map[string]string{"db": p.at.Database, "csl": "print 1"}
	for name, token := range map[string]string{"none": "", "nonsense": "x", "another API's": p.token("https://graph.microsoft.com/.default")} {
		if status, answer := p.post(p.at.Kusto+"/v2/rest/query", token, body); status != 401 {
			t.Errorf("%s: %d %s", name, status, answer)
		}
	}
}

func TestAdvanceMovesTimeOnBothSides(t *testing.T) {
	_, p := newEmulator(t, emulator.Options{Devices: 20})
	before := p.digest("truth", "DeviceTvmSoftwareVulnerabilities")
	if status, body := p.post(p.at.Control+"/advance", "", map[string]int{"days": 3}); status != 200 {
		t.Fatalf("%d %s", status, body)
	}
	if p.digest("truth", "DeviceTvmSoftwareVulnerabilities") == before {
		t.Error("nothing changed in three days")
	}
	wall := time.Now()
	for side, text := range map[string]any{"kusto": p.kusto("print now()")[0][0], "defender": p.hunt("print now()")[0]["print_0"]} {
		now, err := time.Parse(time.RFC3339, text.(string))
		if err != nil {
			t.Fatal(err)
		}
		if d := now.Sub(wall); d < 71*time.Hour || d > 73*time.Hour {
			t.Errorf("%s: now() is %v from the wall clock", side, d)
		}
	}
	moved := p.digest("truth", "DeviceTvmSoftwareVulnerabilities")
	if status, body := p.post(p.at.Control+"/move", "", nil); status != 200 {
		t.Fatalf("%d %s", status, body)
	}
	if p.digest("truth", "DeviceTvmSoftwareVulnerabilities") == moved {
		t.Error("nothing moved")
	}
}

func TestFaultsReachEveryEndpoint(t *testing.T) {
	e, p := newEmulator(t, emulator.Options{})
	graph, kusto := p.token("https://graph.microsoft.com/.default"), p.token("https://kusto.kusto.windows.net/.default")
	xdr, mde := p.token("https://api.security.microsoft.com/.default"), p.token("https://api.securitycenter.microsoft.com/.default")
	query, csl := map[string]string{"Query": "print 1"}, map[string]string{"db": p.at.Database, "csl": "print 1"}
	storage := func(kind, name string) string {
		return "https://emulatorstorage00." + kind + ".core.windows.net/" + name
	}
	for _, tt := range []struct {
		at            faults.Endpoint
		address, with string
		body          any
	}{
		{faults.Graph, p.at.Graph + "/v1.0/security/runHuntingQuery", graph, query},
		{faults.XDR, p.at.XDR + "/api/advancedhunting/run", xdr, query},
		{faults.MDE, p.at.MDE + "/api/advancedqueries/run", mde, query},
		{faults.Token, p.at.Authority + "/" + p.at.TenantID + "/oauth2/v2.0/token", "", nil},
		{faults.KustoQuery, p.at.Kusto + "/v2/rest/query", kusto, csl},
		{faults.KustoMgmt, p.at.Kusto + "/v1/rest/mgmt", kusto, csl},
		{faults.KustoIngest, p.at.Kusto + "/v1/rest/ingest/d/t", kusto, nil},
		{faults.IngestMgmt, p.at.Ingest + "/v1/rest/mgmt", kusto, csl},
		{faults.Blob, storage("blob", "ingestdata-tempstorage/b"), "", nil},
		{faults.Queue, storage("queue", "readyforaggregation-secured/messages"), "", nil},
		{faults.Table, storage("table", "ingestionsstatus"), "", nil},
	} {
		if _, err := e.Faults().Add(faults.Rule{Endpoint: tt.at, Status: 599, Body: `{"fault":true}`}); err != nil {
			t.Fatal(err)
		}
		if status, body := p.post(tt.address, tt.with, tt.body); status != 599 {
			t.Errorf("%s: %d %s", tt.at, status, body)
		}
		e.Faults().Clear()
		if status, _ := p.post(tt.address, tt.with, tt.body); status == 599 {
			t.Errorf("%s: still disturbed", tt.at)
		}
	}
	if _, err := e.Faults().Add(faults.Rule{Endpoint: faults.Graph, ExpireToken: true}, faults.Rule{Endpoint: faults.KustoQuery, ExpireToken: true}); err != nil {
		t.Fatal(err)
	}
	if status, body := p.post(p.at.Graph+"/v1.0/security/runHuntingQuery", graph, query); status != 401 || !bytes.Contains(body, []byte("the token is expired")) {
		t.Errorf("Graph with an expired token: %d %s", status, body)
	}
	if status, body := p.post(p.at.Kusto+"/v2/rest/query", kusto, csl); status != 401 {
		t.Errorf("Kusto with an expired token: %d %s", status, body)
	}
}

func TestQuotaUnderAFakeClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		quota := defender.Documented()
		e, err := emulator.New(emulator.Options{Devices: 1, Quota: &quota, Dir: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		p := program{t: t, at: e.Endpoints(), client: &http.Client{Transport: e.Transport()}}
		token := p.token("https://api.securitycenter.microsoft.com/.default")
		ask := func() int {
			status, _ := p.post(p.at.MDE+"/api/advancedqueries/run", token, map[string]string{"Query": "print 1"})
			return status
		}
		for i := range 45 {
			if status := ask(); status != 200 {
				t.Fatalf("call %d: %d", i+1, status)
			}
		}
		if status := ask(); status != 429 {
			t.Errorf("call 46: %d", status)
		}
		time.Sleep(time.Minute)
		if status := ask(); status != 200 {
			t.Errorf("a minute later: %d", status)
		}
		if got := e.Stats().Defender["mde"].Throttles["minute"]; got != 1 {
			t.Errorf("%d throttles are counted", got)
		}
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestRecord(t *testing.T) {
	var mu sync.Mutex
	var recorded []string
	_, p := newEmulator(t, emulator.Options{Record: func(endpoint, text string) {
		mu.Lock()
		defer mu.Unlock()
		recorded = append(recorded, endpoint+": "+text)
	}})
	p.hunt("print 1")
	p.kusto("print 2")
	p.kusto(".show tables")
	mu.Lock()
	defer mu.Unlock()
	if d := cmp.Diff([]string{"graph: print 1", "kusto-query: print 2", "kusto-mgmt: .show tables"}, recorded); d != "" {
		t.Error(d)
	}
}

func TestStatsCount(t *testing.T) {
	_, p := newEmulator(t, emulator.Options{})
	p.hunt("DeviceTvmSoftwareInventory | count")
	p.kusto(".show tables")
	status, body := p.get(p.at.Control + "/stats")
	var got emulator.Stats
	if err := json.Unmarshal(body, &got); err != nil || status != 200 {
		t.Fatalf("%d %s: %v", status, body, err)
	}
	graph := got.Defender["graph"]
	if graph.Calls != 1 || graph.Rows != 1 || graph.RowsScanned < 100 || graph.Bytes == 0 {
		t.Errorf("%+v", graph)
	}
	if got.Kusto.Commands[".show tables"] != 1 || got.Entra.Issued != 2 {
		t.Errorf("%+v", got)
	}
}

func TestOnlyLoopback(t *testing.T) {
	for _, address := range []string{"0.0.0.0:0", ":0", "192.0.2.1:0", "example.com:0", "127.0.0.1"} {
		for _, l := range []emulator.Listen{{Defender: address}, {Kusto: address}} {
			s, err := emulator.Start(emulator.Options{Devices: 1, Dir: t.TempDir()}, l)
			if err == nil {
				t.Errorf("%+v: it listens", l)
				_ = s.Close()
			} else if !strings.Contains(err.Error(), fmt.Sprintf("%q", address)) {
				t.Errorf("%+v: the error does not name the address: %v", l, err)
			}
		}
	}
}

func TestCloseLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	s, err := emulator.Start(emulator.Options{Devices: 1, Dir: dir}, emulator.Listen{})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	left, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	names := slices.Collect(func(yield func(string) bool) {
		for _, f := range left {
			if !yield(f.Name()) {
				return
			}
		}
	})
	if d := cmp.Diff([]string{"ca.pem"}, names); d != "" {
		t.Error(d)
	}
}

func TestReadyLine(t *testing.T) {
	s, _ := newServer(t, emulator.Options{})
	text, err := json.Marshal(s.Ready)
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	if list := fmt.Sprint(got["tenants"]); list != fmt.Sprintf("[map[consented:true database:security devices:3 name:t1 tenantId:%s]]", emulator.DefaultTenantID) {
		t.Errorf("tenants: %s", list)
	}
	delete(got, "tenants")
	want := []string{
		"adminClientId", "adminClientSecret", "authority", "ca", "clientId", "clientSecret", "control", "database",
		"graph", "ingest", "kusto", "lake", "mde", "tenantId", "xdr",
		"certificate", "expiredCertificate", "federatedToken",
		"imds", "identityEndpoint", "identityHeader", "identityClientId", "identityObjectId", "identityResourceId",
	}
	for _, name := range want {
		if text, _ := got[name].(string); text == "" {
			t.Errorf("%s is empty or missing", name)
		}
		delete(got, name)
	}
	if len(got) > 0 {
		t.Errorf("also %v", got)
	}
	if filepath.Base(s.Ready.CA) != "ca.pem" || s.Ready.Kusto == s.Ready.Ingest {
		t.Errorf("%+v", s.Ready)
	}
}
