package emulator_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/tvmexport/tvmexport/emulator"
)

// Two emulators in one folder would overwrite each other's certificate.
func TestDirOfRunningEmulatorIsRefused(t *testing.T) {
	dir := t.TempDir()
	first, err := emulator.Start(emulator.Options{Devices: 1, Dir: dir}, emulator.Listen{})
	if err != nil {
		t.Fatal(err)
	}
	if second, err := emulator.Start(emulator.Options{Devices: 1, Dir: dir}, emulator.Listen{}); err == nil {
		t.Errorf("a second emulator started in the same folder: %v", second.Close())
	} else if !strings.Contains(err.Error(), "in use by a running emulator") {
		t.Errorf("error = %v, want that the folder is in use", err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := emulator.Start(emulator.Options{Devices: 1, Dir: dir}, emulator.Listen{})
	if err != nil {
		t.Fatalf("after the first has stopped: %v", err)
	}
	if err := again.Close(); err != nil {
		t.Error(err)
	}
}

// A fleet has several tenants and databases.
func TestFurtherDatabases(t *testing.T) {
	e, err := emulator.New(emulator.Options{Devices: 1, Database: "one", Databases: []string{"two"}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	}()
	for _, db := range []string{"one", "two"} {
		status, text := command(t, e, e.Endpoints().Kusto, db, ".create table T (a: long)")
		if status != http.StatusOK {
			t.Errorf("database %s: %d %s", db, status, text)
		}
	}
	if status, text := command(t, e, e.Endpoints().Kusto, "three", ".show tables"); status == http.StatusOK {
		t.Errorf("an undeclared database answers: %s", text)
	}
}

// Under its own name the engine refuses what only the ingestion service answers, in the
// words of the service, so that a wrong ingestion URI shows. Names of this machine stand
// for both services, and a name that begins with ingest- for the ingestion service.
func TestIngestionCommandsByAddress(t *testing.T) {
	e, err := emulator.New(emulator.Options{Devices: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	}()
	for host, want := range map[string]int{
		"emulator.kusto.windows.net": 400, "k.localhost": 400, "ingest-k.localhost": 200, "localhost": 200, "localhost:1": 200,
		"127.0.0.1": 200, "[::1]:80": 200,
	} {
		for _, csl := range []string{".get ingestion resources", ".get kusto identity token", ".show export containers"} {
			status, text := commandAt(t, e, host, csl)
			if status != want {
				t.Errorf("%s at %s: %d %s, want %d", csl, host, status, text, want)
			}
			if want == 400 && !strings.Contains(text, "from this service endpoint. The appropriate endpoint is most likely 'https://ingest-"+host) {
				t.Errorf("%s at %s: %s, want the address of the ingestion service", csl, host, text)
			}
		}
	}
	if status, text := commandAt(t, e, "k.localhost", ".show tables"); status != http.StatusOK {
		t.Errorf(".show tables at k.localhost: %d %s", status, text)
	}
}

// engineAlone brings every request to one handler.
type engineAlone struct{ handler http.Handler }

func (a engineAlone) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	a.handler.ServeHTTP(w, r)
	return w.Result(), nil
}

func command(t *testing.T, e *emulator.Emulator, base, db, csl string) (int, string) {
	t.Helper()
	return send(t, e, e.Transport(), base, db, csl)
}

// commandAt sends a command to the engine's listener under a host.
func commandAt(t *testing.T, e *emulator.Emulator, host, csl string) (int, string) {
	t.Helper()
	return send(t, e, engineAlone{e.Kusto()}, "https://"+host, "security", csl)
}

func send(t *testing.T, e *emulator.Emulator, via http.RoundTripper, base, db, csl string) (int, string) {
	t.Helper()
	body, err := json.Marshal(map[string]string{"db": db, "csl": csl})
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, base+"/v1/rest/mgmt", bytes.NewReader(body))
	token, err := e.Entra().Issue(emulator.ExporterID, emulator.KustoResource, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	r.RequestURI = "" // as a client has it
	r.Header.Set("Authorization", "Bearer "+token)
	answer, err := via.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(text)
}
