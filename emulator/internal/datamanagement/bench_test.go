package datamanagement

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tvmexport/tvmexport/emulator/internal/engine"
	"github.com/tvmexport/tvmexport/emulator/internal/kql"
	"github.com/tvmexport/tvmexport/emulator/internal/storage"
)

var (
	testAdmin = engine.Principal{AppID: "a0000000-0000-0000-0000-000000000001", TenantID: "70000000-0000-0000-0000-000000000001"}
	testUser  = engine.Principal{AppID: "a0000000-0000-0000-0000-000000000002", TenantID: "70000000-0000-0000-0000-000000000001"}
)

const testSource = "c0000000-0000-0000-0000-000000000001"

// bench is a service over the real engine and the real storage, without sockets.
// It is made within a synctest bubble and closed at its end.
type bench struct {
	*testing.T
	engine   *engine.Engine
	storage  *storage.Storage
	accounts *Accounts
	service  *Service
	token    string
	blobs    int
}

func newBench(t *testing.T, o Options, commands ...string) *bench {
	t.Helper()
	b := &bench{T: t, engine: engine.New(engine.Options{Admins: []engine.Principal{testAdmin}}), storage: storage.New(storage.Options{})}
	b.engine.CreateDatabase("db")
	b.accounts = NewAccounts(b.storage, "store.localhost:8443", nil)
	o.Engine, o.Storage, o.Admin = b.engine, b.accounts, testAdmin
	var err error
	if b.service, err = New(o); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.close)
	for _, text := range append([]string{".create table T (a: long, b: string)"}, commands...) {
		b.command(text)
	}
	if b.token, err = b.service.identities.issue(testAdmin); err != nil {
		t.Fatal(err)
	}
	return b
}

func (b *bench) close() {
	b.Helper()
	if err := errors.Join(b.service.Close(), b.engine.Close(), b.storage.Close()); err != nil {
		b.Error(err)
	}
}

func (b *bench) command(text string) []string {
	b.Helper()
	result, err := b.engine.Command(b.Context(), engine.Call{Principal: testAdmin, Database: "db", Text: text})
	if err != nil {
		b.Fatalf("%s: %v", text, err)
	}
	var rows []string
	for row, err := range result.Tables[0].Rows {
		if err != nil {
			b.Fatalf("%s: %v", text, err)
		}
		var cells []string
		for _, v := range row {
			cells = append(cells, v.String())
		}
		rows = append(rows, strings.Join(cells, "|"))
	}
	return rows
}

// rows are the rows of table T, sorted.
func (b *bench) rows() []string {
	b.Helper()
	relation, ok := b.engine.Catalog("db", testAdmin).Table("", "T")
	if !ok {
		b.Fatal("there is no table T")
	}
	var list []string
	for row, err := range relation.Scan(context.Background(), kql.Request{}) {
		if err != nil {
			b.Fatal(err)
		}
		var cells []string
		for _, v := range row[:len(relation.Columns())] {
			cells = append(cells, string(v.AppendJSON(nil)))
		}
		list = append(list, strings.Join(cells, " "))
	}
	slices.Sort(list)
	return list
}

// address is the one of a resource.
func (b *bench) address(resourceType string) string {
	b.Helper()
	for _, r := range b.accounts.Resources() {
		if r.Type == resourceType {
			return r.Root
		}
	}
	b.Fatalf("there is no resource %s", resourceType)
	return ""
}

// upload puts a blob and returns its address.
func (b *bench) upload(name, content string) string {
	b.Helper()
	u, err := url.Parse(b.address(TempStorage))
	if err != nil {
		b.Fatal(err)
	}
	u = u.JoinPath(name)
	r := httptest.NewRequest(http.MethodPut, u.String(), strings.NewReader(content))
	r.Header.Set("x-ms-blob-type", "BlockBlob")
	w := httptest.NewRecorder()
	b.storage.ServeHTTP(w, r)
	if w.Code != http.StatusCreated {
		b.Fatalf("upload: status %d %s", w.Code, w.Body)
	}
	return u.String()
}

// message is one of a blob with content.
func (b *bench) message(content string, change func(m, properties map[string]any)) map[string]any {
	b.Helper()
	b.blobs++
	properties := map[string]any{
		"authorizationContext": b.token, "format": "csv", "creationTime": "0001-01-01T00:00:00Z", "ignoreFirstRecord": false,
	}
	m := map[string]any{
		"Id": testSource, "BlobPath": b.upload(strings.Repeat("x", b.blobs)+".csv", content), "DatabaseName": "db", "TableName": "T",
		"RawDataSize": len(content), "RetainBlobOnSuccess": true, "FlushImmediately": false, "AdditionalProperties": properties,
		"IngestionStatusInTable": map[string]any{},
	}
	if change != nil {
		change(m, properties)
	}
	return m
}

func (b *bench) put(m map[string]any) {
	b.Helper()
	text, err := json.Marshal(m)
	if err != nil {
		b.Fatal(err)
	}
	b.putText(base64.StdEncoding.EncodeToString(text))
}

func (b *bench) putText(text string) {
	b.storage.Messages(storage.Resource{Kind: storage.Queue, Account: accounts[1], Name: readyQueue}).Put(text, 0, 0)
}

// send puts the message of a blob.
func (b *bench) send(content string, change func(m, properties map[string]any)) {
	b.Helper()
	b.put(b.message(content, change))
}

// notices takes the messages out of the queue of failures or successes.
func (b *bench) notices(resourceType string) []notice {
	b.Helper()
	name := doneQueue
	if resourceType == FailedIngestionsQueue {
		name = failedQueue
	}
	var list []notice
	for _, m := range b.storage.Messages(b.accounts.queue(name)).Get(100, time.Minute) {
		text, err := base64.StdEncoding.DecodeString(m.Text)
		if err != nil {
			b.Fatal(err)
		}
		var n notice
		d := json.NewDecoder(bytes.NewReader(text))
		d.DisallowUnknownFields()
		if err := d.Decode(&n); err != nil {
			b.Fatal(err)
		}
		list = append(list, n)
	}
	return list
}
