package kusto

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/emulator"
	"github.com/tvmexport/tvmexport/emulator/emulatortest"
	"github.com/tvmexport/tvmexport/kusto/conn"
	"github.com/tvmexport/tvmexport/kusto/setup"
)

// secretCredential signs in to the emulator's Entra, and keeps a token until five
// minutes before it expires, as azidentity does.
type secretCredential struct {
	hc                          *http.Client
	authority, tenant, app, key string

	mu   sync.Mutex
	kept map[string]azcore.AccessToken // by scopes
}

// GetToken implements azcore.TokenCredential.
func (s *secretCredential) GetToken(ctx context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	scopes := strings.Join(o.Scopes, " ")
	s.mu.Lock()
	defer s.mu.Unlock()
	if t, ok := s.kept[scopes]; ok && o.Claims == "" && time.Until(t.ExpiresOn) > 5*time.Minute {
		return t, nil
	}
	t, err := s.token(ctx, o)
	if err != nil {
		return t, err
	}
	if s.kept == nil {
		s.kept = map[string]azcore.AccessToken{}
	}
	s.kept[scopes] = t
	return t, nil
}

func (s *secretCredential) token(ctx context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {s.app}, "client_secret": {s.key}, "scope": o.Scopes}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.authority+"/"+s.tenant+"/oauth2/v2.0/token", strings.NewReader(form.Encode()))
	if err != nil {
		return azcore.AccessToken{}, err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer, err := s.hc.Do(r)
	if err != nil {
		return azcore.AccessToken{}, err
	}
	defer func() { _ = answer.Body.Close() }()
	var body struct {
		Token   string `json:"access_token"`
		Expires int    `json:"expires_in"`
		Text    string `json:"error_description"`
	}
	if err := json.NewDecoder(answer.Body).Decode(&body); err != nil || body.Token == "" {
		return azcore.AccessToken{}, fmt.Errorf("token endpoint: %s %w", body.Text, err)
	}
	return azcore.AccessToken{Token: body.Token, ExpiresOn: time.Now().Add(time.Duration(body.Expires) * time.Second)}, nil
}

// stage is an emulator and clients of it.
type stage struct {
	*testing.T
	emulator *emulator.Emulator
	client   *Client // database user and ingestor
	admin    *Client
}

// onStage runs f in a bubble, with an emulator that knows no sockets.
func onStage(t *testing.T, f func(s stage)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		f(connected(t, emulatortest.New(t, emulatortest.Devices(1), emulatortest.CVEs(1), emulatortest.History(1)).Services()))
	})
}

// connected makes clients of an emulator that t closes.
func connected(t *testing.T, e *emulator.Emulator) stage {
	t.Helper()
	hc, at := &http.Client{Transport: e.Transport()}, e.Endpoints()
	connect := func(app, key string) *Client {
		c, err := New(t.Context(), Options{
			Cluster: at.Kusto, Ingest: at.Ingest, Database: at.Database, HTTPClient: hc, Version: "v1.2.3",
			Credential: &secretCredential{hc: hc, authority: at.Authority, tenant: at.TenantID, app: app, key: key}, Record: recorder(t),
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		return c
	}
	return stage{T: t, emulator: e, client: connect(at.ClientID, at.ClientSecret), admin: connect(at.AdminClientID, at.AdminClientSecret)}
}

func (s stage) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

// ask is the first column of a query's rows, as text.
func (s stage) ask(text string) []string {
	s.Helper()
	rows, err := s.client.conn.Query(s.Context(), conn.Statement{Op: "test", Text: text})
	s.must(err)
	out := make([]string, len(rows))
	for i, r := range rows {
		v, err := r.Value(0)
		s.must(err)
		out[i] = v.String()
	}
	return out
}

func (s stage) setUp(tables ...tvmexport.Table) {
	s.Helper()
	_, err := s.client.Setup().Init(s.Context(), tables, setup.Options{})
	s.must(err)
	s.must(s.client.Configuration().Configure(s.Context(), tables))
	failed, err := s.client.CheckTables(s.Context(), tables)
	s.must(err)
	for _, err := range failed {
		s.must(err)
	}
}

// batch packs rows in the envelope that tvmexport.Batch describes.
func batch(run tvmexport.Run, ordinal int, rows ...string) tvmexport.Batch {
	return batchOf(run, ordinal, "3f", rows...)
}

// batchOf is a batch of one partition.
func batchOf(run tvmexport.Run, ordinal int, part tvmexport.Partition, rows ...string) tvmexport.Batch {
	id := fmt.Sprintf("%s.%04d", run.ID, ordinal)
	var lines, zipped bytes.Buffer
	for i, row := range rows {
		fmt.Fprintf(&lines, `{"r":%s,"b":%q,"n":%d,"p":%q}`+"\n", row, id, i+1, part)
	}
	fmt.Fprintf(&lines, `{"b":%q,"n":0,"c":%d,"u":%q,"s":{"origin":{"id":%q},"partitions":[%q]}}`+"\n", id, len(rows), run.ID, run.ID, part)
	z := gzip.NewWriter(&zipped)
	_, _ = z.Write(lines.Bytes())
	_ = z.Close()
	return tvmexport.Batch{
		ID: tvmexport.BatchID(id), Run: run, Rows: int64(len(rows)), Bytes: int64(lines.Len()), Data: bytes.NewReader(zipped.Bytes()),
		Slice: tvmexport.Slice{Partitions: []tvmexport.Partition{part}},
	}
}

// land lands batches and waits until all have landed completely.
func (s stage) land(run tvmexport.Run, batches ...tvmexport.Batch) {
	s.Helper()
	for _, b := range batches {
		s.must(s.client.Land(s.Context(), b))
	}
	s.confirm(run, batches...)
}

func (s stage) confirm(run tvmexport.Run, batches ...tvmexport.Batch) {
	s.Helper()
	for range 100 {
		landed, err := s.client.Landed(s.Context(), run)
		s.must(err)
		n := 0
		for _, b := range batches {
			for _, l := range landed.Batches {
				if l.Batch == b.ID && l.Complete(b.Rows) && l.Nulls == 0 {
					n++
				}
			}
		}
		if n == len(batches) {
			return
		}
		time.Sleep(time.Second) // in the bubble
	}
	s.Fatalf("run %s has not landed", run.ID)
}

// newOwner names an invocation of its own.
func newOwner() string { return "test " + rand.Text() }

func publicationOf(run tvmexport.Run, batches ...tvmexport.Batch) tvmexport.Publication {
	p := tvmexport.Publication{Run: run, Layout: tvmexport.Both, Shown: run.Table.Visible(), Partitions: []tvmexport.PartitionRecord{{Partition: "3f"}}}
	for _, b := range batches {
		p.Rows += b.Rows
		p.Steps = append(p.Steps, tvmexport.PublicationStep{Batches: []tvmexport.BatchID{b.ID}, Rows: b.Rows})
	}
	p.Partitions[0].Rows = p.Rows
	return p
}

// export lands, publishes and commits, and gives what was said of it.
func (s stage) export(run tvmexport.Run, batches ...tvmexport.Batch) (notes []string) {
	s.Helper()
	s.land(run, batches...)
	p := publicationOf(run, batches...)
	out, err := s.client.Publish(s.Context(), p)
	s.must(err)
	rows := out.Rows
	if rows != p.Rows {
		s.Fatalf("run %s published %d rows, want %d", run.ID, rows, p.Rows)
	}
	s.must(s.client.Commit(s.Context(), tvmexport.Commit{Run: run, Owner: string(run.ID), Rows: rows, Bytes: 100, Calls: 1, Partitions: p.Partitions}))
	return out.Notes
}

func runOfTable(t tvmexport.Table, id, previous string, kind tvmexport.RunKind) tvmexport.Run {
	return tvmexport.Run{ID: tvmexport.RunID(id), Table: t, Previous: tvmexport.RunID(previous), Kind: kind, StartedAt: time.Now().UTC()}
}
