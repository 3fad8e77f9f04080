// Command generate writes the JSON schemas by which the chart's objects are validated, from the
// OpenAPI documents of Kubernetes and the resource definitions of the Prometheus operator:
//
//	generate SWAGGER.JSON CRD-FOLDER SCHEMAS-FOLDER
//
// The schemas are strict: a field that a kind does not have is an error. Descriptions are left out.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"
)

// kinds are those of the chart: the name of the file as kubeconform looks for it, and the definition.
var kinds = map[string]string{
	"configmap-v1":                  "io.k8s.api.core.v1.ConfigMap",
	"namespace-v1":                  "io.k8s.api.core.v1.Namespace",
	"service-v1":                    "io.k8s.api.core.v1.Service",
	"serviceaccount-v1":             "io.k8s.api.core.v1.ServiceAccount",
	"deployment-apps-v1":            "io.k8s.api.apps.v1.Deployment",
	"cronjob-batch-v1":              "io.k8s.api.batch.v1.CronJob",
	"job-batch-v1":                  "io.k8s.api.batch.v1.Job",
	"networkpolicy-networking-v1":   "io.k8s.api.networking.v1.NetworkPolicy",
	"poddisruptionbudget-policy-v1": "io.k8s.api.policy.v1.PodDisruptionBudget",
	"servicemonitor-monitoring-v1":  "monitoring.coreos.com_servicemonitors.yaml",
	"prometheusrule-monitoring-v1":  "monitoring.coreos.com_prometheusrules.yaml",
}

type object = map[string]any

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: generate SWAGGER.JSON CRD-FOLDER SCHEMAS-FOLDER")
		os.Exit(2)
	}
	if err := generate(os.Args[1], os.Args[2], os.Args[3]); err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}

func generate(swagger, crds, out string) error {
	text, err := os.ReadFile(swagger)
	if err != nil {
		return err
	}
	var api struct {
		Definitions map[string]object `json:"definitions"`
	}
	if err := json.Unmarshal(text, &api); err != nil {
		return fmt.Errorf("%s: %w", swagger, err)
	}
	for name, source := range kinds {
		schema := object{"$ref": "#/definitions/" + source}
		if strings.HasSuffix(source, ".yaml") {
			if schema, err = custom(filepath.Join(crds, source)); err != nil {
				return err
			}
		} else {
			used := map[string]object{}
			if err := collect(api.Definitions, source, used); err != nil {
				return err
			}
			definitions := object{}
			for n, d := range used {
				definitions[n] = strict(d)
			}
			schema["definitions"] = definitions
		}
		text, err := json.Marshal(schema)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(out, name+".json"), append(text, '\n'), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// custom is the schema of a custom resource.
func custom(path string) (object, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var crd struct {
		Spec struct {
			Versions []struct {
				Schema struct {
					OpenAPIV3Schema object `json:"openAPIV3Schema"`
				} `json:"schema"`
			} `json:"versions"`
		} `json:"spec"`
	}
	if err := yaml.Unmarshal(text, &crd); err != nil || len(crd.Spec.Versions) == 0 {
		return nil, fmt.Errorf("%s is no resource definition: %w", path, err)
	}
	schema := crd.Spec.Versions[0].Schema.OpenAPIV3Schema
	if p, ok := schema["properties"].(object); ok {
		p["metadata"] = object{"type": "object", "x-kubernetes-preserve-unknown-fields": true} // the definition says no more
	}
	return strict(schema), nil
}

// collect adds a definition and all those that it refers to.
func collect(all map[string]object, name string, used map[string]object) error {
	if used[name] != nil {
		return nil
	}
	d, ok := all[name]
	if !ok {
		return fmt.Errorf("there is no definition %s", name)
	}
	used[name] = d
	text, err := json.Marshal(d)
	if err != nil {
		return err
	}
	for _, part := range strings.Split(string(text), `"#/definitions/`)[1:] {
		next, _, _ := strings.Cut(part, `"`)
		if err := collect(all, next, used); err != nil {
			return err
		}
	}
	return nil
}

// kept are the words of a schema that say which values are valid.
var kept = []string{"$ref", "type", "required", "enum", "pattern", "minLength", "maxLength", "minimum", "maximum", "minItems", "maxItems"}

// strict is a schema without descriptions that allows no unknown fields.
func strict(s object) object {
	out := object{}
	for _, word := range kept {
		if v, ok := s[word]; ok {
			out[word] = v
		}
	}
	if either, _ := s["x-kubernetes-int-or-string"].(bool); either || s["format"] == "int-or-string" {
		out["type"] = []string{"integer", "string"}
	}
	if text, _ := s["description"].(string); s["type"] == "string" && strings.HasPrefix(text, "Quantity is a fixed-point") {
		out["type"] = []string{"number", "string"}
	}
	if p, ok := s["properties"].(object); ok {
		properties := object{}
		for name, v := range p {
			properties[name] = strict(v.(object))
		}
		out["properties"] = properties
		if open, _ := s["x-kubernetes-preserve-unknown-fields"].(bool); !open {
			out["additionalProperties"] = false
		}
	}
	if each, ok := s["additionalProperties"].(object); ok {
		out["additionalProperties"] = strict(each)
	}
	if each, ok := s["items"].(object); ok {
		out["items"] = strict(each)
	}
	for _, word := range []string{"anyOf", "oneOf", "allOf"} {
		list, _ := s[word].([]any)
		for _, v := range list {
			if part, ok := v.(object); ok && !slices.Contains([]string{"integer", "string"}, fmt.Sprint(part["type"])) {
				before, _ := out[word].([]any)
				out[word] = append(before, strict(part))
			}
		}
	}
	return out
}
