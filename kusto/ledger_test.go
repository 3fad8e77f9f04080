package kusto

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/google/go-cmp/cmp"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/kusto/conn/conntest"
	"github.com/tvmexport/tvmexport/kusto/kql"
	"github.com/tvmexport/tvmexport/kusto/ledger"
	"github.com/tvmexport/tvmexport/kusto/views"
)

var entryColumns = []kql.Column{
	{Name: "Now", Kind: "datetime"},
	{Name: "Table", Kind: "string"},
	{Name: "State", Kind: "string"},
	{Name: "RunId", Kind: "string"},
	{Name: "Previous", Kind: "string"},
	{Name: "At", Kind: "datetime"},
	{Name: "Kind", Kind: "string"},
	{Name: "Watermark", Kind: "datetime"},
	{Name: "Rows", Kind: "long"},
	{Name: "Bytes", Kind: "long"},
	{Name: "Detail", Kind: "dynamic"},
	{Name: "Since", Kind: "datetime"},
	{Name: "Depth", Kind: "long"},
	{Name: "Ordered", Kind: "datetime"},
	{Name: "FullAt", Kind: "datetime"},
	{Name: "FetchedRows", Kind: "long"},
	{Name: "FetchedBytes", Kind: "long"},
	{Name: "Tenant", Kind: "string"},
	{Name: "Owner", Kind: "string"},
	{Name: "Shape", Kind: "long"},
}

// TestHistory reads the ledger over the wire: nulls, a publication, partitions.
func TestHistory(t *testing.T) {
	const now = "2026-11-23T05:20:00Z"
	f := &conntest.Fake{Answer: func(text string) conntest.Reply {
		switch {
		case text == ".show table * policy retention":
			return conntest.Reply{Columns: []kql.Column{{Name: "EntityName", Kind: "string"}, {Name: "Policy", Kind: "string"}}, Rows: [][]any{
				{"[security].[DeviceTvmSoftwareInventoryTyped]", `{"SoftDeletePeriod":"365.00:00:00"}`},
				{"[security].[" + eventsTable.Typed() + "]", "null"},
				{"[security].[" + eventsTable.Destination + "]", "null"},
			}}
		case strings.Contains(text, "let Bounds = Visible"):
			return conntest.Reply{
				Columns: []kql.Column{{Name: "Table", Kind: "string"}, {Name: "What", Kind: "string"}, {Name: "Number", Kind: "long"}, {Name: "Place", Kind: "string"}, {Name: "Recorded", Kind: "long"}, {Name: "Held", Kind: "long"}},
				Rows: [][]any{
					{"DeviceProcessEvents", "strange", 3, "", nil, nil},
					{"DeviceProcessEvents", "holes", 1, "", nil, nil},
					{"DeviceProcessEvents", "copied", 2, "", nil, nil},
					{"DeviceProcessEvents", "short", 2, eventsTable.Destination, 5, 3},
				},
			}
		case strings.HasPrefix(text, ".show database"):
			return conntest.Reply{Columns: []kql.Column{{Name: "Policy", Kind: "string"}}, Rows: [][]any{{`{"SoftDeletePeriod":"30.00:00:00"}`}}}
		case strings.Contains(text, "LackRaw"):
			return conntest.Reply{Columns: []kql.Column{{Name: "Table", Kind: "string"}, {Name: "LackRaw", Kind: "long"}, {Name: "LackTyped", Kind: "long"}}}
		case strings.Contains(text, "summarize Until"):
			return conntest.Reply{Columns: []kql.Column{{Name: "Table", Kind: "string"}, {Name: "Until", Kind: "datetime"}}, Rows: [][]any{{"DeviceProcessEvents", "2026-11-01T00:00:00Z"}}}
		case strings.Contains(text, "Newest = max(ingestion_time())"):
			return conntest.Reply{Columns: []kql.Column{{Name: "Table", Kind: "string"}, {Name: "Rows", Kind: "long"}, {Name: "Newest", Kind: "datetime"}}, Rows: [][]any{{"DeviceProcessEvents", 7, "2026-11-22T00:00:00Z"}}}
		case strings.Contains(text, kql.PartitionsTable):
			const table = "DeviceProcessEvents"
			return conntest.Reply{
				Columns: []kql.Column{{Name: "Table", Kind: "string"}, {Name: "Open", Kind: "string"}, {Name: "Partition", Kind: "string"}, {Name: "WindowFrom", Kind: "datetime"}, {Name: "WindowTo", Kind: "datetime"}, {Name: "WindowNull", Kind: "bool"}, {Name: "Rows", Kind: "long"}, {Name: "Fingerprint", Kind: "string"}},
				Rows: [][]any{
					{table, "", "", nil, nil, true, 1, ""},
					{table, "", "3f", nil, nil, false, 4, "a.b.ff"},
					{table, goldenRun.ID, "3f", "2026-11-22T05:00:00Z", "2026-11-23T05:00:00.0000012Z", false, 5, ""},
				},
			}
		}

		return conntest.Reply{Columns: entryColumns, Rows: [][]any{
			{now, "", "", "", "", now, "", nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, "", "v1.2.3", ledger.Shape},
			{now, "DeviceTvmSoftwareInventory", "", "", "", nil, "", nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, "t", "", nil},
			{now, "DeviceProcessEvents", "committed", goldenRun.Previous, "", "2026-11-22T05:20:00Z", "full", "2026-11-22T05:00:00Z", 5, 500, `{"definition":"d","columns":[{"name":"A","type":"long"}],"shown":[]}`, "2026-11-21T05:00:00Z", 2, nil, "2026-11-22T05:20:00Z", 9, 900, "t", "", nil},
			{now, "DeviceProcessEvents", "publishing", goldenRun.ID, goldenRun.Previous, "2026-11-23T05:19:59Z", "delta", "2026-11-23T05:00:00.0000012Z", 5, 4096, conntest.Marshal(goldenPublication), nil, nil, nil, nil, nil, nil, "t", "", nil},
		}}
	}}
	c := connect(t, f)
	for table, columns := range map[string][]kql.Column{inventoryTable.Destination: kql.RawColumns, eventsTable.Destination: kql.RawColumns[:1], inventoryTable.Typed(): views.LineageColumns, eventsTable.Typed(): views.LineageColumns} {
		c.conn.SetColumns(table, columns)
	}
	got, err := c.History(t.Context(), []tvmexport.Table{inventoryTable, eventsTable})
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 11, 23, 5, 20, 0, 0, time.UTC)
	open := goldenPublication
	open.Partitions = []tvmexport.PartitionRecord{{Partition: "3f", Window: goldenRun.Window, Rows: 5}}
	want := map[string]tvmexport.History{
		"DeviceTvmSoftwareInventory": {Now: at, Lineage: true, Retention: 365 * 24 * time.Hour, Tenant: "t"},
		"DeviceProcessEvents": {
			Now: at, Retention: 30 * 24 * time.Hour, Tenant: "t", FullAt: at.AddDate(0, 0, -1), Fetched: tvmexport.Volume{Rows: 9, Bytes: 900},
			Publishing: &open, Legacy: &tvmexport.Legacy{Until: at.Add(-320*time.Minute).AddDate(0, 0, -22), Strays: 7, StrayAt: at.Add(-320*time.Minute).AddDate(0, 0, -1)}, Since: at.Add(-20*time.Minute).AddDate(0, 0, -2), Depth: 2,
			Losses: tvmexport.Losses{Strange: 3, Holes: 1, Rows: 2, Copied: true, Short: []tvmexport.Short{{Table: eventsTable.Destination, Readers: true, Recorded: 5, Held: 3, Gone: 2}}},
			Last: &tvmexport.Committed{
				RunHeader: tvmexport.RunHeader{ID: goldenRun.Previous, Kind: tvmexport.FullRun, Definition: "d"}, At: at.AddDate(0, 0, -1), Watermark: goldenRun.Window.From, Rows: 5, Bytes: 500,
				Columns: []tvmexport.Column{{Name: "A", Type: "long"}}, Shown: []tvmexport.Column{},
			},
			Partitions: []tvmexport.PartitionRecord{{Window: tvmexport.Window{Null: true}, Rows: 1}, {Partition: "3f", Rows: 4, Fingerprint: tvmexport.Fingerprint{Known: true, Sums: [3]int64{10, 11, 255}}}},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAnswerOfAnotherShape(t *testing.T) {
	f := &conntest.Fake{Answer: func(string) conntest.Reply {
		return conntest.Reply{Columns: entryColumns[:3], Rows: [][]any{{nil, "T", ""}}}
	}}
	_, err := connect(t, f).History(t.Context(), []tvmexport.Table{eventsTable})
	if tvmexport.CauseOf(err) != tvmexport.Rejected || !strings.Contains(err.Error(), "read column ") {
		t.Errorf("%v, want that a column is missing", err)
	}
}

// TestAcquireWithdraws: a claim that came second is given back.
func TestAcquireWithdraws(t *testing.T) {
	f := &conntest.Fake{Answer: func(text string) conntest.Reply {
		if strings.HasPrefix(text, ".") {
			return conntest.Reply{}
		}
		return conntest.Reply{Columns: []kql.Column{{Name: "Table", Kind: "string"}, {Name: "Owner", Kind: "string"}, {Name: "Since", Kind: "datetime"}, {Name: "Until", Kind: "datetime"}, {Name: "Shape", Kind: "long"}}, Rows: [][]any{
			{"", "v1.2.3", "2026-11-22T05:00:00Z", nil, ledger.Shape},
			{"DeviceProcessEvents", "her", "2026-11-23T05:00:00Z", "2026-11-23T05:05:00Z", nil},
			{"DeviceProcessEvents", "me", "2026-11-23T05:00:01Z", "2026-11-23T05:05:01Z", nil},
			{"DeviceTvmSoftwareInventory", "me", "2026-11-23T05:00:01Z", "2026-11-23T05:05:01Z", nil},
		}}
	}}
	held, err := connect(t, f).Acquire(t.Context(), tvmexport.Lease{Owner: "me", Tables: []tvmexport.Table{inventoryTable, eventsTable}, Term: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]tvmexport.LeaseHolder{"DeviceProcessEvents": {Owner: "her", Expires: time.Date(2026, 11, 23, 5, 5, 0, 0, time.UTC)}}
	if diff := cmp.Diff(want, held); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	sent := f.Sent()
	back := sent[len(sent)-1]
	if !strings.Contains(back, `datatable (Table:string) ["DeviceProcessEvents"]`) || !strings.Contains(back, `State = "released"`) {
		t.Errorf("the second claim was not given back: %s", back)
	}
}

type refusingCredential struct{}

func (refusingCredential) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{}, errors.New("ClientSecretCredential authentication failed\nPOST https://login\n{\"error\":\"invalid_client\",\"error_description\":\"AADSTS7000215: Invalid client secret provided. Trace ID: 1\\r\\n\"}")
}

func TestSignInError(t *testing.T) {
	client, err := New(t.Context(), Options{Cluster: "https://127.0.0.1", Database: "d", Credential: refusingCredential{}, HTTPClient: &http.Client{Transport: &conntest.Fake{}}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = client.Close() }()
	_, err = client.Orders(t.Context())
	if tvmexport.CauseOf(err) != tvmexport.Permission || !strings.HasPrefix(err.Error(), "read configuration: sign in: AADSTS7000215: Invalid client secret provided") {
		t.Errorf("%v, want Entra's sentence as a permission error", err)
	}
}
