package storage_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/data/aztables"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blockblob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/sas"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azqueue"
	"github.com/google/go-cmp/cmp"

	"github.com/tvmexport/tvmexport/emulator/internal/disk"
	"github.com/tvmexport/tvmexport/emulator/internal/storage"
)

var (
	blobs  = storage.Resource{Kind: storage.Blob, Account: "store0", Name: "tempstorage"}
	queue  = storage.Resource{Kind: storage.Queue, Account: "store0", Name: "ready"}
	status = storage.Resource{Kind: storage.Table, Account: "store0", Name: "ingestionsstatus"}
	key    = []byte("a key of thirty-two bytes, or so")
)

// mounted is a Storage behind TLS.
type mounted struct {
	*storage.Storage
	server *httptest.Server
	client *http.Client
}

// mount serves a Storage. The client reaches it under every host name.
func mount(t testing.TB, o storage.Options) mounted {
	t.Helper()
	o.Key = key
	s := storage.New(o)
	for _, r := range []storage.Resource{blobs, queue, status} {
		s.Add(r)
	}
	server := httptest.NewTLSServer(s)
	client := server.Client()
	transport := client.Transport.(*http.Transport).Clone()
	transport.DialTLSContext = nil
	address := server.Listener.Addr().String()
	dial := transport.DialContext
	transport.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) { return dial(ctx, network, address) }
	transport.TLSClientConfig.ServerName = "example.com" // what httptest's certificate is for
	t.Cleanup(func() {
		server.Close()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return mounted{s, server, &http.Client{Transport: transport}}
}

func (m mounted) options() azcore.ClientOptions {
	return azcore.ClientOptions{Transport: m.client, Retry: policy.RetryOptions{MaxRetries: -1}}
}

// url is the address of a resource with a signature of an hour.
func (m mounted) url(r storage.Resource, permissions string, hostForm bool) string {
	base := m.server.URL
	if hostForm {
		base = "https://emulated.test:443"
	}
	return m.URL(base, hostForm, r, storage.Grant{Permissions: permissions, Until: time.Now().Add(time.Hour)})
}

// forms runs a test with both forms of addresses.
func forms(t *testing.T, f func(t *testing.T, hostForm bool)) {
	t.Run("path", func(t *testing.T) { f(t, false) })
	t.Run("host", func(t *testing.T) { f(t, true) })
}

func TestBlobClient(t *testing.T) {
	for name, dir := range map[string]string{"memory": "", "files": t.TempDir()} {
		t.Run(name, func(t *testing.T) {
			forms(t, func(t *testing.T, hostForm bool) {
				testBlobClient(t, mount(t, storage.Options{Disk: disk.Folder{Dir: dir}}), hostForm)
			})
		})
	}
}

func testBlobClient(t *testing.T, m mounted, hostForm bool) {
	ctx := t.Context()
	c, err := container.NewClientWithNoCredential(m.url(blobs, "rwd", hostForm), &container.ClientOptions{ClientOptions: m.options()})
	if err != nil {
		t.Fatal(err)
	}
	const name = "db T 2026-11-23 05:19:55.4 +0000 UTC a=b%.json.gz"
	b := c.NewBlockBlobClient(name)
	content := bytes.Repeat([]byte("0123456789"), 300_000)
	if _, err := b.UploadStream(ctx, bytes.NewReader(content), &blockblob.UploadStreamOptions{BlockSize: 1 << 20, Concurrency: 3}); err != nil {
		t.Fatal(err)
	}
	download, err := b.DownloadStream(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(download.Body); err != nil || !bytes.Equal(got, content) {
		t.Errorf("downloaded %d bytes, %v", len(got), err)
	}
	part, err := b.DownloadStream(ctx, &blob.DownloadStreamOptions{Range: blob.HTTPRange{Offset: 1<<20 - 3, Count: 7}})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(part.Body); err != nil || string(got) != string(content[1<<20-3:1<<20+4]) {
		t.Errorf("a range is %q, %v", got, err)
	}
	properties, err := b.GetProperties(ctx, nil)
	if err != nil || *properties.ContentLength != int64(len(content)) {
		t.Errorf("properties %v, %v", properties.ContentLength, err)
	}
	opened, err := m.Open(b.URL())
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(opened); err != nil || !bytes.Equal(got, content) || opened.Name != name || opened.Size != int64(len(content)) {
		t.Errorf("opened %q with %d bytes, %v", opened.Name, len(got), err)
	}
	if err := opened.Close(); err != nil {
		t.Error(err)
	}
	none := azcore.ETagAny
	_, err = b.UploadBuffer(ctx, []byte("x"), &blockblob.UploadBufferOptions{AccessConditions: &blob.AccessConditions{ModifiedAccessConditions: &blob.ModifiedAccessConditions{IfNoneMatch: &none}}})
	wantCode(t, err, http.StatusConflict, "BlobAlreadyExists")
	if _, err := b.UploadBuffer(ctx, []byte("x"), nil); err != nil {
		t.Error(err)
	}
	if _, err := b.Delete(ctx, nil); err != nil {
		t.Error(err)
	}
	_, err = b.DownloadStream(ctx, nil)
	wantCode(t, err, http.StatusNotFound, "BlobNotFound")
	_, err = b.CommitBlockList(ctx, []string{base64.StdEncoding.EncodeToString([]byte("none"))}, nil)
	wantCode(t, err, http.StatusBadRequest, "InvalidBlockList")
	_, err = c.Create(ctx, nil)
	wantCode(t, err, http.StatusNotImplemented, "NotImplemented")
	if diff := cmp.Diff(storage.Stats{Blobs: 2, BlobBytes: int64(len(content)) + 1}, m.Stats()); diff != "" {
		t.Errorf("stats (-want +got):\n%s", diff)
	}
}

func wantCode(t *testing.T, err error, status int, code string) {
	t.Helper()
	refusal, ok := errors.AsType[*azcore.ResponseError](err)
	if !ok || refusal.StatusCode != status || refusal.ErrorCode != code {
		t.Errorf("got %v, want %d %s", err, status, code)
	}
}

func TestSignatures(t *testing.T) {
	m := mount(t, storage.Options{})
	now := time.Now()
	tests := []struct {
		name   string
		grant  storage.Grant
		change func(url string) string
		status int
		code   string
	}{
		{"valid", storage.Grant{Permissions: "w", From: now.Add(-time.Minute), Until: now.Add(time.Hour)}, nil, 0, ""},
		{"expired", storage.Grant{Permissions: "w", Until: now.Add(-time.Second)}, nil, 403, "AuthenticationFailed"},
		{"not yet valid", storage.Grant{Permissions: "w", From: now.Add(time.Hour), Until: now.Add(2 * time.Hour)}, nil, 403, "AuthenticationFailed"},
		{"other permission", storage.Grant{Permissions: "r", Until: now.Add(time.Hour)}, nil, 403, "AuthorizationPermissionMismatch"},
		{"permission changed", storage.Grant{Permissions: "r", Until: now.Add(time.Hour)}, replace("sp=r", "sp=w"), 403, "AuthenticationFailed"},
		{"other container", storage.Grant{Permissions: "w", Until: now.Add(time.Hour)}, replace("/tempstorage", "/otherstorage"), 404, "ResourceNotFound"},
		{"no signature", storage.Grant{Permissions: "w", Until: now.Add(time.Hour)}, replace("sig=", "gis="), 404, "ResourceNotFound"},
		{"no expiry", storage.Grant{Permissions: "w"}, nil, 403, "AuthenticationFailed"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			url := m.URL(m.server.URL, false, blobs, tt.grant)
			if tt.change != nil {
				url = tt.change(url)
			}
			c, err := container.NewClientWithNoCredential(url, &container.ClientOptions{ClientOptions: m.options()})
			if err != nil {
				t.Fatal(err)
			}
			_, err = c.NewBlockBlobClient("x").UploadBuffer(t.Context(), []byte("x"), nil)
			if tt.status == 0 {
				if err != nil {
					t.Error(err)
				}
				return
			}
			wantCode(t, err, tt.status, tt.code)
			if strings.Contains(err.Error(), "sig=") && !strings.Contains(err.Error(), "REDACTED") {
				t.Errorf("the error shows a signature: %v", err)
			}
		})
	}
}

func replace(old, new string) func(string) string {
	return func(s string) string { return strings.Replace(s, old, new, 1) }
}

// A signature that the official library makes with the account's key is good.
func TestSignatureOfTheLibrary(t *testing.T) {
	m := mount(t, storage.Options{})
	credential, err := blob.NewSharedKeyCredential("store0", base64.StdEncoding.EncodeToString(key))
	if err != nil {
		t.Fatal(err)
	}
	q, err := sas.BlobSignatureValues{
		Protocol: sas.ProtocolHTTPS, ExpiryTime: time.Now().UTC().Add(time.Hour), ContainerName: "tempstorage",
		Version: "2021-08-06", Permissions: (&sas.ContainerPermissions{Write: true}).String(),
	}.SignWithSharedKey(credential)
	if err != nil {
		t.Fatal(err)
	}
	c, err := container.NewClientWithNoCredential(m.server.URL+"/store0/tempstorage?"+q.Encode(), &container.ClientOptions{ClientOptions: m.options()})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.NewBlockBlobClient("x").UploadBuffer(t.Context(), []byte("x"), nil); err != nil {
		t.Error(err)
	}
}

func TestQueueClient(t *testing.T) {
	forms(t, func(t *testing.T, hostForm bool) {
		m, ctx := mount(t, storage.Options{}), t.Context()
		q, err := azqueue.NewQueueClientWithNoCredential(m.url(queue, "raup", hostForm), &azqueue.ClientOptions{ClientOptions: m.options()})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := q.EnqueueMessage(ctx, "first <&> é", nil); err != nil {
			t.Fatal(err)
		}
		if _, err := q.EnqueueMessage(ctx, "second", nil); err != nil {
			t.Fatal(err)
		}
		two := int32(2)
		peeked, err := q.PeekMessages(ctx, &azqueue.PeekMessagesOptions{NumberOfMessages: &two})
		if err != nil || len(peeked.Messages) != 2 || *peeked.Messages[0].MessageText != "first <&> é" || *peeked.Messages[0].DequeueCount != 0 {
			t.Fatalf("peeked %v, %v", peeked.Messages, err)
		}
		got, err := q.DequeueMessage(ctx, nil)
		if err != nil || len(got.Messages) != 1 || *got.Messages[0].MessageText != "first <&> é" {
			t.Fatalf("got %v, %v", got.Messages, err)
		}
		first := got.Messages[0]
		updated, err := q.UpdateMessage(ctx, *first.MessageID, *first.PopReceipt, "changed", nil)
		if err != nil {
			t.Fatal(err)
		}
		_, err = q.DeleteMessage(ctx, *first.MessageID, *first.PopReceipt, nil)
		wantCode(t, err, http.StatusBadRequest, "PopReceiptMismatch")
		if _, err := q.DeleteMessage(ctx, *first.MessageID, *updated.PopReceipt, nil); err != nil {
			t.Error(err)
		}
		properties, err := q.GetProperties(ctx, nil)
		if err != nil || *properties.ApproximateMessagesCount != 1 {
			t.Errorf("count %v, %v", properties.ApproximateMessagesCount, err)
		}
		if _, err := q.ClearMessages(ctx, nil); err != nil {
			t.Error(err)
		}
		empty, err := q.DequeueMessage(ctx, nil)
		if err != nil || len(empty.Messages) != 0 {
			t.Errorf("after clearing: %v, %v", empty.Messages, err)
		}
		many := int32(33)
		_, err = q.PeekMessages(ctx, &azqueue.PeekMessagesOptions{NumberOfMessages: &many})
		wantCode(t, err, http.StatusBadRequest, "OutOfRangeQueryParameterValue")
	})
}

func TestTableClient(t *testing.T) {
	forms(t, func(t *testing.T, hostForm bool) {
		m, ctx := mount(t, storage.Options{}), t.Context()
		c, err := aztables.NewClientWithNoCredential(m.url(status, "raud", hostForm), &aztables.ClientOptions{ClientOptions: m.options()})
		if err != nil {
			t.Fatal(err)
		}
		full := aztables.MetadataFormatFull
		entity := []byte(`{"PartitionKey":"it's","RowKey":"0","Status":"Pending","N":"9007199254740993","N@odata.type":"Edm.Int64","None":null}`)
		if _, err := c.AddEntity(ctx, entity, &aztables.AddEntityOptions{Format: &full}); err != nil {
			t.Fatal(err)
		}
		_, err = c.AddEntity(ctx, entity, nil)
		wantCode(t, err, http.StatusConflict, "EntityAlreadyExists")
		got, err := c.GetEntity(ctx, "it's", "0", nil)
		if err != nil {
			t.Fatal(err)
		}
		var values map[string]any
		if err := json.Unmarshal(got.Value, &values); err != nil {
			t.Fatal(err)
		}
		if values["Status"] != "Pending" || values["N"] != "9007199254740993" || values["N@odata.type"] != "Edm.Int64" || values["None"] != nil {
			t.Errorf("entity %v", values)
		}
		if err := m.Entities(status).Merge("it's", "0", map[string]any{"Status": "Succeeded", "UpdatedOn": time.Unix(0, 0)}); err != nil {
			t.Fatal(err)
		}
		if _, err := c.UpdateEntity(ctx, []byte(`{"PartitionKey":"it's","RowKey":"0","Details":"d"}`), nil); err != nil {
			t.Fatal(err)
		}
		stored, _ := m.Entities(status).Values("it's", "0")
		want := map[string]any{
			"PartitionKey": "it's", "RowKey": "0", "Status": "Succeeded", "Details": "d", "N": "9007199254740993", "N@odata.type": "Edm.Int64",
			"UpdatedOn": "1970-01-01T00:00:00.0000000Z", "UpdatedOn@odata.type": "Edm.DateTime",
		}
		if diff := cmp.Diff(want, stored); diff != "" {
			t.Errorf("stored (-want +got):\n%s", diff)
		}
		_, err = c.GetEntity(ctx, "it's", "1", nil)
		wantCode(t, err, http.StatusNotFound, "ResourceNotFound")
		if _, err := c.DeleteEntity(ctx, "it's", "0", nil); err != nil {
			t.Error(err)
		}
		_, err = c.NewListEntitiesPager(nil).NextPage(ctx)
		wantCode(t, err, http.StatusNotImplemented, "NotImplemented")
	})
}

func TestRelease(t *testing.T) {
	m := mount(t, storage.Options{Keep: 10})
	c, err := container.NewClientWithNoCredential(m.url(blobs, "rwd", false), &container.ClientOptions{ClientOptions: m.options()})
	if err != nil {
		t.Fatal(err)
	}
	var urls []string
	for _, name := range []string{"a", "b", "c"} {
		b := c.NewBlockBlobClient(name)
		if _, err := b.UploadBuffer(t.Context(), []byte("12345"), nil); err != nil {
			t.Fatal(err)
		}
		urls = append(urls, b.URL())
	}
	for _, u := range urls {
		m.Release(u)
		m.Release(u)
	}
	if _, err := m.Open(urls[0]); err == nil {
		t.Error("the oldest released blob is still there")
	}
	for _, u := range urls[1:] {
		if _, err := m.Open(u); err != nil {
			t.Error(err)
		}
	}
	m.Delete(urls[1])
	if _, err := m.Open(urls[1]); err == nil {
		t.Error("a deleted blob is still there")
	}
}

func TestMessagesByTime(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	s := storage.New(storage.Options{Now: func() time.Time { return now }})
	s.Add(queue)
	q := s.Messages(queue)
	q.Put("later", time.Minute, 0)
	q.Put("short", 0, 30*time.Second)
	select {
	case <-q.Arrived():
	default:
		t.Error("no signal")
	}
	if got := q.Get(5, 10*time.Second); len(got) != 1 || got[0].Text != "short" {
		t.Errorf("at once: %v", got)
	}
	if got := q.Get(5, time.Second); len(got) != 0 {
		t.Errorf("hidden: %v", got)
	}
	now = now.Add(11 * time.Second)
	if got := q.Get(5, time.Second); len(got) != 1 || got[0].Count != 2 {
		t.Errorf("visible again: %v", got)
	}
	now = now.Add(time.Minute)
	if got := q.Get(5, time.Second); len(got) != 1 || got[0].Text != "later" {
		t.Errorf("after a minute: %v", got)
	}
	if q.Len() != 1 {
		t.Errorf("%d messages are left", q.Len())
	}
}

func TestKindOf(t *testing.T) {
	m := mount(t, storage.Options{})
	for url, want := range map[string]storage.Kind{
		"https://127.0.0.1/store0/tempstorage/a/b": storage.Blob, "https://127.0.0.1/ready/messages": storage.Queue,
		"https://store0.table.localhost:1/ingestionsstatus(PartitionKey='a',RowKey='b')": storage.Table,
		"https://127.0.0.1/store0/ingestionsstatus()":                                    storage.Table,
		"https://127.0.0.1/v1/rest/mgmt":                                                 "", "https://127.0.0.1/": "",
		"https://other.blob.localhost/tempstorage": "",
	} {
		r := httptest.NewRequest(http.MethodGet, url, nil)
		if got := m.KindOf(r); got != want {
			t.Errorf("%s is %q, want %q", url, got, want)
		}
	}
}
