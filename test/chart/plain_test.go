package chart_test

import (
	"flag"
	"os"
	"regexp"
	"testing"
)

const plainFile = "../../deploy/kubernetes/tvmexport.yaml"

var update = flag.Bool("update", false, "write deploy/kubernetes/tvmexport.yaml")

// plainHead is what precedes the objects of the chart.
const plainHead = `# For clusters without Helm: the chart in deploy/helm/tvmexport, mode serve, rendered by make chart with
# test/chart/values/plain.yaml. Set the client id, the image and the configuration, and federate the application
# with the service account (system:serviceaccount:tvmexport:tvmexport). The token of the status page is made once by
#   kubectl -n tvmexport create secret generic tvmexport-token --from-literal=token="$(openssl rand -base64 32)"
apiVersion: v1
kind: Namespace
metadata:
  name: tvmexport
  labels:
    pod-security.kubernetes.io/enforce: restricted
---
`

// ofHelm are labels of objects that Helm manages.
var ofHelm = regexp.MustCompile(`(?m)^ *(app\.kubernetes\.io/managed-by|helm\.sh/chart): .*\n`)

// TestPlain compares deploy/kubernetes/tvmexport.yaml with the chart.
func TestPlain(t *testing.T) {
	want := plainHead + ofHelm.ReplaceAllString(manifest(t, values(t, "plain", nil)), "")
	if *update {
		if err := os.WriteFile(plainFile, []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if read(t, plainFile) != want {
		t.Error("deploy/kubernetes/tvmexport.yaml is not what the chart renders; make chart writes it")
	}
}
