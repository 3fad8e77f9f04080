//go:build !noemulator

package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/emulator"
	"github.com/tvmexport/tvmexport/internal/promised"
)

// parallelScripts is how many scripts run at a time: they wait more than they compute.
const parallelScripts = "6"

func TestMain(m *testing.M) {
	if name := strings.TrimSuffix(filepath.Base(os.Args[0]), ".exe"); name != "tvmexport" && name != "az" {
		debug.SetGCPercent(400) // the emulators of the scripts have small heaps and much garbage; the program is as it is
	}
	_ = flag.Set("test.parallel", parallelScripts) // before the command line is parsed, which may say otherwise
	testscript.Main(m, map[string]func(){"tvmexport": quits(main), "az": azureCLI})
}

// otherProgram names a variable with the file of another build of this test, called tvmexport, that scripts start in place
// of this one. make race builds it with the race detector: the program is watched, the emulator next to it is not.
const otherProgram = "TVMEXPORT_TEST_PROGRAM"

// The program from a user's view. In addition to testscript's own commands:
//
//	emulator [devices=N] [history=N] [quota=off] [flavor=eventhouse] [tenants=N] [unconsented=NAME] [own-cluster=NAME]
//	                                  starts an emulator for this script, sets AZURE_* and writes tvmexport.yaml for it
//	advance N                         lets days pass at the source
//	agree QUERY...                    each query has the same rows at the source and at the
//	                                  destination
//	count N QUERY                     the query has N rows at the destination; of agree and count, a QUERY may begin
//	                                  with @NAME and a space, for that tenant and its database, or with @fleet
//	examples FILE                     runs the indented examples of a page at the destination
//	admin [@DATABASE] COMMAND         runs a management command as the database's administrator
//	oldexporter KIND TABLE COLUMN LOADTYPE [KQL]  one run of an exporter that import takes over
//	exits CODE COMMAND...             runs the program and wants this exit code
//	fault RULES                       activates fault rules of the emulator
//	nofaults                          ends all fault rules
//	consent WHAT                      changes what a tenant has consented to
//	proxy                             starts a proxy that leads every host to the emulator's
//	                                  cluster, and sets PROXY
//	second                            starts another tenant with a cluster, to be exported into
//	pfx PEM PFX PASSWORD [legacy]     makes a PFX file of a PEM file
//	stranger                          makes a certificate and a federated token that nobody knows
//	reword [OLD NEW], writes N        read functions of another version; how many commands wrote
//	                                  functions since
//	mark, unmoved                     nothing was read or written since the mark
//	hides                             what the last command printed holds no secret
//	tunnel, tunnelled HOST...         everything goes through a proxy, by names; it was asked for these
func TestScripts(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/script/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d scripts, %v", len(files), err)
	}
	if program := os.Getenv(otherProgram); program != "" {
		if info, err := os.Stat(program); err != nil || info.IsDir() || filepath.Base(program) != "tvmexport" {
			t.Fatalf("%s is %q; it must be a file with the name tvmexport: %v", otherProgram, program, err)
		}
	}
	p := testscript.Params{
		Setup: func(e *testscript.Env) error {
			// Under the race detector, a process sleeps for a second before it exits.
			e.Setenv("GORACE", "atexit_sleep_ms=20")
			// The program trusts the emulator's authority. To read those of this machine is a third of a short command's time.
			e.Setenv("SSL_CERT_FILE", os.DevNull)
			if testing.Short() { // else with what the program sets itself
				e.Setenv("GOGC", "400")
			}
			e.Setenv("SSL_CERT_DIR", filepath.Join(e.WorkDir, "no-certificates"))
			if dir := os.Getenv("TVMEXPORT_RECORD_KQL"); dir != "" {
				e.Setenv("TVMEXPORT_RECORD_KQL", dir)
			}
			if program := os.Getenv(otherProgram); program != "" {
				e.Setenv("PATH", filepath.Dir(program)+string(filepath.ListSeparator)+e.Getenv("PATH"))
			}
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"emulator": cmdEmulator,
			"advance":  cmdAdvance,
			"agree":    cmdAgree,
			"truth":    cmdTruth,
			"shows":    cmdShows,
			"now":      cmdNow,
			"count":    cmdCount,
			"examples": cmdExamples,
			"admin":    cmdAdmin,
			"exits":    cmdExits,
			"fault":    cmdControl("/faults"),
			"nofaults": cmdNoFaults,
			"drift":    cmdControl("/drift"),
			"consent":  cmdControl("/consent"),
			"proxy":    cmdProxy,

			"oldexporter": cmdOldExporter,
			"reword":      cmdReword,
			"writes":      cmdWrites,

			"second":    cmdSecond,
			"pfx":       cmdPFX,
			"stranger":  cmdStranger,
			"mark":      cmdMark,
			"unmoved":   cmdUnmoved,
			"hides":     cmdHides,
			"tunnel":    cmdTunnel,
			"tunnelled": cmdTunnelled,
			"calls":     cmdCalls,
		},
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			runScript(t, file, p, scriptTime)
		})
	}
}

// running is the emulator of a script.
type running struct {
	*emulator.Server
	client  *http.Client
	landing *running // where rows are exported to, if not here
	tunnel  *tunnelProxy
	marked  string
	counted int64 // calls to Defender at the last calls

	functions int64 // commands that had written functions at the last reword

	mu   sync.Mutex
	sent map[string]bool // queries and commands to the cluster; false for those of the script itself
}

// record takes a text that a client has sent.
func (r *running) record(endpoint, text string) {
	if endpoint == "graph" || endpoint == "xdr" || endpoint == "mde" {
		return
	}
	r.note(text, true)
}

// note remembers a text, and whether it is the program's. What was noted first counts.
func (r *running) note(text string, isOurs bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.sent == nil {
		r.sent = map[string]bool{}
	}
	if _, ok := r.sent[text]; !ok {
		r.sent[text] = isOurs
	}
}

// bothServices is an error if the program has sent what is not documented for both
// Azure Data Explorer and Microsoft Fabric.
func (r *running) bothServices() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for text, isOurs := range r.sent {
		if only := promised.OneOnly(text); isOurs && only != "" {
			return fmt.Errorf("the program has sent what is %s: %s", only, text)
		}
	}
	return nil
}

func cmdEmulator(ts *testscript.TestScript, _ bool, args []string) {
	dir, err := os.MkdirTemp(ts.MkAbs("."), "emulator") // a script may start several, one after the other
	ts.Check(err)
	f := defaultEmulator()
	f.devices, f.seed, f.quota, f.batching, f.dir = deviceRange{20, 20}, 7, "documented", 20*time.Millisecond, dir
	days := fewDays
	for _, a := range args {
		key, value, _ := strings.Cut(a, "=")
		switch key {
		case "devices":
			ts.Check(f.devices.Set(value))
		case "tenants":
			f.tenants, err = strconv.Atoi(value)
			ts.Check(err)
		case "unconsented":
			f.unconsented = append(f.unconsented, value)
		case "own-cluster":
			f.ownClusters = append(f.ownClusters, value)
		case "history":
			days, err = strconv.Atoi(value)
			ts.Check(err)
		case "quota":
			f.quota = value
		case "flavor":
			f.flavor = value
		case "storage":
			f.storageHost = value
		default:
			ts.Fatalf("emulator: unknown argument %q", a)
		}
	}
	r := startEmulator(ts, f, days, "")
	ts.Defer(func() { ts.Check(r.bothServices()) })
	s := r.Server
	emulators.put(ts, r)
	setSignIn(ts, s.Ready)
	for name, value := range map[string]string{
		"AZURE_TENANT_ID": s.Ready.TenantID, "AZURE_CLIENT_ID": s.Ready.ClientID, "AZURE_CLIENT_SECRET": s.Ready.ClientSecret,
		"AZURE_AUTHORITY_HOST": s.Ready.Authority, "GRAPH": s.Ready.Graph, "KUSTO": s.Ready.Kusto, "CONTROL": s.Ready.Control, "LAKE": s.Ready.Lake,
		"DATABASE_ID": s.Ready.DatabaseID, "ADMIN_ID": s.Ready.AdminClientID, "ADMIN_SECRET": s.Ready.AdminClientSecret,
	} {
		ts.Setenv(name, value)
	}
	text := fmt.Sprintf("defender:\n  endpoint: %s\n  share: 1\nassessment:\n  endpoint: %s\n  share: 1\nkusto:\n  cluster: %s\n  ingest: %s\n%sca_file: %s\n%s",
		s.Ready.Graph, s.Ready.MDE, s.Ready.Kusto, s.Ready.Ingest, kustoConfig(s.Ready), s.Ready.CA, tenantsConfig(s.Ready))
	ts.Check(os.WriteFile(ts.MkAbs("tvmexport.yaml"), []byte(text), 0o600))
}

// The emulators of tests know few CVEs and have few days of events at the start. A
// tenant of the documented size takes longer to make and to export, and shows the same.
const (
	fewCVEs = 1000
	fewDays = 3
)

// startEmulator starts one for the script, with days of events, of the tenant or the
// usual one.
func startEmulator(ts *testscript.TestScript, f emulatorFlags, days int, tenant string) *running {
	_, err := emulator.ParseQuota(f.quota)
	ts.Check(err)
	p := process{env: func(name string) (string, bool) { v := ts.Getenv(name); return v, v != "" }, stderr: io.Discard}
	p.flags.logLevel, p.flags.logFormat = "error", "text"
	o, err := p.emulatorOptions(f)
	ts.Check(err)
	o.TenantID, o.CVEs, o.History = tenant, fewCVEs, days
	r := &running{}
	recorded := o.Record
	o.Record = func(endpoint, text string) {
		if recorded != nil {
			recorded(endpoint, text)
		}
		r.record(endpoint, text)
	}
	s, err := emulator.Start(o.Options, emulator.Listen{})
	ts.Check(err)
	ts.Defer(func() {
		ts.Check(s.Close())
		o.close()
	})
	pem, err := os.ReadFile(s.Ready.CA)
	ts.Check(err)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	r.Server, r.client = s, &http.Client{Timeout: scriptTime, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}}
	ts.Defer(r.client.CloseIdleConnections)
	return r
}

func cmdAdvance(ts *testscript.TestScript, _ bool, args []string) {
	days, err := strconv.Atoi(args[0])
	ts.Check(err)
	for _, t := range emulators.get(ts).Tenants() {
		t.Advance(days)
	}
}

func cmdAgree(ts *testscript.TestScript, neg bool, args []string) {
	e := emulators.get(ts)
	for _, q := range args {
		truth, landed := e.ask(ts, "/truth", q), e.ask(ts, "/landed", q)
		if (truth == landed) == neg {
			ts.Fatalf("%s: the source has %+v, the destination %+v", q, truth, landed)
		}
		ts.Logf("%s: %d rows", q, truth.Rows)
		if tvmexport.CheckIdentifier("table", q) == nil && !neg {
			e.knowsRows(ts, q, landed.Rows)
		}
	}
}

// knowsRows fails if the newest commit of the table says that readers see another
// number of rows. Commits of other exporters do not say it.
func (r *running) knowsRows(ts *testscript.TestScript, table string, rows int64) {
	said := fmt.Sprintf(`ExportRuns | where Table == %q and State == "committed" | summarize arg_max(At, Detail) | where tolong(Detail.effect.tableRows) != %d | project Detail.effect`, table, rows)
	if wrong := r.ask(ts, "/landed", said); wrong.Rows > 0 {
		ts.Fatalf("%s has %d rows, and its newest commit says something else", table, rows)
	}
}

// cmdExamples runs the examples of a page, which are the paragraphs that are indented.
func cmdExamples(ts *testscript.TestScript, _ bool, args []string) {
	page, err := os.ReadFile(filepath.Join("..", "..", args[0]))
	ts.Check(err)
	e, n := emulators.get(ts), 0
	for part := range strings.SplitSeq(string(page), "\n\n") {
		if !strings.HasPrefix(part, "    ") {
			continue
		}
		n++
		ts.Logf("%d rows of\n%s", e.ask(ts, "/landed", part).Rows, part)
	}
	if n < 4 {
		ts.Fatalf("%s has %d examples", args[0], n)
	}
}

func cmdCount(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.ParseInt(args[0], 10, 64)
	ts.Check(err)
	if got := emulators.get(ts).ask(ts, "/landed", args[1]); got.Rows != want {
		ts.Fatalf("%s has %d rows, want %d", args[1], got.Rows, want)
	}
}

func (r *running) ask(ts *testscript.TestScript, path, query string) emulator.Digest {
	if path == "/landed" && r.landing != nil {
		r = r.landing
	}
	tenant := ""
	if strings.HasPrefix(query, "@") {
		tenant, query, _ = strings.Cut(query[1:], " ")
	}
	where := "&tenant=" + url.QueryEscape(tenant)
	if tenant == fleetDatabase {
		where = "&database=" + fleetDatabase
	}
	response, err := r.client.Get(r.Ready.Control + path + "?q=" + url.QueryEscape(query) + where)
	ts.Check(err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	ts.Check(err)
	if response.StatusCode != http.StatusOK {
		ts.Fatalf("%s of %q: %s: %s", path, query, response.Status, body)
	}
	var d emulator.Digest
	ts.Check(json.Unmarshal(body, &d))
	return d
}

// cmdCalls fails if there were more calls to Defender than its argument since the last
// time, or if one of them was throttled.
func cmdCalls(ts *testscript.TestScript, _ bool, args []string) {
	most, err := strconv.ParseInt(args[0], 10, 64)
	ts.Check(err)
	r := emulators.get(ts)
	s := r.Stats().Defender["graph"]
	made := s.Calls - r.counted
	r.counted = s.Calls
	ts.Logf("%d calls to Defender", made)
	if made > most || len(s.Throttles) > 0 {
		ts.Fatalf("%d calls to Defender, at most %s are expected; throttled: %v", made, args[0], s.Throttles)
	}
}

// cmdAdmin posts a management command the way curl would.
func cmdAdmin(ts *testscript.TestScript, neg bool, args []string) {
	r := emulators.get(ts)
	database, text := r.Ready.Database, args[len(args)-1]
	if len(args) == 2 {
		database = strings.TrimPrefix(args[0], "@")
	}
	if err := r.commandIn(database, text); (err == nil) == neg {
		ts.Fatalf("%s: %v", text, err)
	}
}

// command runs a management command as the database's administrator.
func (r *running) command(text string) error { return r.commandIn(r.Ready.Database, text) }

func (r *running) commandIn(database, text string) error {
	r.note(text, false)
	token, err := r.Entra().Issue(r.Ready.AdminClientID, "https://kusto.kusto.windows.net", time.Hour)
	if err != nil {
		return err
	}
	body, err := json.Marshal(map[string]string{"db": database, "csl": text})
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(context.Background(), http.MethodPost, r.Ready.Kusto+"/v1/rest/mgmt", strings.NewReader(string(body)))
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+token)
	request.Header.Set("Content-Type", "application/json; charset=utf-8")
	response, err := r.client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", response.Status, answer)
	}
	return err
}

// cmdControl posts its argument to the control API.
func cmdControl(path string) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, _ bool, args []string) {
		e := emulators.get(ts)
		response, err := e.client.Post(e.Ready.Control+path, "application/json", strings.NewReader(args[0]))
		ts.Check(err)
		defer response.Body.Close()
		if text, err := io.ReadAll(response.Body); err != nil || response.StatusCode != http.StatusOK {
			ts.Fatalf("%s %s: %s: %s %v", path, args[0], response.Status, text, err)
		}
	}
}

func cmdNoFaults(ts *testscript.TestScript, _ bool, _ []string) {
	e := emulators.get(ts)
	request, err := http.NewRequest(http.MethodDelete, e.Ready.Control+"/faults", nil)
	ts.Check(err)
	response, err := e.client.Do(request)
	ts.Check(err)
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		ts.Fatalf("DELETE /faults: %s", response.Status)
	}
}

func cmdExits(ts *testscript.TestScript, _ bool, args []string) {
	want := args[0]
	err := ts.Exec(args[1], args[2:]...)
	if errors.Is(err, context.DeadlineExceeded) {
		ts.Fatalf("%s was stopped: the script ran out of time", strings.Join(args[1:], " "))
	}
	got := "0"
	if err != nil {
		got = strings.TrimPrefix(err.Error(), "exit status ")
	}
	if got != want {
		ts.Fatalf("%s exits with %s, want %s", strings.Join(args[1:], " "), got, want)
	}
}

// registry finds the emulator of a script by the script's work folder.
type registry struct {
	mu    sync.Mutex
	byDir map[string]*running
}

var emulators = registry{byDir: map[string]*running{}}

func (r *registry) put(ts *testscript.TestScript, e *running) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.byDir[ts.Getenv("WORK")] = e
}

func (r *registry) get(ts *testscript.TestScript) *running {
	r.mu.Lock()
	defer r.mu.Unlock()
	e := r.byDir[ts.Getenv("WORK")]
	if e == nil {
		ts.Fatalf("the script has started no emulator")
	}
	return e
}
