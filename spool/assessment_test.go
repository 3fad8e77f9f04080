package spool_test

import (
	"context"
	"io"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/klauspost/compress/gzip"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/assessment"
	"github.com/tvmexport/tvmexport/catalog"
	"github.com/tvmexport/tvmexport/defender"
	"github.com/tvmexport/tvmexport/emulator/emulatortest"
	"github.com/tvmexport/tvmexport/engine"
	"github.com/tvmexport/tvmexport/kusto"
	"github.com/tvmexport/tvmexport/spool"
)

// tenantSignIn makes a token of the emulator for each resource, which the test does not outlive.
type tenantSignIn struct {
	*emulatortest.Emulator
	made *sync.Map // azcore.AccessToken by scope
}

func signInTo(e *emulatortest.Emulator) tenantSignIn { return tenantSignIn{e, new(sync.Map)} }

func (s tenantSignIn) GetToken(_ context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	if made, ok := s.made.Load(o.Scopes[0]); ok {
		return made.(azcore.AccessToken), nil
	}
	text, err := s.Token(emulatortest.TokenRequest{Resource: o.Scopes[0]})
	if err != nil {
		return azcore.AccessToken{}, err
	}
	made := azcore.AccessToken{Token: text, ExpiresOn: time.Now().Add(time.Hour)}
	s.made.Store(o.Scopes[0], made)
	return made, nil
}

// The tables of the export APIs, from files to published rows: each row once, a second
// run of the same state publishes nothing, and both sides have the same fingerprints.
func TestExportAssessments(t *testing.T) {
	if testing.Short() {
		t.Skip("it exports ten tables twice")
	}
	ctx := t.Context()
	e := emulatortest.New(t, emulatortest.Devices(20), emulatortest.CVEs(2000), emulatortest.NoQuota())
	at := e.Endpoints()
	client, err := assessment.New(assessment.Options{
		Endpoint: at.MDE, Credential: signInTo(e), HTTPClient: e.Client(), Share: 1,
		Quotas: assessment.Quotas{Pages: defender.Quota{PerMinute: 10_000, PerHour: 100_000}, Files: defender.Quota{PerMinute: 1000, PerHour: 10_000}},
	})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	source, err := spool.New(client, spool.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	destination, err := kusto.New(ctx, kusto.Options{Cluster: at.Kusto, Ingest: at.Ingest, Database: at.Database, HTTPClient: e.Client(), Credential: signInTo(e)})
	if err != nil {
		t.Fatal(err)
	}
	defer destination.Close()
	var tables []tvmexport.Table
	for _, name := range catalog.Assessments() {
		table, _ := catalog.Table(name)
		tables = append(tables, table)
	}
	if _, err := destination.Setup().Init(ctx, tables, kusto.ScriptOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := destination.Configuration().Configure(ctx, tables); err != nil {
		t.Fatal(err)
	}
	x := &engine.Exporter{
		Source: source, Destination: destination, Describe: catalog.Table, Owner: "test",
		Compress: func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) },
	}
	for round := range 2 {
		report, err := x.Run(ctx, engine.Request{})
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range report.Outcomes {
			switch {
			case o.Err != nil:
				t.Errorf("run %d of %s: %v", round+1, o.Table.Name, o.Err)
			case round == 0 && o.Rows == 0 && o.Table.LoadType == tvmexport.Snapshot, round == 1 && o.Rows > 0:
				t.Errorf("run %d of %s published %d rows; notes %q", round+1, o.Table.Name, o.Rows, o.Notes)
			}
		}
	}
	compared, err := x.Verify(ctx, nil, "")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range compared {
		if c.Err != nil || len(c.Differences) > 0 {
			t.Errorf("%s: %d of %d parts differ: %v %v", c.Table.Name, len(c.Differences), c.Parts, c.Differences, c.Err)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left in the folder: %v, %v", left, err)
	}
}
