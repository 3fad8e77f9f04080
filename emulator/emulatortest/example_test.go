package emulatortest_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"time"

	"github.com/tvmexport/tvmexport/emulator/emulatortest"
)

// noon makes the data of Examples the same on every day.
var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// start is emulatortest.New for Examples, which have no test.
func start(options ...emulatortest.Option) *emulatortest.Emulator {
	e, err := emulatortest.Start(append(options, emulatortest.FixedClock(noon))...)
	if err != nil {
		log.Fatal(err)
	}
	return e
}

// post sends JSON, decodes the JSON of the answer if it is a success, and gives its status.
func post(client *http.Client, url string, body, answer any) int {
	text, err := json.Marshal(body)
	if err != nil {
		log.Fatal(err)
	}
	response, err := client.Post(url, "application/json", bytes.NewReader(text))
	if err != nil {
		log.Fatal(err)
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		log.Fatal(err)
	}
	if response.StatusCode == http.StatusOK && answer != nil {
		if err := json.Unmarshal(content, answer); err != nil {
			log.Fatal(err)
		}
	}
	return response.StatusCode
}

// put creates a blob or posts a message at a signed URL.
func put(client *http.Client, method, url string, body []byte) {
	r, err := http.NewRequest(method, url, bytes.NewReader(body))
	if err != nil {
		log.Fatal(err)
	}
	if method == http.MethodPut {
		r.Header.Set("x-ms-blob-type", "BlockBlob")
	}
	response, err := client.Do(r)
	if err != nil {
		log.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusCreated {
		text, _ := io.ReadAll(response.Body)
		log.Fatalf("%s %d %s", method, response.StatusCode, text)
	}
}

// Ask Graph for rows of the tenant.
func ExampleEmulator_SignedIn() {
	e := start(emulatortest.Devices(50))
	defer e.Close()

	client := e.SignedIn(emulatortest.Exporter)
	var answer struct {
		Schema  []struct{ Name, Type string }
		Results []map[string]any
	}
	post(client, e.Endpoints().Graph+"/v1.0/security/runHuntingQuery", map[string]string{
		"Query": "DeviceInfo | summarize Devices = dcount(DeviceId)",
	}, &answer)
	fmt.Println(answer.Schema, answer.Results)
	// Output: [{Devices Int64}] [map[Devices:53]]
}

// Ask the cluster by the v2 protocol, whose answer is a list of frames.
func Example_kusto() {
	e := start()
	defer e.Close()
	for _, command := range []string{
		`.create table Installed (Device:string, Software:string)`,
		`.ingest inline into table Installed <| pc-1,editor
pc-1,browser
pc-2,editor`,
	} {
		if _, err := e.Command(context.Background(), command); err != nil {
			log.Fatal(err)
		}
	}

	client := e.SignedIn(emulatortest.Exporter)
	var frames []struct {
		FrameType, TableKind string
		Rows                 json.RawMessage
	}
	at := e.Endpoints()
	post(client, at.Kusto+"/v2/rest/query", map[string]string{
		"db": at.Database, "csl": "Installed | summarize Devices = count() by Software | order by Software asc",
	}, &frames)
	for _, f := range frames {
		if f.TableKind == "PrimaryResult" {
			fmt.Printf("%s\n", f.Rows)
		}
	}
	// Output: [["browser",1],["editor",2]]
}

// Queue a file by REST: ask the ingestion service for signed URLs, upload a blob, and
// put a message about it into a queue. The Kusto SDKs do the same.
func ExampleEmulator_AwaitIngestion() {
	e := start()
	defer e.Close()
	ctx := context.Background()
	if _, err := e.Command(ctx, `.create table Installed (Device:string, Software:string)`); err != nil {
		log.Fatal(err)
	}
	client, at := e.SignedIn(emulatortest.Exporter), e.Endpoints()

	rows := func(command string) [][]string {
		var answer struct{ Tables []struct{ Rows [][]string } }
		post(client, at.Ingest+"/v1/rest/mgmt", map[string]string{"csl": command}, &answer)
		return answer.Tables[0].Rows
	}
	urls := map[string]string{} // signed, by type of resource
	for _, row := range rows(".get ingestion resources") {
		urls[row[0]] = row[1]
	}
	identity := rows(".get kusto identity token")[0][0]

	content := []byte("pc-1,editor\npc-2,browser\n")
	blob := insert(urls["TempStorage"], "/installed.csv")
	put(client, http.MethodPut, blob, content)
	message, err := json.Marshal(map[string]any{
		"Id": "6f2c9f4e-4f0e-4b60-9d3a-0d4d5c7a1b11", "BlobPath": blob, "RawDataSize": len(content),
		"DatabaseName": at.Database, "TableName": "Installed",
		"AdditionalProperties": map[string]any{"authorizationContext": identity, "format": "csv"},
	})
	if err != nil {
		log.Fatal(err)
	}
	put(client, http.MethodPost, insert(urls["SecuredReadyForAggregationQueue"], "/messages"),
		fmt.Appendf(nil, "<QueueMessage><MessageText>%s</MessageText></QueueMessage>", base64.StdEncoding.EncodeToString(message)))

	if err := e.AwaitIngestion(ctx); err != nil {
		log.Fatal(err)
	}
	answer, err := e.Query(ctx, "Installed | order by Device asc")
	if err != nil {
		log.Fatal(err)
	}
	var installed []struct{ Device, Software string }
	if err := answer.Decode(&installed); err != nil {
		log.Fatal(err)
	}
	fmt.Println(installed, e.Stats().Ingestion.Blobs)
	// Output: [{pc-1 editor} {pc-2 browser}] 1
}

// insert puts a path before the signature of a URL.
func insert(url, path string) string {
	before, signature, _ := bytes.Cut([]byte(url), []byte("?"))
	return string(before) + path + "?" + string(signature)
}

// Script a fault: Graph throttles the second query and says when to come again.
func ExampleEmulator_Inject() {
	e := start()
	defer e.Close()
	throttle, err := e.Inject(emulatortest.Fault{
		Endpoint: "graph", Match: "DeviceInfo", After: 1, Count: 1,
		Status: http.StatusTooManyRequests, Headers: map[string]string{"Retry-After": "7"},
	})
	if err != nil {
		log.Fatal(err)
	}

	client := e.SignedIn(emulatortest.Exporter)
	for range 3 {
		fmt.Println(post(client, e.Endpoints().Graph+"/v1.0/security/runHuntingQuery", map[string]string{"Query": "DeviceInfo | count"}, nil))
	}
	fmt.Println("hits:", throttle.Hits())
	// Output:
	// 200
	// 429
	// 200
	// hits: 1
}

// Move the clock of the services: a token expires. Timers of the program under test do
// not move; testing/synctest moves them and this clock together.
func ExampleEmulator_AdvanceClock() {
	e := start()
	defer e.Close()
	token, err := e.Token(emulatortest.TokenRequest{Resource: emulatortest.GraphResource, Lifetime: time.Hour})
	if err != nil {
		log.Fatal(err)
	}
	hunt := func() int {
		r, err := http.NewRequest(http.MethodPost, e.Endpoints().Graph+"/v1.0/security/runHuntingQuery",
			bytes.NewReader([]byte(`{"Query":"DeviceInfo | count"}`)))
		if err != nil {
			log.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+token)
		r.Header.Set("Content-Type", "application/json")
		response, err := e.Client().Do(r)
		if err != nil {
			log.Fatal(err)
		}
		defer response.Body.Close()
		return response.StatusCode
	}

	fmt.Println(hunt())
	e.AdvanceClock(2 * time.Hour)
	fmt.Println(hunt())
	// Output:
	// 200
	// 401
}

// Compare truth and landed: what the source has, and what a program has copied.
func ExampleEmulator_Compare() {
	e := start(emulatortest.Devices(3))
	defer e.Close()
	ctx := context.Background()

	// A copy that loses a row, in place of the program under test.
	source, err := e.QuerySource(ctx, "DeviceTvmHardwareFirmware")
	if err != nil {
		log.Fatal(err)
	}
	var rows []json.RawMessage
	if err := source.Decode(&rows); err != nil {
		log.Fatal(err)
	}
	copied := ".set-or-replace Firmware <| datatable(Records:dynamic)["
	for _, row := range rows[1:] {
		copied += "dynamic(" + string(row) + "),"
	}
	if _, err := e.Command(ctx, copied+"]"); err != nil {
		log.Fatal(err)
	}

	difference, err := e.Compare(ctx, "DeviceTvmHardwareFirmware", "Firmware")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(difference.Equal(), difference.Missing, difference.Extra)
	// Output: false 1 0
}

// Let days pass in the tenant: software is patched, and the digest of a table changes.
func ExampleEmulator_Tenant() {
	e := start()
	defer e.Close()
	ctx := context.Background()
	before, err := e.Truth(ctx, "DeviceTvmSoftwareInventory")
	if err != nil {
		log.Fatal(err)
	}

	change := e.Tenant().Advance(1)
	after, err := e.Truth(ctx, "DeviceTvmSoftwareInventory")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(change.Changed > 0, before == after, e.Tenant().Now().Format(time.DateOnly))
	// Output: true false 2026-11-24
}

// Ask for permissions that a token does not have.
func ExampleEmulator_Token() {
	e := start()
	defer e.Close()
	token, err := e.Token(emulatortest.TokenRequest{Resource: emulatortest.GraphResource, Roles: []string{"User.Read.All"}})
	if err != nil {
		log.Fatal(err)
	}
	r, err := http.NewRequest(http.MethodPost, e.Endpoints().Graph+"/v1.0/security/runHuntingQuery", bytes.NewReader([]byte(`{"Query":"DeviceInfo"}`)))
	if err != nil {
		log.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	response, err := e.Client().Do(r)
	if err != nil {
		log.Fatal(err)
	}
	defer response.Body.Close()
	fmt.Println(response.Status)
	// Output: 403 Forbidden
}
