//go:build !noemulator

package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/tvmexport/tvmexport/emulator"
	"github.com/tvmexport/tvmexport/emulator/faults"
)

// served is a serve that runs in this process, against an emulator.
type served struct {
	*testing.T
	emulator *emulator.Server
	config   string // file
	url      string
	stderr   *lockedBuffer
	stop     func() error // as by a signal; returns what serve ends with
	client   *http.Client
}

// lockedBuffer is a log that can be read while it is written.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// startedEmulator starts an emulator without a quota.
func startedEmulator(t *testing.T, devices int) *emulator.Server {
	t.Helper()
	f := defaultEmulator()
	f.devices, f.seed, f.quota, f.batching, f.dir = deviceRange{devices, devices}, 7, "off", 50*time.Millisecond, t.TempDir()
	var p process
	p.env, p.stderr = os.LookupEnv, io.Discard
	p.flags.logLevel, p.flags.logFormat = "error", "text"
	o, err := p.emulatorOptions(f)
	if err != nil {
		t.Fatal(err)
	}
	o.CVEs, o.History = fewCVEs, fewDays
	e, err := emulator.Start(o.Options, emulator.Listen{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
		o.close()
	})
	return e
}

// newEmulator starts an emulator and prepares its database for the tables.
func newEmulator(t *testing.T, devices int, tables ...string) (*emulator.Server, process) {
	t.Helper()
	e := startedEmulator(t, devices)
	p := process{stdout: io.Discard, stderr: io.Discard, env: emulated(e.Ready, os.LookupEnv)}
	p.flags.logFormat, p.flags.logLevel = "text", "info"
	x, err := p.open(t.Context(), demoConfig(e.Ready))
	if err != nil {
		t.Fatal(err)
	}
	defer x.Destination.Close()
	args := []string{"init"}
	for _, table := range tables {
		args = append(args, "--table", table)
	}
	p.args, p.flags.config = args, ""
	file := writeConfig(t, e, "")
	p.args = append(p.args, "--config", file)
	if code := p.run(t.Context()); code != 0 {
		t.Fatalf("init exits with %d", code)
	}
	return e, p
}

// writeConfig writes a configuration for the emulator, with more lines behind it.
func writeConfig(t *testing.T, e *emulator.Server, more string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "tvmexport.yaml")
	text := fmt.Sprintf("defender: {endpoint: %q, share: 1, calls_per_minute: 1000}\nkusto: {cluster: %q, ingest: %q, database: %q}\nauth: {authority: %q}\nca_file: %q\n%s",
		e.Ready.Graph, e.Ready.Kusto, e.Ready.Ingest, e.Ready.Database, e.Ready.Authority, e.Ready.CA, more)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// serveOn starts serve with a configuration.
func serveOn(t *testing.T, e *emulator.Server, p process, config string) *served {
	t.Helper()
	return startServe(t, e, p, config, (*process).serve)
}

// startServe starts serve for one tenant or for a fleet.
func startServe(t *testing.T, e *emulator.Server, p process, config string, serve func(*process, context.Context, serveFlags) error) *served {
	t.Helper()
	s := &served{T: t, emulator: e, config: config, stderr: &lockedBuffer{}, client: &http.Client{Transport: &http.Transport{}}}
	t.Cleanup(s.client.CloseIdleConnections)
	out, in := io.Pipe()
	p.stdout, p.stderr, p.flags.config = in, s.stderr, config
	ctx, cancel := context.WithCancelCause(t.Context())
	ended := make(chan error, 1)
	go func() {
		err := serve(&p, ctx, serveFlags{listen: "127.0.0.1:0", maxWait: time.Minute})
		_ = in.Close()
		ended <- err
	}()
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("serve ends with %v\n%s", <-ended, s.stderr)
	}
	s.url = strings.TrimSpace(strings.TrimPrefix(line, "status page: "))
	s.stop = sync.OnceValue(func() error {
		cancel(&signalled{syscall.SIGTERM})
		return <-ended
	})
	t.Cleanup(func() { _ = s.stop() })
	return s
}

func (s *served) get(path string) (int, string) {
	s.Helper()
	r, err := s.client.Get(strings.TrimSuffix(s.url, "/") + path)
	if err != nil {
		s.Fatal(err)
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		s.Fatal(err)
	}
	return r.StatusCode, string(body)
}

// until polls until a page holds a text: what it waits for takes its time.
func (s *served) until(path, want string) string {
	s.Helper()
	for deadline := time.Now().Add(60 * time.Second); ; time.Sleep(30 * time.Millisecond) {
		_, body := s.get(path)
		if path == "/metrics" {
			body = withoutConstantLabels(body)
		}
		if strings.Contains(body, want) {
			return body
		}
		if time.Now().After(deadline) {
			s.Fatalf("%s never holds %q; at last:\n%s\n%s", path, want, body, s.stderr)
		}
	}
}

// constantLabels are those that all series of an exporter have; internal/metrics tests them.
var constantLabels = regexp.MustCompile(`(?:database|tenant)="[^"]*",?`)

func withoutConstantLabels(page string) string {
	return strings.NewReplacer(",}", "}", "{}", "").Replace(constantLabels.ReplaceAllString(page, ""))
}

const served1, served2 = "DeviceTvmSoftwareInventory", "DeviceTvmHardwareFirmware"

// An export at the start, a configuration that is broken and then fixed, and
// an end by a signal.
func TestServe(t *testing.T) {
	t.Parallel()
	e, p := newEmulator(t, 10, served1, served2)
	s := serveOn(t, e, p, writeConfig(t, e, "schedule: '@daily'\nserve: {schedules: {"+served2+": 'off'}}\n"))
	s.until("/metrics", `tvmexport_runs_total{outcome="committed",table="`+served1+`"} 1`)
	page := s.until("/", "No problems")
	for _, want := range []string{served1, served2, "not scheduled", e.Ready.TenantID, "fresh", "never"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	for path, want := range map[string]int{"/healthz": 200, "/readyz": 200, "/tables/" + served1: 200, "/nothing": 404} {
		if code, _ := s.get(path); code != want {
			t.Errorf("%s answers %d, want %d", path, code, want)
		}
	}
	// The record of the run, as the ledger has it.
	_, table := s.get("/tables/" + served1)
	_, id, _ := strings.Cut(table, "/runs/")
	id, _, _ = strings.Cut(id, `"`)
	if _, record := s.get("/tables/" + served1 + "/runs/" + id); !strings.Contains(record, "Partitions (") || !strings.Contains(record, "committed") {
		t.Errorf("the record of %s is\n%s", id, record)
	}

	good, err := os.ReadFile(s.config)
	if err != nil {
		t.Fatal(err)
	}
	rewrite := func(text string) {
		t.Helper()
		if err := os.WriteFile(s.config, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
	}
	rewrite(string(good) + "shedule: '@hourly'\n")
	s.until("/metrics", "tvmexport_config_last_reload_successful 0")
	s.until("/", "unknown key &#34;shedule&#34;; did you mean")
	rewrite(strings.Replace(string(good), "'off'", "'@every 1s'", 1))
	s.until("/metrics", "tvmexport_config_last_reload_successful 1")
	s.until("/metrics", `tvmexport_runs_total{outcome="committed",table="`+served2+`"} 2`)

	if err := s.stop(); err == nil || !strings.Contains(err.Error(), "stopped by terminated") {
		t.Errorf("serve ends with %v", err)
	}
	for _, secret := range []string{e.Ready.ClientSecret, "sig=", "Bearer ey"} {
		if strings.Contains(s.stderr.String(), secret) {
			t.Errorf("the log holds %q", secret)
		}
	}

	// After a downtime missed schedules are reported, and one run catches up.
	s = serveOn(t, e, p, writeConfig(t, e, "schedule: '@every 1s'\nserve: {schedules: {"+served2+": 'off'}}\n"))
	s.until("/metrics", `tvmexport_schedules_missed_total{reason="down",table="`+served1+`"} `)
	s.until("/metrics", `tvmexport_runs_total{outcome="committed",table="`+served1+`"} 1`)
	s.until("/", "tvmexport serve was not running; caught up by one run")
}

// Problems are on the page, with their fix.
func TestServeShowsErrors(t *testing.T) {
	t.Parallel()
	e, p := newEmulator(t, 10, served1)
	if _, err := e.Faults().Add(faults.Rule{Endpoint: faults.Graph, Status: 403}); err != nil {
		t.Fatal(err)
	}
	s := serveOn(t, e, p, writeConfig(t, e, "schedule: '@daily'\n"))
	s.until("/metrics", `tvmexport_runs_total{outcome="failed",table="`+served1+`"} 1`)
	if page := s.until("/", "1 table failed in the last run"); !strings.Contains(page, "To fix it:") {
		t.Errorf("the page shows no fix:\n%s", page)
	}
}

// An export whose sign-in to Defender fails has failed with each of its tables,
// whether the run began without a source or did not begin.
func TestServeCountsTablesThatCouldNotSignIn(t *testing.T) {
	t.Parallel()
	for name, rule := range map[string]faults.Rule{
		"refused":     {Endpoint: faults.Token, Match: "graph", Status: 401, Body: `{"error":"invalid_client","error_description":"AADSTS7000222: the secret is expired"}`},
		"out of work": {Endpoint: faults.Token, Match: "graph", Status: 400, Body: `{"error":"temporarily_unavailable"}`},
	} {
		t.Run(name, func(t *testing.T) {
			e, p := newEmulator(t, 5, served1, served2)
			if _, err := e.Faults().Add(rule); err != nil {
				t.Fatal(err)
			}
			s := serveOn(t, e, p, writeConfig(t, e, "schedule: '@daily'\n"))
			s.until("/metrics", `tvmexport_runs_total{outcome="failed",table="`+served2+`"} 1`)
			s.until("/", "2 tables failed")
			s.waitFor("msg=exported")
			if log := s.stderr.String(); !strings.Contains(log, "tables=2 failed=2") {
				t.Errorf("the log does not say that two tables failed:\n%s", log)
			}
		})
	}
}

// waitFor polls until the log holds a text.
func (s *served) waitFor(want string) {
	s.Helper()
	for deadline := time.Now().Add(60 * time.Second); !strings.Contains(s.stderr.String(), want); time.Sleep(30 * time.Millisecond) {
		if time.Now().After(deadline) {
			s.Fatalf("the log never holds %q:\n%s", want, s.stderr)
		}
	}
}
