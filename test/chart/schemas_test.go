package chart_test

import (
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/yannh/kubeconform/pkg/validator"
	"helm.sh/helm/v4/pkg/chart/v2/lint"
	"helm.sh/helm/v4/pkg/chart/v2/lint/support"
	"sigs.k8s.io/yaml"
)

func kubeconform(t *testing.T) validator.Validator {
	t.Helper()
	location, err := filepath.Abs("schemas")
	if err != nil {
		t.Fatal(err)
	}
	v, err := validator.New([]string{location + "/{{.ResourceKind}}{{.KindSuffix}}.json"}, validator.Opts{Strict: true})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// TestKubeconform validates all objects of all sets, and those of deploy/kubernetes.
func TestKubeconform(t *testing.T) {
	check := kubeconform(t)
	texts := map[string]string{"deploy/kubernetes": read(t, plainFile)}
	for _, set := range sets {
		texts[set] = manifest(t, values(t, set, nil))
	}
	for name, text := range texts {
		for _, result := range check.Validate(name, io.NopCloser(strings.NewReader(text))) {
			if result.Status != validator.Valid {
				kind, _ := result.Resource.Signature()
				t.Errorf("%s: %+v: %v", name, kind, result.Err)
			}
		}
	}
}

// TestKubeconformRefuses shows that the schemas find what is wrong.
func TestKubeconformRefuses(t *testing.T) {
	check := kubeconform(t)
	right := manifest(t, values(t, "monitored", nil)) + "---\n" + manifest(t, values(t, "cronjob", nil))
	for before, after := range map[string]string{
		"automountServiceAccountToken: false": "automountServiceAccountTokens: false",
		"concurrencyPolicy: Forbid":           "concurrencyPolicies: Forbid",
		"readOnlyRootFilesystem: true":        "readOnlyRootFilesystem: maybe",
		"replicas: 1":                         "replicas: one",
		"targetPort: http":                    "targetPort: [http]",
		"policyTypes: [Ingress, Egress]":      "policyTypes: Ingress",
		"path: /metrics":                      "paths: /metrics",
		"      for: 10m":                      "      fore: 10m",
	} {
		if !strings.Contains(right, before) {
			t.Errorf("no set renders %q", before)
			continue
		}
		invalid := 0
		for _, result := range check.Validate("wrong", io.NopCloser(strings.NewReader(strings.ReplaceAll(right, before, after)))) {
			if result.Status == validator.Invalid {
				invalid++
			}
		}
		if invalid == 0 {
			t.Errorf("%q is valid", after)
		}
	}
}

// TestLint is helm lint, strict: an information fails too, except that a chart may be without an icon.
func TestLint(t *testing.T) {
	for _, set := range sets {
		for _, m := range lint.RunAll(folder, values(t, set, nil), "tvmexport").Messages {
			if m.Severity > support.InfoSev || !strings.Contains(m.Error(), "icon is recommended") {
				t.Errorf("%s: %v", set, m)
			}
		}
	}
}

// TestValuesSchema compares the keys of values.yaml with those of the schema, and with the README.
func TestValuesSchema(t *testing.T) {
	var defaults object
	if err := yaml.UnmarshalStrict([]byte(read(t, folder+"/values.yaml")), &defaults); err != nil {
		t.Fatal(err)
	}
	var schema object
	if err := json.Unmarshal([]byte(read(t, folder+"/values.schema.json")), &schema); err != nil {
		t.Fatal(err)
	}
	readme := read(t, folder+"/README.md")
	var walk func(path string, value any, schema object)
	walk = func(path string, value any, schema object) {
		section, _ := value.(object)
		properties, _ := schema["properties"].(object)
		if closed, ok := schema["additionalProperties"].(bool); !ok || closed { // a leaf: its keys are the user's
			if schema["description"] == nil {
				t.Errorf("the schema does not describe %s", path)
			}
			text, err := json.Marshal(value)
			if err != nil {
				t.Fatal(err)
			}
			if row := "| " + path + " |"; !strings.Contains(readme, row) || !strings.Contains(line(readme, row), "`"+string(text)+"`") {
				t.Errorf("the README has no row of %s with the default %s; make chart writes it", path, text)
			}
			return
		}
		for key, v := range section {
			p, ok := properties[key].(object)
			if !ok {
				t.Errorf("the schema does not have %s.%s", path, key)
				continue
			}
			walk(strings.TrimPrefix(path+"."+key, "."), v, p)
		}
		for key := range properties {
			if _, ok := section[key]; !ok && path+key != "global" {
				t.Errorf("values.yaml does not have %s.%s", path, key)
			}
		}
	}
	walk("", defaults, schema)
}

func line(text, with string) string {
	for l := range strings.Lines(text) {
		if strings.Contains(l, with) {
			return l
		}
	}
	return ""
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
