package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/tvmexport/tvmexport/emulator"
	"github.com/tvmexport/tvmexport/emulator/faults"
	"github.com/tvmexport/tvmexport/test/reliability/check"
	"github.com/tvmexport/tvmexport/test/reliability/past"
)

// The tables, one or more of each load type.
var tables = []check.Table{
	{Name: "DeviceTvmSoftwareInventory"},
	{Name: "DeviceTvmHardwareFirmware"},
	{Name: "DeviceTvmCertificateInfo"},
	{Name: "DeviceProcessEvents", Events: true},
	{Name: "DeviceNetworkEvents", Events: true},
}

// term is how long the lease of a killed exporter lives.
const term = time.Second

// world is an emulator and the exporters that work against it.
type world struct {
	options
	dice   *rand.Rand
	server *emulator.Server
	dir    string
	book   *past.Book // what the source held at commits of Snapshots

	mu     sync.Mutex
	notice func(faults.Event) // told of what exporters ask for
}

func newWorld(o options, seed uint64) (*world, error) {
	dir, err := os.MkdirTemp("", "tvmexport-crash-*")
	if err != nil {
		return nil, err
	}
	quota := emulator.NoQuota()
	w := &world{options: o, dice: rand.New(rand.NewPCG(seed, 0)), dir: dir}
	w.server, err = emulator.Start(emulator.Options{Devices: o.devices, Seed: seed, Quota: &quota, Batching: 100 * time.Millisecond, Dir: dir, Eventhouse: o.flavor == "eventhouse"}, emulator.Listen{})
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	w.book = past.NewBook(w.server, snapshots...)
	w.server.Faults().Observe(func(e faults.Event) {
		w.mu.Lock()
		f := w.notice
		w.mu.Unlock()
		if f != nil {
			f(e)
		}
	})
	at := w.server.Ready
	text := fmt.Sprintf("defender: {endpoint: %q, share: 1, calls_per_minute: 1000000, calls_per_hour: 1000000}\nkusto: {cluster: %q, ingest: %q, database: %q}\nca_file: %q\nlag: 0s\n",
		at.Graph, at.Kusto, at.Ingest, at.Database, at.CA)
	if err := os.WriteFile(filepath.Join(dir, "tvmexport.yaml"), []byte(text), 0o600); err != nil {
		return nil, errors.Join(err, w.close())
	}
	args := []string{"init"}
	for _, t := range tables {
		args = append(args, "--table", t.Name)
	}
	if p, err := w.start(args...); err != nil {
		return nil, errors.Join(err, w.close())
	} else if code := p.wait(); code != 0 {
		return nil, errors.Join(fmt.Errorf("init exits with %d: %s", code, &p.log), w.close())
	}
	err = w.admin(`.set-or-append MigrationConfiguration <| MigrationConfiguration | where SourceTable == "DeviceNetworkEvents" | take 1 | extend LoadType = "Full"`)
	if err != nil {
		return nil, errors.Join(err, w.close())
	}
	return w, nil
}

func (w *world) close() error { return errors.Join(w.server.Close(), os.RemoveAll(w.dir)) }

// watch tells f of each request from now on; nil nobody.
func (w *world) watch(f func(faults.Event)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.notice = f
}

// exporter is a running process.
type exporter struct {
	cmd  *exec.Cmd
	out  bytes.Buffer
	log  bytes.Buffer
	done chan struct{} // closed when it has ended
}

// any is the program under test or, one time in three, the older one.
func (w *world) any() (bin, mark string) {
	if w.old != "" && w.dice.IntN(3) == 0 {
		return w.old, " (older)"
	}
	return w.bin, ""
}

// start runs the program under test in an empty folder, as on another machine.
func (w *world) start(args ...string) (*exporter, error) { return w.startProgram(w.bin, args...) }

func (w *world) startProgram(bin string, args ...string) (*exporter, error) {
	home, err := os.MkdirTemp(w.dir, "run-*")
	if err != nil {
		return nil, err
	}
	at := w.server.Ready
	p := &exporter{cmd: exec.Command(bin, append([]string{"--config", filepath.Join(w.dir, "tvmexport.yaml")}, args...)...), done: make(chan struct{})}
	if abs, err := filepath.Abs(bin); err == nil {
		p.cmd.Path = abs
	}
	p.cmd.Dir = home
	p.cmd.Env = append(os.Environ(),
		"AZURE_TENANT_ID="+at.TenantID, "AZURE_CLIENT_ID="+at.ClientID, "AZURE_CLIENT_SECRET="+at.ClientSecret, "AZURE_AUTHORITY_HOST="+at.Authority,
		"TVMEXPORT_LEASE="+term.String(), "TVMEXPORT_PUBLISH_BYTES=200000")
	p.cmd.Stdout, p.cmd.Stderr = &p.out, &p.log
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		_ = p.cmd.Wait() // how it ended is in its state
		close(p.done)
	}()
	return p, nil
}

// wait is the exit code; 128 and the number where a signal ended it.
func (p *exporter) wait() int {
	<-p.done
	status, ok := p.cmd.ProcessState.Sys().(syscall.WaitStatus)
	if ok && status.Signaled() {
		return 128 + int(status.Signal())
	}
	return p.cmd.ProcessState.ExitCode()
}

func (p *exporter) signal(s syscall.Signal) { _ = p.cmd.Process.Signal(s) } // it may have ended

// ended says whether it ends within d.
func (p *exporter) ended(d time.Duration) bool {
	select {
	case <-p.done:
		return true
	case <-time.After(d):
		return false
	}
}

// resumed adds up the rows that a run says it took over.
func (p *exporter) resumed() int64 {
	var n int64
	for line := range strings.Lines(p.out.String()) {
		var l struct{ Resumed int64 }
		if json.Unmarshal([]byte(line), &l) == nil {
			n += l.Resumed
		}
	}
	return n
}

// admin sends a management command as the database's administrator.
func (w *world) admin(command string) error {
	at := w.server.Ready
	token, err := w.server.Entra().Issue(at.AdminClientID, "https://kusto.kusto.windows.net", time.Hour)
	if err != nil {
		return err
	}
	body, err := json.Marshal(map[string]string{"db": at.Database, "csl": command})
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(context.Background(), http.MethodPost, at.Kusto+"/v1/rest/mgmt", bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+token)
	request.Header.Set("Content-Type", "application/json; charset=utf-8")
	answer, err := (&http.Client{Transport: w.transport()}).Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", command, answer.Status)
	}
	return nil
}

// transport reaches the emulator's cluster without the network.
func (w *world) transport() http.RoundTripper { return w.server.Local() }
