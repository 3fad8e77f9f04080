// Package deploy_test checks that the deployment files load, as far as possible
// without the products that they are for.
package deploy_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/goccy/go-yaml"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/catalog"
	"github.com/tvmexport/tvmexport/emulator/emulatortest"
	"github.com/tvmexport/tvmexport/internal/config"
	"github.com/tvmexport/tvmexport/internal/metrics"
	"github.com/tvmexport/tvmexport/kusto"
)

func read(t *testing.T, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// promtool judges what Prometheus is to read. It is skipped where nobody has installed
// it, so that make test asks for no package; .ci/run installs it.
func promtool(t *testing.T, args ...string) {
	t.Helper()
	if _, err := exec.LookPath("promtool"); err != nil {
		t.Skip("promtool is not installed (Debian: prometheus)")
	}
	if said, err := exec.Command("promtool", args...).CombinedOutput(); err != nil {
		t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, said)
	}
}

// metricNames are those that serve has.
func metricNames(t *testing.T) map[string]bool {
	t.Helper()
	reg := prometheus.NewRegistry()
	m := metrics.New(reg, "v1")
	m.Table("T")
	m.Known("T", 1, time.Now())
	m.Rows("T", 1)
	m.Missed("T", "down", 1)
	m.Retrying("fetch", time.Second)
	m.Quota(func() metrics.Quota { return metrics.Quota{} })
	h := m.Hooks()
	h.Started(tvmexport.Run{ID: "R", Table: tvmexport.Table{Name: "T"}})
	h.Failed("T", "R", os.ErrClosed)
	_, _ = m.RoundTripper("kusto", failing{}).RoundTrip(nil)
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]bool{}
	for _, f := range families {
		out[f.GetName()] = true
		out[f.GetName()+"_bucket"] = true
	}
	return out
}

type failing struct{}

func (failing) RoundTrip(*http.Request) (*http.Response, error) { return nil, os.ErrClosed }

var metricName = regexp.MustCompile(`tvmexport_[a-z_]+`)

// known fails for metrics that serve does not have.
func known(t *testing.T, where, expression string) {
	t.Helper()
	names := metricNames(t)
	for _, name := range metricName.FindAllString(expression, -1) {
		if !names[name] {
			t.Errorf("%s: there is no metric %s", where, name)
		}
	}
}

func TestAlerts(t *testing.T) {
	promtool(t, "check", "rules", "prometheus/alerts.yaml")
	promtool(t, "test", "rules", "prometheus/alerts_test.yaml")
	var rules struct {
		Groups []struct {
			Rules []struct{ Alert, Expr string }
		}
	}
	if err := yaml.Unmarshal(read(t, "prometheus/alerts.yaml"), &rules); err != nil {
		t.Fatal(err)
	}
	tests := string(read(t, "prometheus/alerts_test.yaml"))
	for _, r := range rules.Groups[0].Rules {
		known(t, r.Alert, r.Expr)
		if !strings.Contains(tests, "alertname: "+r.Alert) {
			t.Errorf("%s has no test", r.Alert)
		}
	}
}

func TestGrafana(t *testing.T) {
	var board struct {
		Title, UID    string
		SchemaVersion int
		Panels        []struct {
			ID      int
			Title   string
			Type    string
			GridPos struct{ X, Y, W, H int }
			Targets []struct{ Expr, RefID string }
		}
	}
	if err := json.Unmarshal(read(t, "grafana/dashboard.json"), &board); err != nil {
		t.Fatal(err)
	}
	if board.UID == "" || board.SchemaVersion < 30 || len(board.Panels) == 0 {
		t.Fatalf("%+v", board)
	}
	var rules bytes.Buffer
	rules.WriteString("groups:\n- name: g\n  rules:\n")
	seen := map[int]bool{}
	for i, p := range board.Panels {
		if seen[p.ID] || p.GridPos.W == 0 || p.GridPos.X+p.GridPos.W > 24 || len(p.Targets) == 0 {
			t.Errorf("panel %q: %+v", p.Title, p)
		}
		seen[p.ID] = true
		for j, target := range p.Targets {
			known(t, p.Title, target.Expr)
			expr, err := json.Marshal(strings.NewReplacer("$__rate_interval", "5m", "$instance", ".+", "$table", ".+", "$tenant", ".*", "$database", ".*").Replace(target.Expr))
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&rules, "  - record: r:%d:%d\n    expr: %s\n", i, j, expr)
		}
	}
	file := filepath.Join(t.TempDir(), "rules.yaml")
	if err := os.WriteFile(file, rules.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	promtool(t, "check", "rules", file)
}

// adx is a dashboard of the Azure Data Explorer web UI.
type adx struct {
	SchemaVersion string `json:"schema_version"`
	AutoRefresh   struct{ Enabled bool }
	BaseQueries   []any
	Parameters    []struct{ BeginVariableName, EndVariableName string }
	DataSources   []struct{ ID, Kind, ClusterURI, Database string }
	Pages         []struct{ ID, Name string }
	Queries       []struct {
		ID, Text      string
		UsedVariables []string
		DataSource    struct{ Kind, DataSourceID string }
	}
	Tiles []struct {
		ID, Title, VisualType, PageID string
		Layout                        struct{ X, Y, Width, Height int }
		QueryRef                      struct{ Kind, QueryID string }
		VisualOptions                 map[string]any
	}
}

// The ids of an ADX dashboard lead somewhere, and its queries are those of the
// files, which kqlcheck parses; each runs over a ledger.
func TestADX(t *testing.T) {
	var board adx
	if err := json.Unmarshal(read(t, "adx/dashboard.json"), &board); err != nil {
		t.Fatal(err)
	}
	if board.SchemaVersion == "" || board.BaseQueries == nil || len(board.DataSources) != 1 || len(board.Tiles) != len(board.Queries) {
		t.Fatalf("%+v", board)
	}
	var files []string
	paths, err := filepath.Glob("adx/*.kql")
	if err != nil {
		t.Fatal(err)
	}
	run := ledger(t)
	for _, path := range paths {
		text := strings.TrimSpace(string(read(t, path)))
		run(path, text)
		files = append(files, strings.TrimPrefix(text, "let _startTime = ago(7d);\nlet _endTime = now();\n"))
	}
	if len(files) != len(board.Queries) {
		t.Errorf("%d files, %d queries", len(files), len(board.Queries))
	}
	for _, q := range board.Queries {
		if !slices.Contains(files, q.Text) {
			t.Errorf("no file holds the query %q", q.Text)
		}
		if q.DataSource.DataSourceID != board.DataSources[0].ID {
			t.Errorf("query %s has the source %q", q.ID, q.DataSource.DataSourceID)
		}
		for _, v := range []string{board.Parameters[0].BeginVariableName, board.Parameters[0].EndVariableName} {
			if strings.Contains(q.Text, v) != slices.Contains(q.UsedVariables, v) {
				t.Errorf("query %s: %s in the text and in usedVariables", q.ID, v)
			}
		}
	}
	for _, tile := range board.Tiles {
		page := slices.ContainsFunc(board.Pages, func(p struct{ ID, Name string }) bool { return p.ID == tile.PageID })
		query := false
		for _, q := range board.Queries {
			query = query || q.ID == tile.QueryRef.QueryID
		}
		if !page || !query || tile.Layout.X+tile.Layout.Width > 24 || tile.Layout.Height == 0 || tile.VisualOptions == nil {
			t.Errorf("tile %q: %+v", tile.Title, tile)
		}
	}
}

// token signs in to the emulator.
type token string

func (k token) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{Token: string(k), ExpiresOn: time.Now().Add(time.Hour)}, nil
}

// ledger makes an empty one, and answers what runs a query over it.
func ledger(t *testing.T) func(name, query string) {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	e := emulatortest.New(t, emulatortest.Devices(1))
	at := e.Endpoints()
	key, err := e.Token(emulatortest.TokenRequest{Resource: emulatortest.KustoResource})
	must(err)
	c, err := kusto.New(t.Context(), kusto.Options{
		Cluster: at.Kusto, Ingest: at.Ingest, Database: at.Database,
		Credential: token(key), HTTPClient: e.Client(),
	})
	must(err)
	t.Cleanup(func() { _ = c.Close() })
	table, _ := catalog.Table(catalog.Default()[0])
	_, err = c.Setup().Init(t.Context(), []tvmexport.Table{table}, kusto.ScriptOptions{})
	must(err)
	run := tvmexport.Run{ID: "R1", Table: table, Kind: tvmexport.FullRun, StartedAt: time.Now().Add(-time.Minute)}
	must(c.Commit(t.Context(), tvmexport.Commit{Run: run, Owner: "one", Rows: 7, Bytes: 70, Calls: 2, Partitions: []tvmexport.PartitionRecord{{Partition: "a", Rows: 7}}}))
	_, err = c.Acquire(t.Context(), tvmexport.Lease{Owner: "two", Tables: []tvmexport.Table{table}, Term: time.Minute})
	must(err)
	must(c.EndInvocation(t.Context(), tvmexport.InvocationEnd{Owner: "one", Outcomes: []tvmexport.Outcome{{Table: table.Name, Run: "R0", Err: os.ErrClosed}}}))
	return func(name, query string) {
		t.Helper()
		if d, err := e.Landed(t.Context(), query); err != nil || d.Rows == 0 {
			t.Errorf("%s: %d rows, %v", name, d.Rows, err)
		}
	}
}

// The manifest is valid YAML with the expected kinds, and its configuration is
// valid.
func TestKubernetes(t *testing.T) {
	kinds := map[string]map[string]any{}
	for _, doc := range bytes.Split(read(t, "kubernetes/tvmexport.yaml"), []byte("\n---\n")) {
		var o map[string]any
		if err := yaml.UnmarshalWithOptions(doc, &o, yaml.Strict()); err != nil {
			t.Fatalf("%v\n%s", err, doc)
		}
		kind, _ := o["kind"].(string)
		if o["apiVersion"] == nil || o["metadata"] == nil {
			t.Errorf("%s has no apiVersion or no metadata", kind)
		}
		kinds[kind] = o
	}
	for _, kind := range []string{"Namespace", "ServiceAccount", "ConfigMap", "Deployment", "Service"} {
		if kinds[kind] == nil {
			t.Errorf("there is no %s", kind)
		}
	}
	data, _ := kinds["ConfigMap"]["data"].(map[string]any)
	text, _ := data["tvmexport.yaml"].(string)
	c, err := config.Parse("tvmexport.yaml", []byte(text), func(string) (string, bool) { return "", false })
	if err == nil {
		err = c.Check()
	}
	if err != nil || c.Auth.Method != "workload-identity" {
		t.Errorf("%+v, %v", c, err)
	}
}

func TestSystemd(t *testing.T) {
	for name, start := range map[string]string{
		"tvmexport.service":  "ExecStart=/usr/local/bin/tvmexport serve --config /etc/tvmexport/tvmexport.yaml",
		"tvmexport@.service": "ExecStart=/usr/local/bin/tvmexport serve --config /etc/tvmexport/%i.yaml",
	} {
		t.Run(name, func(t *testing.T) {
			text := string(read(t, "systemd/"+name))
			for _, want := range []string{"[Unit]", "[Service]", "[Install]", start, "ExecReload=/bin/kill -HUP $MAINPID", "SuccessExitStatus=143", "RestartPreventExitStatus=2 4"} {
				if !strings.Contains(text, want+"\n") && !strings.Contains(text, want+" ") {
					t.Errorf("the unit lacks %q", want)
				}
			}
			known := config.Variables()
			for line := range strings.Lines(text) {
				line = strings.TrimSpace(line)
				if line != "" && line[0] != '#' && line[0] != '[' && !strings.Contains(line, "=") {
					t.Errorf("the unit holds the line %q", line)
				}
				if m := unitVariable.FindStringSubmatch(line); m != nil && strings.HasPrefix(m[1], "TVMEXPORT_") && !slices.Contains(known, m[1]) {
					t.Errorf("the unit sets %s, which nothing reads", m[1])
				}
				if m := unitCredential.FindStringSubmatch(line); m != nil && !strings.Contains(text, "=%d/"+m[1]+"\n") {
					t.Errorf("the unit loads the credential %s and does not use it", m[1])
				}
			}
			// What is above holds everywhere. systemd judges its own unit where it is there;
			// many containers have none.
			if _, err := exec.LookPath("systemd-analyze"); err != nil {
				t.Skip("systemd-analyze is not installed; the checks above hold without it")
			}
			said, err := exec.Command("systemd-analyze", "verify", "--man=no", "systemd/"+name).CombinedOutput()
			if out := strings.ReplaceAll(string(said), "Command /usr/local/bin/tvmexport is not executable: No such file or directory", ""); err != nil && strings.Contains(out, "Unknown") {
				t.Errorf("systemd-analyze: %s", out)
			}
		})
	}
}

var (
	unitVariable   = regexp.MustCompile(`^#?Environment=([A-Z_]+)=`)
	unitCredential = regexp.MustCompile(`^#?LoadCredentialEncrypted=([a-z-]+)`)
)

// The image is built by the version of Go that the module asks for, and its
// program does not run as root.
func TestDockerfile(t *testing.T) {
	text := string(read(t, "docker/Dockerfile"))
	module := string(read(t, "../go.mod"))
	_, version, _ := strings.Cut(module, "\ngo ")
	version, _, _ = strings.Cut(version, "\n")
	major := strings.Join(strings.Split(version, ".")[:2], ".")
	for _, want := range []string{"FROM golang:" + major, "CGO_ENABLED=0", "nonroot", `ENTRYPOINT ["/usr/local/bin/tvmexport"]`, `CMD ["serve"]`, "-X main.version=", "-X main.revision=", "ARG TAGS=noemulator", `-tags "${TAGS}"`} {
		if !strings.Contains(text, want) {
			t.Errorf("the Dockerfile lacks %q", want)
		}
	}
	instruction := regexp.MustCompile(`^(FROM|WORKDIR|COPY|RUN|ARG|EXPOSE|USER|ENTRYPOINT|CMD) \S`)
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' && !instruction.MatchString(line) {
			t.Errorf("the Dockerfile holds the line %q", line)
		}
	}
}
