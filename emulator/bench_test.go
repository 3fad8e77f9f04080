package emulator_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/tvmexport/tvmexport/emulator"
	"github.com/tvmexport/tvmexport/emulator/internal/defender"
)

// A hunting call of some megabytes, from the tenant's rows to the client's bytes.
func BenchmarkHunt(b *testing.B) {
	quota := defender.Off()
	_, p := newEmulator(b, emulator.Options{Devices: 2000, Quota: &quota})
	token := p.token("https://graph.microsoft.com/.default")
	for _, coding := range []string{"identity", "gzip"} {
		b.Run(coding, func(b *testing.B) {
			for b.Loop() {
				r, err := http.NewRequest("POST", p.at.Graph+"/v1.0/security/runHuntingQuery",
					strings.NewReader(`{"Query":"DeviceTvmSoftwareVulnerabilities | where DeviceId startswith_cs \"3\""}`))
				if err != nil {
					b.Fatal(err)
				}
				r.Header.Set("Authorization", "Bearer "+token)
				r.Header.Set("Accept-Encoding", coding)
				resp, err := p.client.Do(r)
				if err != nil {
					b.Fatal(err)
				}
				n, err := io.Copy(io.Discard, resp.Body)
				if err != nil {
					b.Fatal(err)
				}
				b.SetBytes(n) // as sent
			}
		})
	}
}
