package emulatortest_test

import (
	"context"
	"fmt"
	"log"

	"github.com/Azure/azure-kusto-go/azkustodata"
	"github.com/Azure/azure-kusto-go/azkustodata/kql"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
)

// The official SDKs for Go sign in and ask the cluster.
func Example_kustoSDK() {
	e := start()
	defer e.Close()

	ready, client := e.Endpoints(), e.Client()
	authority := azcore.ClientOptions{Cloud: cloud.Configuration{ActiveDirectoryAuthorityHost: ready.Authority}, Transport: client}
	credential, err := azidentity.NewClientSecretCredential(ready.TenantID, ready.ClientID, ready.ClientSecret,
		&azidentity.ClientSecretCredentialOptions{ClientOptions: authority, DisableInstanceDiscovery: true})
	if err != nil {
		log.Fatal(err)
	}
	builder := azkustodata.NewConnectionStringBuilder(ready.Kusto).WithTokenCredential(credential)
	kusto, err := azkustodata.New(builder, azkustodata.WithHttpClient(client))
	if err != nil {
		log.Fatal(err)
	}
	defer kusto.Close()
	answer, err := kusto.Query(context.Background(), ready.Database, kql.New("print Answer = 6 * 7"))
	if err != nil {
		log.Fatal(err)
	}
	for _, row := range answer.Tables()[0].Rows() {
		fmt.Println(row)
	}
	// Output: 42
}
