package deploy_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/tvmexport/tvmexport/internal/config"
)

// versions are the API versions of the resource types, each from its page below
// https://learn.microsoft.com/azure/templates.
var versions = map[string]string{
	"Microsoft.App/containerApps":                             "2024-03-01",
	"Microsoft.App/jobs":                                      "2024-03-01",
	"Microsoft.App/managedEnvironments":                       "2024-03-01",
	"Microsoft.Kusto/clusters":                                "2023-08-15",
	"Microsoft.Kusto/clusters/databases":                      "2023-08-15",
	"Microsoft.Kusto/clusters/databases/principalAssignments": "2023-08-15",
	"Microsoft.Kusto/clusters/databases/scripts":              "2023-08-15",
	"Microsoft.ManagedIdentity/userAssignedIdentities":        "2023-01-31",
	"Microsoft.Network/privateDnsZones":                       "2020-06-01",
	"Microsoft.Network/privateDnsZones/virtualNetworkLinks":   "2020-06-01",
	"Microsoft.Network/privateEndpoints":                      "2023-11-01",
	"Microsoft.Network/privateEndpoints/privateDnsZoneGroups": "2023-11-01",
	"Microsoft.Network/virtualNetworks":                       "2023-11-01",
	"Microsoft.OperationalInsights/workspaces":                "2022-10-01",
}

// functions are those of Azure Resource Manager that the templates call
// (https://learn.microsoft.com/azure/azure-resource-manager/templates/template-functions).
var functions = []string{
	"concat", "copyIndex", "createArray", "createObject", "empty", "environment", "equals", "format", "if", "json", "length", "listKeys", "not", "null",
	"parameters", "reference", "resourceGroup", "resourceId", "subscription", "toLower", "true", "uniqueString", "variables",
}

// template is a template of Azure Resource Manager.
type template struct {
	Schema         string                    `json:"$schema"`
	ContentVersion string                    `json:"contentVersion"`
	Metadata       map[string]string         `json:"metadata"`
	Parameters     map[string]map[string]any `json:"parameters"`
	Variables      map[string]any            `json:"variables"`
	Resources      []map[string]any          `json:"resources"`
	Outputs        map[string]map[string]any `json:"outputs"`
}

func templates(t *testing.T) map[string]template {
	t.Helper()
	files, err := filepath.Glob("azure/*.json")
	if err != nil || len(files) != 3 {
		t.Fatal(files, err)
	}
	out := map[string]template{}
	for _, f := range files {
		var m template
		d := json.NewDecoder(strings.NewReader(string(read(t, f))))
		d.DisallowUnknownFields()
		if err := d.Decode(&m); err != nil {
			t.Fatalf("%s: %v", f, err)
		}
		out[filepath.Base(f)] = m
	}
	return out
}

// texts calls f with each text in a value, keys among them.
func texts(value any, f func(text string)) {
	switch v := value.(type) {
	case string:
		f(v)
	case []any:
		for _, e := range v {
			texts(e, f)
		}
	case map[string]any:
		for k, e := range v {
			f(k)
			texts(e, f)
		}
	}
}

// TestTemplates holds what Azure Resource Manager checks before it deploys: expressions, names of parameters and
// variables, types and API versions, and what resources depend on.
func TestTemplates(t *testing.T) {
	for file, m := range templates(t) {
		t.Run(file, func(t *testing.T) {
			if !strings.HasSuffix(m.Schema, "/2019-04-01/deploymentTemplate.json#") || m.ContentVersion == "" || m.Metadata["description"] == "" {
				t.Error("the head of the template is not complete")
			}
			declared := map[string]bool{}
			for name, p := range m.Parameters {
				declared["parameters "+name] = false
				if about, _ := p["metadata"].(map[string]any); about["description"] == nil {
					t.Errorf("parameter %s is not described", name)
				}
				if kind, _ := p["type"].(string); !slices.Contains([]string{"string", "securestring", "int", "bool", "array", "object"}, kind) {
					t.Errorf("parameter %s has the type %s", name, kind)
				} else if kind == "securestring" && p["defaultValue"] != "" {
					t.Errorf("the secret %s has a default", name)
				}
			}
			for name := range m.Variables {
				declared["variables "+name] = false
			}
			types, loops := map[string]bool{}, map[string]bool{}
			for _, r := range m.Resources {
				kind, _ := r["type"].(string)
				types[kind] = true
				if r["apiVersion"] != versions[kind] || versions[kind] == "" {
					t.Errorf("%s has the API version %v, want %q", kind, r["apiVersion"], versions[kind])
				}
				if c, ok := r["copy"].(map[string]any); ok {
					loops[c["name"].(string)] = true
				}
			}
			check := func(text string) {
				t.Helper()
				calls, err := callsOf(text)
				if err != nil {
					t.Error(err)
				}
				for _, c := range calls {
					switch {
					case !slices.Contains(functions, c.function):
						t.Errorf("%s is no function that a template calls", c.function)
					case c.function == "parameters" || c.function == "variables":
						key := c.function + " " + c.texts[0]
						if _, ok := declared[key]; !ok {
							t.Errorf("%s are not declared", key)
						}
						declared[key] = true
					case c.function == "resourceId":
						// A subnet is part of its network, and a cluster is there before.
						kind := strings.TrimSuffix(c.texts[0], "/subnets")
						if !types[kind] && kind != "Microsoft.Kusto/clusters" {
							t.Errorf("there is no resource of type %s", c.texts[0])
						}
						if parts := strings.Count(c.texts[0], "/"); len(c.texts)-1 != parts {
							t.Errorf("resourceId of %s has %d names, want %d", c.texts[0], len(c.texts)-1, parts)
						}
					case c.function == "reference" || c.function == "listKeys":
						if !slices.Contains(slices.Collect(maps.Values(versions)), c.texts[1]) {
							t.Errorf("%s has the API version %q", c.function, c.texts[1])
						}
					}
				}
			}
			for _, p := range m.Parameters {
				texts(p["defaultValue"], check)
			}
			texts(m.Variables, check)
			for name, v := range m.Variables {
				texts(v, func(text string) {
					if regexp.MustCompile(`\b(reference|listKeys)\(`).MatchString(text) {
						t.Errorf("variable %s needs a resource, which variables cannot have", name)
					}
				})
			}
			for _, o := range m.Outputs {
				texts(o["value"], check)
			}
			for _, r := range m.Resources {
				texts(r, check)
				on, _ := r["dependsOn"].([]any)
				for _, d := range on {
					if text := d.(string); !strings.HasPrefix(text, "[") && !loops[text] {
						t.Errorf("%s depends on %s, which is not there", r["type"], text)
					}
				}
				// A child's name has a part for each part of its type.
				kind := r["type"].(string)
				if name := r["name"].(string); strings.Count(kind, "/") > 1 && strings.Count(name, "}/") != strings.Count(kind, "/")-1 {
					t.Errorf("the name %s of %s has other parts than its type", name, kind)
				}
			}
			for name, used := range declared {
				if !used {
					t.Errorf("%s are not used", name)
				}
			}
		})
	}
}

// TestContainers compares the containers with the program: commands, settings, secrets, volumes, probes.
func TestContainers(t *testing.T) {
	known := append(config.Variables(), "AZURE_CLIENT_ID", "AZURE_TENANT_ID")
	variable := regexp.MustCompile(`'name', '([A-Z_]+)'`)
	secret := regexp.MustCompile(`'secretRef', '([a-z-]+)'`)
	commands := map[string]bool{}
	for _, r := range templates(t)["exporter.json"].Resources {
		if kind := r["type"].(string); kind != "Microsoft.App/jobs" && kind != "Microsoft.App/containerApps" {
			continue
		}
		properties := r["properties"].(map[string]any)
		inside := properties["template"].(map[string]any)
		containers := inside["containers"].([]any)
		if len(containers) != 1 {
			t.Fatalf("%s has %d containers", r["name"], len(containers))
		}
		c := containers[0].(map[string]any)
		commands[c["args"].([]any)[0].(string)] = true
		env := c["env"].(string)
		set := map[string]bool{}
		for _, m := range variable.FindAllStringSubmatch(env, -1) {
			set[m[1]] = true
			if !slices.Contains(known, m[1]) {
				t.Errorf("%s: the program does not know %s", r["name"], m[1])
			}
		}
		for _, name := range []string{"TVMEXPORT_AUTH_METHOD", "AZURE_CLIENT_ID", "AZURE_TENANT_ID", "TVMEXPORT_KUSTO_CLUSTER", "TVMEXPORT_KUSTO_DATABASE"} {
			if !set[name] {
				t.Errorf("%s does not set %s", r["name"], name)
			}
		}
		for _, m := range secret.FindAllStringSubmatch(env, -1) {
			if !strings.Contains(fmt.Sprint(properties["configuration"]), "name:"+m[1]) {
				t.Errorf("%s has no secret %s", r["name"], m[1])
			}
		}
		if c["volumeMounts"] != "[variables('mounts')]" || inside["volumes"] != "[variables('volumes')]" || c["resources"] != "[variables('resources')]" {
			t.Errorf("%s has other volumes or resources", r["name"])
		}
		if identity := fmt.Sprint(r["identity"]); !strings.Contains(identity, "UserAssigned") || !strings.Contains(identity, "variables('identityId')") {
			t.Errorf("%s has the identity %s", r["name"], identity)
		}
	}
	if want := map[string]bool{"run": true, "init": true, "serve": true}; !maps.Equal(commands, want) {
		t.Errorf("the containers run %v", commands)
	}
}

// TestRolesOfTheDatabase: the roles are those of a database, and the two that the exporter needs are among them.
func TestRolesOfTheDatabase(t *testing.T) {
	m := templates(t)["database.json"]
	roles := m.Variables["roles"].(string)
	for _, role := range regexp.MustCompile(`'(\w+)'`).FindAllStringSubmatch(strings.ReplaceAll(roles, "parameters('script')", ""), -1) {
		if !slices.Contains([]string{"Admin", "Ingestor", "Monitor", "UnrestrictedViewer", "User", "Viewer"}, role[1]) {
			t.Errorf("%s is no role of a database", role[1])
		}
	}
	if !strings.Contains(roles, "createArray('User', 'Ingestor')") {
		t.Errorf("the roles are %s", roles)
	}
}

// TestGrantScript runs grant.sh with a program in the place of az, which has the identity's permissions in a file.
func TestGrantScript(t *testing.T) {
	if _, err := exec.LookPath("bash"); err != nil {
		t.Skip("there is no bash")
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "az"), []byte(`#!/usr/bin/env bash
case "$*" in
*"ad sp show --id 00000003-"*"ThreatHunting.Read.All"*) echo role-hunting ;;
*"ad sp show --id fc780465-"*"Vulnerability.Read.All"*) echo role-vulnerability ;;
*"ad sp show --id "*"appRoles"*) ;;
*"ad sp show --id 00000003-"*) echo graph ;;
*"ad sp show --id fc780465-"*) echo defender ;;
*"--method POST"*) echo "$*" >>"$GRANTS" ;;
*"rest --url "*) grep -o 'role-[a-z]*' "$GRANTS" 2>/dev/null | while read -r role; do case "$*" in *"'$role'"*) echo id ;; esac; done; true ;;
*) echo "unexpected: $*" >&2; exit 1 ;;
esac
`), 0o700); err != nil {
		t.Fatal(err)
	}
	grants := filepath.Join(dir, "grants")
	run := func(args ...string) (string, error) {
		c := exec.Command("bash", append([]string{"azure/grant.sh"}, args...)...)
		c.Env = append(c.Environ(), "PATH="+dir+string(os.PathListSeparator)+os.Getenv("PATH"), "GRANTS="+grants)
		out, err := c.CombinedOutput()
		return string(out), err
	}
	for _, c := range []struct {
		args []string
		says string
		code bool
	}{
		{[]string{"object"}, "ThreatHunting.Read.All: granted", true},
		{[]string{"object", "ThreatHunting.Read.All", "Vulnerability.Read.All"}, "ThreatHunting.Read.All: the identity has it\nVulnerability.Read.All: granted", true},
		{[]string{"object", "Nonsense.Read.All"}, "Nonsense.Read.All is no application permission", false},
		{nil, "usage: grant.sh", false},
	} {
		out, err := run(c.args...)
		if !strings.Contains(out, c.says) || (err == nil) != c.code {
			t.Errorf("grant.sh %q says %q, %v; want %q", c.args, out, err, c.says)
		}
	}
	if text := string(read(t, grants)); strings.Count(text, "\n") != 2 || !strings.Contains(text, `"principalId": "object", "resourceId": "defender", "appRoleId": "role-vulnerability"`) {
		t.Errorf("the grants are\n%s", text)
	}
}
