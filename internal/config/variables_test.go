package config_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/tvmexport/tvmexport/internal/config"
)

func TestUnknownVariables(t *testing.T) {
	for name, want := range map[string]string{
		"TVMEXPORT_KUSTO_CLUSTER":               "",
		"TVMEXPORT_SERVE_TOKEN_FILE":            "",
		"TVMEXPORT_OTHER":                       "",
		"PATH":                                  "",
		"TVMEXPORT_SERVICE_HOST":                "", // by Kubernetes, for a service of the name
		"TVMEXPORT_SERVICE_PORT_HTTP":           "",
		"TVMEXPORT_PORT":                        "",
		"TVMEXPORT_PORT_9464_TCP_ADDR":          "",
		"TVMEXPORT_KUSTO_CLUSTR":                "did you mean TVMEXPORT_KUSTO_CLUSTER?",
		"tvmexport_kusto_cluster":               "did you mean TVMEXPORT_KUSTO_CLUSTER?",
		"TVMEXPORT_KUSTO_CLUSTER_FILE":          "did you mean TVMEXPORT_KUSTO_CLUSTER?",
		"TVMEXPORT_PSEUDONYMIZATION_KEY":        "did you mean TVMEXPORT_PSEUDONYMISATION_KEY?",
		"TVMEXPORT_SERVE_SCHEDULES":             "this variable does not set a configuration key",
		"TVMEXPORT_X":                           "tvmexport help environment",
		"TVMEXPORT_" + strings.Repeat("Y", 1e6): "tvmexport help environment",
	} {
		got := config.UnknownVariables([]string{name + "=secret"}, []string{"TVMEXPORT_OTHER"})
		if want == "" && len(got) > 0 || want != "" && (len(got) != 1 || !strings.Contains(got[0].Error(), want)) {
			t.Errorf("%.60s: %.300v, want %q", name, got, want)
		}
		if len(got) > 0 && (strings.Contains(got.Error(), "secret") || len(got.Error()) > 500) {
			t.Errorf("%.60s: %.500s", name, got.Error())
		}
	}
	if all := config.Variables(); !slices.Contains(all, "TVMEXPORT_DEFENDER_CALLS_PER_MINUTE") || slices.Contains(all, "TVMEXPORT_KUSTO_CLUSTER_FILE") || slices.ContainsFunc(all, func(v string) bool { return strings.Contains(v, "*") }) {
		t.Errorf("variables: %v", all)
	}
}

// A placeholder that was not replaced is a mistake in every place.
func TestPlaceholders(t *testing.T) {
	for _, tt := range []struct {
		text string
		vars map[string]string
		want string
	}{
		{small, map[string]string{"TVMEXPORT_KUSTO_DATABASE": "${DATABASE}"}, `TVMEXPORT_KUSTO_DATABASE contains the placeholder "${DATABASE}"`},
		{small, map[string]string{"TVMEXPORT_SERVE_TOKEN": "${SERVE_TOKEN}"}, "TVMEXPORT_SERVE_TOKEN is a placeholder of the form ${NAME}"},
		{small, map[string]string{"TVMEXPORT_SERVE_TOKEN": "abc${x}defghijklmnop"}, ""},
		{"kusto: {cluster: https://adx.example, database: '${NAME}'}", map[string]string{"NAME": "${OTHER}"}, `kusto.database contains the placeholder "${OTHER}"`},
		{"kusto: {cluster: https://adx.example, database: '${NAME:-security}'}", nil, `kusto.database contains the placeholder "${NAME:-security}"`},
		{"kusto: {cluster: https://adx.example, database: '${NAME'}", nil, `kusto.database contains the placeholder "${NAME"`},
		{small + "pseudonymisation_key: ${KEY}", map[string]string{"KEY": "${KEY_OF_THE_VAULT}"}, "pseudonymisation_key is a placeholder of the form ${NAME}"},
		{small + "tables: {T: {exclude: ['${A-b}']}}", nil, `tables.T.exclude contains the placeholder "${A-b}"`},
	} {
		_, err := config.Parse("c.yaml", []byte(tt.text), env(tt.vars))
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s %v: %v, want %q", tt.text, tt.vars, err, tt.want)
		}
	}
	got := config.Placeholders(env(map[string]string{"A": "${A}", "B": "b${B}", "C": " ${C} "}), []string{"A", "B", "C", "D"})
	if len(got) != 2 {
		t.Errorf("placeholders: %v", got)
	}
}

func TestThePrefixOfFunctionsIsAnIdentifier(t *testing.T) {
	for prefix, want := range map[string]bool{"Tvm_": true, "_": true, "": true, "my-": false, "1": false, "a b": false, "x'); .drop table T": false} {
		c := config.Default()
		c.Kusto.Cluster, c.Kusto.Database, c.Functions.Prefix = "https://adx.example", "d", prefix
		if err := c.Check(); (err == nil) != want || err != nil && !strings.Contains(err.Error(), "functions.prefix") {
			t.Errorf("%q: %v", prefix, err)
		}
	}
}
