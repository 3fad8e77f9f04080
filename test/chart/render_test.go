package chart_test

import (
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"helm.sh/helm/v4/pkg/chart/common"
	"helm.sh/helm/v4/pkg/chart/common/util"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	"helm.sh/helm/v4/pkg/engine"
	"sigs.k8s.io/yaml"
)

const folder = "../../deploy/helm/tvmexport"

// sets are the sets of values that are rendered and validated.
var sets = []string{"serve", "cronjob", "provider", "monitored", "workers", "plain"}

type object = map[string]any

// values are those of a set, with changes: "a.b.c" and its value.
func values(t *testing.T, set string, changes object) object {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("values", set+".yaml"))
	if err != nil {
		t.Fatal(err)
	}
	out := object{}
	if err := yaml.UnmarshalStrict(text, &out); err != nil {
		t.Fatal(err)
	}
	for key, value := range changes {
		at, parts := out, strings.Split(key, ".")
		for _, p := range parts[:len(parts)-1] {
			next, ok := at[p].(object)
			if !ok {
				next = object{}
				at[p] = next
			}
			at = next
		}
		at[parts[len(parts)-1]] = value
	}
	return out
}

// render gives the manifests by template, as helm template does for the release tvmexport.
func render(v object) (map[string]string, error) {
	c, err := loader.LoadDir(folder)
	if err != nil {
		return nil, err
	}
	given, err := util.ToRenderValues(c, v, common.ReleaseOptions{Name: "tvmexport", Namespace: "tvmexport", IsInstall: true, Revision: 1}, nil)
	if err != nil {
		return nil, err
	}
	files, err := engine.Render(c, given)
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	for name, text := range files {
		if strings.TrimSpace(text) != "" && path.Ext(name) == ".yaml" {
			out[path.Base(name)] = text
		}
	}
	return out, nil
}

// manifest is everything that a set renders.
func manifest(t *testing.T, v object) string {
	t.Helper()
	files, err := render(v)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, name := range slices.Sorted(maps.Keys(files)) {
		list = append(list, strings.TrimSpace(files[name])+"\n")
	}
	return strings.Join(list, "---\n")
}

// objects are the rendered objects by kind; of a kind that occurs twice, by "kind name".
func objects(t *testing.T, v object) map[string]object {
	t.Helper()
	out := map[string]object{}
	for doc := range strings.SplitSeq(manifest(t, v), "\n---\n") {
		var o object
		if err := yaml.UnmarshalStrict([]byte(doc), &o); err != nil {
			t.Fatalf("%v\n%s", err, doc)
		}
		kind := fmt.Sprint(o["kind"])
		if out[kind] != nil {
			kind += " " + fmt.Sprint(get(o, "metadata.name"))
		}
		out[kind] = o
	}
	return out
}

// get follows a path such as spec.template.spec.containers.0.args; nil if it ends.
func get(at any, keys string) any {
	for key := range strings.SplitSeq(keys, ".") {
		switch v := at.(type) {
		case object:
			at = v[key]
		case []any:
			var i int
			if _, err := fmt.Sscanf(key, "%d", &i); err != nil || i >= len(v) {
				return nil
			}
			at = v[i]
		default:
			return nil
		}
	}
	return at
}

// pods are the templates of all pods that a set renders, by kind.
func pods(t *testing.T, v object) map[string]object {
	t.Helper()
	out := map[string]object{}
	for kind, o := range objects(t, v) {
		for _, keys := range []string{"spec.template", "spec.jobTemplate.spec.template"} {
			if pod, ok := get(o, keys).(object); ok {
				out[kind] = pod
			}
		}
	}
	if len(out) == 0 {
		t.Fatal("there is no pod")
	}
	return out
}
