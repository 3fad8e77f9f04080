package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/grpc"

	"github.com/tvmexport/tvmexport/fleet/temporal"
	"github.com/tvmexport/tvmexport/fleet/temporal/schedules"
	"github.com/tvmexport/tvmexport/internal/config"
)

// world is a cluster in memory.
type world struct {
	mu        sync.Mutex
	schedules map[string]schedules.Schedule
	states    map[string]schedules.State
	config    *taskqueuepb.TaskQueueConfig
	current   string
	connected bool
	refused   map[string]error // by tenant: of changes
	endings   map[string]ending
	writes    []string
}

func (w *world) Tenants(context.Context) ([]string, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []string
	for tenant := range w.schedules {
		out = append(out, tenant)
	}
	return out, nil
}

func (w *world) Read(_ context.Context, tenant string) (schedules.Schedule, schedules.State, bool, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	s, ok := w.schedules[tenant]
	return s, w.states[tenant], ok, nil
}

func (w *world) Create(ctx context.Context, s schedules.Schedule) error { return w.write("create", s) }

func (w *world) Update(ctx context.Context, s schedules.Schedule) error { return w.write("update", s) }

func (w *world) write(how string, s schedules.Schedule) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.refused[s.Tenant]; err != nil {
		return err
	}
	w.writes = append(w.writes, how+" "+s.Tenant)
	w.schedules[s.Tenant] = s
	return nil
}

func (w *world) DescribeTaskQueue(context.Context, *workflowservice.DescribeTaskQueueRequest, ...grpc.CallOption) (*workflowservice.DescribeTaskQueueResponse, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return &workflowservice.DescribeTaskQueueResponse{Config: w.config}, nil
}

func (w *world) UpdateTaskQueueConfig(_ context.Context, r *workflowservice.UpdateTaskQueueConfigRequest, _ ...grpc.CallOption) (*workflowservice.UpdateTaskQueueConfigResponse, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.writes = append(w.writes, "limits")
	w.config = &taskqueuepb.TaskQueueConfig{FairnessKeysRateLimitDefault: &taskqueuepb.RateLimitConfig{RateLimit: r.UpdateFairnessKeyRateLimitDefault.RateLimit}}
	return nil, nil
}

func (w *world) Current(context.Context, string) (string, bool, error) {
	return w.current, w.connected, nil
}

func (w *world) Use(_ context.Context, build string) error {
	w.current = build
	w.writes = append(w.writes, "version")
	return nil
}

// command carries out a command line against the cluster, with a configuration.
func (w *world) command(t *testing.T, text string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "c.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	p := &process{
		args: append(args, "--config", file), stdin: strings.NewReader("y\n"), stdout: &out, stderr: &errs, env: func(string) (string, bool) { return "", false },
		connect: func(context.Context, *process, config.Config) (*cluster, error) {
			return &cluster{schedules: w, limits: w, versions: w, close: func() {}, ending: func(_ context.Context, workflow, _ string) (ending, error) {
				if e, ok := w.endings[workflow]; ok {
					return e, nil
				}
				return ending{}, errors.New("no such run")
			}}, nil
		},
	}
	code = p.run(t.Context())
	return code, out.String(), errs.String()
}

const two = `fleet: {engine: temporal}
kusto: {cluster: https://127.0.0.1:1}
schedule: "0 3 * * *"
tenants:
  a: {auth: {tenant_id: 11111111-2222-3333-4444-555555555551}, kusto: {database: a}}
  b: {auth: {tenant_id: 11111111-2222-3333-4444-555555555552}, kusto: {database: b}, schedule: "@hourly"}
`

func TestApplyMakesTheClusterAsTheConfigurationWantsIt(t *testing.T) {
	w := &world{schedules: map[string]schedules.Schedule{}, connected: true}
	for _, step := range []struct {
		name, text string
		args       []string
		code       int
		stdout     string // its lines, each a part of one that is printed
		stderr     string
		writes     []string
	}{
		{"only shown", two, []string{"--dry-run"}, 0, "change  calls    calls per second of a tenant: no limit → 0.375\nchange  workers  version that begins new runs: none → " + buildOf() + "\ncreate  a        0 3 * * *\ncreate  b        0 * * * *\n", "", nil},
		{"not agreed", two, nil, 2, "create  a        0 3 * * *", "nothing was changed; repeat with --yes to make the 4 changes", nil},
		{"created", two, []string{"--yes"}, 0, "create  a ", "4 changes made", []string{"limits", "version", "create a", "create b"}},
		{"again", two, []string{"--yes"}, 0, "nothing to change: 2 schedules\n", "", nil},
		{"b is gone", strings.SplitAfter(two, "kusto: {database: a}}\n")[0], []string{"--yes", "--json"}, 0, `{"tenant":"b","object":"schedule","change":"pause","what":["the tenant is not in the configuration"]}` + "\n", "1 change made", []string{"update b"}},
		{"b is back with another time", strings.Replace(two, "@hourly", "@daily", 1), []string{"--yes"}, 0, "change  b  times: 0 * * * * → 0 0 * * *; jitter: 30m0s → 1h0m0s; paused → runs again\n", "1 change made", []string{"update b"}},
		{"one tenant of them", strings.Replace(two, `"0 3`, `"0 5`, 1), []string{"--yes", "--tenant", "b"}, 0, "change  b  times: 0 0 * * * → 0 * * * *", "1 change made", []string{"update b"}},
		{"only a, and b is gone", strings.SplitAfter(two, "kusto: {database: a}}\n")[0], []string{"--yes", "--tenant", "a"}, 0, "nothing to change: 1 schedule\n", "", nil},
		{"unknown tenant", two, []string{"--tenant", "aa"}, 2, "", `the configuration has no tenant "aa"; did you mean a?`, nil},
		{"another engine", strings.Replace(two, "temporal", "local", 1), nil, 2, "", `fleet.engine is "local"; set it to temporal`, nil},
		{"schedules of tables", two + "serve: {schedules: {DeviceInfo: '@hourly'}}\n", []string{"--dry-run"}, 3, "", "a: serve.schedules has schedules of single tables", nil},
	} {
		w.writes = nil
		code, stdout, stderr := w.command(t, step.text, append([]string{"apply"}, step.args...)...)
		if code != step.code || !strings.Contains(stdout, step.stdout) || !strings.Contains(stderr, step.stderr) {
			t.Errorf("%s: exit code %d, want %d; printed\n%s\nwant\n%s\nand\n%s\nwant\n%s", step.name, code, step.code, stdout, step.stdout, stderr, step.stderr)
		}
		slices.Sort(w.writes)
		want := slices.Sorted(slices.Values(step.writes))
		if !slices.Equal(w.writes, want) {
			t.Errorf("%s: wrote %q, want %q", step.name, w.writes, want)
		}
	}
}

// A tenant whose settings cannot be used is not gone: its schedule stays, and the others are changed.
func TestApplyLeavesATenantAloneThatCannotBeRead(t *testing.T) {
	w := &world{schedules: map[string]schedules.Schedule{}}
	if code, _, stderr := w.command(t, two, "apply", "--yes"); code != 0 {
		t.Fatal(stderr)
	}
	dir := t.TempDir()
	for name, text := range map[string]string{
		"a.yaml": "auth: {tenant_id: 11111111-2222-3333-4444-555555555551}\nkusto: {database: a}\nnonsense: 1\n",
		"b.yaml": "auth: {tenant_id: 11111111-2222-3333-4444-555555555552}\nkusto: {database: b}\nschedule: '@daily'\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	w.writes = nil
	code, _, stderr := w.command(t, fmt.Sprintf("fleet: {engine: temporal}\nkusto: {cluster: https://127.0.0.1:1}\ntenants_dir: %q\n", dir), "apply", "--yes")
	if code != exitPartly || !strings.Contains(stderr, "tvmexport-worker: a: ") || !strings.Contains(stderr, "nonsense") || !slices.Equal(w.writes, []string{"update b"}) {
		t.Errorf("exit code %d, %q: %s", code, w.writes, stderr)
	}
}

func TestApplySaysWhichTenantFailed(t *testing.T) {
	w := &world{schedules: map[string]schedules.Schedule{}, refused: map[string]error{"a": errors.New("too many\nrequests")}}
	code, _, stderr := w.command(t, two, "apply", "--yes")
	if code != exitPartly || !strings.Contains(stderr, "tvmexport-worker: a: too many requests\n") || !strings.Contains(stderr, "2 changes made") {
		t.Errorf("exit code %d: %s", code, stderr)
	}
}

// Workers of this build that never connected get no runs.
func TestApplyLeavesTheVersionWithoutWorkers(t *testing.T) {
	w := &world{schedules: map[string]schedules.Schedule{}, current: "v1.0.0"}
	if code, stdout, _ := w.command(t, two, "apply", "--yes"); code != 0 || strings.Contains(stdout, "version") || w.current != "v1.0.0" {
		t.Errorf("exit code %d, version %s: %s", code, w.current, stdout)
	}
}

func TestStatusOfTenants(t *testing.T) {
	w := &world{schedules: map[string]schedules.Schedule{}}
	if code, _, stderr := w.command(t, two, "apply", "--yes", "--tenant", "a"); code != 0 {
		t.Fatal(stderr)
	}
	at := time.Now().Add(90 * time.Minute)
	w.states = map[string]schedules.State{"a": {Next: at, Last: "export/a-1", LastAt: at.Add(-24 * time.Hour), Skipped: 2}}
	w.endings = map[string]ending{"export/a-1": outcomeOf(temporal.Outcome{Tables: []temporal.TableOutcome{{Table: "T", Cause: "quota", Error: "no quota"}, {Table: "U"}}})}
	code, stdout, stderr := w.command(t, two, "status", "--wait", "100ms")
	if code != exitPartly {
		t.Errorf("exit code %d: %s", code, stderr)
	}
	for _, want := range []string{"a       0 3 * * *  scheduled  in 1h 29m", "  partly    0       -\n", "b       -          missing    -", "a: the ledger cannot be read: "} {
		if !strings.Contains(stdout, want) {
			t.Errorf("%q is not printed:\n%s", want, stdout)
		}
	}
	_, stdout, _ = w.command(t, two, "status", "--wait", "100ms", "--json", "--tenant", "a")
	if !strings.HasPrefix(stdout, `{"tenant":"a","schedule":"0 3 * * *","state":"scheduled","next":"`) || !strings.Contains(stdout, `"lastRun":"partly"`) || !strings.Contains(stdout, `"skipped":2`) {
		t.Error(stdout)
	}
}

func TestOutcomes(t *testing.T) {
	good, bad := temporal.TableOutcome{Table: "T"}, temporal.TableOutcome{Table: "U", Cause: "quota", Error: "no quota"}
	for _, tt := range []struct {
		tables []temporal.TableOutcome
		want   string
	}{{nil, "committed "}, {[]temporal.TableOutcome{good}, "committed "}, {[]temporal.TableOutcome{good, bad}, "partly U: no quota"}, {[]temporal.TableOutcome{bad}, "failed U: no quota"}} {
		if e := outcomeOf(temporal.Outcome{Tables: tt.tables}); e.State+" "+e.Error != tt.want {
			t.Errorf("%+v: %s %s, want %s", tt.tables, e.State, e.Error, tt.want)
		}
	}
}

func TestMistakesOnTheCommandLine(t *testing.T) {
	for _, args := range [][]string{{"nonsense"}, {"apply", "extra"}, {"apply", "--nonsense"}, {"status", "--wait", "0s"}, {"status", "--log-level", "loud"}} {
		if code, _, stderr := (&world{}).command(t, two, args...); code != exitUsage || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%q: exit code %d: %s", args, code, stderr)
		}
	}
}
