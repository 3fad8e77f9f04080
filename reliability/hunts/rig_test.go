package hunts_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
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
	"github.com/tvmexport/tvmexport/emulator/defender"
	"github.com/tvmexport/tvmexport/hunting"
	"github.com/tvmexport/tvmexport/kusto"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// exported lets test see an emulated tenant whose tables of current state were
// exported, all fifteen.
func exported(t *testing.T, test func(t *testing.T, e *emulator.Emulator, c *http.Client)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC))) // CVEs are named after years
		quota := defender.Off()
		e, err := emulator.New(emulator.Options{Devices: 40, CVEs: 12_000, Quota: &quota, Dir: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := e.Close(); err != nil {
				t.Error(err)
			}
		})
		c := &http.Client{Transport: canonical{e.Transport()}}
		export(t, e, c)
		test(t, e, c)
	})
}

func export(t *testing.T, e *emulator.Emulator, c *http.Client) {
	t.Helper()
	at := e.Endpoints()
	sign := &credential{at: at, client: c, tokens: map[string]azcore.AccessToken{}}
	source, err := hunting.New(hunting.Options{
		API: hunting.Graph, Endpoint: at.Graph, HTTPClient: c, Share: 1, MaxWait: time.Hour, Credential: sign,
		Quota: hunting.Quota{PerMinute: 1_000_000, PerHour: 1_000_000},
	})
	must(t, err)
	client, err := kusto.New(t.Context(), kusto.Options{
		Cluster: at.Kusto, Ingest: at.Ingest, Database: at.Database, HTTPClient: c, Credential: sign,
	})
	must(t, err)
	t.Cleanup(func() { _ = client.Close() })
	var tables []tvmexport.Table
	for _, name := range slices.Concat(catalog.Default(), catalog.Offered()) {
		table, _ := catalog.Table(name)
		tables = append(tables, table)
	}
	_, err = client.Init(t.Context(), tables, kusto.ScriptOptions{})
	must(t, err)
	must(t, client.Configure(t.Context(), tables))
	report, err := (&tvmexport.Exporter{
		Source: source, Destination: client, Describe: catalog.Table, Owner: "test", Calls: 2,
		Compress: func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) },
	}).Run(t.Context(), tvmexport.Request{})
	must(t, err)
	for _, o := range report.Outcomes {
		must(t, o.Err)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// canonical writes the names of headers as a connection would deliver them.
type canonical struct{ to http.RoundTripper }

func (c canonical) RoundTrip(r *http.Request) (*http.Response, error) {
	sent := r.Clone(r.Context())
	sent.Header = http.Header{}
	for name, values := range r.Header {
		sent.Header[http.CanonicalHeaderKey(name)] = values
	}
	return c.to.RoundTrip(sent)
}

// credential signs in with the emulator's secret and keeps a token until
// shortly before its end.
type credential struct {
	at     emulator.Ready
	client *http.Client
	mu     sync.Mutex
	tokens map[string]azcore.AccessToken
}

func (c *credential) GetToken(_ context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	scope := o.Scopes[0]
	if t, ok := c.tokens[scope]; ok && time.Until(t.ExpiresOn) > 5*time.Minute {
		return t, nil
	}
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {c.at.ClientID}, "client_secret": {c.at.ClientSecret}, "scope": {scope}}
	answer, err := c.client.PostForm(c.at.Authority+"/"+c.at.TenantID+"/oauth2/v2.0/token", form)
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
