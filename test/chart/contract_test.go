package chart_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/tvmexport/tvmexport/internal/config"
)

// TestRestricted holds what the restricted Pod Security Standard requires, and a read-only root, of each pod.
func TestRestricted(t *testing.T) {
	for _, set := range sets {
		for kind, pod := range pods(t, values(t, set, nil)) {
			for keys, want := range map[string]any{
				"spec.securityContext.runAsNonRoot":                          true,
				"spec.securityContext.runAsUser":                             float64(65532),
				"spec.securityContext.seccompProfile.type":                   "RuntimeDefault",
				"spec.automountServiceAccountToken":                          false,
				"spec.containers.0.securityContext.allowPrivilegeEscalation": false,
				"spec.containers.0.securityContext.readOnlyRootFilesystem":   true,
				"spec.containers.0.securityContext.capabilities.drop.0":      "ALL",
			} {
				if got := get(pod, keys); fmt.Sprint(got) != fmt.Sprint(want) {
					t.Errorf("%s, %s: %s is %v, want %v", set, kind, keys, got, want)
				}
			}
			for _, v := range get(pod, "spec.volumes").([]any) {
				if v.(object)["hostPath"] != nil {
					t.Errorf("%s, %s: %v", set, kind, v)
				}
			}
			if get(pod, "spec.containers.0.resources.limits.memory") == nil {
				t.Errorf("%s, %s: no limit of memory", set, kind)
			}
		}
	}
}

// TestMounts finds the volume of each mount, and no volume without a mount.
func TestMounts(t *testing.T) {
	for _, set := range sets {
		for kind, pod := range pods(t, values(t, set, nil)) {
			there, mounted := map[string]bool{}, map[string]bool{}
			for _, v := range get(pod, "spec.volumes").([]any) {
				there[fmt.Sprint(get(v, "name"))] = true
			}
			for _, m := range get(pod, "spec.containers.0.volumeMounts").([]any) {
				mounted[fmt.Sprint(get(m, "name"))] = true
			}
			if !maps.Equal(there, mounted) {
				t.Errorf("%s, %s: volumes %v, mounts %v", set, kind, there, mounted)
			}
			for _, e := range get(pod, "spec.containers.0.env").([]any) {
				path := fmt.Sprint(get(e, "value"))
				if name, ok := strings.CutPrefix(path, "/run/secrets/"); ok {
					at, _, _ := strings.Cut(name, "/")
					if !slices.ContainsFunc(get(pod, "spec.containers.0.volumeMounts").([]any), func(m any) bool { return get(m, "mountPath") == "/run/secrets/"+at }) {
						t.Errorf("%s, %s: nothing is mounted for %s", set, kind, path)
					}
				}
			}
		}
	}
}

// TestConfiguration lets the program read the rendered configuration.
func TestConfiguration(t *testing.T) {
	environment := func(name string) (string, bool) {
		return strings.Repeat("k", 16), name == "TVMEXPORT_PSEUDONYMISATION_KEY"
	}
	for _, set := range sets {
		all := objects(t, values(t, set, object{"dashboards.enabled": false})) // which is a ConfigMap too
		data, _ := get(all["ConfigMap"], "data").(object)
		text, _ := data["tvmexport.yaml"].(string)
		c, err := config.Parse("tvmexport.yaml", []byte(text), environment)
		if err == nil {
			err = c.Check()
		}
		if err != nil {
			t.Errorf("%s: %v\n%s", set, err, text)
		}
	}
}

// TestSchedules: a CronJob has its schedule, serve has it in its configuration.
func TestSchedules(t *testing.T) {
	cron := objects(t, values(t, "cronjob", nil))["CronJob"]
	for keys, want := range map[string]string{
		"spec.schedule": "15 2 * * *", "spec.timeZone": "Europe/Berlin", "spec.concurrencyPolicy": "Forbid",
		"spec.jobTemplate.spec.template.spec.containers.0.args":             "[run --max-wait 2h --config /etc/tvmexport/tvmexport.yaml --log-format json]",
		"spec.jobTemplate.spec.podFailurePolicy.rules.0.onExitCodes.values": "[2 4 11]",
	} {
		if got := fmt.Sprint(get(cron, keys)); got != want {
			t.Errorf("%s is %s, want %s", keys, got, want)
		}
	}
	text := manifest(t, values(t, "monitored", nil))
	if !strings.Contains(text, "schedule: CRON_TZ=Europe/Berlin 0 */6 * * *") {
		t.Error("the configuration of serve does not have the schedule with its time zone")
	}
	if strings.Contains(manifest(t, values(t, "cronjob", nil)), "listen:") {
		t.Error("a CronJob configures a listener")
	}
}

// TestIdentity: workload identity is an annotation of the service account and a label of each pod,
// and neither is there with a secret.
func TestIdentity(t *testing.T) {
	for _, set := range sets {
		all := objects(t, values(t, set, nil))
		with := set != "cronjob" && set != "provider"
		annotations, _ := get(all["ServiceAccount"], "metadata.annotations").(object)
		if _, ok := annotations["azure.workload.identity/client-id"].(string); ok != with || len(annotations) > 0 != with {
			t.Errorf("%s: annotations %v", set, annotations)
		}
		for kind, pod := range pods(t, values(t, set, nil)) {
			labels, _ := get(pod, "metadata.labels").(object)
			if (labels["azure.workload.identity/use"] == "true") != with {
				t.Errorf("%s, %s: %v", set, kind, labels)
			}
			if get(pod, "spec.serviceAccountName") != get(all["ServiceAccount"], "metadata.name") {
				t.Errorf("%s, %s: another service account", set, kind)
			}
		}
	}
}

// TestSelectors: services, budgets, policies and monitors select what is there, and nothing of a job.
func TestSelectors(t *testing.T) {
	selects := func(selector any, labels any) bool {
		s, ok := selector.(object)
		for k, v := range s {
			if labels.(object)[k] != v {
				return false
			}
		}
		return ok && len(s) > 0
	}
	v := values(t, "monitored", object{"init.enabled": true})
	all := objects(t, v)
	serve, job := get(all["Deployment"], "spec.template.metadata.labels"), get(all["Job"], "spec.template.metadata.labels")
	for kind, keys := range map[string]string{"Service": "spec.selector", "PodDisruptionBudget": "spec.selector.matchLabels", "Deployment": "spec.selector.matchLabels"} {
		if s := get(all[kind], keys); !selects(s, serve) || selects(s, job) {
			t.Errorf("%s selects %v; labels are %v and %v", kind, s, serve, job)
		}
	}
	if s := get(all["NetworkPolicy"], "spec.podSelector.matchLabels"); !selects(s, serve) || !selects(s, job) {
		t.Errorf("the policy selects %v", s)
	}
	if s := get(all["ServiceMonitor"], "spec.selector.matchLabels"); !selects(s, get(all["Service"], "metadata.labels")) {
		t.Errorf("the monitor selects %v", s)
	}
	if got := fmt.Sprint(get(objects(t, values(t, "workers", nil))["NetworkPolicy"], "spec.egress.2.ports.0.port")); got != "7233" {
		t.Errorf("workers reach Temporal at port %s", got)
	}
}

// TestImages: workers have their own image and Temporal for an engine, the job that prepares their databases has neither.
func TestImages(t *testing.T) {
	all := pods(t, values(t, "workers", object{"init.enabled": true, "image.tag": "1.2.3"}))
	for kind, want := range map[string]string{"Deployment": "ghcr.io/tvmexport/tvmexport-worker:1.2.3", "Job": "ghcr.io/tvmexport/tvmexport:1.2.3"} {
		if got := get(all[kind], "spec.containers.0.image"); got != want {
			t.Errorf("%s has the image %v, want %s", kind, got, want)
		}
	}
	if got := fmt.Sprint(get(all["Job"], "spec.containers.0.args")); !strings.HasPrefix(got, "[init --all-tenants ") {
		t.Errorf("the job runs %s", got)
	}
	for kind, want := range map[string]bool{"Deployment": true, "Job": false} {
		env := fmt.Sprint(get(all[kind], "spec.containers.0.env"))
		if strings.Contains(env, "map[name:TVMEXPORT_FLEET_ENGINE value:temporal]") != want || strings.Contains(env, "TEMPORAL_ADDRESS") != want {
			t.Errorf("%s has the environment %s", kind, env)
		}
	}
	pinned := get(pods(t, values(t, "monitored", nil))["Deployment"], "spec.containers.0.image")
	if !strings.HasPrefix(fmt.Sprint(pinned), "ghcr.io/tvmexport/tvmexport@sha256:") {
		t.Errorf("the image is %v", pinned)
	}
}

// TestRefusals: values that cannot work are refused with a sentence that says what to set.
func TestRefusals(t *testing.T) {
	for _, c := range []struct {
		set  string
		with object
		want string
	}{
		{"serve", object{"config.kusto.cluster": ""}, "config.kusto.cluster is empty"},
		{"serve", object{"serve.token.existingSecret": ""}, "serve.token.existingSecret"},
		{"serve", object{"workloadIdentity.clientId": ""}, "workloadIdentity.clientId is empty"},
		{"cronjob", object{"credentials.clientSecretKey": ""}, "credentials.clientSecretKey or credentials.certificateKey"},
		{"cronjob", object{"credentials.tenantId": ""}, "credentials.clientId and credentials.tenantId"},
		{"cronjob", object{"workloadIdentity.enabled": true, "workloadIdentity.clientId": "x"}, "choose one"},
		{"cronjob", object{"serviceMonitor.enabled": true}, "needs mode serve"},
		{"workers", object{"worker.temporal.address": ""}, "worker.temporal.address"},
		{"workers", object{"init.enabled": true, "image.digest": "sha256:" + strings.Repeat("0", 64)}, "uses two"},
		{"serve", object{"mode": "daemon"}, "mode"},
		{"serve", object{"unknown": 1}, "unknown"},
		{"serve", object{"serve.tokens": object{}}, "tokens"},
		{"serve", object{"schedule": "hourly"}, "schedule"},
		{"serve", object{"runAsUser": 0}, "runAsUser"},
		{"serve", object{"image.digest": "latest"}, "digest"},
		{"serve", object{"config.serve.token": "in plain text"}, "token"},
		{"serve", object{"config.schedule": "0 0 * * *"}, "schedule"},
		{"provider", object{"tenants": []any{object{"name": "a b"}}}, "name"},
		{"provider", object{"tenants": []any{object{"name": "a"}, object{"name": "a"}}}, "a is listed twice"},
	} {
		_, err := render(values(t, c.set, c.with))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s with %v: %v; want %q", c.set, c.with, err, c.want)
		}
	}
}

// TestSecretsAreNoValues: no rendered object is a Secret, and the configuration has no secret.
func TestSecretsAreNoValues(t *testing.T) {
	for _, set := range sets {
		for kind := range objects(t, values(t, set, nil)) {
			if kind == "Secret" {
				t.Errorf("%s renders a secret", set)
			}
		}
	}
}

// TestFiles: alert rules and dashboard are those of deploy/prometheus and deploy/grafana.
func TestFiles(t *testing.T) {
	for copied, source := range map[string]string{"alerts.yaml": "../../deploy/prometheus/alerts.yaml", "dashboard.json": "../../deploy/grafana/dashboard.json"} {
		if read(t, folder+"/files/"+copied) != read(t, source) {
			t.Errorf("files/%s is not %s; make chart copies it", copied, source)
		}
	}
	all := objects(t, values(t, "monitored", nil))
	var rules object
	if err := yaml.Unmarshal([]byte(read(t, "../../deploy/prometheus/alerts.yaml")), &rules); err != nil {
		t.Fatal(err)
	}
	if got, want := fmt.Sprint(get(all["PrometheusRule"], "spec")), fmt.Sprint(any(rules)); got != want {
		t.Errorf("the rules are %s, want %s", got, want)
	}
	boards := 0
	for kind, o := range all {
		data, _ := get(o, "data").(object)
		if board, ok := data["tvmexport.json"].(string); ok {
			if boards++; strings.TrimSpace(board) != strings.TrimSpace(read(t, "../../deploy/grafana/dashboard.json")) {
				t.Errorf("%s has another dashboard", kind)
			}
		}
	}
	if boards != 1 {
		t.Errorf("%d dashboards", boards)
	}
}
