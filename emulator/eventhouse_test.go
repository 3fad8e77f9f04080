package emulator_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/tvmexport/tvmexport/emulator"
)

// A database of an Eventhouse has a GUID as its name for the engine next to the name that
// people see. Both lead to it, in any case, in every place that takes a name.
func TestEventhouseNames(t *testing.T) {
	e, err := emulator.New(emulator.Options{Devices: 1, Eventhouse: true, Database: "Security", Databases: []string{"other"}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	}()
	at := e.Endpoints()
	if at.Database != "Security" || uuid.Validate(at.DatabaseID) != nil {
		t.Errorf("the database is %q, for the engine %q; want a GUID", at.Database, at.DatabaseID)
	}
	for i, db := range []string{"Security", "security", at.DatabaseID, strings.ToUpper(at.DatabaseID)} {
		for _, csl := range []string{
			".create-merge table T (a: long)", ".set-or-append T <| print a = 1", ".show table T details",
			".show database ['" + db + "'] schema as json", ".show database ['" + db + "'] policy retention",
		} {
			if status, text := command(t, e, at.Kusto, db, csl); status != http.StatusOK {
				t.Errorf("%s in %s: %d %s", csl, db, status, text)
			}
		}
		if _, err := e.Command(t.Context(), db, ".add database ['"+db+"'] viewers ('aadapp="+emulator.ExporterID+";"+at.TenantID+"')"); err != nil {
			t.Error(err)
		}
		for _, other := range []string{"Security", at.DatabaseID} {
			status, text := command(t, e, at.Kusto, db, ".set-or-append Counts <| print n = toscalar(database('"+other+"').T | count), d = current_database()")
			if status != http.StatusOK {
				t.Errorf("database('%s') in %s: %d %s", other, db, status, text)
			}
		}
		got, err := e.Command(t.Context(), "", ".show databases | where PrettyName == 'Security' | project DatabaseName, PrettyName, DatabaseId = tostring(DatabaseId), IsCurrent")
		if err != nil {
			t.Fatal(err)
		}
		if want := `["` + at.DatabaseID + `" "Security" "` + at.DatabaseID + `" true]`; len(got.Rows) != 1 || cells(got.Rows[0]) != want {
			t.Errorf("after %d names, .show databases has %v, want %s", i+1, got.Rows, want)
		}
	}
	if status, text := command(t, e, at.Kusto, "none", ".show tables"); status == http.StatusOK {
		t.Errorf("an undeclared database answers: %s", text)
	}
}

// cells are the values of a row as JSON.
func cells(row []json.RawMessage) string { return fmt.Sprintf("%s", row) }

// The URIs have the form of Fabric; without sockets they are also the cluster's.
func TestEventhouseAddresses(t *testing.T) {
	form := regexp.MustCompile(`^https://(ingest-)?trd-[0-9a-z]{18}\.z[0-9]\.(kusto\.fabric\.microsoft\.com|localhost:[0-9]+)$`)
	e, err := emulator.New(emulator.Options{Devices: 1, Eventhouse: true})
	if err != nil {
		t.Fatal(err)
	}
	at := e.Endpoints()
	if err := e.Close(); err != nil {
		t.Error(err)
	}
	if at.Kusto != at.QueryServiceURI || at.Ingest != at.IngestionServiceURI || !form.MatchString(at.Kusto) || at.Ingest != strings.Replace(at.Kusto, "//", "//ingest-", 1) {
		t.Errorf("without sockets: %s, %s, %s, %s", at.Kusto, at.Ingest, at.QueryServiceURI, at.IngestionServiceURI)
	}
	s, err := emulator.Start(emulator.Options{Devices: 1, Eventhouse: true, Dir: t.TempDir()}, emulator.Listen{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	if at := s.Ready; !form.MatchString(at.QueryServiceURI) || at.IngestionServiceURI != strings.Replace(at.QueryServiceURI, "//", "//ingest-", 1) || !strings.HasPrefix(at.Kusto, "https://127.0.0.1:") {
		t.Errorf("on sockets: %s, %s, %s", at.Kusto, at.QueryServiceURI, at.IngestionServiceURI)
	}
	host := strings.TrimPrefix(s.Ready.QueryServiceURI, "https://")
	if status, text := commandAt(t, s.Emulator, host, ".show tables"); status != http.StatusOK {
		t.Errorf(".show tables at %s: %d %s", host, status, text)
	}
	if status, text := commandAt(t, s.Emulator, "ingest-"+host, ".get ingestion resources"); status != http.StatusOK {
		t.Errorf(".get ingestion resources at ingest-%s: %d %s", host, status, text)
	}
}

// In Azure Data Explorer nothing of this is said.
func TestNoEventhouse(t *testing.T) {
	e, err := emulator.New(emulator.Options{Devices: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	}()
	if at := e.Endpoints(); at.DatabaseID != "" || at.QueryServiceURI != "" || at.IngestionServiceURI != "" {
		t.Errorf("%q, %q, %q, want none", at.DatabaseID, at.QueryServiceURI, at.IngestionServiceURI)
	}
}
