package rest_test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-kusto-go/azkustodata"

	"github.com/tvmexport/tvmexport/emulator/internal/datamanagement"
	"github.com/tvmexport/tvmexport/emulator/internal/engine"
	"github.com/tvmexport/tvmexport/emulator/internal/kql"
	"github.com/tvmexport/tvmexport/emulator/internal/rest"
	"github.com/tvmexport/tvmexport/emulator/internal/storage"
)

// stack is the Kusto services on sockets with TLS, as clients use them.
type stack struct {
	engine        *engine.Engine
	service       *datamanagement.Service
	storage       *storage.Storage
	kusto, ingest string // URIs
	client        *http.Client

	mu    sync.Mutex
	texts []string // what the recorder received
}

var (
	admin  = engine.Principal{AppID: "a0000000-0000-0000-0000-000000000001", TenantID: "70000000-0000-0000-0000-000000000001", Name: "admin"}
	writer = engine.Principal{AppID: "a0000000-0000-0000-0000-000000000002", TenantID: "70000000-0000-0000-0000-000000000001", Name: "writer"}
)

const database = "db"

// newStack starts the services with an empty database. Tokens are "admin" and "writer".
func newStack(t *testing.T) *stack {
	t.Helper()
	s := &stack{}
	s.engine = engine.New(engine.Options{Admins: []engine.Principal{admin}})
	s.engine.CreateDatabase(database)
	s.storage = storage.New(storage.Options{})
	store := httptest.NewTLSServer(s.storage)
	t.Cleanup(store.Close)
	var err error
	s.service, err = datamanagement.New(datamanagement.Options{
		Engine: s.engine, Admin: admin, Batching: 20 * time.Millisecond, Retry: 20 * time.Millisecond,
		Storage: datamanagement.NewAccounts(s.storage, strings.TrimPrefix(store.URL, "https://"), nil),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(s.service.Close(), s.engine.Close(), s.storage.Close()); err != nil {
			t.Error(err)
		}
	})
	o := rest.Options{
		Engine: s.engine, DataManagement: s.service,
		Authenticate: func(r *http.Request) (engine.Principal, error) {
			switch r.Header.Get("Authorization") {
			case "Bearer admin":
				return admin, nil
			case "Bearer writer":
				return writer, nil
			}
			return engine.Principal{}, errors.New("no bearer token")
		},
		Recorder: func(kind, text string) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.texts = append(s.texts, kind+" "+text)
		},
	}
	kusto := httptest.NewTLSServer(rest.New(o))
	t.Cleanup(kusto.Close)
	o.Ingest = true
	ingest := httptest.NewTLSServer(rest.New(o))
	t.Cleanup(ingest.Close)
	s.kusto, s.ingest = kusto.URL, ingest.URL
	s.client = kusto.Client() // all of httptest's servers have the same certificate
	s.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return s
}

// builder is the connection string of a signed-in client.
func builder(uri, token string) *azkustodata.ConnectionStringBuilder {
	return azkustodata.NewConnectionStringBuilder(uri).WithApplicationToken("app", token)
}

func (s *stack) data(t *testing.T, token string) *azkustodata.Client {
	t.Helper()
	c, err := azkustodata.New(builder(s.kusto, token), azkustodata.WithHttpClient(s.client))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// manage does commands as the administrator.
func (s *stack) manage(t *testing.T, commands ...string) {
	t.Helper()
	for _, text := range commands {
		result, err := s.engine.Command(t.Context(), engine.Call{Principal: admin, Database: database, Text: text})
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		for _, table := range result.Tables {
			for _, err := range table.Rows {
				if err != nil {
					t.Fatalf("%s: %v", text, err)
				}
			}
		}
	}
}

// rows are the rows of a table as texts, in no particular order.
func (s *stack) rows(t *testing.T, table string) []string {
	t.Helper()
	relation, ok := s.engine.Catalog(database, admin).Table("", table)
	if !ok {
		t.Fatalf("there is no table %s", table)
	}
	var list []string
	visible := len(relation.Columns())
	for row, err := range relation.Scan(context.Background(), kql.Request{}) {
		if err != nil {
			t.Fatal(err)
		}
		var cells []string
		for _, v := range row[:visible] {
			cells = append(cells, string(v.AppendJSON(nil)))
		}
		list = append(list, strings.Join(cells, " "))
	}
	return list
}

// upload puts a blob into temporary storage and returns its address.
func (s *stack) upload(t *testing.T, name string, content []byte) string {
	t.Helper()
	result, err := s.service.Command(t.Context(), engine.Call{Principal: admin, Text: ".get ingestion resources"})
	if err != nil {
		t.Fatal(err)
	}
	for row := range result.Tables[0].Rows {
		if row[0].Text() != "TempStorage" {
			continue
		}
		address, err := url.Parse(row[1].Text())
		if err != nil {
			t.Fatal(err)
		}
		address = address.JoinPath(name)
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPut, address.String(), bytes.NewReader(content))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("x-ms-blob-type", "BlockBlob")
		request.Header.Set("x-ms-version", "2025-11-05")
		response, err := s.client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		if err := response.Body.Close(); err != nil || response.StatusCode != http.StatusCreated {
			t.Fatalf("upload: status %d, %v", response.StatusCode, err)
		}
		return address.String()
	}
	t.Fatal("there is no temporary storage")
	return ""
}
