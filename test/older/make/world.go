package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/tvmexport/tvmexport/emulator"
	"github.com/tvmexport/tvmexport/emulator/faults"
)

// config is what the exporter's configuration says in addition to the addresses.
const config = `publish: {bytes: 40000}
lag: 0s
tables:
  DeviceProcessEvents: {include: [Timestamp, DeviceId, DeviceName, ActionType, FileName, ProcessId, ReportId]}
  DeviceNetworkEvents: {include: [Timestamp, DeviceId, ActionType, RemoteIP, RemotePort, Protocol, ReportId, AdditionalFields]}
`

// world is an emulator and the programs that work against it.
type world struct {
	bin    string
	dir    string
	server *emulator.Server
	record record

	shortLeases bool

	mu       sync.Mutex
	notice   func(faults.Event)
	entries  []entry     // commands that define objects, and days
	advances []time.Time // the database's clock when days passed
}

// newWorld starts an emulator. The configuration says config in addition to the addresses.
func newWorld(bin, config string) (*world, error) {
	bin, err := filepath.Abs(bin)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "tvmexport-make-*")
	if err != nil {
		return nil, err
	}
	began := time.Now().UTC().Truncate(time.Second)
	w := &world{bin: bin, dir: dir, record: record{
		Devices: 4, CVEs: 2000, History: 1, Seed: 32, ChangeRate: 1, Started: began, Config: config,
		Source: map[string]emulator.Digest{}, Stored: map[string]emulator.Digest{}, Queries: map[string]emulator.Digest{}, Printed: map[string][]json.RawMessage{},
	}}
	var started bool
	quota := emulator.NoQuota()
	w.server, err = emulator.Start(emulator.Options{
		Devices: w.record.Devices, CVEs: w.record.CVEs, History: w.record.History, Seed: w.record.Seed, ChangeRate: w.record.ChangeRate,
		Quota: &quota, Batching: 100 * time.Millisecond, Dir: dir, Record: w.define,
		Now: func() time.Time {
			w.mu.Lock()
			defer w.mu.Unlock()
			if !started {
				return began
			}
			return time.Now()
		},
	}, emulator.Listen{})
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	w.mu.Lock()
	started = true
	w.mu.Unlock()
	w.server.Faults().Observe(func(e faults.Event) {
		w.mu.Lock()
		f := w.notice
		w.mu.Unlock()
		if f != nil {
			f(e)
		}
	})
	at := w.server.Ready
	text := fmt.Sprintf("defender: {endpoint: %q, share: 1, calls_per_minute: 1000000, calls_per_hour: 1000000}\nkusto: {cluster: %q, ingest: %q, database: %q}\nca_file: %q\n",
		at.Graph, at.Kusto, at.Ingest, at.Database, at.CA) + config
	return w, os.WriteFile(filepath.Join(dir, "tvmexport.yaml"), []byte(text), 0o600)
}

func (w *world) close() { _ = errors.Join(w.server.Close(), os.RemoveAll(w.dir)) } // everything is written

// define keeps the commands by which the program makes and changes objects.
func (w *world) define(endpoint, text string) {
	for _, verb := range []string{".create", ".alter", ".execute"} {
		if endpoint == "kusto-mgmt" && strings.HasPrefix(strings.TrimSpace(text), verb) {
			w.mu.Lock()
			w.entries = append(w.entries, entry{At: time.Now().UTC(), Command: text})
			w.mu.Unlock()
		}
	}
}

// advance lets a day pass.
func (w *world) advance() {
	w.mu.Lock()
	w.entries = append(w.entries, entry{At: time.Now().UTC(), Advance: 1})
	w.mu.Unlock()
	w.advances = append(w.advances, w.server.Tenant().Now())
	w.server.Tenant().Advance(1)
}

// wall is the emulator's clock at a time of the database's clock, which is ahead of it by the days that have passed.
func (w *world) wall(at time.Time) time.Time {
	days := 0
	for _, a := range w.advances {
		if a.Before(at) {
			days++
		}
	}
	return at.Add(-time.Duration(days) * 24 * time.Hour)
}

// start starts the program. Its leases are short while shortLeases is set.
func (w *world) start(args ...string) (c *exec.Cmd, out, log *bytes.Buffer, err error) {
	out, log = &bytes.Buffer{}, &bytes.Buffer{}
	at := w.server.Ready
	c = exec.Command(w.bin, args...)
	c.Dir, c.Stdout, c.Stderr = w.dir, out, log
	c.Env = append(os.Environ(), "AZURE_TENANT_ID="+at.TenantID, "AZURE_CLIENT_ID="+at.ClientID, "AZURE_CLIENT_SECRET="+at.ClientSecret, "AZURE_AUTHORITY_HOST="+at.Authority)
	if w.shortLeases {
		c.Env = append(c.Env, "TVMEXPORT_LEASE="+term.String())
	}
	return c, out, log, c.Start()
}

// term is a short lease.
const term = time.Second

// exits runs the program to its end, which must have an exit code.
func (w *world) exits(code int, args ...string) (string, error) {
	c, out, log, err := w.start(args...)
	if err != nil {
		return "", err
	}
	if err := c.Wait(); c.ProcessState.ExitCode() != code {
		return "", fmt.Errorf("%v ends with %v, want exit code %d: %s%s", args, err, code, log, out)
	}
	return out.String(), nil
}

// moment is a request of the program.
type moment struct {
	at    faults.Endpoint
	has   []string // all of these in its text
	nth   int      // which of them, from 1
	after bool     // when it has been executed; else before
}

// killed runs the program for one table, and kills it at a moment.
func (w *world) killed(table string, m moment) error {
	victim := make(chan *exec.Cmd, 1)
	var once sync.Once
	var hit atomic.Bool
	w.watch(func(e faults.Event) {
		if e.Endpoint != m.at || e.Done != m.after || !hasAll(e.Text, m.has) {
			return
		}
		w.mu.Lock()
		m.nth--
		now := m.nth <= 0
		w.mu.Unlock()
		if !now {
			return
		}
		once.Do(func() {
			c := <-victim
			hit.Store(true)
			_ = syscall.Kill(c.Process.Pid, syscall.SIGKILL) // it waits for this request
		})
		if !m.after {
			panic(http.ErrAbortHandler) // the request is not executed
		}
	})
	defer w.watch(nil)
	c, out, log, err := w.start("run", "--json", "--table", table)
	if err != nil {
		return err
	}
	victim <- c
	if err := c.Wait(); err == nil || !hit.Load() {
		return fmt.Errorf("the run of %s was not killed (%v): %s%s", table, err, log, out)
	}
	return nil
}

func hasAll(text string, parts []string) bool {
	for _, p := range parts {
		if !strings.Contains(text, p) {
			return false
		}
	}
	return true
}

func (w *world) watch(f func(faults.Event)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.notice = f
}

// admin executes a command as the database's administrator.
func (w *world) admin(ctx context.Context, command string) error {
	if _, err := w.server.Command(ctx, "", command); err != nil {
		return fmt.Errorf("%.200s: %w", command, err)
	}
	return nil
}
