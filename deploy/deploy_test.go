// Package deploy_test checks that the deployment files load, as far as possible
// without the products that they are for.
package deploy_test

import (
	"bytes"
	"cmp"
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
	many := metrics.NewFleet("v1", reg)
	many.Tenant("contoso")
	many.Watch(func() map[string]int { return map[string]int{"unreadable": 1} }, func() metrics.Workers { return metrics.Workers{} })
	ofMany, err := many.Gather()
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]bool{}
	for _, f := range append(families, ofMany...) {
		out[f.GetName()] = true
		out[f.GetName()+"_bucket"] = true
	}
	return out
}

type failing struct{}

func (failing) RoundTrip(*http.Request) (*http.Response, error) { return nil, os.ErrClosed }

// selector begins the labels of a metric.
var selector = regexp.MustCompile(`\w\{`)

// ofProcess is a metric of a process, which can have one tenant or many.
var ofProcess = regexp.MustCompile(`\b(process|go|tvmexport_fleet)_`)

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
	promtool(t, "check", "config", "--syntax-only", "prometheus/prometheus.yaml")
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
			for _, chosen := range []string{`tenant=~"$tenant"`, `database=~"$database"`} {
				if ofProcess.MatchString(target.Expr) { // of many tenants it has the label of none
					chosen = strings.TrimSuffix(chosen, `"`) + `|"`
				}
				if n := len(selector.FindAllString(target.Expr, -1)); n == 0 || strings.Count(target.Expr, chosen) != n {
					t.Errorf("panel %q: %s has no %s", p.Title, target.Expr, chosen)
				}
			}
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
	Parameters    []parameter
	DataSources   []struct{ ID, Kind, ClusterURI, Database string }
	Pages         []struct{ ID, Name string }
	Queries       []query
	Tiles         []struct {
		ID, Title, VisualType, PageID string
		Layout                        struct{ X, Y, Width, Height int }
		QueryRef                      struct{ Kind, QueryID string }
		VisualOptions                 map[string]any
	}
}

type query struct {
	ID, Text      string
	UsedVariables []string
	DataSource    struct{ Kind, DataSourceID string }
}

// parameter is what a reader of the dashboard chooses.
type parameter struct {
	ID, Kind, DisplayName, VariableName, SelectionType string
	BeginVariableName, EndVariableName                 string
	IncludeAllOption, AllIsNull                        bool
	DefaultValue                                       struct{ Kind, Value string }
	DataSource                                         struct {
		Kind     string
		Values   []struct{ Value string }
		Columns  struct{ Value string }
		QueryRef struct{ Kind, QueryID string }
	}
}

// choices are the values that a query of the dashboard begins with: the names of its
// variables, in the order of the files, and what the files say of each.
var choices = [][2]string{
	{"_database", `"security"`}, {"_tenant", "dynamic(null)"}, {"_table", "dynamic(null)"}, {"_startTime", "ago(7d)"}, {"_endTime", "now()"},
}

// begun is a query with the values of its variables; those that are not chosen are as in
// the files.
func begun(q query, chosen map[string]string) string {
	var head strings.Builder
	for _, c := range choices {
		if slices.Contains(q.UsedVariables, c[0]) {
			fmt.Fprintf(&head, "let %s = %s;\n", c[0], cmp.Or(chosen[c[0]], c[1]))
		}
	}
	return head.String() + q.Text
}

var (
	variableName = regexp.MustCompile(`\b_[a-zA-Z]+\b`)
	controlTable = regexp.MustCompile(`(\S*?)\b(ExportRuns|ExportPartitions|MigrationAuditLog|MigrationConfiguration)\b`)
)

// board reads the ADX dashboard, whose ids lead somewhere.
func board(t *testing.T) (board adx, byID map[string]query) {
	t.Helper()
	if err := json.Unmarshal(read(t, "adx/dashboard.json"), &board); err != nil {
		t.Fatal(err)
	}
	if board.SchemaVersion == "" || board.BaseQueries == nil || len(board.DataSources) != 1 || len(board.Tiles) == 0 {
		t.Fatalf("%+v", board)
	}
	byID = map[string]query{}
	unused := map[string]bool{}
	for _, q := range board.Queries {
		byID[q.ID], unused[q.ID] = q, true
		if q.DataSource.DataSourceID != board.DataSources[0].ID {
			t.Errorf("query %s has the source %q", q.ID, q.DataSource.DataSourceID)
		}
	}
	for _, tile := range board.Tiles {
		page := slices.ContainsFunc(board.Pages, func(p struct{ ID, Name string }) bool { return p.ID == tile.PageID })
		if !page || !unused[tile.QueryRef.QueryID] || tile.Layout.X+tile.Layout.Width > 24 || tile.Layout.Height == 0 || tile.VisualOptions == nil {
			t.Errorf("tile %q: %+v", tile.Title, tile)
		}
		delete(unused, tile.QueryRef.QueryID)
	}
	for _, p := range board.Parameters {
		if p.DataSource.Kind == "query" {
			if !unused[p.DataSource.QueryRef.QueryID] {
				t.Errorf("parameter %q: %+v", p.DisplayName, p)
			}
			delete(unused, p.DataSource.QueryRef.QueryID)
		}
	}
	for id := range unused {
		t.Errorf("nothing uses the query %s", id)
	}
	return board, byID
}

// Each query of the ADX dashboard is that of a file, which kqlcheck parses; it names the
// variables that it uses, and reads all tables from the database that was chosen.
func TestADXQueries(t *testing.T) {
	board, byID := board(t)
	files := map[string]string{}
	paths, err := filepath.Glob("adx/*.kql")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		files[strings.TrimSpace(string(read(t, path)))] = path
	}
	var variables []string
	for _, p := range board.Parameters {
		for _, v := range []string{p.VariableName, p.BeginVariableName, p.EndVariableName} {
			if v != "" {
				variables = append(variables, v)
			}
		}
	}
	for _, c := range choices {
		if !slices.Contains(variables, c[0]) {
			t.Errorf("no parameter sets %s", c[0])
		}
	}
	for _, q := range board.Queries {
		text := begun(q, nil)
		if files[text] == "" {
			t.Errorf("no file holds the query %q", text)
		}
		delete(files, text)
		used := variableName.FindAllString(q.Text, -1)
		slices.Sort(used)
		named := slices.Sorted(slices.Values(q.UsedVariables))
		if used = slices.Compact(used); !slices.Equal(used, named) {
			t.Errorf("query %q uses %q, and says %q", q.Text, used, named)
		}
		for _, v := range used {
			if !slices.Contains(variables, v) {
				t.Errorf("query %q uses %s, which no parameter sets", q.Text, v)
			}
		}
		for _, m := range controlTable.FindAllStringSubmatch(q.Text, -1) {
			if !strings.HasSuffix(m[1], "database(_database).") {
				t.Errorf("query %q reads %s of the database that it runs in, not of the chosen one", q.Text, m[2])
			}
		}
	}
	for _, path := range files {
		t.Errorf("no query is that of %s", path)
	}
	for _, tile := range board.Tiles {
		for _, v := range []string{"_database", "_tenant", "_table"} {
			if !slices.Contains(byID[tile.QueryRef.QueryID].UsedVariables, v) {
				t.Errorf("tile %q does not depend on %s", tile.Title, v)
			}
		}
	}
}

// A string parameter has one of the shapes that the web UI accepts: values that are
// written down, one of which is the default, or values of a query, all of which are.
func TestADXParameters(t *testing.T) {
	board, byID := board(t)
	for _, p := range board.Parameters {
		switch {
		case p.Kind == "duration":
		case p.Kind == "string" && p.DataSource.Kind == "static":
			known := slices.ContainsFunc(p.DataSource.Values, func(v struct{ Value string }) bool { return v.Value == p.DefaultValue.Value })
			if p.SelectionType != "scalar" || p.IncludeAllOption || p.DefaultValue.Kind != "value" || !known {
				t.Errorf("%+v", p)
			}
			if p.VariableName == "_database" && p.DefaultValue.Value != board.DataSources[0].Database {
				t.Errorf("the first database is %q, and that of the data source %q", p.DefaultValue.Value, board.DataSources[0].Database)
			}
		case p.Kind == "string" && p.DataSource.Kind == "query":
			column := p.DataSource.Columns.Value
			if p.SelectionType != "array" || !p.IncludeAllOption || !p.AllIsNull || p.DefaultValue.Kind != "all" ||
				!strings.Contains(byID[p.DataSource.QueryRef.QueryID].Text, "| distinct "+column+"\n") {
				t.Errorf("%+v", p)
			}
		default:
			t.Errorf("parameter %q has the kind %q and the source %q", p.DisplayName, p.Kind, p.DataSource.Kind)
		}
	}
}

// Each query runs over a database that init made and that has runs, and follows what its
// reader chooses.
func TestADXRuns(t *testing.T) {
	board, byID := board(t)
	run := ledger(t)
	for _, p := range board.Parameters {
		if p.DataSource.Kind == "query" {
			if q := byID[p.DataSource.QueryRef.QueryID]; run(p.DisplayName, begun(q, nil)) == 0 {
				t.Errorf("parameter %q has no values", p.DisplayName)
			}
		}
	}
	for _, tile := range board.Tiles {
		q := byID[tile.QueryRef.QueryID]
		for _, c := range []struct {
			chosen map[string]string
			some   bool
		}{
			{nil, true},
			{map[string]string{"_tenant": `dynamic(["contoso"])`}, true},
			{map[string]string{"_tenant": `dynamic(["fabrikam"])`}, false},
			{map[string]string{"_table": fmt.Sprintf(`dynamic(["Other", %q])`, catalog.Default()[0])}, true},
			{map[string]string{"_table": `dynamic(["Other"])`}, false},
		} {
			if n := run(tile.Title, begun(q, c.chosen)); n > 0 != c.some {
				t.Errorf("tile %q with %q has %d rows", tile.Title, c.chosen, n)
			}
		}
	}
}

// Failures are those of a table for any name that the audit has for it: that of its
// destination, of a former one, or of the source.
func TestADXFailures(t *testing.T) {
	board, byID := board(t)
	run := ledger(t)
	seen := 0
	for _, tile := range board.Tiles {
		text := begun(byID[tile.QueryRef.QueryID], map[string]string{"_table": fmt.Sprintf(`dynamic([%q])`, catalog.Default()[0])})
		switch tile.Title {
		case "Failed runs":
			if n := run(tile.Title, text+"\n| distinct FailureReason"); n != 3 {
				t.Errorf("%d failures, want those of three names", n)
			}
		case "Runs by outcome":
			if n := run(tile.Title, text+"\n| where Status == 'Failed' and Runs == 3"); n != 1 {
				t.Error("three runs have failed")
			}
		default:
			continue
		}
		seen++
		if run(tile.Title, begun(byID[tile.QueryRef.QueryID], map[string]string{"_table": `dynamic(["Former"])`})) != 0 {
			t.Errorf("tile %q calls the table by its former destination", tile.Title)
		}
	}
	if seen != 2 {
		t.Errorf("%d of two tiles show failures", seen)
	}
}

// Rows are those of a table, and changed are those that runs moved, on both dashboards
// and in the alerts.
func TestWords(t *testing.T) {
	board, byID := board(t)
	for _, tile := range board.Tiles {
		for line := range strings.Lines(byID[tile.QueryRef.QueryID].Text) {
			for column := range strings.SplitSeq(line, ",") {
				if strings.Contains(column, "sum(Rows)") != strings.Contains(column, "Changed = sum(") || strings.Contains(column, "tableRows") != strings.Contains(column, "Rows = tolong(") {
					t.Errorf("tile %q has the column %q", tile.Title, column)
				}
			}
		}
	}
	var grafana struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr, LegendFormat string }
		}
	}
	if err := json.Unmarshal(read(t, "grafana/dashboard.json"), &grafana); err != nil {
		t.Fatal(err)
	}
	for _, p := range grafana.Panels {
		for _, target := range p.Targets {
			changed := strings.Contains(target.Expr, "rows_committed")
			if changed != strings.Contains(strings.ToLower(p.Title), "changed") || changed && target.LegendFormat == "rows" {
				t.Errorf("panel %q shows %s as %q", p.Title, target.Expr, target.LegendFormat)
			}
		}
	}
}

// token signs in to the emulator.
type token string

func (k token) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{Token: string(k), ExpiresOn: time.Now().Add(time.Hour)}, nil
}

// ledger makes one of one table, whose destination has changed, and answers what runs a
// query over it and counts the rows of the answer.
func ledger(t *testing.T) func(name, query string) int64 {
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
	former := table
	former.Destination = "Former"
	_, err = c.Setup().Init(t.Context(), []tvmexport.Table{table}, kusto.ScriptOptions{})
	must(err)
	first := tvmexport.Run{ID: "R0", Table: former, Kind: tvmexport.FullRun, StartedAt: time.Now().Add(-time.Minute), Tenant: "contoso"}
	effect := tvmexport.Effect{TableRows: 7, Growth: 7, Took: time.Second}
	must(c.Commit(t.Context(), tvmexport.Commit{Run: first, Owner: "one", Rows: 7, Bytes: 70, Calls: 2, Partitions: []tvmexport.PartitionRecord{{Partition: "a", Rows: 7}}, Effect: effect}))
	run := tvmexport.Run{ID: "R1", Previous: "R0", Table: table, Kind: tvmexport.FullRun, StartedAt: time.Now().Add(-time.Minute), Tenant: "contoso"}
	must(c.Commit(t.Context(), tvmexport.Commit{Run: run, Owner: "one", Rows: 7, Bytes: 70, Calls: 2, Partitions: []tvmexport.PartitionRecord{{Partition: "a", Rows: 7}}, Effect: effect}))
	_, err = c.Acquire(t.Context(), tvmexport.Lease{Owner: "two", Tables: []tvmexport.Table{table}, Term: time.Minute})
	must(err)
	must(c.EndInvocation(t.Context(), tvmexport.InvocationEnd{Owner: "one", Outcomes: []tvmexport.Outcome{{Table: table.Name, Run: "R2", Err: os.ErrClosed}}}))
	for _, name := range []string{"Former", table.Name} { // as other programs and earlier versions write it
		_, err = e.Command(t.Context(), fmt.Sprintf(".set-or-append MigrationAuditLog <| print TableName = %q, Timestamp = now(), Status = 'Failed', FailureReason = %q, RecordCount = int(0)", name, "as "+name))
		must(err)
	}
	return func(name, query string) int64 {
		t.Helper()
		d, err := e.Landed(t.Context(), query)
		if err != nil {
			t.Errorf("%s: %v\n%s", name, err, query)
		}
		return int64(d.Rows)
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
