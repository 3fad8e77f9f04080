package emulatortest_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tvmexport/tvmexport/emulator/emulatortest"
	"github.com/tvmexport/tvmexport/emulator/entra"
)

// A test that ends closes its emulator.
func TestNewClosesItself(t *testing.T) {
	var e *emulatortest.Emulator
	t.Run("test", func(t *testing.T) {
		e = emulatortest.New(t, emulatortest.Devices(1), emulatortest.Loopback())
		if _, err := e.Client().Get(e.Endpoints().Control + "/stats"); err != nil {
			t.Error(err)
		}
	})
	if _, err := e.Client().Get(e.Endpoints().Control + "/stats"); err == nil {
		t.Error("the emulator still answers after its test")
	}
}

// ingestion_time() of the vulnerability tables is null or a time, as the option says.
func TestTVMIngestionTime(t *testing.T) {
	for name, c := range map[string]struct {
		options []emulatortest.Option
		want    string
	}{
		"null": {nil, "true"}, "time": {[]emulatortest.Option{emulatortest.TVMIngestionTime()}, "false"},
	} {
		e := emulatortest.New(t, append(c.options, emulatortest.Devices(1))...)
		got, err := e.QuerySource(t.Context(), "DeviceTvmSoftwareInventory | distinct none = isnull(ingestion_time())")
		if err != nil || len(got.Rows) != 1 || string(got.Rows[0][0]) != c.want {
			t.Errorf("%s: %v, %v, want one row with %s", name, got.Rows, err, c.want)
		}
	}
}

// SignedIn has the token that each service wants, without sockets and with them.
func TestSignedIn(t *testing.T) {
	for name, options := range map[string][]emulatortest.Option{"direct": nil, "loopback": {emulatortest.Loopback()}} {
		t.Run(name, func(t *testing.T) {
			e := emulatortest.New(t, append(options, emulatortest.Devices(1))...)
			at := e.Endpoints()
			hunt, db := map[string]string{"Query": "DeviceInfo | count"}, at.Database
			for _, c := range []struct {
				as     emulatortest.Identity
				url    string
				body   any
				status int
			}{
				{emulatortest.Exporter, at.Graph + "/v1.0/security/runHuntingQuery", hunt, 200},
				{emulatortest.Exporter, at.Graph + "/beta/security/runHuntingQuery", hunt, 200},
				{emulatortest.Exporter, at.XDR + "/api/advancedhunting/run", hunt, 200},
				{emulatortest.Exporter, at.MDE + "/api/advancedqueries/run", hunt, 200},
				{emulatortest.Exporter, at.Kusto + "/v2/rest/query", map[string]string{"db": db, "csl": "print 1"}, 200},
				{emulatortest.Exporter, at.Ingest + "/v1/rest/mgmt", map[string]string{"csl": ".get ingestion resources"}, 200},
				{emulatortest.Exporter, at.Kusto + "/v1/rest/mgmt", map[string]string{"db": db, "csl": ".alter database " + db + " policy caching hot = 3d"}, 403},
				{emulatortest.Admin, at.Kusto + "/v1/rest/mgmt", map[string]string{"db": db, "csl": ".alter database " + db + " policy caching hot = 3d"}, 200},
				{emulatortest.Admin, at.Graph + "/v1.0/security/runHuntingQuery", hunt, 403},
			} {
				if status := post(e.SignedIn(c.as), c.url, c.body, nil); status != c.status {
					t.Errorf("%s asks %s for %v: %d, want %d", c.as, c.url, c.body, status, c.status)
				}
			}
			if status := post(e.Client(), at.Graph+"/v1.0/security/runHuntingQuery", hunt, nil); status != 401 {
				t.Errorf("without a token: %d", status)
			}
			if _, err := e.SignedIn("nobody").Post(at.Kusto+"/v2/rest/query", "application/json", strings.NewReader("{}")); err == nil || !strings.Contains(err.Error(), "nobody") {
				t.Errorf("an application that is not there: %v", err)
			}
			if env := e.Env(); (name == "loopback") != slices.Contains(env, "AZURE_CLIENT_SECRET="+at.ClientSecret) {
				t.Errorf("environment: %q", env)
			}
		})
	}
}

// The client has no way out to the real services.
func TestClientStaysInside(t *testing.T) {
	e := emulatortest.New(t, emulatortest.Devices(1))
	if _, err := e.Client().Get("https://example.com/"); err == nil || !strings.Contains(err.Error(), `"example.com"`) {
		t.Errorf("another host: %v", err)
	}
}

func TestToken(t *testing.T) {
	const guest = "00000000-0000-4000-8000-00000000beef"
	e := emulatortest.New(t, emulatortest.Devices(1), emulatortest.App(entra.App{ID: guest, Name: "guest"}))
	graph := e.Endpoints().Graph + "/v1.0/security/runHuntingQuery"
	for name, c := range map[string]struct {
		request emulatortest.TokenRequest
		status  int
	}{
		"exporter":         {emulatortest.TokenRequest{Resource: emulatortest.GraphResource}, 200},
		"scope":            {emulatortest.TokenRequest{Resource: emulatortest.GraphResource + "/.default"}, 200},
		"other resource":   {emulatortest.TokenRequest{Resource: emulatortest.KustoResource}, 401},
		"expired":          {emulatortest.TokenRequest{Resource: emulatortest.GraphResource, Lifetime: -time.Minute}, 401},
		"no roles":         {emulatortest.TokenRequest{Resource: emulatortest.GraphResource, Roles: []string{}}, 403},
		"guest":            {emulatortest.TokenRequest{Resource: emulatortest.GraphResource, As: guest}, 403},
		"guest with roles": {emulatortest.TokenRequest{Resource: emulatortest.GraphResource, As: guest, Roles: []string{"ThreatHunting.Read.All"}}, 200},
	} {
		token, err := e.Token(c.request)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		r, err := http.NewRequest(http.MethodPost, graph, strings.NewReader(`{"Query":"DeviceInfo | count"}`))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+token)
		response, err := e.SignedIn(emulatortest.Admin).Do(r) // which leaves the header as it is
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if response.StatusCode != c.status {
			t.Errorf("%s: %s, want %d", name, response.Status, c.status)
		}
	}
	for _, r := range []emulatortest.TokenRequest{
		{Resource: "https://example.com"},
		{Resource: emulatortest.GraphResource, As: "nobody"},
		{Resource: "https://example.com", Roles: []string{"A"}},
		{Resource: emulatortest.GraphResource, As: "nobody", Roles: []string{"A"}},
	} {
		if token, err := e.Token(r); err == nil || token != "" {
			t.Errorf("%+v: %q, %v", r, token, err)
		}
	}
}

// Within a bubble all clocks are the bubble's.
func TestSynctest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := emulatortest.New(t, emulatortest.Devices(1))
		client, graph := e.SignedIn(emulatortest.Exporter), e.Endpoints().Graph+"/v1.0/security/runHuntingQuery"
		statuses := map[int]int{}
		for range 50 {
			statuses[post(client, graph, map[string]string{"Query": "DeviceInfo | count"}, nil)]++
		}
		if statuses[200] != 45 || statuses[429] != 5 {
			t.Errorf("50 calls at once: %v", statuses)
		}
		before := e.Now()
		time.Sleep(time.Minute)
		if passed := e.Now().Sub(before); passed != time.Minute {
			t.Errorf("a minute of the bubble is %s", passed)
		}
		if status := post(client, graph, map[string]string{"Query": "DeviceInfo | count"}, nil); status != 200 {
			t.Errorf("a minute later: %d", status)
		}
	})
}

func TestAdvanceClockRenewsQuotas(t *testing.T) {
	e := emulatortest.New(t, emulatortest.Devices(1), emulatortest.FixedClock(noon))
	client, graph := e.SignedIn(emulatortest.Exporter), e.Endpoints().Graph+"/v1.0/security/runHuntingQuery"
	last := 0
	for range 46 {
		last = post(client, graph, map[string]string{"Query": "DeviceInfo | count"}, nil)
	}
	e.AdvanceClock(-time.Hour) // nothing
	e.AdvanceClock(time.Minute)
	if next := post(client, graph, map[string]string{"Query": "DeviceInfo | count"}, nil); last != 429 || next != 200 {
		t.Errorf("the 46th call of a minute: %d, a minute later: %d", last, next)
	}
	if !e.Now().Equal(noon.Add(time.Minute)) {
		t.Errorf("the clock is %s", e.Now())
	}
}

func TestInject(t *testing.T) {
	e := emulatortest.New(t, emulatortest.Devices(1))
	if _, err := e.Inject(emulatortest.Fault{Endpoint: "grahp", Status: 429}); err == nil || !strings.Contains(err.Error(), "grahp") {
		t.Errorf("an endpoint that is not there: %v", err)
	}
	var mu sync.Mutex
	var seen []emulatortest.Event
	e.Observe(func(event emulatortest.Event) {
		mu.Lock()
		defer mu.Unlock()
		seen = append(seen, event)
	})
	client, kusto := e.SignedIn(emulatortest.Exporter), e.Endpoints().Kusto+"/v2/rest/query"
	query := map[string]string{"db": e.Endpoints().Database, "csl": "print 1"}
	fault, err := e.Inject(emulatortest.Fault{Endpoint: "kusto-query", Status: 503})
	if err != nil {
		t.Fatal(err)
	}
	if status := post(client, kusto, query, nil); status != 503 || fault.Hits() != 1 {
		t.Errorf("with the fault: %d, %d hits", status, fault.Hits())
	}
	fault.Remove()
	fault.Remove()
	var frames []any // which is read to its end
	if status := post(client, kusto, query, &frames); status != 200 || fault.Hits() != 0 {
		t.Errorf("without the fault: %d, %d hits", status, fault.Hits())
	}
	mu.Lock()
	defer mu.Unlock()
	if len(seen) != 2 || seen[0].Done || !seen[1].Done || !strings.Contains(seen[0].Text, "print 1") {
		t.Errorf("observed: %+v", seen)
	}
}

// A row that is missing, extra, or there twice is found.
func TestCompare(t *testing.T) {
	e := emulatortest.New(t, emulatortest.Devices(1))
	source := "datatable(A:string, B:long)['x', 1, 'y', 2, 'y', 2]"
	for landed, want := range map[string]emulatortest.Difference{
		"datatable(B:long, A:string)[2, 'y', 1, 'x', 2, 'y']":       {Source: 3, Landed: 3},
		"datatable(A:string, B:long)['x', 1, 'y', 2]":               {Source: 3, Landed: 2, Missing: 1, MissingRow: `{"A":"y","B":2}`},
		"datatable(A:string, B:long)['x', 1, 'y', 2, 'x', 1]":       {Source: 3, Landed: 3, Missing: 1, Extra: 1, MissingRow: `{"A":"y","B":2}`, ExtraRow: `{"A":"x","B":1}`},
		"datatable(A:string, B:long)['x', 1, 'y', 2, 'y', 2,'', 2]": {Source: 3, Landed: 4, Extra: 1, ExtraRow: `{"A":"","B":2}`},
	} {
		got, err := e.Compare(t.Context(), source, landed)
		if err != nil || got != want || got.Equal() != (want.Missing+want.Extra == 0) {
			t.Errorf("%s: %s, %v; want %s", landed, got, err, want)
		}
	}
	for _, c := range [][2]string{{"Nothing", "print 1"}, {"print 1", "Nothing"}} {
		if d, err := e.Compare(t.Context(), c[0], c[1]); err == nil || !strings.Contains(err.Error(), "Nothing") || d != (emulatortest.Difference{}) {
			t.Errorf("%q: %v, %v", c, d, err)
		}
	}
}

func TestQueries(t *testing.T) {
	e := emulatortest.New(t, emulatortest.Devices(4), emulatortest.Database("mine"))
	if _, err := e.Command(t.Context(), ".create table T (N:long, D:dynamic)"); err != nil {
		t.Fatal(err)
	}
	if _, err := e.Command(t.Context(), ".create table T"); err == nil || !strings.Contains(err.Error(), ".create table T") {
		t.Errorf("a command that is wrong: %v", err)
	}
	if _, err := e.Command(t.Context(), ".set-or-append T <| print N = 7, D = dynamic([1])"); err != nil {
		t.Fatal(err)
	}
	answer, err := e.Query(t.Context(), "T | extend Nothing = ''")
	if err != nil {
		t.Fatal(err)
	}
	var rows []struct {
		N       int64
		D       json.RawMessage
		Nothing *string
	}
	if err := answer.Decode(&rows); err != nil || len(rows) != 1 || rows[0].N != 7 || string(rows[0].D) != "[1]" || *rows[0].Nothing != "" {
		t.Errorf("%+v, %v", rows, err)
	}
	var wrong []struct{ N string }
	if err := answer.Decode(&wrong); err == nil || !strings.Contains(err.Error(), `"Nothing"`) {
		t.Errorf("into a type that does not fit: %v", err)
	}
	answer, err = e.QuerySource(t.Context(), "DeviceInfo | summarize dcount(DeviceId)")
	if err != nil || len(answer.Rows) != 1 || string(answer.Rows[0][0]) != "7" {
		t.Errorf("devices: %s, %v", answer.Rows, err)
	}
	if _, err := e.Query(t.Context(), "DeviceInfo"); err == nil {
		t.Error("the database has a table of the tenant")
	}
	read := e.Stats().Kusto.RowsScanned
	if d, err := e.Landed(t.Context(), "T"); err != nil || d.Rows != 1 || e.Stats().Kusto.RowsScanned != read+1 {
		t.Errorf("%+v, %v, %d rows scanned", d, err, e.Stats().Kusto.RowsScanned-read)
	}
}

// An option that cannot be used is an error of Start.
func TestStartRefuses(t *testing.T) {
	for _, o := range []emulatortest.Option{
		emulatortest.Devices(0), emulatortest.CVEs(0), emulatortest.History(-1), emulatortest.Batching(-time.Second),
	} {
		if e, err := emulatortest.Start(o); err == nil || e != nil {
			t.Errorf("%v, %v", e, err)
		}
	}
}
