package emulatortest_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/tvmexport/tvmexport/emulator"
	"github.com/tvmexport/tvmexport/emulator/emulatortest"
)

// A token decides which of several tenants answers.
func TestTenants(t *testing.T) {
	e := emulatortest.New(t, emulatortest.Tenants(emulator.TenantOptions{Name: "partner", Devices: 1}, emulator.TenantOptions{Name: "contoso", Devices: 2}))
	for i, at := range e.Endpoints().Tenants {
		for _, name := range []string{at.Name, at.TenantID} {
			token, err := e.Token(emulatortest.TokenRequest{Resource: emulatortest.GraphResource, Tenant: name})
			if err != nil {
				t.Fatal(err)
			}
			r, err := http.NewRequest("POST", e.Endpoints().Graph+"/v1.0/security/runHuntingQuery", strings.NewReader(`{"Query": "DeviceTvmSoftwareInventory | where DeviceId != '' | count"}`))
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Content-Type", "application/json")
			r.Header.Set("Authorization", "Bearer "+token)
			resp, err := e.Client().Do(r)
			if err != nil {
				t.Fatal(err)
			}
			if resp.Body.Close() != nil || resp.StatusCode != http.StatusOK {
				t.Errorf("%s: %s", name, resp.Status)
			}
			tenant := e.Services().Tenants()[i]
			if calls := e.Stats().Tenants[at.Name].Defender["graph"].Calls; tenant.Name() != at.Name || calls == 0 {
				t.Errorf("%s was asked %d times", at.Name, calls)
			}
		}
		if n := e.Stats().Tenants[at.Name].Defender["graph"].Calls; n != 2 {
			t.Errorf("%s was asked %d times, want 2", at.Name, n)
		}
	}
	if a, err := e.Truth(context.Background(), "DeviceTvmSoftwareInventory"); err != nil || a.Rows == 0 {
		t.Errorf("%+v, %v", a, err)
	}
	for _, bad := range []emulatortest.TokenRequest{
		{Resource: emulatortest.GraphResource, Tenant: "nobody"},
		{Resource: emulatortest.GraphResource, Tenant: "contoso", Roles: []string{}},
		{Resource: emulatortest.KustoResource, Tenant: "contoso", As: emulatortest.Admin},
	} {
		if token, err := e.Token(bad); err == nil {
			t.Errorf("%+v gives a token of %d characters", bad, len(token))
		}
	}
}
