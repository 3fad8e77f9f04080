//go:build !noemulator

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tvmexport/tvmexport/emulator"
	"github.com/tvmexport/tvmexport/internal/config"
	"github.com/tvmexport/tvmexport/internal/metrics"
	"github.com/tvmexport/tvmexport/internal/serve/statuspage"
)

// fleetOf starts an emulator with tenants that are initialised, and writes a configuration
// whose tenants are the files of a folder.
func fleetOf(t *testing.T, tenants int) (e *emulator.Server, p process, config, folder string) {
	t.Helper()
	f := defaultEmulator()
	f.tenants, f.devices, f.seed, f.quota, f.batching, f.dir = tenants, deviceRange{5, 5}, 7, "off", 50*time.Millisecond, t.TempDir()
	p = process{stdout: io.Discard, stderr: io.Discard, env: os.LookupEnv}
	p.flags.logFormat, p.flags.logLevel = "text", "info"
	o, err := p.emulatorOptions(f)
	if err != nil {
		t.Fatal(err)
	}
	o.CVEs, o.History = fewCVEs, fewDays
	if e, err = emulator.Start(o.Options, emulator.Listen{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
		o.close()
	})
	p.env = emulated(e.Ready, os.LookupEnv)
	folder = filepath.Join(t.TempDir(), "tenants")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	config = filepath.Join(filepath.Dir(folder), "tvmexport.yaml")
	text := fmt.Sprintf("defender: {endpoint: %q, share: 1, calls_per_minute: 1000}\nkusto: {cluster: %q, ingest: %q, auth: {tenant_id: %q}}\nauth: {authority: %q}\nca_file: %q\n"+
		"schedule: '@daily'\ntenants_dir: %q\n", e.Ready.Graph, e.Ready.Kusto, e.Ready.Ingest, e.Ready.TenantID, e.Ready.Authority, e.Ready.CA, folder)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, r := range e.Ready.Tenants {
		writeTenant(t, folder, r, "")
	}
	p.args = []string{"init", "--all-tenants", "--table", served1, "--config", config}
	if code := p.run(t.Context()); code != 0 {
		t.Fatalf("init exits with %d", code)
	}
	return e, p, config, folder
}

func writeTenant(t *testing.T, folder string, r emulator.ReadyTenant, more string) {
	t.Helper()
	text := fmt.Sprintf("auth: {tenant_id: %q}\nkusto: {database: %q}\n%s", r.TenantID, r.Database, more)
	if err := os.WriteFile(filepath.Join(folder, r.Name+".yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func hangUp(t *testing.T) {
	t.Helper()
	if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
}

// One process exports several tenants. They come, change and go with their files, and what is
// wrong with one is on its line.
func TestServeFleet(t *testing.T) {
	t.Parallel()
	e, p, config, folder := fleetOf(t, 3)
	third := filepath.Join(folder, "t3.yaml")
	if err := os.Rename(third, third+".later"); err != nil {
		t.Fatal(err)
	}
	s := startServe(t, e, p, config, func(p *process, ctx context.Context, f serveFlags) error { return serveFleet(ctx, p, f) })
	committed := func(tenant string) string {
		return fmt.Sprintf(`tvmexport_runs_total{database="security-%s",outcome="committed",table="%s",tenant="%s",tenant_id=`, tenant, served1, tenant)
	}
	all := func(path, want string) {
		t.Helper()
		deadline := time.Now().Add(60 * time.Second)
		for ; ; time.Sleep(30 * time.Millisecond) {
			_, body := s.get(path)
			if strings.Contains(body, want) {
				return
			}
			if time.Now().After(deadline) {
				t.Fatalf("%s never holds %s\n%s\n%s", path, want, body, s.stderr)
			}
		}
	}
	all("/metrics", committed("t1"))
	all("/metrics", committed("t2"))
	all("/metrics", `tvmexport_fleet_tenants{state="fresh"} 2`)
	for path, want := range map[string]int{"/": 200, "/healthz": 200, "/readyz": 200, "/tenants/t1": 200, "/tenants/t1/tables/" + served1: 200, "/tenants/t3": 404, "/tables/" + served1: 404} {
		if code, _ := s.get(path); code != want {
			t.Errorf("%s answers %d, want %d", path, code, want)
		}
	}
	// The record of a run is read from the ledger of its tenant.
	_, table := s.get("/tenants/t2/tables/" + served1)
	_, id, _ := strings.Cut(table, "/runs/")
	id, _, _ = strings.Cut(id, `"`)
	if _, record := s.get("/tenants/t2/tables/" + served1 + "/runs/" + id); !strings.Contains(record, "Partitions (") {
		t.Errorf("the record of %q is\n%s", id, record)
	}

	// t3 comes, t2 cannot be read any more and stays as it was, t1 goes.
	if err := os.Rename(third+".later", third); err != nil {
		t.Fatal(err)
	}
	writeTenant(t, folder, e.Ready.Tenants[1], "shedule: '@hourly'\n")
	if err := os.Remove(filepath.Join(folder, "t1.yaml")); err != nil {
		t.Fatal(err)
	}
	hangUp(t)
	all("/metrics", committed("t3"))
	all("/metrics", `tvmexport_fleet_tenants{state="unreadable"} 1`)
	if code, _ := s.get("/tenants/t1"); code != 404 {
		t.Errorf("the page of a tenant that is gone answers %d", code)
	}
	if _, body := s.get("/metrics"); strings.Contains(body, `tenant="t1"`) {
		t.Error("a tenant that is gone has metrics")
	}
	if _, body := s.get("/tenants/t2"); !strings.Contains(body, "shedule") {
		t.Errorf("the page of t2 does not say what is wrong:\n%s", body)
	}
	reloaded := func(n int) string {
		return fmt.Sprintf(`tvmexport_config_last_reload_successful{database="security-t2",tenant="t2",tenant_id=%q} %d`, e.Ready.Tenants[1].TenantID, n)
	}
	all("/metrics", reloaded(0))
	all("/metrics", fmt.Sprintf(`tvmexport_tenant_up{database="security-t2",tenant="t2",tenant_id=%q} 1`, e.Ready.Tenants[1].TenantID))
	// Its file is as it was before; then it has another schedule. The database of another tenant is missing.
	writeTenant(t, folder, e.Ready.Tenants[1], "")
	down := fmt.Sprintf("auth: {tenant_id: %q}\nkusto: {database: nowhere}\n", e.Ready.Tenants[0].TenantID)
	if err := os.WriteFile(filepath.Join(folder, "down.yaml"), []byte(down), 0o600); err != nil {
		t.Fatal(err)
	}
	hangUp(t)
	all("/metrics", `tvmexport_fleet_tenants{state="unreadable"} 0`)
	all("/metrics", reloaded(1))
	all("/metrics", fmt.Sprintf(`tvmexport_tenant_up{database="nowhere",tenant="down",tenant_id=%q} 0`, e.Ready.Tenants[0].TenantID))
	if _, body := s.get("/tenants/down"); !strings.Contains(body, "down: The ledger cannot be read") {
		t.Errorf("the page of a tenant without a database is\n%s", body)
	}
	writeTenant(t, folder, e.Ready.Tenants[1], "schedule: '@every 1s'\n")
	hangUp(t)
	all("/metrics", `tvmexport_fleet_tenants{state="unreadable"} 0`)
	all("/metrics", committed("t2")+fmt.Sprintf("%q} 3", e.Ready.Tenants[1].TenantID))

	if err := s.stop(); err == nil || !strings.Contains(err.Error(), "stopped by terminated") {
		t.Errorf("serve ends with %v", err)
	}
	log := s.stderr.String()
	for _, want := range []string{`msg=exported tenant=t1`, `msg="the tenant is not exported any more" tenant=t1`, `msg="the settings of a tenant cannot be used" tenant=t2`} {
		if !strings.Contains(log, want) {
			t.Errorf("the log lacks %s\n%s", want, log)
		}
	}
	for _, secret := range []string{e.Ready.ClientSecret, "sig=", "Bearer ey"} {
		if strings.Contains(log, secret) {
			t.Errorf("the log holds %q", secret)
		}
	}
}

// A folder without files is a fleet without tenants: it waits for the first one.
func TestServeFleetWithoutTenants(t *testing.T) {
	t.Parallel()
	e, p, config, folder := fleetOf(t, 2)
	for _, name := range []string{"t1", "t2"} {
		if err := os.Remove(filepath.Join(folder, name+".yaml")); err != nil {
			t.Fatal(err)
		}
	}
	s := startServe(t, e, p, config, func(p *process, ctx context.Context, f serveFlags) error { return serveFleet(ctx, p, f) })
	for deadline := time.Now().Add(60 * time.Second); ; time.Sleep(30 * time.Millisecond) { // the folder is read after the start
		code, body := s.get("/readyz")
		if code == 200 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("/readyz answers %d: %s", code, body)
		}
	}
	writeTenant(t, folder, e.Ready.Tenants[0], "")
	hangUp(t)
	s.until("/metrics", `tvmexport_fleet_tenants{state="fresh"} 1`)
}

// While a tenant ends, which can take as long as its last export, probes are answered, and
// a tenant that notices a change of the clock can end.
func TestServeFleetWaitsForNoEndingTenant(t *testing.T) {
	f := &fleetService{log: slog.New(slog.DiscardHandler), metrics: metrics.NewFleet("v1", prometheus.NewRegistry())}
	f.mu.Lock() // as adopt and end do while they wait
	defer f.mu.Unlock()
	done := make(chan error, 1)
	go func() {
		f.jumped(time.Hour)
		done <- f.ready()
	}()
	select {
	case err := <-done:
		if !errors.Is(err, errStarting) {
			t.Errorf("before the first tenants have come, readiness is %v", err)
		}
	case <-time.After(30 * time.Second):
		t.Fatal("a probe, or a tenant that ends, waits")
	}
}

// A tenant that ends does not hold up the others, and nobody works for its database or its name before
// it has ended. The program waits for it.
func TestServeFleetGoesOnWhileATenantEnds(t *testing.T) {
	f := &fleetService{
		log: slog.New(slog.DiscardHandler), metrics: metrics.NewFleet("v1", prometheus.NewRegistry()), page: statuspage.NewFleet(statuspage.FleetSetup{}),
		tenants: map[string]*servedTenant{}, ending: map[*servedTenant]struct{}{},
	}
	member := func(name, tenant, database string) config.Member {
		m := config.Member{Name: name}
		m.Config.Auth.TenantID, m.Config.Kusto.Cluster, m.Config.Kusto.Database = tenant, "https://adx.example", database
		return m
	}
	stopped := false
	old := &servedTenant{member: member("old", "id-1", "tvm-1"), service: &service{}, stop: func() { stopped = true }, done: make(chan struct{})}
	f.tenants["old"] = old
	f.page.Board("old", statuspage.Setup{}, statuspage.Reader{})
	f.adopt(t.Context(), nil) // does not wait
	if !stopped || len(f.tenants) != 0 {
		t.Errorf("stopped: %t; %d tenants are left", stopped, len(f.tenants))
	}
	for _, tt := range []struct {
		m     config.Member
		waits bool
	}{
		{member("old", "id-2", "tvm-2"), true},
		{member("new", "id-1", "tvm-2"), true},
		{member("new", "id-2", "TVM-1"), true},
		{member("new", "id-2", "tvm-2"), false},
	} {
		f.mu.Lock()
		got := f.endingBefore(tt.m)
		f.mu.Unlock()
		if (len(got) > 0) != tt.waits {
			t.Errorf("%s of %s in %s waits for %d tenants", tt.m.Name, tt.m.Config.Auth.TenantID, tt.m.Config.Kusto.Database, len(got))
		}
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		f.end()
	}()
	f.mu.Lock()
	if _, ok := f.ending[old]; !ok {
		t.Error("a tenant that has not ended is forgotten")
	}
	f.mu.Unlock()
	close(old.done)
	<-ended
	if len(f.ending) != 0 {
		t.Errorf("%d tenants are still ending", len(f.ending))
	}
}
