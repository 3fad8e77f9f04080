package kusto

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tvmexport/tvmexport/kusto/conn/conntest"
	"github.com/tvmexport/tvmexport/kusto/kql"
)

// The batching policy that holds batches is read once, after a minute: that of
// the table, else that of the database, else the service's own.
func TestWhichBatchingPolicyDelays(t *testing.T) {
	policy := func(wait string) string {
		return `{"MaximumBatchingTimeSpan":"` + wait + `","MaximumNumberOfItems":500,"MaximumRawDataSizeMB":1024}`
	}
	for _, tt := range []struct{ name, table, database, want string }{
		{"ours", policy("00:00:30"), "null", ""},
		{"slower at the table", policy("00:10:00"), policy("00:00:10"), "the batching policy of table DeviceProcessEventsLanding collects blobs for up to 10m0s"},
		{"of the database", "null", policy("00:30:00"), "the batching policy of database security collects blobs for up to 30m0s"},
		{"none", "null", "", "no batching policy is set at the table or its database, and the service's own default collects blobs for up to 5m0s"},
		{"unreadable", "[]", "null", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				asked := 0
				f := &conntest.Fake{Answer: func(text string) conntest.Reply {
					shown := tt.table
					switch {
					case !strings.HasSuffix(text, " policy ingestionbatching"):
						return landedNothing(text)
					case strings.HasPrefix(text, ".show database"):
						shown = tt.database
					default:
						asked++
					}
					return conntest.Reply{Columns: []kql.Column{{Name: "Policy", Kind: "string"}}, Rows: [][]any{{shown}}}
				}}
				c := connect(t, f)
				got := ""
				for range 12 {
					d, err := c.Landed(t.Context(), goldenRun)
					if err != nil {
						t.Fatal(err)
					}
					if got = d.Slow; got != "" && asked != 1 {
						t.Errorf("asked %d times", asked)
					}
					time.Sleep(10 * time.Second)
				}
				if !strings.HasPrefix(got, tt.want) || tt.want == "" && got != "" || asked != 1 {
					t.Errorf("after %d questions: %q, want %q", asked, got, tt.want)
				}
			})
		})
	}
}

// landedNothing answers what a run asks that waits.
func landedNothing(text string) conntest.Reply {
	switch {
	case strings.HasPrefix(text, ".show ingestion failures"):
		return conntest.Reply{Columns: []kql.Column{{Name: "FailedOn", Kind: "datetime"}, {Name: "ErrorCode", Kind: "string"}, {Name: "Details", Kind: "string"}}}
	case strings.Contains(text, "Tail"):
		return conntest.Reply{Columns: []kql.Column{{Name: "BatchId", Kind: "string"}, {Name: "Rows", Kind: "long"}, {Name: "Lines", Kind: "long"}, {Name: "Nulls", Kind: "long"}, {Name: "Tail", Kind: "long"}}}
	}
	return conntest.Reply{}
}
