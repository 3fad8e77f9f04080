package emulator_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tvmexport/tvmexport/emulator"
	"github.com/tvmexport/tvmexport/emulator/entra"
	"github.com/tvmexport/tvmexport/emulator/faults"
)

// fleet is an emulator with four small tenants: t2 has a cluster of its own, t4 has not
// consented.
func fleet() emulator.Options {
	return emulator.Options{
		CVEs: 500, History: 1, Seed: 3,
		Tenants: []emulator.TenantOptions{{Devices: 2}, {Devices: 3, OwnCluster: true}, {Devices: 4}, {Devices: 2, Unconsented: true}},
	}
}

// signIn asks for a token in a tenant, as the exporting application.
func (p program) signIn(tenantID, scope string) (int, []byte) {
	p.t.Helper()
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {p.at.ClientID}, "client_secret": {p.at.ClientSecret}, "scope": {scope}}
	r, err := http.NewRequest("POST", p.at.Authority+"/"+tenantID+"/oauth2/v2.0/token", strings.NewReader(form.Encode()))
	if err != nil {
		p.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return p.do(r)
}

func (p program) tokenOf(tenantID, scope string) string {
	p.t.Helper()
	status, body := p.signIn(tenantID, scope)
	var answer struct {
		Token string `json:"access_token"`
	}
	if err := json.Unmarshal(body, &answer); err != nil || status != http.StatusOK {
		p.t.Fatalf("sign in to tenant %s: %d %s", tenantID, status, body)
	}
	return answer.Token
}

// as is the program with a tenant's sign-in and database.
func (p program) as(t emulator.ReadyTenant) program {
	p.at.TenantID, p.at.Database = t.TenantID, t.Database
	return p
}

func (p program) count(t emulator.ReadyTenant, query string) (int, []byte) {
	p.t.Helper()
	return p.post(p.at.Graph+"/v1.0/security/runHuntingQuery", p.tokenOf(t.TenantID, "https://graph.microsoft.com/.default"), map[string]string{"Query": query})
}

// Each tenant has its own data, and a token decides whose are answered.
func TestTenantsHaveTheirOwnData(t *testing.T) {
	e, p := newEmulator(t, fleet())
	seen := map[string]string{}
	for i, tenant := range e.Tenants()[:3] {
		at := p.at.Tenants[i]
		if at.Name != fmt.Sprintf("t%d", i+1) || at.Name != tenant.Name() || at.TenantID != tenant.ID() || at.Database != "security-"+at.Name || at.Devices != 2+i || !at.Consented {
			t.Errorf("tenant %d is %+v", i, at)
		}
		rows := p.as(at).hunt("DeviceTvmSoftwareInventory | summarize Devices = dcount(DeviceId), Ids = make_set(DeviceId)")
		if n := rows[0]["Devices"].(float64); int(n) < 2+i {
			t.Errorf("%s: %v devices", at.Name, n)
		}
		for _, id := range rows[0]["Ids"].([]any) {
			if other := seen[id.(string)]; other != "" && id != "" {
				t.Errorf("device %v is in %s and in %s", id, other, at.Name)
			}
			seen[id.(string)] = at.Name
		}
		truth, err := tenant.State().Truth(context.Background(), "DeviceTvmSoftwareInventory")
		if err != nil {
			t.Fatal(err)
		}
		if got := p.digestOf("truth", "DeviceTvmSoftwareInventory", at.Name); got != truth || truth.Rows == 0 {
			t.Errorf("%s: the control API answers %+v, the tenant has %+v", at.Name, got, truth)
		}
	}
	// The world is one: a CVE is the same in all tenants.
	for _, table := range []string{"DeviceTvmSoftwareVulnerabilitiesKB", "DeviceTvmSecureConfigurationAssessmentKB"} {
		if a, b := p.digestOf("truth", table, "t1"), p.digestOf("truth", table, "t3"); a != b || a.Rows == 0 {
			t.Errorf("%s: %+v in t1 and %+v in t3", table, a, b)
		}
	}
	if status, body := p.get(p.at.Control + "/truth?q=DeviceTvmSoftwareInventory&tenant=t9"); status != http.StatusBadRequest || !strings.Contains(string(body), `there is no tenant`) {
		t.Errorf("an unknown tenant: %d %s", status, body)
	}
}

func (p program) digestOf(kind, query, tenant string) emulator.Digest {
	p.t.Helper()
	status, body := p.get(p.at.Control + "/" + kind + "?tenant=" + tenant + "&q=" + url.QueryEscape(query))
	var d emulator.Digest
	if err := json.Unmarshal(body, &d); err != nil || status != http.StatusOK {
		p.t.Fatalf("%s of %s: %d %s: %v", kind, tenant, status, body, err)
	}
	return d
}

// Consent decides over sign-in and roles.
func TestConsent(t *testing.T) {
	e, p := newEmulator(t, fleet())
	t1, t3, t4 := p.at.Tenants[0], p.at.Tenants[2], p.at.Tenants[3]
	if t4.Consented {
		t.Errorf("%+v is consented", t4)
	}
	const graph = "https://graph.microsoft.com/.default"
	refused := func(tenantID, want string) {
		t.Helper()
		if status, body := p.signIn(tenantID, graph); status < 400 || !strings.Contains(string(body), want) {
			t.Errorf("sign in to %s: %d %s, want %s", tenantID, status, body, want)
		}
	}
	refused(t4.TenantID, "AADSTS7000229")
	refused("11111111-2222-3333-4444-555555555555", "AADSTS90002")
	control := func(path, body string) {
		t.Helper()
		if status, answer := p.post(p.at.Control+path, "", json.RawMessage(body)); status != http.StatusOK {
			t.Fatalf("%s %s: %d %s", path, body, status, answer)
		}
	}
	control("/consent?tenant=t4", `{"granted": true}`)
	if status, body := p.count(t4, "DeviceInfo | count"); status != http.StatusOK {
		t.Errorf("after consent: %d %s", status, body)
	}
	control("/consent", `{"tenant": "T4", "granted": false}`)
	refused(t4.TenantID, "AADSTS7000229")
	// One role less.
	control("/consent", `{"tenant": "t3", "granted": true, "without": ["threathunting.read.all", "Software.Read.All"]}`)
	if status, body := p.count(t3, "DeviceInfo | count"); status != http.StatusForbidden {
		t.Errorf("hunting without its role: %d %s", status, body)
	}
	mde := p.tokenOf(t3.TenantID, "https://api.securitycenter.microsoft.com/.default")
	for path, want := range map[string]int{"/api/machines/SoftwareInventoryByMachine": http.StatusForbidden, "/api/machines/SoftwareVulnerabilitiesByMachine": http.StatusOK} {
		r, err := http.NewRequest("GET", p.at.MDE+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+mde)
		if status, body := p.do(r); status != want {
			t.Errorf("%s: %d %s, want %d", path, status, body, want)
		}
	}
	// In its home tenant the application keeps its service principal.
	control("/consent", `{"tenant": "t1", "granted": false}`)
	if status, body := p.count(t1, "DeviceInfo | count"); status != http.StatusForbidden {
		t.Errorf("hunting in the home tenant without roles: %d %s", status, body)
	}
	p.kusto("print 1")
	var list []emulator.ReadyTenant
	if _, body := p.get(p.at.Control + "/tenants"); json.Unmarshal(body, &list) != nil || list[0].Consented || !list[1].Consented || !list[2].Consented || list[3].Consented {
		t.Errorf("tenants: %s", body)
	}
	for _, body := range []string{`{"tenant": "t2"}`, `{"tenant": "t2", "granted": true, "without": ["No.Such.Role"]}`, `{"tenant": "nobody", "granted": true}`} {
		if status, answer := p.post(p.at.Control+"/consent", "", json.RawMessage(body)); status != http.StatusBadRequest {
			t.Errorf("%s: %d %s", body, status, answer)
		}
	}
	if err := e.Consent("t2", entra.Consent{}); err != nil {
		t.Error(err)
	}
	refused(p.at.Tenants[1].TenantID, "AADSTS7000229")
	// An application of the home tenant alone is unknown elsewhere.
	if _, err := e.Entra().IssueIn(t3.TenantID, emulator.AdminID, emulator.KustoResource, time.Hour); err == nil {
		t.Error("a token was issued in a foreign tenant for an application that is not multi-tenant")
	}
}

// The cluster belongs to the home tenant: its identities have rights there, and those of customers
// have none unless somebody gives them some.
func TestRightsOfCustomersInTheCluster(t *testing.T) {
	e, p := newEmulator(t, fleet())
	if p.at.HomeTenantID != p.at.Tenants[0].TenantID || p.at.TenantID != p.at.HomeTenantID || p.at.Database != p.at.Tenants[0].Database {
		t.Fatalf("home %s, tenant %s, database %s", p.at.HomeTenantID, p.at.TenantID, p.at.Database)
	}
	customer := p.at.Tenants[2]
	ask := func(token, db string) (int, []byte) {
		return p.post(p.at.Kusto+"/v1/rest/query", token, map[string]string{"db": db, "csl": "print 1"})
	}
	const scope = "https://kusto.kusto.windows.net/.default"
	for _, at := range p.at.Tenants {
		if status, body := ask(p.tokenOf(p.at.HomeTenantID, scope), at.Database); status != http.StatusOK {
			t.Errorf("the home identity in %s: %d %s", at.Database, status, body)
		}
		if status, body := ask(p.tokenOf(customer.TenantID, scope), at.Database); status != http.StatusForbidden {
			t.Errorf("a customer's identity in %s: %d %s", at.Database, status, body)
		}
	}
	if _, err := e.Command(context.Background(), customer.Database, fmt.Sprintf(".add database ['%s'] viewers ('aadapp=%s;%s')", customer.Database, p.at.ClientID, customer.TenantID)); err != nil {
		t.Fatal(err)
	}
	if status, body := ask(p.tokenOf(customer.TenantID, scope), customer.Database); status != http.StatusOK {
		t.Errorf("a customer that is a viewer: %d %s", status, body)
	}
}

// Quotas are counted for each tenant, and so are calls.
func TestQuotasOfTenants(t *testing.T) {
	now := time.Date(2026, 11, 20, 7, 0, 0, 0, time.UTC)
	o := fleet()
	o.Now = func() time.Time { return now }
	e, p := newEmulator(t, o)
	t2, t3 := p.at.Tenants[1], p.at.Tenants[2]
	for i := range 46 {
		if i == 23 {
			now = now.Add(10 * time.Second)
		}
		want := http.StatusOK
		if i == 45 {
			want = http.StatusTooManyRequests
		}
		if status, body := p.count(t2, "print 1"); status != want {
			t.Fatalf("call %d: %d %s", i+1, status, body)
		}
	}
	if status, body := p.count(t3, "print 1"); status != http.StatusOK {
		t.Errorf("another tenant: %d %s", status, body)
	}
	stats := e.Stats()
	if s := stats.Tenants["t2"].Defender["graph"]; s.Calls != 46 || s.Throttles["minute"] != 1 || s.BusiestMinute != 46 || s.BusiestHour != 46 {
		t.Errorf("t2: %+v", s)
	}
	if s := stats.Tenants["t3"].Defender["graph"]; s.Calls != 1 || s.BusiestMinute != 1 {
		t.Errorf("t3: %+v", s)
	}
	if s := stats.Defender["graph"]; s.Calls != 47 || s.BusiestMinute != 46 || s.Throttles["minute"] != 1 {
		t.Errorf("all: %+v", s)
	}
	var part emulator.TenantStats
	if _, body := p.get(p.at.Control + "/stats?tenant=t2"); json.Unmarshal(body, &part) != nil || part.Defender["graph"].Calls != 46 {
		t.Errorf("stats of t2: %s", body)
	}
}

// Time passes for one tenant or for all, and the cluster follows the one that is furthest ahead.
func TestTimeOfTenants(t *testing.T) {
	now := time.Date(2026, 11, 20, 7, 0, 0, 0, time.UTC)
	o := fleet()
	o.Now = func() time.Time { return now }
	e, p := newEmulator(t, o)
	advance := func(path, body string) {
		t.Helper()
		if status, answer := p.post(p.at.Control+path, "", json.RawMessage(body)); status != http.StatusOK {
			t.Fatalf("%s %s: %d %s", path, body, status, answer)
		}
	}
	days := func() (list []int) {
		for _, tenant := range e.Tenants() {
			list = append(list, int(tenant.Now().Sub(now)/(24*time.Hour)))
		}
		return list
	}
	advance("/advance", `{"days": 1}`)
	advance("/advance?tenant=t3", `{"days": 2}`)
	advance("/advance", `{"days": 1, "tenant": "t2"}`)
	if got := fmt.Sprint(days()); got != "[1 2 3 1]" {
		t.Errorf("days %s", got)
	}
	rows := p.kusto("print now()")
	if at := fmt.Sprint(rows[0][0]); !strings.HasPrefix(at, "2026-11-23T07:00:00") {
		t.Errorf("the cluster's time is %s", at)
	}
	before := p.digestOf("truth", "DeviceTvmSoftwareInventory", "t2")
	advance("/move?tenant=t3", `{"share": 1}`)
	if after := p.digestOf("truth", "DeviceTvmSoftwareInventory", "t2"); after != before {
		t.Error("a move of t3 changed t2")
	}
	advance("/move", `{"share": 1}`)
	if after := p.digestOf("truth", "DeviceTvmSoftwareInventory", "t2"); after == before {
		t.Error("a move of all left t2 as it was")
	}
}

// A fault can be about one tenant, at each endpoint that knows whose a request is.
func TestFaultsOfATenant(t *testing.T) {
	e, p := newEmulator(t, fleet())
	t2, t3 := p.at.Tenants[1], p.at.Tenants[2]
	if status, body := p.post(p.at.Control+"/faults?tenant=t3", "", []faults.Rule{
		{Endpoint: faults.Graph, Status: 429}, {Endpoint: faults.KustoQuery, Status: 503}, {Endpoint: faults.KustoMgmt, Status: 503},
	}); status != http.StatusOK {
		t.Fatalf("%d %s", status, body)
	}
	for at, want := range map[emulator.ReadyTenant]int{t2: http.StatusOK, t3: http.StatusTooManyRequests} {
		if status, body := p.count(at, "print 1"); status != want {
			t.Errorf("hunting in %s: %d %s, want %d", at.Name, status, body, want)
		}
	}
	token := p.tokenOf(p.at.HomeTenantID, "https://kusto.kusto.windows.net/.default")
	for at, want := range map[emulator.ReadyTenant]int{t2: http.StatusOK, t3: http.StatusServiceUnavailable} {
		for _, path := range []string{"/v1/rest/query", "/v1/rest/mgmt"} {
			text := map[bool]string{true: "print 1", false: ".show tables"}[path == "/v1/rest/query"]
			if status, body := p.post(p.at.Kusto+path, token, map[string]string{"db": at.Database, "csl": text}); status != want {
				t.Errorf("%s in %s: %d %s, want %d", text, at.Database, status, body, want)
			}
		}
	}
	if _, err := e.Faults().Add(faults.Rule{Endpoint: faults.Token, Tenant: "t2", Status: 400}); err != nil {
		t.Fatal(err)
	}
	if status, _ := p.signIn(t2.TenantID, "https://graph.microsoft.com/.default"); status != http.StatusBadRequest {
		t.Errorf("sign in to t2: %d", status)
	}
	p.tokenOf(t3.TenantID, "https://graph.microsoft.com/.default")
	for _, r := range []faults.Rule{{Endpoint: faults.Graph, Tenant: "t77", Status: 500}, {Endpoint: faults.Blob, Tenant: "t2", Status: 500}} {
		if _, err := e.Faults().Add(r); err == nil {
			t.Errorf("%+v was accepted", r)
		}
	}
	r, err := http.NewRequest("DELETE", p.at.Control+"/faults?tenant=t3", nil)
	if err != nil {
		t.Fatal(err)
	}
	if status, body := p.do(r); status != http.StatusOK {
		t.Fatalf("%d %s", status, body)
	}
	if left := e.Faults().List(); len(left) != 1 || left[0].Tenant != "t2" {
		t.Errorf("left: %+v", left)
	}
}

// A cluster that is down refuses connections; the databases of the others answer.
func TestOwnClusterIsDown(t *testing.T) {
	_, direct := newEmulator(t, fleet())
	_, remote := newServer(t, fleet())
	for name, p := range map[string]program{"without sockets": direct, "on sockets": remote} {
		t.Run(name, func(t *testing.T) {
			p.t = t
			own := p.at.Tenants[1]
			if own.Kusto == "" || own.Ingest == "" || p.at.Tenants[2].Kusto != "" {
				t.Fatalf("%+v", p.at.Tenants)
			}
			token := p.tokenOf(p.at.HomeTenantID, "https://kusto.kusto.windows.net/.default")
			ask := func(base, db string) (int, error) {
				r, err := http.NewRequest("POST", base+"/v1/rest/query", strings.NewReader(fmt.Sprintf(`{"db": %q, "csl": "print 1"}`, db)))
				if err != nil {
					t.Fatal(err)
				}
				r.Header.Set("Content-Type", "application/json")
				r.Header.Set("Authorization", "Bearer "+token)
				resp, err := p.client.Do(r)
				if err != nil {
					return 0, err
				}
				return resp.StatusCode, resp.Body.Close()
			}
			for _, down := range []bool{false, true, true, false, true, false} {
				if status, body := p.post(p.at.Control+"/cluster?tenant=t2", "", map[string]bool{"down": down}); status != http.StatusOK {
					t.Fatalf("%d %s", status, body)
				}
				if status, err := ask(own.Kusto, own.Database); down != errors.Is(err, syscall.ECONNREFUSED) || !down && status != http.StatusOK {
					t.Errorf("down %v: %d %v", down, status, err)
				}
				if status, err := ask(p.at.Kusto, p.at.Tenants[2].Database); err != nil || status != http.StatusOK {
					t.Errorf("another cluster: %d %v", status, err)
				}
			}
			if status, body := p.post(p.at.Control+"/cluster?tenant=t3", "", map[string]bool{"down": true}); status != http.StatusBadRequest {
				t.Errorf("a tenant without a cluster of its own: %d %s", status, body)
			}
		})
	}
}

// The files of the export APIs are those of the tenant that asks.
func TestExportsOfTenants(t *testing.T) {
	e, p := newEmulator(t, fleet())
	for i, tenant := range e.Tenants()[:3] {
		c := newExportClient(p.as(p.at.Tenants[i]))
		rows := 0
		for _, file := range c.list(p.at.MDE + "/api/machines/SoftwareInventoryExport").Files {
			if !strings.Contains(file, "/OrgId="+tenant.ID()+"/") {
				t.Errorf("%s has the file %s", tenant.Name(), file)
			}
			rows += len(c.file(file))
		}
		if truth, err := tenant.State().Truth(context.Background(), "TvmSoftwareInventory"); err != nil || int64(rows) != truth.Rows || rows == 0 {
			t.Errorf("%s: %d rows in files, want %d: %v", tenant.Name(), rows, truth.Rows, err)
		}
	}
}

func TestTenantOptionsThatContradict(t *testing.T) {
	for _, list := range [][]emulator.TenantOptions{
		{{Name: "a"}, {Name: "A"}},
		{{ID: "11111111-2222-3333-4444-555555555555"}, {ID: "11111111-2222-3333-4444-555555555555"}},
		{{Database: "one"}, {Database: "ONE"}},
		{{Devices: -1}, {}},
	} {
		if e, err := emulator.New(emulator.Options{Tenants: list}); err == nil {
			t.Errorf("%+v was accepted: %v", list, e.Close())
		}
	}
	for i, o := range emulator.Spread(200, 5, 20, 1) {
		if o.Devices < 5 || o.Devices > 20 {
			t.Fatalf("tenant %d has %d devices", i, o.Devices)
		}
	}
}
