package conn

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/kusto/conn/conntest"
	"github.com/tvmexport/tvmexport/kusto/kql"
)

func TestErrors(t *testing.T) {
	const (
		command = ".show tables"
		html    = "<html>proxy</html>"
	)
	for _, c := range []struct {
		name   string
		reply  conntest.Reply
		action tvmexport.Action
		cause  tvmexport.Cause
		says   string // in the error
		hints  string
	}{
		{"token", conntest.Refusal(401, "Unauthorized", "", true), tvmexport.Stop, tvmexport.Permission, "401", "auth"},
		{
			"role", conntest.Refusal(403, "Forbidden", "Principal 'aadapp=1;2' is not authorized to read database 'security'.", true),
			tvmexport.Stop, tvmexport.Permission, "not authorized", "docs/roles.md",
		},
		{"html 403", conntest.Reply{Status: 403, Body: html}, tvmexport.Stop, tvmexport.Permission, "403", "docs/roles.md"},
		{
			"table", conntest.Refusal(400, "General_BadRequest", "Semantic error: 'where' operator: Failed to resolve table or column expression named 'ExportRuns'", true),
			tvmexport.Stop, tvmexport.Rejected, "'ExportRuns'", "tvmexport init",
		},
		{
			"entity", conntest.Refusal(400, "BadRequest_EntityNotFound", "Entity ID 'XLanding' of kind 'Table' was not found.", true),
			tvmexport.Stop, tvmexport.Rejected, "XLanding", "tvmexport init",
		},
		{
			"database", conntest.Refusal(400, "BadRequest_DatabaseNotExist", "Entity ID 'security' of kind 'Database' was not found.", true),
			tvmexport.Stop, tvmexport.Usage, "security", "kusto.database",
		},
		{"taken", conntest.Refusal(400, "BadRequest_EntityAlreadyExists", "Entity 'X' of kind 'Table' already exists.", true), tvmexport.Stop, tvmexport.Rejected, "already exists", ""},
		{"syntax", conntest.Refusal(400, "General_BadRequest", "Syntax error: Query could not be parsed", true), tvmexport.Stop, tvmexport.Rejected, "Syntax error", ""},
		{"transient 400", conntest.Refusal(400, "General_InternalServerError", "try again", false), tvmexport.Retry, tvmexport.Unknown, "try again", ""},
		{"throttled", conntest.Refusal(429, "TooManyRequests", "capacity", false), tvmexport.Wait, tvmexport.Quota, "capacity", ""},
		{"gateway", conntest.Reply{Status: 502, Body: html}, tvmexport.Retry, tvmexport.Unknown, "502", ""},
		{"busy", conntest.Refusal(503, "ServiceUnavailable", "", false), tvmexport.Retry, tvmexport.Unknown, "503", "state in the portal"},
		{"stopped", conntest.Reply{Status: 503, Body: html}, tvmexport.Retry, tvmexport.Unknown, "503", "state in the portal"},
		{"busy permanently", conntest.Refusal(503, "ServiceUnavailable", "gone", true), tvmexport.Stop, tvmexport.Rejected, "gone", ""},
		{"timeout", conntest.Refusal(504, "Timeout", "", false), tvmexport.Retry, tvmexport.Unknown, "504", ""},
		{"ingestion", conntest.Reply{Status: 520}, tvmexport.Retry, tvmexport.Unknown, "520", ""},
		{"redirect", conntest.Reply{Status: 302}, tvmexport.Stop, tvmexport.Usage, "302", "kusto.cluster redirects"},
		{"nothing there", conntest.Reply{Status: 404, Body: html}, tvmexport.Stop, tvmexport.Usage, "404", "kusto.cluster"},
		{
			"exception in the answer",
			conntest.Reply{Body: `{"Tables":[{"TableName":"T","Columns":[{"ColumnName":"A","ColumnType":"long"}],"Rows":[{"Exceptions":["shard lost"]}]}]}`},
			tvmexport.Retry, tvmexport.Unknown, "shard lost", "",
		},
		{"cut", conntest.Reply{Cut: true}, tvmexport.Retry, tvmexport.Unknown, "cut off", ""},
		{"signature", conntest.Refusal(400, "General_BadRequest", "cannot read https://a.blob/x?sv=1&sig=S3CRET%3D&se=2", true), tvmexport.Stop, tvmexport.Rejected, "sig=REDACTED", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := &conntest.Fake{Answer: func(string) conntest.Reply { return c.reply }}
				client := connect(t, f)
				_, err := client.Command(t.Context(), Statement{Op: "check", Text: command, Idempotent: true})
				var e *tvmexport.Error
				if !errors.As(err, &e) {
					t.Fatalf("%v (%T) is no *tvmexport.Error", err, err)
				}
				if e.Action != c.action || e.Cause != c.cause || !strings.Contains(e.Error(), c.says) || !strings.Contains(e.Hint, c.hints) {
					t.Errorf("action %d, cause %d, %q\nwant action %d, cause %d, text %q, hint %q", e.Action, e.Cause, e, c.action, c.cause, c.says, c.hints)
				}
				if strings.Contains(e.Error(), command) || strings.Contains(e.Error(), "S3CRET") || strings.Contains(e.Error(), "\n") {
					t.Errorf("the error holds the query, a secret or a line break: %q", e)
				}
				want := 1
				if c.action == tvmexport.Retry || c.action == tvmexport.Wait {
					want = attempts
				}
				if got := len(f.Sent()); got != want {
					t.Errorf("sent %d times, want %d", got, want)
				}
			})
		})
	}
}

func TestErrorInsideAnswerOfQuery(t *testing.T) {
	for _, permanent := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			body := `[{"FrameType":"DataSetHeader","IsProgressive":false,"Version":"v2.0","IsFragmented":true,"ErrorReportingPlacement":"EndOfTable"}
,{"FrameType":"DataTable","TableId":0,"TableKind":"QueryProperties","TableName":"@ExtendedProperties","Columns":[{"ColumnName":"TableId","ColumnType":"int"}],"Rows":[]}
,{"FrameType":"TableHeader","TableId":1,"TableKind":"PrimaryResult","TableName":"PrimaryResult","Columns":[{"ColumnName":"A","ColumnType":"long"}]}
,{"FrameType":"TableCompletion","TableId":1,"RowCount":0,"OneApiErrors":[{"error":{"code":"LimitsExceeded","message":"Request is invalid","@type":"X","@message":"Query execution lacks memory","@context":{},"@permanent":` + conntest.Marshal(permanent) + `}}]}
,{"FrameType":"DataTable","TableId":2,"TableKind":"QueryCompletionInformation","TableName":"QueryCompletionInformation","Columns":[{"ColumnName":"Level","ColumnType":"int"}],"Rows":[]}
,{"FrameType":"DataSetCompletion","HasErrors":false,"Cancelled":false}
]
`
			f := &conntest.Fake{Answer: func(string) conntest.Reply { return conntest.Reply{Body: body} }}
			_, err := connect(t, f).Query(t.Context(), Statement{Op: "confirm", Text: "T"})
			want := map[bool]tvmexport.Action{true: tvmexport.Stop, false: tvmexport.Retry}[permanent]
			if tvmexport.ActionOf(err) != want || !strings.Contains(err.Error(), "Query execution lacks memory") {
				t.Errorf("permanent %t: %v, action %d, want action %d", permanent, err, tvmexport.ActionOf(err), want)
			}
		})
	}
}

func TestRetryMends(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		f := &conntest.Fake{Answer: func(string) conntest.Reply {
			if n++; n < 3 {
				return conntest.Refusal(503, "ServiceUnavailable", "", false)
			}
			return conntest.Reply{Columns: []kql.Column{{Name: "A", Kind: "long"}}, Rows: [][]any{{7}}}
		}}
		var recorded []string
		client := connect(t, f)
		client.Record = func(text string) { recorded = append(recorded, text) }
		rows, err := client.Query(t.Context(), Statement{Op: "confirm", Text: "print A = 7"})
		if err != nil || len(rows) != 1 {
			t.Fatalf("%d rows, %v", len(rows), err)
		}
		if len(recorded) != 3 || recorded[0] != "print A = 7" {
			t.Errorf("recorded %q, want the text three times", recorded)
		}
	})
}

// TestUnguardedIsSentOnce: a text that is not marked as repeatable is not repeated.
func TestUnguardedIsSentOnce(t *testing.T) {
	f := &conntest.Fake{Answer: func(string) conntest.Reply { return conntest.Refusal(503, "ServiceUnavailable", "", false) }}
	_, err := connect(t, f).Command(t.Context(), Statement{Op: "publish", Text: ".set-or-append async T <| U"})
	if tvmexport.ActionOf(err) != tvmexport.Retry || len(f.Sent()) != 1 {
		t.Errorf("%v after %d sends, want one send and the action Retry", err, len(f.Sent()))
	}
}

func TestCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		why := errors.New("lease lost")
		f := &conntest.Fake{}
		f.Answer = func(string) conntest.Reply {
			cancel(why)
			return conntest.Refusal(503, "ServiceUnavailable", "", false)
		}
		_, err := connect(t, f).Query(ctx, Statement{Op: "confirm", Text: "T"})
		if !errors.Is(err, why) || len(f.Sent()) != 1 {
			t.Errorf("%v after %d sends, want %v after one", err, len(f.Sent()), why)
		}
	})
}

type transport func(*http.Request) (*http.Response, error)

func (t transport) RoundTrip(r *http.Request) (*http.Response, error) { return t(r) }

func TestEndpointErrors(t *testing.T) {
	for _, c := range []struct {
		name, cluster, trusted string
		to                     http.RoundTripper
		cause                  tvmexport.Cause
		says                   string
	}{
		{"no host", "https://nowhere.westeurope.kusto.windows.net", "", transport(func(*http.Request) (*http.Response, error) {
			return nil, &net.DNSError{Err: "no such host", Name: "nowhere.westeurope.kusto.windows.net", IsNotFound: true}
		}), tvmexport.Usage, "there is no host nowhere.westeurope.kusto.windows.net"},
		{"not Kusto", "https://www.kusto.windows.net", "", &conntest.Fake{Metadata: "<html>"}, tvmexport.Usage, "does not answer like a Kusto endpoint"},
		{"untrusted", "https://kusto.internal.example", "", &conntest.Fake{}, tvmexport.Usage, "kusto.trusted_hosts"},
		{"trusted", "https://kusto.private.example", "kusto.private.example", &conntest.Fake{}, tvmexport.Unknown, ""},
		{"trusted suffix", "https://a.lab.example", ".lab.example", &conntest.Fake{}, tvmexport.Unknown, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var hosts []string
			if c.trusted != "" {
				hosts = []string{c.trusted}
			}
			client, err := New(Options{Cluster: c.cluster, Database: "d", TrustedHosts: hosts, HTTPClient: &http.Client{Transport: c.to}})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = client.Close() }()
			_, err = client.Query(t.Context(), Statement{Op: "check", Text: "print 1"})
			if c.says == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			if tvmexport.CauseOf(err) != c.cause || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v (cause %d), want %q (cause %d)", err, tvmexport.CauseOf(err), c.says, c.cause)
			}
		})
	}
}

func TestNewRefuses(t *testing.T) {
	for _, c := range []struct{ cluster, ingest, database, trusted, says string }{
		{"", "", "d", "", "kusto.cluster is empty"},
		{"cluster", "", "d", "", "not a URI"},
		{"https://a b", "", "d", "", "not a URI"},
		{"https://a;AAD User ID=x", "", "d", "", "kusto.cluster"},
		{"https://a/security", "", "d", "", "kusto.database"},
		{"https://a?x=1", "", "d", "", "more than scheme and host"},
		{"https://u:pw@a", "", "d", "", "more than scheme and host"},
		{"https://a", "ftp://b", "d", "", "kusto.ingest"},
		{"https://a", "", "", "", "kusto.database is empty"},
		{"https://a", "", "d", "https://x", "kusto.trusted_hosts"},
	} {
		o := Options{Cluster: c.cluster, Ingest: c.ingest, Database: c.database}
		if c.trusted != "" {
			o.TrustedHosts = []string{c.trusted}
		}
		_, err := New(o)
		if tvmexport.CauseOf(err) != tvmexport.Usage || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "pw") {
			t.Errorf("New(%+v): %v, want a usage error that says %q", o, err, c.says)
		}
	}
}

func TestIngestURI(t *testing.T) {
	for in, want := range map[string]string{
		"https://a.westeurope.kusto.windows.net":             "https://ingest-a.westeurope.kusto.windows.net",
		"https://ingest-a.westeurope.kusto.windows.net":      "https://ingest-a.westeurope.kusto.windows.net",
		"https://trd-x1.z5.kusto.fabric.microsoft.com":       "https://ingest-trd-x1.z5.kusto.fabric.microsoft.com",
		"https://127.0.0.1:8443":                             "https://127.0.0.1:8443",
		"http://localhost:8080":                              "http://localhost:8080",
		"https://[::1]:8443":                                 "https://[::1]:8443",
		"https://private.westeurope.kusto.windows.net:12345": "https://ingest-private.westeurope.kusto.windows.net:12345",
	} {
		if got := ingestURI(in); got != want {
			t.Errorf("ingestURI(%s) = %s, want %s", in, got, want)
		}
	}
}
