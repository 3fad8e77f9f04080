package config_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/tvmexport/tvmexport/internal/config"
)

// checker is the schema as a library understands it that we did not write.
func checker(t *testing.T) *jsonschema.Schema {
	t.Helper()
	text, err := config.Schema()
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	if err := c.AddResource(config.SchemaID, doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile(config.SchemaID)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// check validates a YAML text, as an editor does.
func check(t *testing.T, s *jsonschema.Schema, text string) error {
	t.Helper()
	plain, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(plain))
	if err != nil {
		t.Fatal(err)
	}
	return s.Validate(doc)
}

func TestEveryKeyIsInTheExampleWithAComment(t *testing.T) {
	lacking, err := config.Uncommented()
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range lacking {
		t.Errorf("internal/config/example.yaml does not show %s, or does not say what it is for", key)
	}
	comments, err := config.Comments()
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]string{
		"defender":         "The source: Advanced Hunting of the tenant that the sign-in belongs to.", // above
		"defender.cloud":   "commercial | gcc | gcc-high | dod",                                       // behind
		"tables.*.exclude": "not fetched and not published",                                           // of what is commented out
	} {
		if got := comments[key]; got != want {
			t.Errorf("%s: %q, want %q", key, got, want)
		}
	}
}

func TestTheExampleIsValidBySchema(t *testing.T) {
	s := checker(t)
	if err := check(t, s, config.Example); err != nil {
		t.Error(err)
	}
	// The keys that it shows commented out are valid too, and are read.
	var lines []string
	for line := range strings.Lines(config.Example) {
		if strings.HasPrefix(line, "#  ") {
			line = " " + line[1:]
		}
		lines = append(lines, strings.NewReplacer("tables: {}", "tables:", "tenants: {}", "tenants:", "schedules: {}", "schedules:").Replace(line))
	}
	whole := strings.Join(lines, "")
	if err := check(t, s, whole); err != nil {
		t.Error(err)
	}
	c, err := config.Parse("whole.yaml", []byte(whole), env(nil))
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Tables) == 0 {
		t.Error("the example shows no table's columns")
	}
}

// The schema and the program agree about what is a configuration.
func TestSchemaAndProgramAgree(t *testing.T) {
	s := checker(t)
	const head = "kusto: {cluster: https://adx.kusto.windows.net, database: security}\n"
	vars := env(map[string]string{"SHARE": "0.25", "API": "graph", "CALLS": "20"})
	for _, tt := range []struct {
		text string
		ok   bool
	}{
		{head, true},
		{head + "defender:\n", true},
		{head + "defender: {share: 0.5, api: mde, calls_per_minute: 10}\n", true},
		{head + "defender: {share: '${SHARE}', api: '${API}', calls_per_hour: '${CALLS}'}\n", true},
		{head + "defender: {api: beta}\n", false},
		{head + "defender: {share: 0}\n", false},
		{head + "defender: {share: 1.5}\n", false},
		{head + "defender: {share: some}\n", false},
		{head + "defender: {calls_per_minute: 0}\n", false},
		{head + "defender: {calls_per_minute: 1.5}\n", false},
		{head + "defender: graph\n", false},
		{head + "unknown: 1\n", false},
		{head + "kusto.auth: {}\n", false},
		{head + "lag: 15m\n", true},
		{head + "lag: 0s\n", true},
		{head + "lag: 15\n", false},
		{head + "lag: soon\n", false},
		{head + "consistency: table\n", true},
		{head + "consistency: tables\n", false},
		{head + "publish: {bytes: 0}\n", false},
		{head + "tables: {DeviceInfo: {exclude: [PublicIP]}}\n", true},
		{head + "tables: {DeviceInfo: {exclude: PublicIP}}\n", false},
		{head + "tables: {DeviceInfo: {excludes: [PublicIP]}}\n", false},
		{head + "tables: [DeviceInfo]\n", false},
		{"kusto: {cluster: https://adx.kusto.windows.net, database: d, trusted_hosts: [a.example]}\n", true},
		{"kusto: {cluster: https://adx.kusto.windows.net, database: d, trusted_hosts: a.example}\n", false},
		{"kusto: {cluster: https://adx.kusto.windows.net, database: d, auth: {method: secret}}\n", true},
		{"kusto: {cluster: https://adx.kusto.windows.net, database: d, auth: {method: password}}\n", false},
	} {
		c, err := config.Parse("c.yaml", []byte(tt.text), vars)
		if err == nil {
			err = c.Check()
		}
		if (err == nil) != tt.ok {
			t.Errorf("the program says of %q: %v", tt.text, err)
		}
		if err := check(t, s, tt.text); (err == nil) != tt.ok {
			t.Errorf("the schema says of %q: %v", tt.text, err)
		}
	}
}

func TestSchemaDescribesEveryKey(t *testing.T) {
	text, err := config.Schema()
	if err != nil {
		t.Fatal(err)
	}
	var root map[string]any
	if err := json.Unmarshal(text, &root); err != nil {
		t.Fatal(err)
	}
	for _, f := range config.Fields() {
		at := root
		for part := range strings.SplitSeq(f.Path, ".") {
			key, next := "properties", part
			if part == "*" {
				key, next = "additionalProperties", ""
			}
			at, _ = at[key].(map[string]any)
			if next != "" {
				at, _ = at[next].(map[string]any)
			}
		}
		if d, _ := at["description"].(string); d == "" {
			t.Errorf("the schema does not describe %s", f.Path)
		}
	}
}
