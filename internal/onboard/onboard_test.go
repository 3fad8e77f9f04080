package onboard_test

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tvmexport/tvmexport/internal/onboard"
)

func customer(cluster string) onboard.Customer {
	return onboard.Customer{
		Name: "contoso", TenantID: "1111", ClientID: "2222", Authority: "https://login.microsoftonline.com/", Cluster: cluster, Database: "contoso",
		Retention: 365 * 24 * time.Hour, Hot: 36 * time.Hour,
	}
}

func TestConsent(t *testing.T) {
	if got, want := customer("").ConsentURL(), "https://login.microsoftonline.com/1111/adminconsent?client_id=2222"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	got := customer("").Registration([]onboard.Role{{Name: "ThreatHunting.Read.All", Service: "Microsoft Graph", ServiceID: "00000003"}})
	want := []string{`az ad app permission add --id 2222 --api 00000003 --api-permissions $(az ad sp show --id 00000003 --query "appRoles[?value=='ThreatHunting.Read.All'].id" -o tsv)=Role`}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestCommandsOfEachService(t *testing.T) {
	for _, tt := range []struct {
		cluster string
		create  []string // a part of each way
		remove  string
	}{
		{"https://provider.westeurope.kusto.windows.net", []string{
			"--cluster-name provider --database-name contoso --read-write-database location=REGION soft-delete-period=P365D hot-cache-period=P2D",
			`/clusters/provider/databases/contoso?api-version=2023-08-15' --body '{"kind":"ReadWrite"`,
		}, "az kusto database delete --resource-group GROUP --cluster-name provider --database-name contoso"},
		{"https://TRD-abc.z5.kusto.fabric.microsoft.com", []string{
			`/kqlDatabases --body '{"creationPayload":{"databaseType":"ReadWrite","parentEventhouseItemId":"EVENTHOUSE"},"displayName":"contoso"}'`,
		}, "--method delete --resource https://api.fabric.microsoft.com"},
		{"::", []string{"--cluster-name CLUSTER", "/clusters/CLUSTER/"}, "--cluster-name CLUSTER"},
	} {
		c := customer(tt.cluster)
		ways := c.CreateDatabase()
		if len(ways) != len(tt.create) {
			t.Fatalf("%s: %d ways", tt.cluster, len(ways))
		}
		for i, w := range ways {
			if !strings.Contains(w.Commands[0], tt.create[i]) {
				t.Errorf("%s: %s, want %s", tt.cluster, w.Commands[0], tt.create[i])
			}
		}
		if got := c.DeleteDatabase()[0].Commands[0]; !strings.Contains(got, tt.remove) {
			t.Errorf("%s: %s, want %s", tt.cluster, got, tt.remove)
		}
	}
}

// A shell splits each command as intended, also with odd names.
func TestCommandsAreQuoted(t *testing.T) {
	c := customer("https://provider.westeurope.kusto.windows.net")
	c.Database = "o'hara & sons"
	body := c.CreateDatabase()[1].Commands[0]
	out, err := exec.Command("sh", "-c", "for a in "+strings.TrimPrefix(body, "az ")+"; do echo \"$a\"; done").CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	args := strings.Split(strings.TrimSpace(string(out)), "\n")
	if i := slices.Index(args, "--url"); i < 0 || !strings.HasSuffix(args[i+1], "/databases/o%27hara%20&%20sons?api-version=2023-08-15") {
		t.Errorf("%q", args)
	}
}
