package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/tvmexport/tvmexport/fleet/temporal"
	"github.com/tvmexport/tvmexport/fleet/temporal/versions"
)

// cli names a variable with the file of Temporal's command line, whose server this test
// starts; make temporal-server sets it.
const cli = "TVMEXPORT_TEMPORAL_CLI"

// A real server keeps schedules, limits and versions as they were written.
func TestApplyOnAServer(t *testing.T) {
	path := os.Getenv(cli)
	if path == "" {
		t.Skipf("%s does not name Temporal's command line; make temporal-server does", cli)
	}
	server, err := testsuite.StartDevServer(t.Context(), testsuite.DevServerOptions{ExistingPath: path, LogLevel: "error", ExtraArgs: []string{
		"--dynamic-config-value", "matching.enableFairness=true",
		"--dynamic-config-value", "matching.numTaskqueueReadPartitions=1", "--dynamic-config-value", "matching.numTaskqueueWritePartitions=1",
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	}()
	// A worker of this build, whose export takes as long as its schedule says nothing.
	w := worker.New(server.Client(), temporal.Queue, worker.Options{DeploymentOptions: worker.DeploymentOptions{
		UseVersioning: true, Version: versions.Of(buildOf()), DefaultVersioningBehavior: workflow.VersioningBehaviorPinned,
	}})
	w.RegisterWorkflowWithOptions(func(_ workflow.Context, o temporal.Order) (temporal.Outcome, error) {
		return temporal.Outcome{Tenant: o.Tenant, Tables: []temporal.TableOutcome{{Table: "T", Cause: "quota", Error: "no quota"}}}, nil
	}, workflow.RegisterOptions{Name: temporal.WorkflowName})
	if err := w.Start(); err != nil {
		t.Fatal(err)
	}
	defer w.Stop()

	command := func(text string, args ...string) (int, string) {
		t.Helper()
		file := filepath.Join(t.TempDir(), "c.yaml")
		text = strings.Replace(text, "fleet: {", fmt.Sprintf("fleet: {temporal: {address: '%s'}, ", server.FrontendHostPort()), 1)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		p := &process{args: append(args, "--config", file, "--log-level", "error"), stdin: strings.NewReader(""), stdout: &out, stderr: &out, env: os.LookupEnv, connect: dial}
		code := p.run(t.Context())
		return code, out.String()
	}
	within := func(what string, try func() (bool, string)) {
		t.Helper()
		last := ""
		for range 150 { // of a server, whose lists are behind
			ok := false
			if ok, last = try(); ok {
				return
			}
			time.Sleep(200 * time.Millisecond)
		}
		t.Fatalf("%s: %s", what, last)
	}
	three := strings.Replace(two, "@hourly", "@every 1s", 1) + "  c: {auth: {tenant_id: 11111111-2222-3333-4444-555555555553}, kusto: {database: c}, schedule: 'CRON_TZ=Europe/Berlin 30 6 1,15 * mon', defender: {share: 0.25}}\n"
	within("the version of the worker", func() (bool, string) {
		_, out := command(three, "apply", "--dry-run")
		return strings.Contains(out, "version that begins new runs: none → "+buildOf()), out
	})
	if code, out := command(three, "apply", "--yes"); code != 0 || !strings.Contains(out, "6 changes made") {
		t.Fatalf("exit code %d: %s", code, out)
	}
	if code, out := command(three, "apply", "--yes"); code != 0 || out != "nothing to change: 3 schedules\n" {
		t.Errorf("what was written is not what is read; exit code %d: %s", code, out)
	}
	within("a run of b", func() (bool, string) {
		_, out := command(three, "status", "--tenant", "b", "--json", "--wait", "1ms")
		return strings.Contains(out, `"lastRun":"failed"`) && strings.Contains(out, `"next":"20`), out
	})
	gone := two[:strings.Index(two, "  b:")]
	within("the schedules of b and c pause", func() (bool, string) {
		code, out := command(gone, "apply", "--yes")
		return code == 0 && strings.Contains(out, "pause   b  ") && strings.Contains(out, "pause   c  ") || strings.Contains(out, "nothing to change: 3"), out
	})
	if code, out := command(three, "apply", "--yes"); code != 0 || !strings.Contains(out, "resume  b") || !strings.Contains(out, "resume  c") {
		t.Errorf("exit code %d: %s", code, out)
	}
}
