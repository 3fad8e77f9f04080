package engine_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/catalog"
	"github.com/tvmexport/tvmexport/emulator/emulatortest"
	"github.com/tvmexport/tvmexport/engine"
	"github.com/tvmexport/tvmexport/hunting"
	"github.com/tvmexport/tvmexport/kusto"
)

// signIn is the credential of an application of the emulated tenant.
type signIn struct{ *emulatortest.Emulator }

// GetToken implements azcore.TokenCredential.
func (s signIn) GetToken(_ context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	token, err := s.Token(emulatortest.TokenRequest{Resource: o.Scopes[0]})
	return azcore.AccessToken{Token: token, ExpiresOn: time.Now().Add(time.Hour)}, err
}

// A run against the emulator: Advanced Hunting is the source, and a Kusto
// database is the destination.
func Example() {
	ctx := context.Background()
	must := func(err error) {
		if err != nil {
			log.Fatal(err)
		}
	}
	e, err := emulatortest.Start(emulatortest.Devices(20), emulatortest.NoQuota())
	must(err)
	defer e.Close()
	at := e.Endpoints()
	source, err := hunting.New(hunting.Options{
		API: hunting.Graph, Endpoint: at.Graph, HTTPClient: e.Client(), Credential: signIn{e}, Share: 1, MaxWait: time.Minute,
	})
	must(err)
	destination, err := kusto.New(ctx, kusto.Options{
		Cluster: at.Kusto, Ingest: at.Ingest, Database: at.Database, HTTPClient: e.Client(), Credential: signIn{e},
	})
	must(err)
	defer destination.Close()
	table, _ := catalog.Table("DeviceTvmSoftwareInventory")
	_, err = destination.Setup().Init(ctx, []tvmexport.Table{table}, kusto.ScriptOptions{})
	must(err)
	must(destination.Configuration().Configure(ctx, []tvmexport.Table{table}))

	exporter := &engine.Exporter{Source: source, Destination: destination, Describe: catalog.Table, Compress: gzipFast, Owner: "example"}
	for range 2 {
		report, err := exporter.Run(ctx, engine.Request{})
		must(err)
		for _, o := range report.Outcomes {
			must(o.Err)
			fmt.Printf("a %s run, rows were published: %t\n", o.Run.Kind, o.Rows > 0)
		}
	}
	difference, err := e.Compare(ctx, table.Name, table.Name)
	must(err)
	fmt.Println("each row once:", difference.Equal())
	comparisons, err := exporter.Verify(ctx, nil, "")
	must(err)
	fmt.Printf("%s: %d differences\n", comparisons[0].Table.Name, len(comparisons[0].Differences))
	// Output:
	// a full run, rows were published: true
	// a delta run, rows were published: false
	// each row once: true
	// DeviceTvmSoftwareInventory: 0 differences
}
