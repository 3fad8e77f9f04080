package conn

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/kusto/conn/conntest"
)

// Hints follow the cause that the service names, not the status.
func TestNamedCauses(t *testing.T) {
	for _, c := range []struct {
		name  string
		reply conntest.Reply
		cause tvmexport.Cause
		hints string
	}{
		{
			"update policy", conntest.Refusal(400, "UpdatePolicy_QuerySchemaDoesNotMatchTableSchema", "Failed to invoke update policy. Target Table = 'Other': Query schema does not match table schema.", true),
			tvmexport.Rejected, ".show table TARGET policy update",
		},
		{
			"engine for ingestion", conntest.Refusal(400, "BadRequest", "Cannot get ingestion resources from this service endpoint. The appropriate endpoint is most likely 'https://ingest-x.kusto.windows.net/'.", true),
			tvmexport.Usage, "kusto.ingest is the ingestion URI",
		},
		{"name", conntest.Refusal(400, "BadRequest_EntityAlreadyExists", "Entity 'X' of kind 'Function' already exists.", true), tvmexport.Rejected, "functions.prefix"},
		{"missing of a table", conntest.Refusal(400, "BadRequest_EntityNotFound", "Entity ID 'XLanding' of kind 'Table' was not found.", true), tvmexport.Rejected, "run tvmexport init --table X"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := &conntest.Fake{Answer: func(string) conntest.Reply { return c.reply }}
				_, err := connect(t, f).Command(t.Context(), Statement{Op: "land", Table: "X", Text: ".show tables", Idempotent: true})
				var e *tvmexport.Error
				if !errors.As(err, &e) || e.Action != tvmexport.Stop || e.Cause != c.cause || !strings.Contains(e.Hint, c.hints) {
					t.Errorf("%v, want cause %d and hint %q", err, c.cause, c.hints)
				}
			})
		})
	}
}

// The storage of the ingestion service is no setting: its host is named, and
// what a private network needs.
func TestUnresolvedStorage(t *testing.T) {
	to := &Endpoint{setting: "kusto.ingest", URI: "https://ingest-x.kusto.windows.net"}
	for _, found := range []bool{true, false} {
		err := Translate("land", "T", to, fmt.Errorf("%w: %w", ErrUpload, &net.DNSError{Name: "abc.blob.core.windows.net", IsNotFound: !found}))
		if !strings.Contains(err.Error(), "storage host abc.blob.core.windows.net") || !strings.Contains(err.Hint, "private DNS zones") ||
			found != (err.Action == tvmexport.Retry) {
			t.Errorf("found %t: action %d, %v", found, err.Action, err)
		}
	}
	if err := Translate("land", "T", to, &net.DNSError{Name: "ingest-x.kusto.windows.net", IsNotFound: true}); !strings.Contains(err.Hint, "stopped") || err.Cause != tvmexport.Usage {
		t.Error(err)
	}
}

func TestAddressesAreNotMixedUp(t *testing.T) {
	for _, tt := range []struct{ cluster, ingest, says string }{
		{"https://x.westeurope.kusto.windows.net", "", ""},
		{"https://x.westeurope.kusto.windows.net", "https://ingest-x.westeurope.kusto.windows.net", ""},
		{"https://ingest-x.westeurope.kusto.windows.net", "", "the query URI is https://x.westeurope.kusto.windows.net"},
		{"https://x.westeurope.kusto.windows.net", "https://x.westeurope.kusto.windows.net", "the ingestion URI is https://ingest-x.westeurope.kusto.windows.net"},
		{"https://trd-1.z2.kusto.fabric.microsoft.com", "https://trd-1.z2.kusto.fabric.microsoft.com", "the ingestion URI is https://ingest-trd-1"},
		{"https://127.0.0.1:8080", "https://127.0.0.1:8080", ""},
		{"https://one-address.example", "https://one-address.example", ""},
	} {
		_, err := New(Options{Cluster: tt.cluster, Ingest: tt.ingest, Database: "d", TrustedHosts: []string{"one-address.example"}})
		switch {
		case tt.says == "" && err != nil:
			t.Errorf("%s, %s: %v", tt.cluster, tt.ingest, err)
		case tt.says != "" && (err == nil || !strings.Contains(err.Error(), tt.says) || tvmexport.CauseOf(err) != tvmexport.Usage):
			t.Errorf("%s, %s: %v, want a usage error with %q", tt.cluster, tt.ingest, err, tt.says)
		}
	}
}
